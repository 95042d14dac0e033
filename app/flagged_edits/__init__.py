"""Flagged edits 待核对的登记更正: what phones changed in the registry, credited, and somebody should look at.

Always true: what a phone is told somebody will check stands in a list that a desk reads. A row says what was done and
by whom, never what it said; the registry itself has that. A verdict undoes nothing: what was wrong is corrected there.
"""
