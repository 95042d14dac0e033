"""What an undone import has taken out 撤销移出, for phones that carried it and have not heard: for a week.

Always true: only what lay behind a door of a responsibility area is kept, sealed and without numbers. When a record of
then comes in, the household is there again, as it would be had the record come before the undo; or, where the right
file has brought it meanwhile, its old ids lead to who stands there now.
"""
