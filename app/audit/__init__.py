"""The trail 留痕: one append-only entry per transaction and community, each hashed over the one before.

Always true: entries are never changed or deleted by the service (its role may not); `seq` has no holes;
the chain's head in `audit_chain` equals its last entry.
"""
