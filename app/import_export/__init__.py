"""Rosters and division lists in, workbooks out.

Always true: what is only untidy is read, what is wrong is reported by sheet, row, column and code, nothing is
guessed; an import is one transaction; the same file twice changes nothing.
"""
