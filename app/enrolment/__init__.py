"""Long lists: the doors of a roster that nobody knows yet, with all behind them, made into rows as sets.

Always true: what is enrolled here is what comparing it door by door would have written (`app.people.registry`); a
door of which that is not plain is left to the registry.
"""
