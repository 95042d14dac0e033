"""The not-home loop 无人应答: misses, a door notice 告知书 with the household's code, until somebody answers.

Always true: a notice is due while a household's state says so and no longer; a code says nothing of the household to
who reads it, and one that was replaced opens nothing.
"""
