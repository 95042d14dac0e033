"""Merges 合并: two people or two households of a community that are one, made one, and parted again.

Always true: the id that stays stands for both, and the row that was merged away stays, closed, and names it
(`merged_into_id`); no visit is lost and nobody is counted twice; a merge undone leaves the rows as they were, with
what has been changed since.
"""
