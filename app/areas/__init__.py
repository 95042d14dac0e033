"""The division tree 区划 (city, district, town, community) and the clock of each community.

Always true: a code is twelve digits and its parent is known; a community's `version` rises by one with
every transaction that changes something in it, in commit order; the tallies in its clock row equal the
rows they count.
"""
