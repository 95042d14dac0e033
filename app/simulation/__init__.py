"""Invented cities of any size: people, doors, areas, a round and care, for trying out and for measuring.

The same seed, day and tree give the same rows, ids and times included, on every machine and with any number of
workers: each community draws from sources of its own. What cannot be the same: sealed values (their nonces must
never repeat), blind indexes (they are the installation's key's), password hashes, and the trail's own times.

Nobody in it exists. ID numbers begin with 379999, a district that does not exist, and are each given once; phone
numbers begin with 154, which no operator has ever had.
"""
