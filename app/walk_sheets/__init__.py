"""Walk sheets 入户登记表: an area's doors on paper for a day without a phone, and what was written there entered.

Always true: a sheet holds no whole name, no number and nothing of anybody's health; what is entered from it goes the
way of any command, is credited to who walked, and is marked with who typed it.
"""
