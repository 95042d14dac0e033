"""Follow-ups 随访: what was learnt of a person and cannot wait, until somebody has seen to it.

Always true: a person has at most one open follow-up, however often the same is reported; it has an owner, and it is
closed with an outcome; one none of whose findings counts (all set aside) is void and shown nowhere.
"""
