"""A household roster, as committees keep them, into doors, households and people, with everything that was wrong.

Reads one row a person or one row a dwelling, split or free-text addresses, merged cells or blank ones under the
first; skips titles, form heads, totals, notes, signature lines and sheets that are no list. What is only untidy is
read; what is wrong is reported by sheet, row and column; nothing is guessed.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from app.import_export import persons as cells
from app.import_export.addresses import plain, read_heading
from app.import_export.headers import Header, find_header, mapped_header, mask, mask_name, squeeze
from app.import_export.households import Door, Gathering, Members, number_key
from app.import_export.members import MemberReader
from app.import_export.places import PlaceReader, SheetRow
from app.import_export.plain_rows import PlainRows
from app.import_export.readings import (
    ColumnReading,
    DwellingRow,
    RosterReading,
    RowProblem,
    SheetReading,
    TopRow,
    problem,
)
from app.import_export.workbook import Cell, Sheet, Workbook, letter_of, open_workbook

_TOTAL = re.compile(r"(本页|本栋|本楼|全村|全社区|全部)?(合计|总计|小计|共计|累计|汇总)([::(].*|[0-9].*)?")
_NOTE = re.compile(
    r"(注|备注|附注|说明|填表说明|填写说明|填表须知|要求)[::\s1一]|(填表|填报|制表|审核|复核|统计|调查|排查|登记|采集|负责|联系|责任)人"
    r"(员)?(签字|签名)?[::]|(填表|填报|报送|制表)(单位|日期|时间)|(签字|签名|盖章|日期|单位负责人|网格员|楼长)[::(]"
    r"|第[0-9一二三四五六七八九十]+页|续表|以下空白|以上.{0,20}(属实|无误)|附[::件]"
)
_NUMBERED = re.compile(r"[((]?[0-9一二三四五六七八九十]{1,2}[))]?[、..]\s*\S{6,}")
_SAMPLES = 3
_ROWS_ABOVE = 2
_PROGRESS_STEP = 500


def read_roster(
    content: bytes,
    file_name: str,
    *,
    mapping: Mapping[str, str | None] | None = None,
    today: date,
    on_progress: Callable[[int, int], None] | None = None,
    takes_plain: bool = True,
) -> RosterReading:
    """Read a whole roster file at once: `RosterReader` in one call; its doors in the order of the file."""
    reader = RosterReader(
        content, file_name, mapping=mapping, today=today, on_progress=on_progress, takes_plain=takes_plain
    )
    dwellings = [door for doors in reader.doors() for door in doors]
    order = {sheet.name: at for at, sheet in enumerate(reader.sheets)}
    dwellings.sort(key=lambda door: (order[door.sheet], door.row))
    return RosterReading(reader.sheets, dwellings, reader.problems, reader.counts)


Run = tuple[str, int, int]
"""A community, and the first of its rows that follow each other and the first that does not."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some communities of a file, by their rows."""

    runs: list[Run]


@dataclass(frozen=True, slots=True)
class ShareRead:
    """What the reader of a share has found besides its doors, on its way from one process to another."""

    waiting: list[Door]
    problems: list[RowProblem]
    counts: dict[str, int]
    plain_count: int


class RosterReader:
    """Reads a roster file community by community.

    `mapping` (column letter → field of `headers.FIELDS` or None) goes before what the header words say; `today`
    (Asia/Shanghai) is the day no birth date may lie after; `on_progress(done, total)` counts sheet rows. Raises
    UnreadableFile for what is no table, or when the mapping names unknown fields. A table without any known header
    word is a reading without rows, with the problem `header_not_found`.

    `sheets` is there at once; `problems`, `counts` and `plain_count` (rows read by the short way of `plain_rows`, which
    `takes_plain` False shuts) are whole when `doors` has ended.
    """

    def __init__(
        self,
        content: bytes,
        file_name: str,
        *,
        mapping: Mapping[str, str | None] | None = None,
        today: date,
        on_progress: Callable[[int, int], None] | None = None,
        takes_plain: bool = True,
    ) -> None:
        book = open_workbook(content, file_name)
        self._headers = _headers(book, mapping)
        self._today = today
        self._is_1904 = book.is_1904
        self._on_progress = on_progress
        self._takes_plain = takes_plain
        self.plain_count = 0
        self.total = sum(len(sheet.rows) for sheet, header in self._headers if header)
        self.sheets = [
            _sheet_reading(sheet, header, is_named=any(h for _, h in self._headers)) for sheet, header in self._headers
        ]
        self.counts = dict.fromkeys(("rows", "dwellings", "vacant", "households", "persons", "rejected"), 0)
        self.problems: list[RowProblem] = []
        self._gathering = Gathering(set())

    @cached_property
    def _surveyed(self) -> "_Survey":
        return _survey(self._headers)

    def shares(self, count: int) -> list[Share]:
        """The communities of a file divided among `count` readers, about as many rows to each; no shares for a file
        whose rows hang together, and one reader has to read it whole."""
        survey = self._surveyed
        if not survey.runs or count < 2:
            return []
        found = [Share([]) for _ in range(count)]
        for run in survey.runs:
            found[run[1] * count // survey.runs[-1][2]].runs.append(run)
        return found if all(share.runs for share in found) else []

    def share_doors(
        self, share: Share, on_progress: Callable[[int, int], None] | None = None
    ) -> Iterator[list[DwellingRow]]:
        """As `doors`, of a share alone, `on_progress` counting its own rows; `share_read` then tells the rest."""
        survey = self._surveyed
        self._gathering = gathering = Gathering(survey.repeated)
        (sheet, header) = self._headers[0]
        if header is None:
            return
        reader = _SheetReader(sheet, header, gathering, self._today, self._is_1904, self._takes_plain)
        done = 0
        for community, start, end in share.runs:
            reader.step_aside()
            for index in range(start, end):
                reader.read_row(index)
            done += end - start
            if on_progress:
                on_progress(done, self.total)
            yield self._counted(gathering.finish(community, self._today))
        self._count_rows(reader)
        self._order_problems(gathering.problems)

    def share_read(self) -> ShareRead:
        """What has been found in a share when its doors have ended."""
        return ShareRead(self._gathering.waiting, self.problems, self.counts, self.plain_count)

    def join(self, shares: Iterable[ShareRead]) -> list[DwellingRow]:
        """Take what the readers of the shares have found; answers the doors that had to wait."""
        gathering = Gathering(set())
        problems: list[RowProblem] = []
        for share in shares:
            gathering.waiting += share.waiting
            problems += share.problems
            self.plain_count += share.plain_count
            for name, count in share.counts.items():
                self.counts[name] += count
        doors = self._counted(gathering.finish_waiting(self._today))
        self._order_problems(problems + gathering.problems)
        return doors

    def doors(self) -> Iterator[list[DwellingRow]]:
        """The doors of one community after the other as their last rows are read, then those that had to wait for the
        end of the file."""
        survey = self._surveyed
        self._gathering = gathering = Gathering(survey.repeated)
        done = 0
        for at, (sheet, header) in enumerate(self._headers):
            if header is None:
                continue
            if sheet.is_hidden:
                self.problems.append(problem("sheet_hidden", sheet.name, 0, ""))
                continue
            reader = _SheetReader(sheet, header, gathering, self._today, self._is_1904, self._takes_plain)
            community = reader.places.community
            for index in range(header.last_row + 1, len(sheet.rows)):
                reader.read_row(index)
                if reader.places.community != community:
                    if community and survey.last_rows.get(community, (0, 0)) < (at, index):
                        yield self._counted(gathering.finish(community, self._today))
                    community = reader.places.community
                done += 1
                if self._on_progress and done % _PROGRESS_STEP == 0:
                    self._on_progress(done, self.total)
            self._count_rows(reader)
        if not any(header for _, header in self._headers):
            name = self._headers[0][0].name if self._headers else ""
            self.problems.append(problem("header_not_found", name, 0, ""))
        for community in list(gathering.doors):
            yield self._counted(gathering.finish(community, self._today))
        yield self._counted(gathering.finish_waiting(self._today))
        self._order_problems(gathering.problems)
        if self._on_progress:
            self._on_progress(self.total, self.total)

    def _count_rows(self, reader: "_SheetReader") -> None:
        self.plain_count += reader.plain_rows
        self.counts["rows"] += reader.rows
        self.counts["rejected"] += reader.rejected

    def _counted(self, doors: list[DwellingRow]) -> list[DwellingRow]:
        self.counts["dwellings"] += len(doors)
        for door in doors:
            self.counts["vacant"] += door.is_vacant
            self.counts["households"] += len(door.households)
            self.counts["persons"] += sum(len(home.persons) for home in door.households)
        return doors

    def _order_problems(self, problems: list[RowProblem]) -> None:
        order = {sheet.name: at for at, (sheet, _) in enumerate(self._headers)}
        found = {(p.sheet, p.row, p.column, p.code): p for p in self.problems + problems}
        self.problems = sorted(
            found.values(), key=lambda p: (order[p.sheet] if order else 0, p.row, len(p.column), p.column)
        )


@dataclass(slots=True)
class _Survey:
    """What has to be known of all rows before the first is read: where each community is named last, which numbers
    stand in more than one row, and, of a list whose every row says whose and where it is and who, which rows are each
    community's."""

    last_rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)


def _survey(headers: list[tuple[Sheet, Header | None]]) -> _Survey:
    found = _Survey()
    keys = array("q")
    listed = [(sheet, header) for sheet, header in headers if header and not sheet.is_hidden]
    runs = _Runs(*listed[0]) if len(listed) == 1 and len(headers) == 1 else None
    for at, (sheet, header) in enumerate(headers):
        if header is None or sheet.is_hidden:
            continue
        numbers = [c for name, columns in header.columns.items() if name.endswith("id_number") for c in columns]
        places = header.columns.get("community", [])
        for index in range(header.last_row + 1, len(sheet.rows)):
            row = sheet.rows[index]
            if runs is not None and not runs.take(row, index):
                runs = None
            for column in places:
                if row[column] is not None:
                    found.last_rows[plain(row[column])] = (at, index)
            for column in numbers:
                cell = row[column]
                if isinstance(cell, str):
                    parts = (cell,) if cell.isalnum() else cells.split_list(cell)
                    keys.extend(map(number_key, parts))
    found.runs = runs.ended() if runs is not None else []
    before = None
    for key in sorted(keys):
        if key == before:
            found.repeated.add(key)
        before = key
    return found


class _Runs:
    """Follows the rows of a sheet as long as each says its community, its door and somebody's name, and those of one
    community stand together: then no row means what another says."""

    def __init__(self, sheet: Sheet, header: Header) -> None:
        columns = header.columns
        self._place = columns.get("community", [-1])[0]
        self._others = [columns[name][0] for name in ("name", "building", "room") if name in columns]
        self._is_whole = self._place >= 0 and len(self._others) == 3 and not sheet.merges
        self._runs: list[Run] = []
        self._told: set[str] = set()
        self._cell: Cell = None
        self._start = self._end = 0
        if self._is_whole:
            self._is_whole = PlaceReader(sheet, header).writes_whole_places

    def take(self, row: list[Cell], index: int) -> bool:
        """Follow one row; False when the rows hang together otherwise."""
        cell = row[self._place]
        if not self._is_whole or cell is None:
            return False
        for column in self._others:
            if row[column] is None:
                return False
        if cell != self._cell:
            self._close()
            self._cell, self._start = cell, index
            community = plain(cell)
            if not community or community in self._told:
                return False
            self._told.add(community)
        self._end = index + 1
        return True

    def ended(self) -> list[Run]:
        """The runs."""
        self._close()
        return self._runs

    def _close(self) -> None:
        if self._cell is not None:
            self._runs.append((plain(self._cell), self._start, self._end))


def _headers(book: Workbook, mapping: Mapping[str, str | None] | None) -> list[tuple[Sheet, Header | None]]:
    found = [(sheet, find_header(sheet, mapping)) for sheet in book.sheets]
    if mapping and not any(header for _, header in found):
        # nobody knows these words: the mapping speaks of the sheet that holds the most
        shown = [sheet for sheet in book.sheets if not sheet.is_hidden and sheet.rows]
        largest = max(shown, key=lambda sheet: len(sheet.rows) * len(sheet.rows[0]), default=None)
        found = [(sheet, mapped_header(sheet, mapping) if sheet is largest else None) for sheet in book.sheets]
    return found


def _sheet_reading(sheet: Sheet, header: Header | None, is_named: bool) -> SheetReading:
    """What a person needs to see of a sheet to map its columns. A sheet without header shows its columns only when
    no sheet has one."""
    if header is None and is_named:
        return SheetReading(sheet.name, None, [])
    columns = []
    shown_columns: list[tuple[int, Callable[[Cell], str]]] = []
    start = header.last_row + 1 if header else 0
    for column in range(len(sheet.rows[0]) if sheet.rows else 0):
        name = header.fields[column] if header else None
        text = header.texts[column] if header else ""
        hide = mask_name if (name or "").endswith("name") else mask
        samples: list[str] = []
        for row in sheet.rows[start : start + 200]:
            shown = hide(row[column])
            if shown and shown not in samples:
                samples.append(shown)
            if len(samples) == _SAMPLES:
                break
        if text or samples or name:
            columns.append(ColumnReading(letter_of(column), mask(text[:60]), name, samples))
            shown_columns.append((column, hide))
    first = max(header.first_row - _ROWS_ABOVE, 0) if header else 0
    rows = [
        TopRow(row + 1, [(hide if row >= start else mask)(sheet.rows[row][column]) for column, hide in shown_columns])
        for row in range(first, min(start + _SAMPLES, len(sheet.rows)))
    ]
    return SheetReading(sheet.name, header.last_row + 1 if header and header.last_row >= 0 else None, columns, rows)


@lru_cache(maxsize=20_000)
def _is_total(word: str) -> bool:
    return _TOTAL.fullmatch(word) is not None


@lru_cache(maxsize=20_000)
def _is_note(word: str) -> bool:
    return _NOTE.match(word) is not None


class _SheetReader:
    """Reads one sheet row by row into the gathering."""

    def __init__(
        self, sheet: Sheet, header: Header, gathering: Gathering, today: date, is_1904: bool, takes_plain: bool
    ) -> None:
        self.sheet = sheet
        self.header = header
        self.gathering = gathering
        self.places = PlaceReader(sheet, header)
        self.members = MemberReader(sheet, header, gathering.problems, today, is_1904)
        self.rows = 0
        self.plain_rows = 0
        self.rejected = 0
        self._lists_members = header.has("name") or bool(header.members)
        if not self._lists_members and header.has("head_name"):
            gathering.problems.append(problem("members_not_listed", sheet.name, 0, ""))
        self._household: Members | None = None
        self._words = {squeeze(text) for text in header.texts}
        self._plain = (
            PlainRows.of(sheet, header, self.places, gathering, today, is_1904, self._is_no_word)
            if takes_plain
            else None
        )

    def _is_no_word(self, text: str) -> bool:
        """Whether a text may make a row something else than a line of the list."""
        word = squeeze(text)
        return word in self._words or _is_total(word) or _is_note(word)

    def step_aside(self) -> None:
        """Rows of somebody else's follow; the next one that is read continues no household."""
        self._household = None

    def read_row(self, index: int) -> None:
        """Read one row (0-based)."""
        if self._plain is not None:
            household = self._plain.read(index, self._household)
            if household is not None:
                self._household = household
                self.rows += 1
                self.plain_rows += 1
                return
        row = self.places.row(index)
        if not row.own or not row.own.keys() - {"serial"}:
            self._read_aside(index)
            return
        if self._is_aside(index):
            return
        people = self.members.has_people(row.own)
        if not people and self._is_heading(row):
            return
        self.rows += 1
        before = (self.places.place, self.places.town, self.places.community)
        code, name = self.places.move(row)
        if code:
            self._report(code, row, name)
            self.rejected += 1
        if code or before != (self.places.place, self.places.town, self.places.community):
            self._household = None
        if code:
            return
        if people:
            self._read_people(row)
        else:
            self._read_empty(row)

    # what is not data

    def _read_aside(self, index: int) -> None:
        """A row without any known cell: blank, a heading between rows, a note."""
        filled = [cell for cell in self.sheet.rows[index] if cell is not None]
        if len(filled) == 1:
            self._take_heading(filled[0])

    def _is_aside(self, index: int) -> bool:
        texts = [cell for cell in self.sheet.rows[index] if cell is not None]
        words = [cell for cell in texts if isinstance(cell, str)]
        if not words:
            return False
        if any(_is_total(squeeze(word)) for word in words[:3]):
            return True
        first = squeeze(words[0])
        if _is_note(first) or (len(texts) <= 2 and _NUMBERED.match(first) and read_heading(first) is None):
            return True
        if len(texts) == 1 and self._is_sentence(index, first):
            return True
        # the header again, on another page: three words of it and more than half of the row
        allowed = len(words) - max(3, len(texts) // 2 + 1)
        for word in words:
            if squeeze(word) not in self._words:
                allowed -= 1
                if allowed < 0:
                    return False
        return allowed >= 0

    def _is_sentence(self, index: int, text: str) -> bool:
        """Whether a row's only text is something said about the list rather than a line of it."""
        column = next(at for at, cell in enumerate(self.sheet.rows[index]) if cell is not None)
        name = self.header.fields[column]
        is_wide = self.places.is_wide(index, column)
        if name == "address":
            return is_wide or re.search(r"[,。;:]", text) is not None
        return is_wide or len(text) > (6 if name in {"name", "head_name"} and "·" not in text else 24)

    def _is_heading(self, row: SheetRow) -> bool:
        """Whether a row only says under which building or stair the next ones stand."""
        names = row.own.keys() - {"serial"}
        if len(names) == 1:
            (name,) = names
            if name != "note" and self._take_heading(row.own[name]):
                return True
        if not names <= {"town", "community", "compound", "building", "stair", "floor"} or not self.header.has(
            "room", "address"
        ):
            return False
        self.places.take_part(row)
        self._household = None
        return True

    def _take_heading(self, cell: Cell) -> bool:
        if not self.places.take_heading(cell):
            return False
        self._household = None
        return True

    # who

    def _read_people(self, row: SheetRow) -> None:
        door = self.gathering.door(self.places, self.sheet.name, row.index + 1)
        listed = self.members.read(row.index, row.own, row.filled)
        head = listed.head_name
        if not listed.candidates and listed.is_vacant:
            door.row.is_vacant = True
            self._household = None
            return
        number = plain(row.filled.get("household_number"))
        is_head_row = any(cells.is_head(candidate.person.relation) for candidate in listed.candidates)
        household = self.gathering.household(
            door, self._household, head, number, is_head_row, self.sheet.name, row.index + 1
        )
        self._household = household
        household.stated_head = household.stated_head or head
        household.head_column = household.head_column or self._column("head_name")
        household.head = household.head or listed.head
        household.candidates += listed.candidates
        household.remarks += listed.remarks
        household.row.phone = household.row.phone or listed.phone
        household.row.tags = sorted({*household.row.tags, *listed.tags})
        if listed.stated_count is not None and household.row.stated_count is None:
            household.row.stated_count = listed.stated_count
            household.count_column = self._column("head_count") if self._lists_members else ""
        if listed.is_rejected:
            self.rejected += 1

    def _read_empty(self, row: SheetRow) -> None:
        """A door without people: vacant, unless a remark says something else of it."""
        remark = cells.text_of(row.own.get("note"))
        is_continuation = not any(name in row.own for name in ("room", "address", "building"))
        if is_continuation and self._household is not None:
            self._household.remarks += [(None, remark)] if remark else []
            self.rows -= 1  # a line more of the household above, no row of its own
            return
        door = self.gathering.door(self.places, self.sheet.name, row.index + 1)
        if not remark or cells.is_blank(remark) or cells.says_vacant(remark):
            door.row.is_vacant = True
            return
        household = self.gathering.household(door, None, "", "", False, self.sheet.name, row.index + 1)
        household.remarks.append((None, remark))
        self._household = household
        self._report("name_missing", row, "name" if self.header.has("name") else "head_name")

    def _column(self, name: str) -> str:
        return letter_of(self.header.columns[name][0]) if name in self.header.columns else ""

    def _report(self, code: str, row: SheetRow, name: str) -> None:
        self.gathering.problems.append(problem(code, self.sheet.name, row.index + 1, self._column(name)))
