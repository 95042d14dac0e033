"""Opening `.xlsx` and `.csv` into the same grid of cells.

A cell is `None` (blank), `str`, `int`, `float`, `bool`, `date` or `datetime`. Whether a number was a number or a text
in the file is kept: an ID number that was a number has lost its last digits. Text is cleaned of control characters
and of spaces at its ends, nothing more.
"""

import codecs
import csv
import io
import marshal
import pickle
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import overload

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.import_export.archive import MAX_COLUMNS, MAX_EXTENT, MAX_ROWS, corrupt, kind_of, measure, too_large
from app.import_export.readings import UnreadableFile
from app.import_export.slices import CannotSliceError, Slicer

Cell = str | int | float | bool | date | datetime | None
Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; counted from 0."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff\ud800-\udfff]|_x000[dD]_")
_GUARDED = re.compile(r'="(.*)"')
_BLOCK = 1_000
_PIECE = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")


def _packed(rows: list[list[Cell]]) -> tuple[bool, bytes]:
    """Rows as bytes, and whether they are in the quicker of two forms, which has no dates."""
    try:
        return True, marshal.dumps(rows, 2)
    except ValueError:
        return False, pickle.dumps(rows, 5)


def _unpacked(is_plain: bool, packed: bytes) -> list[list[Cell]]:
    # what was packed here a moment ago, and nothing else, is unpacked
    rows: list[list[Cell]] = marshal.loads(packed) if is_plain else pickle.loads(packed)  # noqa: S301, S302
    return rows


class PackedRows(Sequence[list[Cell]]):
    """Rows kept as bytes and unpacked a block at a time: a million rows of objects would take gigabytes.

    Meant to be read in order. All rows are as wide as the widest.
    """

    def __init__(self, rows: Iterable[list[Cell]] = ()) -> None:
        self.width = 0
        self._blocks: list[tuple[bool, bytes]] = []
        self._last: list[list[Cell]] = []
        self._open: list[list[Cell]] = []
        self._at = -1
        for row in rows:
            self.append(row)

    def append(self, row: list[Cell]) -> None:
        """Add a row behind the others; only before any is read."""
        self.width = max(self.width, len(row))
        self._last.append(row)
        if len(self._last) == _BLOCK:
            self._blocks.append(_packed(self._last))
            self._last = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(list.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._last)

    @overload
    def __getitem__(self, index: int) -> list[Cell]: ...

    @overload
    def __getitem__(self, index: slice) -> list[list[Cell]]: ...

    def __getitem__(self, index: int | slice) -> list[Cell] | list[list[Cell]]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        block, at = divmod(index, _BLOCK)
        if block != self._at:
            if not 0 <= index < len(self):
                raise IndexError(index)
            rows = _unpacked(*self._blocks[block]) if block < len(self._blocks) else self._last
            for row in rows:
                if len(row) < self.width:
                    row.extend([None] * (self.width - len(row)))
            self._open, self._at = rows, block
        return self._open[at]


@dataclass(slots=True)
class Sheet:
    """One sheet: `rows[r][c]`, all rows equally wide, row 0 being the sheet's row 1."""

    name: str
    rows: Sequence[list[Cell]]
    merges: list[Merge] = field(default_factory=list)
    is_hidden: bool = False
    # whether its rows repeat place and community, once somebody has looked (`PlaceReader`)
    repeats: tuple[bool, bool] | None = None


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
        slicer = Slicer(content, size)
        try:
            sheets = _sheets_of(slicer.frame() if slicer.places else content, slicer)
        except CannotSliceError:
            sheets = _sheets_of(content, None)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # a reader written in Rust reports a panic as a BaseException
        raise corrupt() from error
    return Workbook(sheets, False, size.is_1904, size.cell_tags)


def _sheets_of(content: bytes, slicer: Slicer | None) -> list[Sheet]:
    """The sheets of a workbook; of the large ones, which `slicer` has, the rows slice by slice."""
    sheets = []
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for place, meta in enumerate(book.sheets_metadata):
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            if slicer is not None and place in slicer.places:
                rows = PackedRows(_rows_of_slices(slicer.slices(place), meta.name))
                with CalamineWorkbook.from_filelike(io.BytesIO(slicer.frame())) as frame:
                    merges = _merges_of(frame.get_sheet_by_name(meta.name))
            else:
                sheet = book.get_sheet_by_name(meta.name)
                rows, merges = PackedRows(_rows_of(sheet)), _merges_of(sheet)
            sheets.append(Sheet(meta.name, rows, merges, meta.visible != SheetVisibleEnum.Visible))
    return sheets


def _merges_of(sheet: CalamineSheet) -> list[Merge]:
    return [(first[0], first[1], last[0], last[1]) for first, last in sheet.merged_cell_ranges or ()]


def _rows_of_slices(slices: Iterator[bytes], name: str) -> Iterator[list[Cell]]:
    """A sheet's rows from its first on out of workbooks that hold some of them each, one after the other."""
    done = 0
    while (content := next(slices, None)) is not None:
        file = io.BytesIO(content)
        # nothing of a slice may be held while the next is made
        del content
        for row in _rows_of_slice(file, name, done):
            done += 1
            yield row


def _rows_of_slice(file: io.BytesIO, name: str, done: int) -> Iterator[list[Cell]]:
    with CalamineWorkbook.from_filelike(file) as book:
        file.close()
        sheet = book.get_sheet_by_name(name)
        if sheet.start is None:
            return
        if sheet.start[0] < done:
            raise CannotSliceError  # rows that do not stand in their order
        yield from _rows_of(sheet, done)


def _rows_of(sheet: CalamineSheet, skip: int = 0) -> Iterator[list[Cell]]:
    """A sheet's rows from its first on, whatever corner its cells begin in; `skip` of them not."""
    if sheet.start is None:
        return
    # the rows above the first are given, the columns before it are not
    before: list[Cell] = [None] * sheet.start[1]
    for row in islice(sheet.iter_rows(), skip, None):
        yield before + [_cell(value) for value in row]


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
    encoding = _encoding_of(content)
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as lines:
        delimiter = _sniff(lines.read(20_000))
    rows = PackedRows()
    extent = 0
    try:
        for record in csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding, newline=""), delimiter=delimiter):
            if len(rows) >= max_rows:
                raise too_large(f"最多 {max_rows} 行", f"at most {max_rows} rows")
            if len(record) > MAX_COLUMNS or extent > MAX_EXTENT:
                raise too_large("列数过多", "too many columns")
            extent += len(record)
            rows.append([_csv_cell(value) for value in record])
    except csv.Error as error:
        raise corrupt() from error
    if rows.width * len(rows) > MAX_EXTENT:
        raise too_large("列数过多", "too many columns")
    name = re.split(r"[\\/]", file_name)[-1].rsplit(".", 1)[0]
    return Workbook([Sheet(clean(name) or "csv", rows)], True)


def _csv_cell(value: str) -> Cell:
    if not value or value.isalnum():
        return value or None  # letters and digits alone, as nearly always: nothing to clean
    text = clean(value)
    if text is None:
        return None
    # ="3701…" and '3701… are how people keep Excel from turning a long number into a figure
    guarded = _GUARDED.fullmatch(text)
    return clean(guarded[1]) if guarded else text.removeprefix("'") or None


def _encoding_of(content: bytes) -> str:
    """UTF-8 (with or without mark), UTF-16 with mark, else GB 18030, which is what Chinese Excel writes."""
    encodings = ["utf-8-sig", "gb18030"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        sample = ""
        try:
            for start in range(0, len(content), _PIECE):
                piece = decoder.decode(content[start : start + _PIECE], start + _PIECE >= len(content))
                sample = sample or piece[:4000]
        except UnicodeDecodeError:
            continue
        if sum(ch < " " and ch not in "\t\r\n" for ch in sample) <= max(4, len(sample) // 100):
            return encoding
    raise UnreadableFile(
        "encoding_unknown",
        "文字编码无法识别。请另存为 .xlsx，或 UTF-8 编码的 .csv。",
        "The text encoding cannot be told. Save it as .xlsx, or as .csv in UTF-8.",
    )


def _sniff(text: str) -> str:
    """The delimiter under which most of the first lines have the same number of cells, and more than one."""
    head = text.splitlines()[:60]

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
