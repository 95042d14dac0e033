"""Questions 问题: what a round asks beyond who is well, in versions, and what was answered.

Always true: a form is never changed, a correction is a new version; an answer keeps the version it was given to; what
was said in words is sealed; an answer that does not fit its question is kept, flagged and counts for nothing.
"""
