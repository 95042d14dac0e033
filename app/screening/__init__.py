"""Screening 排查: rounds, the knocks at doors, and where each household and person stands.

Always true: a person counts as screened when answered for, never because a door was knocked; where a
household stands follows from its visits whatever order they arrived in; tallies equal recounts.
"""
