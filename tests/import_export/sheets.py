"""Workbooks for tests, written as committees write them. All people are invented."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from openpyxl import Workbook

from app.core.resident_id import check_character
from app.import_export.readings import PersonRow, RosterReading
from app.import_export.roster import read_roster

TODAY = date(2020, 2, 10)
SAMPLES = Path(__file__).parents[3] / "shared" / "data"


def xlsx(rows: Iterable[Sequence[object]], merges: Sequence[str] = (), title: str = "住户信息") -> bytes:
    """One sheet as `.xlsx`."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_text(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """Rows as csv."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def read(rows: Iterable[Sequence[object]], merges: Sequence[str] = (), **options: object) -> RosterReading:
    """Read rows as an `.xlsx` roster on the tests' day."""
    return read_roster(xlsx(rows, merges), "名册.xlsx", today=TODAY, **options)  # type: ignore[arg-type]


def people(reading: RosterReading) -> list[PersonRow]:
    return [p for d in reading.dwellings for h in d.households for p in h.persons]


def codes(reading: RosterReading) -> list[tuple[int, str, str]]:
    """Row, column and code of every problem."""
    return [(p.row, p.column, p.code) for p in reading.problems]


def number(birth: date, order: int = 1, area: str = "370102") -> str:
    """An invented ID number that checks; an odd order is a man's."""
    digits = f"{area}{birth:%Y%m%d}{order:03d}"
    return digits + check_character(digits)
