"""Rules that change 口径: figures with the day they begin to hold and the document they come from.

Retention periods are such figures. A rule in force is the newest that has begun; one that is replaced stays, so
that what was decided under it can still be explained.
"""
