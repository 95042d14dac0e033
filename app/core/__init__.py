"""What every room stands on: settings, database, errors, paging, codes, time, keys and logs.

Holds no domain words and no FastAPI.
"""
