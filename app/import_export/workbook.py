"""Opening `.xlsx` and `.csv` into the same grid of cells.

A cell is `None` (blank), `str`, `int`, `float`, `bool`, `date` or `datetime`. Whether a number was a number or a text
in the file is kept: an ID number that was a number has lost its last digits. Text is cleaned of control characters
and of spaces at its ends, nothing more.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.import_export.archive import MAX_COLUMNS, MAX_EXTENT, MAX_ROWS, corrupt, kind_of, measure, too_large
from app.import_export.readings import UnreadableFile

Cell = str | int | float | bool | date | datetime | None
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; counted from 0."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff\ud800-\udfff]|_x000[dD]_")
_GUARDED = re.compile(r'="(.*)"')
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(slots=True)
class Sheet:
    """One sheet: `rows[r][c]`, all rows equally wide, row 0 being the sheet's row 1."""

    name: str
    rows: list[list[Cell]]
    merges: list[Merge] = field(default_factory=list)
    is_hidden: bool = False


@dataclass(slots=True)
class Workbook:
    """A file as cells. `is_csv`: every cell is text. `cell_tags` is how many cells a full reader would create."""

    sheets: list[Sheet]
    is_csv: bool
    is_1904: bool = False
    cell_tags: int = 0


def letter_of(column: int) -> str:
    """The letter of a column counted from 0: 0 → A, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def open_workbook(content: bytes, file_name: str, max_rows: int = MAX_ROWS) -> Workbook:
    """Open a file by what it is; its name only names a csv's one sheet. Raises UnreadableFile."""
    if kind_of(content) == "xlsx":
        return _open_xlsx(content, max_rows)
    return _open_csv(content, file_name, max_rows)


def clean(text: str) -> str | None:
    """Text without control and invisible characters or outer spaces; None when nothing is left."""
    is_clean = text.isprintable() and "_x000" not in text
    return (text if is_clean else _CONTROL.sub("", text)).strip() or None


def _open_xlsx(content: bytes, max_rows: int) -> Workbook:
    size = measure(content, max_rows)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheets = []
            for meta in book.sheets_metadata:
                if meta.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = book.get_sheet_by_name(meta.name)
                rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
                merges = [(first[0], first[1], last[0], last[1]) for first, last in sheet.merged_cell_ranges or ()]
                sheets.append(Sheet(meta.name, rows, merges, meta.visible != SheetVisibleEnum.Visible))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # a reader written in Rust reports a panic as a BaseException
        raise corrupt() from error
    return Workbook(sheets, False, size.is_1904, size.cell_tags)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return clean(value) if value else None
    if isinstance(value, bool | int | datetime | date):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    # a time of day or a span of time: neither is anything a list of people holds, but its text may be shown
    return str(value)


def _open_csv(content: bytes, file_name: str, max_rows: int) -> Workbook:
    text = _decode(content)
    delimiter = _sniff(text)
    rows: list[list[Cell]] = []
    extent = 0
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) >= max_rows:
                raise too_large(f"最多 {max_rows} 行", f"at most {max_rows} rows")
            if len(record) > MAX_COLUMNS or extent > MAX_EXTENT:
                raise too_large("列数过多", "too many columns")
            extent += len(record)
            rows.append([_csv_cell(value) for value in record])
    except csv.Error as error:
        raise corrupt() from error
    width = max(map(len, rows), default=0)
    if width * len(rows) > MAX_EXTENT:
        raise too_large("列数过多", "too many columns")
    for row in rows:
        row.extend([None] * (width - len(row)))
    name = re.split(r"[\\/]", file_name)[-1].rsplit(".", 1)[0]
    return Workbook([Sheet(clean(name) or "csv", rows)], True)


def _csv_cell(value: str) -> Cell:
    text = clean(value)
    if text is None:
        return None
    # ="3701…" and '3701… are how people keep Excel from turning a long number into a figure
    guarded = _GUARDED.fullmatch(text)
    return clean(guarded[1]) if guarded else text.removeprefix("'") or None


def _decode(content: bytes) -> str:
    """UTF-8 (with or without mark), UTF-16 with mark, else GB 18030, which is what Chinese Excel writes."""
    encodings = ["utf-8-sig", "gb18030"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        sample = text[:4000]
        if sum(ch < " " and ch not in "\t\r\n" for ch in sample) <= max(4, len(sample) // 100):
            return text
    raise UnreadableFile(
        "encoding_unknown",
        "文字编码无法识别。请另存为 .xlsx,或 UTF-8 编码的 .csv。",
        "The text encoding cannot be told. Save it as .xlsx, or as .csv in UTF-8.",
    )


def _sniff(text: str) -> str:
    """The delimiter under which most of the first lines have the same number of cells, and more than one."""
    head = text[:20_000].splitlines()[:60]

    def evenness(delimiter: str) -> tuple[int, int]:
        try:
            widths: Counter[int] = Counter(len(_filled(row)) for row in csv.reader(head, delimiter=delimiter))
        except csv.Error:
            return (0, 0)
        widths.pop(0, None)
        widths.pop(1, None)
        return (sum(widths.values()), max(widths, default=0))

    return max(_DELIMITERS, key=evenness)


def _filled(row: Sequence[str]) -> Sequence[str]:
    return [cell for cell in row if cell.strip()]
