"""The registry: dwellings 室, the households 户 behind them, their residents.

Always true: a household lives behind one door; a door is vacant exactly when no open household is behind
it and somebody said so; ID numbers, phones and notes are sealed, answers are masked.
"""
