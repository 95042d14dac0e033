"""Who is there and what they may do: accounts, grants by division prefix, devices, sessions, clients.

Always true: a grant is (account, role, division prefix); a refresh token serves once; a revoked device
or an ended session serves no request after the verified-token cache's few seconds.
"""
