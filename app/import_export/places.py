"""Where each row of a sheet says somebody lives.

What stands above a row is what its blank cells mean: the sheet's name, a label or heading above, a merged cell, the
row before. A sheet that writes the whole place on every row is read otherwise: there a blank is a gap.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter

from app.import_export import persons as cells
from app.import_export.addresses import (
    Place,
    plain,
    read_address,
    read_building,
    read_compound,
    read_floor,
    read_heading,
    read_room,
    read_stair,
)
from app.import_export.archive import MAX_EXTENT, too_large
from app.import_export.headers import PLACE_FIELDS, Header, field_of
from app.import_export.workbook import Cell, Sheet

_DATE_TEXT = re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-[A-Z][a-z]{2}")
_DOOR_FIELDS = {"compound", "building", "stair", "room", "address"}
_FILLED_DOWN = {*PLACE_FIELDS, "household_number", "head_name"}


def is_date_text(cell: str) -> bool:
    """Whether a part of a place has become a date: Excel makes 3-2 the third of February."""
    return _DATE_TEXT.fullmatch(cell) is not None


@dataclass(slots=True)
class SheetRow:
    """A row by field: its own cells, and `filled` with merged ones from above."""

    index: int
    own: dict[str, Cell] = field(default_factory=dict)
    filled: dict[str, Cell] = field(default_factory=dict)


class PlaceReader:
    """Follows the place and community from row to row of one sheet."""

    def __init__(self, sheet: Sheet, header: Header) -> None:
        self.sheet = sheet
        self.header = header
        self.has_place = False
        # what headings say of all rows under them, and the place of the last row
        self._context = self._above()
        self.place = self._context
        self.town = self._town_above = self._label("town")
        self.community = self._community_above = self._label("community")
        self._merged = self._merged_cells()
        if sheet.repeats is None:
            sheet.repeats = self._repeats_places()
        self._is_repeated, self._is_community_repeated = sheet.repeats

    @property
    def writes_whole_places(self) -> bool:
        """Whether every row says where it is, so that a row's place depends on no other row."""
        is_told = self._is_community_repeated or "community" not in self.header.columns
        return self._is_repeated and is_told and "town" not in self.header.columns

    @property
    def above(self) -> Place:
        """What headings say of all rows under them."""
        return self._context

    def stand(self, place: Place, community: str | None) -> bool:
        """Take a place that a row of such a sheet has told whole, and its community where it has a column; answers
        whether it is another than the last row's."""
        before = (self.place, self.town, self.community)
        self.has_place = True
        if community is not None:
            self.town, self.community = self._town_above, community
        is_other = before != (place, self.town, self.community)
        self.place = place
        return is_other

    def row(self, index: int) -> SheetRow:
        """A row's cells by field (0-based)."""
        row = SheetRow(index)
        values = self.sheet.rows[index]
        for name, columns in self.header.columns.items():
            for column in columns:
                if values[column] is not None and name not in row.own:
                    row.own[name] = row.filled[name] = values[column]
                elif (index, column) in self._merged and name not in row.filled:
                    row.filled[name] = self._merged[index, column]
        return row

    def take_heading(self, cell: Cell) -> bool:
        """Take a heading between rows as the place above the next ones; False when it is none."""
        place = read_heading(cell) if isinstance(cell, str) else None
        if place is None:
            return False
        if not place.building:
            place.building = self.place.building if place.stair else ""
        place.compound = place.compound or self.place.compound
        self.place = self._context = place
        self.has_place = False
        return True

    def take_part(self, row: SheetRow) -> None:
        """Take a row that says a building or stair and nothing of a door, for the next ones."""
        self._take_community(row.own)
        self._town_above, self._community_above = self.town, self.community
        self.place = self._context = self._parts(row)
        self.has_place = False

    def move(self, row: SheetRow) -> tuple[str, str]:
        """Take the row's place as the current one; when it says none, the problem's code and the field at fault."""
        for name in ("building", "stair", "room"):
            cell = row.own.get(name)
            if isinstance(cell, date) or (isinstance(cell, str) and is_date_text(cell)):
                self.has_place = False
                return "place_from_date", name
        missing = ("room_missing", "room" if self.header.has("room") else "address")
        if not row.filled.keys() & _DOOR_FIELDS:
            return ("", "") if self.has_place and not self._is_repeated else missing
        place = self._parts(row)
        is_house = bool(place.building) and not self.header.has("room", "address")
        self.place, self.has_place = place, place.is_whole or is_house
        if not self.has_place:
            return missing
        self._take_community(row.filled)
        return "", ""

    def _take_community(self, given: Mapping[str, Cell]) -> None:
        """Follow town and community; another town begins with a community of its own."""
        town, community = plain(given.get("town")), plain(given.get("community"))
        if self._is_community_repeated:
            self.town, self.community = town or self._town_above, community or self._community_above
            return
        if town and town != self.town:
            self.town, self.community = town, ""
        self.community = community or self.community

    def is_wide(self, index: int, column: int) -> bool:
        """Whether a cell is merged across several columns, as titles and notes are."""
        return (index, column) in self._wide

    def _above(self) -> Place:
        """What the sheet's name and the lines above its header say of all its rows."""
        place = read_heading(self.sheet.name) or Place()
        for cells_above in self.sheet.rows[: max(self.header.first_row, 0)]:
            filled = [cell for cell in cells_above if cell is not None]
            if len(filled) == 1 and isinstance(filled[0], str):
                place = read_heading(filled[0]) or place
        compound = read_compound(self._label("compound"))
        building = read_building(self._label("building"))
        stair = read_stair(self._label("stair"))
        return Place(
            compound or building.compound or place.compound,
            building.building or place.building,
            stair or building.stair or place.stair,
        )

    def _label(self, name: str) -> str:
        """The value of a label such as `小区名称:阳光小区` above the header."""
        for row in self.sheet.rows[: max(self.header.first_row, 0)]:
            for column, cell in enumerate(row):
                label, colon, value = (
                    cell.replace("\uff1a", ":").partition(":") if isinstance(cell, str) else ("", "", "")
                )
                if colon and field_of(label) == name:
                    beside = row[column + 1] if column + 1 < len(row) else None
                    return plain(value) or (plain(beside) if ":" not in plain(beside) else "")
        return ""

    def _merged_cells(self) -> dict[tuple[int, int], Cell]:
        """Cells that a merge downwards covers, with the value they share; only for columns that say where and
        whose: a merged ID number is still one person's."""
        self._wide = {(top, left) for top, left, _, right in self.sheet.merges if right - left >= 3}
        wanted = {c for name in _FILLED_DOWN for c in self.header.columns.get(name, [])}
        covered: dict[tuple[int, int], Cell] = {}
        area = 0
        for top, left, bottom, right in self.sheet.merges:
            bottom = min(bottom, len(self.sheet.rows) - 1)
            if top <= self.header.last_row or bottom <= top or left > max(wanted, default=-1):
                continue
            value = self.sheet.rows[top][left] if left < len(self.sheet.rows[top]) else None
            columns = [c for c in wanted if left <= c <= right]
            area += (bottom - top) * len(columns)
            if area > MAX_EXTENT:
                raise too_large("合并单元格过多", "too many merged cells")
            if value is not None:
                covered.update({(row, c): value for row in range(top + 1, bottom + 1) for c in columns})
        return covered

    def _repeats_places(self) -> tuple[bool, bool]:
        """Whether the sheet writes the whole place on every row, so that a blank is not "same as above" but a gap; and
        whether it does so with the community.

        It does when more rows repeat the place of the row above than leave room and address blank.
        """
        its = self.header.columns.get("community", [])
        said: Cell = None
        same = gaps = 0
        columns = [c for name in PLACE_FIELDS for c in self.header.columns.get(name, [])]
        doors = [c for name in ("room", "address") for c in self.header.columns.get(name, [])]
        people = [c for name in ("name", "head_name") for c in self.header.columns.get(name, [])]
        before: object = None
        repeated = blank = 0
        place_of = itemgetter(*columns, -1) if columns else None
        merged = self._merged
        for index in range(self.header.last_row + 1, len(self.sheet.rows)):
            values = self.sheet.rows[index]
            for c in people:
                if values[c] is not None:
                    break
            else:
                continue
            if its:
                word = next((values[c] for c in its if values[c] is not None), None)
                gaps += word is None and not (merged and any((index, c) in merged for c in its))
                same += word is not None and word == said
                said = word
            is_blank, is_written = True, False
            for c in doors:
                if values[c] is not None:
                    is_blank, is_written = False, True
                elif merged and (index, c) in merged:
                    is_blank = False
            place = place_of(values)[:-1] if place_of else ()
            if is_blank:
                blank += 1
            elif is_written and place == before:
                repeated += 1
            before = place
        return repeated > blank, same > gaps

    def _parts(self, row: SheetRow) -> Place:
        """A row's place; a blank part is what stood above when everything before it is the same."""
        above = self._context if self._is_repeated else self.place
        given = row.filled
        address = read_address(given["address"]) if "address" in given else Place()
        building = read_building(given.get("building"))
        compound = read_compound(given.get("compound")) or building.compound or address.compound or above.compound
        is_same = compound == above.compound
        own_building = building.building or address.building
        number = own_building or (above.building if is_same and not address.address else "")
        is_same = is_same and number == above.building
        stair = read_stair(given.get("stair")) or building.stair or address.stair
        room = read_room(given["room"], number, stair) if "room" in given else Place()
        number, stair = number or room.building, stair or room.stair
        if not stair and is_same and not address.address:
            stair = above.stair
        is_same = is_same and stair == above.stair
        place = Place(compound or room.compound, number, stair, read_floor(given.get("floor")))
        place.floor = place.floor if place.floor is not None else address.floor
        place.room = room.room or address.room
        place.address = address.address
        is_continued = (
            is_same
            and self.has_place
            and not self._is_repeated
            and not cells.is_head(cells.text_of(row.own.get("relation")))
        )
        if not place.is_whole and is_continued and "address" not in given:
            place.room, place.address = above.room, above.address
            place.floor = place.floor if place.floor is not None else above.floor
        return place
