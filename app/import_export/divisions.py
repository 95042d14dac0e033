"""Lists of divisions, in the two layouts they come in.

One file of `code,name,level` with twelve digits each; or the column layout of the package china-division, where
`villages.csv` names its parents by code and `streets.csv`, `areas.csv`, `cities.csv` beside it name the parents.
The tree begins at the city: provinces are read past.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from app.core.area_code import Level, ancestors_of, code_of, is_code, level_of
from app.import_export.readings import RowProblem, UnreadableFile, problem
from app.import_export.workbook import Cell, Sheet, letter_of, open_workbook

_LEVELS: dict[str, str] = {
    "province": "province",
    "省": "province",
    "city": "city",
    "市": "city",
    "district": "district",
    "county": "district",
    "area": "district",
    "区县": "district",
    "县": "district",
    "town": "town",
    "street": "town",
    "township": "town",
    "镇街": "town",
    "街道": "town",
    "community": "community",
    "village": "community",
    "村居": "community",
    "社区": "community",
}
_HEADERS = {
    "code": {"code", "代码", "区划代码", "编码"},
    "name": {"name", "名称", "区划名称"},
    "level": {"level", "级别", "层级"},
}
_DIGITS: dict[int, str] = {2: "province", 4: "city", 6: "district", 9: "town", 12: "community"}
_PARENT_FILES: tuple[tuple[str, str], ...] = (
    ("cities.csv", "city"),
    ("areas.csv", "district"),
    ("streets.csv", "town"),
)
_PARENT_COLUMNS = {"citycode": 4, "areacode": 6, "streetcode": 9}
_RANK = {"city": 0, "district": 1, "town": 2, "community": 3}
_MAX_NAME = 100
# the country has 620,573 communities and villages
_MAX_ROWS = 1_000_000


@dataclass(slots=True, frozen=True)
class DivisionRow:
    """One division: its twelve digits, name, level, and the code above it (None for a city)."""

    code: str
    name: str
    level: Level
    parent_code: str | None


@dataclass(slots=True)
class DivisionsReading:
    """A list read: rows from the top down, every parent before its children, and what was wrong.

    `row_count` are the list's own rows that were asked for, `rejected_count` those of them left out.
    """

    rows: list[DivisionRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    row_count: int = 0

    @property
    def rejected_count(self) -> int:
        """How many of the list's rows were left out."""
        return len({found.row for found in self.problems if found.severity == "error" and found.row})


def read_divisions(
    source: bytes | Path,
    file_name: str = "",
    *,
    siblings: Path | None = None,
    under: str = "",
    known: Collection[str] = (),
) -> DivisionsReading:
    """Read a division list, `.csv` or `.xlsx`.

    `siblings` is the folder where the parents' files lie (for a path: its own folder, unless given); `under` keeps
    only codes that begin so, `3701` for one city; `known` are codes the registry already has, so that a list may
    bring only what is new. A row with a wrong code, another level than its code has, a code seen before or a parent
    nobody knows is left out and reported. Raises UnreadableFile for what is no such list.
    """
    if isinstance(source, Path):
        file_name = file_name or source.name
        siblings = siblings or source.parent
        source = source.read_bytes()
    sheet = _sheet(source, file_name)
    columns, start = _columns(sheet)
    reader = _Reader(sheet.name, under)
    is_split = "level" not in columns and bool(columns.keys() & _PARENT_COLUMNS.keys())
    for index in range(start, len(sheet.rows)):
        reader.read(sheet.rows[index], columns, index + 1)
    if is_split:
        _add_parents(reader, siblings)
    return reader.finish(known)


def _sheet(content: bytes, file_name: str) -> Sheet:
    for sheet in open_workbook(content, file_name, _MAX_ROWS).sheets:
        if sheet.rows:
            return sheet
    raise _no_list()


def _no_list() -> UnreadableFile:
    return UnreadableFile(
        "divisions_header_missing",
        "不是区划名单：第一行应有 code、name（以及 level）。",
        "Not a division list: its first row should name code, name (and level).",
    )


def _columns(sheet: Sheet) -> tuple[dict[str, int], int]:
    for index, row in enumerate(sheet.rows[:20]):
        words = [str(cell).strip().lower() if cell is not None else "" for cell in row]
        found = {name: at for at, word in enumerate(words) for name, known in _HEADERS.items() if word in known}
        found |= {word: at for at, word in enumerate(words) if word in _PARENT_COLUMNS}
        if "code" in found and "name" in found:
            return found, index + 1
    raise _no_list()


class _Reader:
    """Collects divisions by code, first come first kept."""

    def __init__(self, sheet: str, under: str) -> None:
        self.sheet = sheet
        self.under = under
        self.found: dict[str, tuple[str, Level, int]] = {}
        self.problems: list[RowProblem] = []
        self.row_count = 0
        self.outside_count = 0
        self._letters: dict[str, str] = {}

    def read(self, row: list[Cell], columns: dict[str, int], number: int) -> None:
        """Take one row of the list itself."""
        if all(cell is None for cell in row):
            return
        self._letters = {name: letter_of(at) for name, at in columns.items()}
        digits, name = _text(row[columns["code"]]), _text(row[columns["name"]])
        stated = _text(row[columns["level"]]).lower() if "level" in columns else ""
        code = code_of(digits) if digits.isdigit() and len(digits) in _DIGITS else digits
        if code[2:] == "0000000000":
            return  # a province: the tree begins at the city
        level = _LEVELS.get(stated, stated) or (level_of(code) if is_code(code) else "")
        if not code.startswith(self.under):
            self.outside_count += 1
            return
        self.row_count += 1
        if not is_code(code) or not code.isascii():
            self._report("code_invalid", number, "code")
        elif not name:
            self._report("name_missing", number, "name")
        elif code in self.found:
            self._report("code_duplicate", number, "code", str(self.found[code][2]))
        elif level != level_of(code):
            self._report("level_mismatch", number, "level" if "level" in columns else "code")
        else:
            self.found[code] = (name[:_MAX_NAME], level_of(code), number)

    def add_parent(self, code: str, name: str) -> None:
        """Add a division that another file, or nothing but a code, speaks of."""
        if code not in self.found and is_code(code) and code.startswith(self.under):
            self.found[code] = (name[:_MAX_NAME], level_of(code), 0)

    def finish(self, known: Collection[str]) -> DivisionsReading:
        """Rows from the top down; a row whose parent nobody knows is left out, and then what is below it."""
        rows: list[DivisionRow] = []
        there = set(known)
        for code in sorted(self.found, key=lambda code: (_RANK[self.found[code][1]], code)):
            name, level, number = self.found[code]
            above = ancestors_of(code)
            parent = above[-1] if above else None
            if parent is not None and parent not in there:
                self._report("parent_unknown", number, "code", parent)
                continue
            there.add(code)
            rows.append(DivisionRow(code, name, level, parent))
        if self.outside_count:
            self.problems.append(problem("codes_outside", self.sheet, 0, "", str(self.outside_count)))
        self.problems.sort(key=lambda found: found.row)
        return DivisionsReading(rows, self.problems, self.row_count)

    def report_nameless(self, file_name: str, level: str) -> None:
        """Parents of a level have no names here."""
        names = {"city": "市", "district": "区县", "town": "镇街"}
        found = problem("parent_name_unknown", self.sheet, 0, "", file_name)
        zh = found.message_zh.replace(f"{file_name} 中", f"{names[level]}")
        self.problems.append(RowProblem(self.sheet, 0, "", found.code, found.severity, zh, found.message_en))

    def _report(self, code: str, row: int, column: str, detail: str = "") -> None:
        self.problems.append(problem(code, self.sheet, row, self._letters.get(column, ""), detail))


def _add_parents(reader: _Reader, siblings: Path | None) -> None:
    """Add what stands above the list's own rows, with its name where a file beside it says so."""
    wanted = {parent for code in reader.found for parent in ancestors_of(code)} - reader.found.keys()
    for file_name, level in _PARENT_FILES:
        codes = {code for code in wanted if level_of(code) == level}
        path = siblings / file_name if siblings else None
        names: dict[str, str] = {}
        if codes and path is not None and path.is_file():
            sheet = _sheet(path.read_bytes(), file_name)
            columns, start = _columns(sheet)
            for row in sheet.rows[start:]:
                names[code_of(_text(row[columns["code"]]))] = _text(row[columns["name"]])
        if codes - names.keys():
            reader.report_nameless(file_name, level)
        for code in codes:
            reader.add_parent(code, names.get(code) or code)


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return "" if cell is None else str(cell).strip()
