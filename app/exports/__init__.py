"""Out again: any list as a workbook, with the list's own filters, scope and masks.

Always true: what stands in a workbook is what the list's own route answers, page after page, to the same person;
each workbook that was made has a record of who took what away, by which filter, in how many rows.
"""
