"""The error workbook: their own file with the reason beside each bad row.

Their sheets, widths, merges and colours stay as far as the writer keeps them; one column is added behind the last,
offending cells are coloured and carry the reason as a comment. A csv, or a workbook only its values can be read of,
becomes a plain `.xlsx` whose cells are all as they were: text stays text, so no ID number becomes a figure.
"""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence

from openpyxl import Workbook as NewWorkbook
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell as WrittenCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from app.import_export.headers import find_header
from app.import_export.readings import RowProblem
from app.import_export.workbook import Cell, Workbook, open_workbook

TITLE = "问题 / Problem"
_MAX_STYLED_CELLS = 3_000_000
_MAX_CELL_TEXT = 32_000
_MAX_COMMENTS = 5_000
_ERROR = PatternFill("solid", fgColor="FFC7CE")
_WARNING = PatternFill("solid", fgColor="FFEB9C")
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")


def write_error_workbook(content: bytes, file_name: str, problems: Sequence[RowProblem]) -> bytes:
    """The file with its problems, as `.xlsx`. Raises UnreadableFile where the file cannot be opened at all."""
    book = open_workbook(content, file_name)
    headers = {sheet.name: header for sheet in book.sheets if (header := find_header(sheet))}
    target = _their_workbook(content, book) or _plain_workbook(book)
    by_sheet: dict[str, list[RowProblem]] = defaultdict(list)
    for found in problems:
        by_sheet[found.sheet].append(found)
    widths = {sheet.name: len(sheet.rows[0]) if sheet.rows else 0 for sheet in book.sheets}
    for at, sheet in enumerate(book.sheets):
        if by_sheet.get(sheet.name):
            header = headers.get(sheet.name)
            worksheet = target[sheet.name] if sheet.name in target.sheetnames else target.worksheets[at]
            row = header.last_row + 1 if header and header.last_row >= 0 else 1
            _mark(worksheet, by_sheet[sheet.name], max(widths[sheet.name], 1) + 1, row)
    out = io.BytesIO()
    target.save(out)
    return out.getvalue()


def escape(text: str) -> str:
    """Text a spreadsheet will not take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _their_workbook(content: bytes, book: Workbook) -> NewWorkbook | None:
    """The file itself, ready to be written into; None when only its values are safe or possible to keep."""
    area = sum(
        (bottom - top + 1) * (right - left + 1) for sheet in book.sheets for top, left, bottom, right in sheet.merges
    )
    if book.is_csv or book.cell_tags + area > _MAX_STYLED_CELLS:
        return None
    try:
        opened = load_workbook(io.BytesIO(content), keep_links=False)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, SyntaxError, zipfile.BadZipFile):
        return None  # styles or parts this writer does not know; the values were read all the same
    return opened if all(sheet.name in opened.sheetnames for sheet in book.sheets) else None


def _plain_workbook(book: Workbook) -> NewWorkbook:
    """Their values in a workbook of our own."""
    fresh = NewWorkbook()
    for worksheet in fresh.worksheets:
        fresh.remove(worksheet)
    for sheet in book.sheets:
        worksheet = fresh.create_sheet(_SHEET_NAME.sub(" ", sheet.name)[:31])
        for row, cells in enumerate(sheet.rows, 1):
            for column, value in enumerate(cells, 1):
                if value is not None:
                    _put(worksheet.cell(row, column), value)
    if not fresh.worksheets:
        fresh.create_sheet("1")
    return fresh


def _put(cell: WrittenCell, value: Cell) -> None:
    if isinstance(value, str):
        cell.value = value[:_MAX_CELL_TEXT]
        # a text stays a text: neither "=…" a formula nor an ID number a figure
        cell.data_type = "s"
        cell.number_format = "@"
    else:
        cell.value = value


def _mark(sheet: Worksheet, problems: Iterable[RowProblem], column: int, header_row: int) -> None:
    reasons: dict[int, list[RowProblem]] = defaultdict(list)
    for found in problems:
        reasons[found.row or header_row].append(found)
    title = _cell(sheet, header_row, column)
    if title is not None:
        title.value = TITLE
        title.font = Font(bold=True)
        sheet.column_dimensions[title.column_letter].width = 60
    comments = 0
    for row, found_here in reasons.items():
        cell = _cell(sheet, row, column)
        is_error = any(found.severity == "error" for found in found_here)
        if cell is not None:
            lines = [f"{found.column} {_sentence(found)}".strip() for found in found_here]
            lead = [TITLE] if row == header_row else []
            cell.value = escape("\n".join(lead + lines))[:_MAX_CELL_TEXT]
            cell.data_type = "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.fill = _ERROR if is_error else _WARNING
        for letter in dict.fromkeys(found.column for found in found_here if found.column):
            here = [found for found in found_here if found.column == letter]
            bad = _cell(sheet, row, column_index_from_string(letter))
            if bad is None:
                continue
            bad.fill = _ERROR if any(found.severity == "error" for found in here) else _WARNING
            if comments < _MAX_COMMENTS:
                bad.comment = Comment("\n".join(_sentence(found) for found in here), "Pioneer Grid", 120, 320)
                comments += 1


def _sentence(found: RowProblem) -> str:
    return f"{found.message_zh} / {found.message_en}"


def _cell(sheet: Worksheet, row: int, column: int) -> WrittenCell | None:
    """The cell to write to: for one under a merge the merge's first cell, None when the sheet cannot have it."""
    if row < 1 or column > 16_384:
        return None
    cell = sheet.cell(row, column)
    if isinstance(cell, WrittenCell):
        return cell
    for merged in sheet.merged_cells.ranges:
        if cell.coordinate in merged:
            first = sheet.cell(merged.min_row, merged.min_col)
            return first if isinstance(first, WrittenCell) else None
    return None
