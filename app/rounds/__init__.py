"""Rounds 排查 as a desk makes them: drafts with their questions and estimate, publishing, corrections, templates,
and whose doors they are for.

Always true: nobody publishes a round whose cost in minutes they have not seen; a round that runs is corrected by a new
version, never changed behind what was answered; coverage counts the doors a round is for and no others.
"""
