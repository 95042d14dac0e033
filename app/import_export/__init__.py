"""Rosters and division lists in, workbooks out.

Always true: what is only untidy is read, what is wrong is reported by sheet, row, column and code, nothing is
guessed; an import is one transaction; the same file twice changes nothing.

Reading knows no database: `archive` tells what a file is and bounds it, `workbook` opens it as cells, `headers` finds
the columns, `places` and `addresses` say where, `members` and `persons` who, `households` gathers them behind doors,
`roster` runs it all; `divisions` reads division lists; `error_workbook` gives the file back with the reasons in it.
`readings` holds the shapes and every problem code with its sentences.

`loading` compares a reading with the registry, or puts it there; `running` is the job around it; `service` takes files
in, shows what they would do and gives the answers back.
"""
