"""An `.xlsx` written row by row into a file: a bounded memory, whatever the list.

Written by hand (ECMA-376), because it is a tenth of what the libraries take of the process that also serves phones
(ADR 0011). Every text is an inline string and says so, so nothing a person has typed becomes a formula, and no ID
number a figure.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Literal

from app.core.clock import SHANGHAI

MAX_ROWS = 1_048_576
"""Rows of a sheet in Excel, its header among them."""
MAX_TEXT = 32_767
MAX_SHEET_NAME = 31

Cell = str | int | float | date | datetime | None
Look = Literal["text", "number", "day", "instant"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile("[&<>\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_DAY_ZERO = date(1899, 12, 30)
_INSTANT_ZERO = datetime(1899, 12, 30, tzinfo=SHANGHAI)
_SECONDS_A_DAY = 86_400

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLE: dict[str, int] = {"number": 0, "header": 1, "text": 2, "day": 3, "instant": 4, "guarded": 5, "note": 6}
_STYLES = f"""{_HEAD}<styleSheet xmlns="{_MAIN}">
<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>\
<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>
<fonts count="2"><font><sz val="11"/><name val="宋体"/><family val="3"/></font>\
<font><b/><sz val="11"/><name val="宋体"/><family val="3"/></font></fonts>
<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>\
<fill><patternFill patternType="solid"><fgColor rgb="FFEDEDED"/><bgColor indexed="64"/></patternFill></fill></fills>
<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>\
<border><left/><right/><top/><bottom style="thin"><color rgb="FF999999"/></bottom><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="7">
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="49" fontId="1" fillId="2" borderId="1" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" \
applyBorder="1" applyAlignment="1"><alignment vertical="center" wrapText="1"/></xf>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1">\
<alignment vertical="top" wrapText="1"/></xf>
</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: what stands above it, how its cells look, and its width in characters."""

    text: str
    look: Look
    width: float


class BookWriter:
    """A workbook of one list and a sheet that says what it is; `write` rows, then `close`.

    Raises nothing for what stands in cells: what Excel cannot hold is cut or replaced.
    """

    def __init__(self, path: Path, sheet_name: str, headings: Sequence[Heading]) -> None:
        self.row_count = 0
        self._name = _SHEET_NAME.sub(" ", sheet_name)[:MAX_SHEET_NAME]
        self._headings = headings
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._styles = [_STYLE[heading.look] for heading in headings]
        self._sheet: IO[bytes] = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._put(_sheet_head(headings, is_list=True))
        self._put(_row(1, [h.text for h in headings], [_STYLE["header"]] * len(headings), ' ht="22" customHeight="1"'))

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows; each has a cell for every heading."""
        lines = []
        for cells in rows:
            self.row_count += 1
            lines.append(_row(self.row_count + 1, cells, self._styles))
        self._put("".join(lines))

    def close(self, about: Sequence[tuple[str, str]], about_name: str) -> None:
        """End the list, add the sheet of what it is (pairs of a word and what it says), and close the file."""
        last = f"{letters_of(len(self._headings) - 1)}{self.row_count + 1}"
        self._put(
            f'</sheetData><autoFilter ref="A1:{last}"/><pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" '
            'header="0.3" footer="0.3"/><pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
        )
        self._sheet.close()
        notes = [Heading("", "text", 16), Heading("", "text", 70)]
        lines = [_row(n, pair, [_STYLE["header"], _STYLE["note"]]) for n, pair in enumerate(about, 1)]
        body = _sheet_head(notes, is_list=False) + "".join(lines) + "</sheetData></worksheet>"
        names = [self._name, _SHEET_NAME.sub(" ", about_name)[:MAX_SHEET_NAME]]
        parts = {
            "xl/worksheets/sheet2.xml": body,
            "xl/styles.xml": _STYLES,
            "xl/workbook.xml": _workbook(names, last),
            "xl/_rels/workbook.xml.rels": _relations(
                ("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml"), ("styles", "styles.xml")
            ),
            "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
            "[Content_Types].xml": _content_types(),
        }
        for name, text in parts.items():
            self._archive.writestr(name, text.encode())
        self._archive.close()

    def abandon(self) -> None:
        """Close the files of a workbook that will not be one."""
        if not self._sheet.closed:
            self._sheet.close()
        self._archive.close()

    def _put(self, text: str) -> None:
        self._sheet.write(text.encode())


def letters_of(index: int) -> str:
    """A column's letters by its index from 0: A, …, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _row(number: int, cells: Sequence[Cell], styles: Sequence[int], extra: str = "") -> str:
    return f'<row r="{number}"{extra}>{"".join(map(_cell, cells, styles))}</row>'


def _cell(value: Cell, style: int) -> str:
    if value is None or value == "":
        return f'<c s="{style}"/>'
    if isinstance(value, str):
        if value.startswith(_FORMULA):
            style = _STYLE["guarded"]
        return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{_text(value)}</t></is></c>'
    if isinstance(value, datetime):
        return f'<c s="{style}"><v>{(value - _INSTANT_ZERO).total_seconds() / _SECONDS_A_DAY:.6f}</v></c>'
    if isinstance(value, date):
        return f'<c s="{style}"><v>{(value - _DAY_ZERO).days}</v></c>'
    return f'<c s="{style}"><v>{value}</v></c>'


def _text(value: str) -> str:
    value = value[:MAX_TEXT]
    return _SPECIAL.sub(_escaped, value) if _SPECIAL.search(value) else value


def _escaped(found: re.Match[str]) -> str:
    known = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "_": "_x005F_"}
    return known.get(found[0], "\ufffd")


def _attribute(value: str) -> str:
    return _text(value).replace('"', "&quot;")


def _sheet_head(headings: Sequence[Heading], *, is_list: bool) -> str:
    view = '<sheetView workbookViewId="0"/>'
    if is_list:
        view = (
            '<sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
            'state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView>'
        )
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{heading.width}" style="{_STYLE[heading.look]}" customWidth="1"/>'
        for n, heading in enumerate(headings, 1)
    )
    fit = '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>' if is_list else ""
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}">{fit}<sheetViews>{view}</sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def _workbook(names: Sequence[str], last: str) -> str:
    sheets = "".join(
        f'<sheet name="{_attribute(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1)
    )
    quoted = "'" + names[0].replace("'", "''") + "'"
    corner = re.sub(r"(\D+)(\d+)", r"$\1$\2", last)
    defined = (
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">{_text(quoted)}!$A$1:{corner}'
        f'</definedName><definedName name="_xlnm.Print_Titles" localSheetId="0">{_text(quoted)}!$1:$1</definedName>'
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets>'
        f"<definedNames>{defined}</definedNames></workbook>"
    )


def _relations(*targets: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _content_types() -> str:
    parts = (
        ("/xl/workbook.xml", "sheet.main"), ("/xl/worksheets/sheet1.xml", "worksheet"),
        ("/xl/worksheets/sheet2.xml", "worksheet"), ("/xl/styles.xml", "styles"),
    )  # fmt: skip
    listed = "".join(f'<Override PartName="{name}" ContentType="{_SHEET_KIND}.{kind}+xml"/>' for name, kind in parts)
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )
