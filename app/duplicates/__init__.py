"""Duplicates 重复登记: the same person or household registered twice, found, reviewed, merged, and parted again.

Always true: nothing is merged by a program; what was said to be different never comes back; a committee learns of
another community's registry that the same person stands there too, and nothing else; a merge can be undone, and
then the same rows stand there again.
"""
