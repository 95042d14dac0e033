"""Undoing an import 撤销导入: within the hour after it was done, what it wrote is taken out and put back again.

Always true: a row is taken out or put back only while it is still at the version the import wrote it with and nothing
hangs on its household that came since; what was kept for this is gone after the hour.
"""
