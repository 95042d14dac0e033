"""Risk areas 风险地区: who is known to have been at a place, so that only the others are asked.

Always true: nothing about anybody is kept here, each look is worked out anew from what the registry and the doors say,
and stands in the trail; words are opened for the communities that were asked about and no others; a level above the
community sees counts.
"""
