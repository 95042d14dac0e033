"""Rows of which nothing has to be found out: where, who and which numbers, each in its column and in plain form.

Most rows of a large roster are so. What they say is read here at a tenth of the price, and gives what the readers of
`places` and `members` would give; whatever is not plain is left to them, cell by cell the one definition of what is
right. `tests/import_export/test_plain_rows.py` holds both equal.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from operator import itemgetter
from typing import Generic, TypeVar

from app.import_export import persons as cells
from app.import_export.addresses import Place, plain, read_building, read_compound, read_floor, read_room, read_stair
from app.import_export.headers import Header
from app.import_export.households import Candidate, Door, Gathering, Members
from app.import_export.places import PlaceReader, is_date_text
from app.import_export.readings import PersonRow
from app.import_export.workbook import Cell, Sheet, letter_of

_FIELDS = {
    "serial", "community", "compound", "building", "stair", "floor", "room", "name", "relation", "sex", "birth_on",
    "id_number", "phone", "workplace", "note", "age",
}  # fmt: skip
_NEEDED = {"name", "building", "room"}
_HEAD = re.compile(r"[1-8][0-9]{13}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# what the last three of the seventeen digits weigh, and the check characters by the rest of the sum by eleven
_TAILS = {f"{n:03d}": sum(int(d) * w for d, w in zip(f"{n:03d}", _WEIGHTS[14:], strict=True)) for n in range(1000)}
_CHECKS = "10X98765432"
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_OTHER_PERMITS = ("81", "82", "83")
_MAX_WORK = 100
_MAX_RELATION = 20
_REMEMBERED = 100_000
K = TypeVar("K")
V = TypeVar("V")


class NotPlainError(Exception):
    """A cell that the row's own readers have to look at."""


class _Memory(dict[K, V], Generic[K, V]):
    """What cells were read as; a cell that was not plain is asked again each time, there are few."""

    def __init__(self, read: Callable[[K], V]) -> None:
        self._read = read

    def __missing__(self, cell: K) -> V:
        value = self._read(cell)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[cell] = value
        return value


class PlainRows:
    """Reads the plain rows of one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        header: Header,
        places: PlaceReader,
        gathering: Gathering,
        today: date,
        is_aside: Callable[[str], bool],
    ) -> None:
        self._sheet = sheet
        self._places = places
        self._gathering = gathering
        self._today = today
        self._is_aside = is_aside
        column = {name: columns[0] for name, columns in header.columns.items()}
        self._at = tuple(
            column.get(name, -1)
            for name in ("name", "relation", "sex", "birth_on", "id_number", "phone", "workplace", "note", "age")
        )
        where = ("community", "compound", "building", "stair", "floor", "room")
        self._where = tuple(column[name] for name in where if name in column)
        self._reads = {name: column[name] for name in where if name in column}
        used = {at for at in (*self._at, *self._where) if at >= 0}
        # columns that are not read, or say again what another says: only that they are no heading matters
        self._others = tuple(c for c in range(len(header.fields)) if c not in used)
        self._id_column = letter_of(column["id_number"]) if "id_number" in column else ""
        self._where_of: Callable[[Sequence[Cell]], object] = itemgetter(*self._where)
        # the door of the row before, where it was written, and the household behind it
        self._last: object = None
        self._at_place: Place | None = None
        self._door: Door | None = None
        self._current: Members | None = None
        self._words = _Memory[str, str](self._word)
        self._names = _Memory[str, str](self._name)
        self._relations = _Memory[str, tuple[str, bool]](self._relation)
        self._sexes = _Memory[str, int](self._sex)
        self._births = _Memory[Cell, tuple[date, bool]](self._birth)
        self._heads = _Memory[str, tuple[date, int]](self._head)
        self._tags = _Memory[tuple[str, str], list[str] | None](self._tag)
        self._works = _Memory[str, str | None](self._work)
        self._notes = _Memory[str, tuple[str, bool]](self._note)
        self._ages = _Memory[Cell, int | None](self._age)

    @classmethod
    def of(
        cls,
        sheet: Sheet,
        header: Header,
        places: PlaceReader,
        gathering: Gathering,
        today: date,
        is_1904: bool,
        is_aside: Callable[[str], bool],
    ) -> "PlainRows | None":
        """The reader of a sheet's plain rows; None for a sheet whose rows are no plain ones, as where a blank means
        what stands above."""
        names = header.columns.keys()
        is_listed = _NEEDED <= names <= _FIELDS and not header.members and not is_1904
        if not is_listed or sheet.merges or not places.writes_whole_places:
            return None
        return cls(sheet, header, places, gathering, today, is_aside)

    def read(self, index: int, current: Members | None) -> Members | None:
        """Take a row (0-based) into its household, which is answered; None when the row is not plain, and then
        nothing has happened. `current` is the household of the row before."""
        row = self._sheet.rows[index]
        try:
            return self._take(row, index, current)
        except (NotPlainError, TypeError, KeyError):
            return None  # a number where a text would be plain, a blank where something has to stand

    def _take(self, row: Sequence[Cell], index: int, current: Members | None) -> Members:
        name_at, relation_at, sex_at, birth_at, id_at, phone_at, work_at, note_at, age_at = self._at
        for at in self._others:
            if row[at] is not None:
                self._words[row[at]]  # type: ignore[index]  # what is no text is not plain
        name = self._names[row[name_at]]  # type: ignore[index]
        relation, is_head = ("", False)
        if relation_at >= 0 and row[relation_at] is not None:
            relation, is_head = self._relations[row[relation_at]]  # type: ignore[index]
        sex = 0
        if sex_at >= 0 and row[sex_at] is not None:
            sex = self._sexes[row[sex_at]]  # type: ignore[index]
        born, is_month = None, False
        if birth_at >= 0 and row[birth_at] is not None:
            born, is_month = self._births[row[birth_at]]
        phone = row[phone_at] if phone_at >= 0 else None
        if phone is not None and not _MOBILE.fullmatch(phone):  # type: ignore[arg-type]
            raise NotPlainError
        work = self._works[row[work_at]] if work_at >= 0 and row[work_at] is not None else None  # type: ignore[index]
        note, is_said = "", False
        if note_at >= 0 and row[note_at] is not None:
            note, is_said = self._notes[row[note_at]]  # type: ignore[index]
        age = self._ages[row[age_at]] if age_at >= 0 and row[age_at] is not None else None
        number = row[id_at] if id_at >= 0 else None
        id_year = None
        if number is not None:
            inside, weight = self._heads[number[:14]]  # type: ignore[index]
            tail = number[14:17]  # type: ignore[index]
            if (
                number[17:] != _CHECKS[(weight + _TAILS[tail]) % 11]  # type: ignore[index]
                or (born is not None and born != inside and not (is_month and _same_month(born, inside)))
            ):
                raise NotPlainError
            id_sex = 1 if tail[2] in "13579" else 2
            if sex and sex != id_sex:
                raise NotPlainError
            id_year, born, sex = inside.year, inside, id_sex
        household = self._household(row, index, current, is_head)
        person = PersonRow(
            name, relation, sex, born, "resident_id" if number else "none", number, phone, False, self._sheet.name,  # type: ignore[arg-type]
            index + 1, work, [], age,
        )  # fmt: skip
        if note or relation:
            tags = self._tags[note, relation]
            if tags is None:
                of_year = self._today.year - born.year if age is None and born else age
                person.tags = sorted({*cells.read_tags(f"{note};;;{relation}", of_year)})
            elif tags:
                person.tags = tags.copy()
        if is_said:
            household.remarks.append((person, note))
        household.candidates.append(Candidate(person, self._id_column, id_year))
        return household

    def _household(self, row: Sequence[Cell], index: int, current: Members | None, is_head: bool) -> Members:
        places = self._places
        where = self._where_of(row)
        if where == self._last and self._door is not None and self._at_place is places.place:
            door = self._door
            if current is self._current and current is not None and not (is_head and current.has_head()):
                return current  # one more of the same household
        else:
            place, community = self._place(row)
            if places.stand(place, community):
                current = None
            door = self._gathering.door(places, self._sheet.name, index + 1)
            self._last, self._at_place, self._door = where, places.place, door
        found = self._gathering.household(door, current, "", "", is_head, self._sheet.name, index + 1)
        self._current = found
        return found

    def _place(self, row: Sequence[Cell]) -> tuple[Place, str | None]:
        """Where a row stands whose every part of a place is written and says only what its column is for."""
        words: dict[str, str] = {}
        for name, at in self._reads.items():
            word = row[at]
            if isinstance(word, str):
                words[name] = self._words[word]
            elif word is not None or name != "floor":
                raise NotPlainError
        above = self._places.above
        building = read_building(words["building"])
        stair = read_stair(words["stair"]) if "stair" in words else ""
        compound = read_compound(words["compound"]) if "compound" in words else above.compound
        room = read_room(words["room"], building.building, stair)
        is_plain = (
            building.building and not building.compound and not building.stair
            and (stair or "stair" not in words) and (compound or "compound" not in words)
            and room.room and (room.building, room.stair, room.compound) == (building.building, stair, "")
            and not above.building and not above.stair
            and not any(is_date_text(words[name]) for name in ("building", "stair", "room") if name in words)
        )  # fmt: skip
        community = plain(words["community"]) if "community" in words else None
        if not is_plain or community == "":
            raise NotPlainError
        return Place(compound, building.building, stair, read_floor(words.get("floor")), room.room), community

    # what a cell is read as, each by the reader that reads it in any other row

    def _word(self, cell: str) -> str:
        """A text that is said of somebody: no total, no note under the list, no word of its header."""
        if not isinstance(cell, str) or self._is_aside(cell):
            raise NotPlainError
        return cell

    def _name(self, cell: str) -> str:
        if 1 < len(self._word(cell)) < 5 and min(cell) >= "\u4e00" and max(cell) <= "\u9fff":
            # Chinese characters alone: there is nothing to tidy
            if cells.is_vacant_word(cell) or cells.is_blank(cell):
                raise NotPlainError
            return cell
        names = cells.read_names(cell)
        if len(names) != 1 or names[0][1] or cells.is_vacant_word(names[0][0]):
            raise NotPlainError
        if cells.is_vacant_word(cells.text_of(cell)) or cells.is_blank(cells.text_of(cell)):
            raise NotPlainError
        return names[0][0]

    def _relation(self, cell: str) -> tuple[str, bool]:
        relation = cells.text_of(self._word(cell), _MAX_RELATION)
        return relation, cells.is_head(relation)

    def _sex(self, cell: str) -> int:
        sex, code = cells.read_sex(self._word(cell))
        if code or sex not in (1, 2):
            raise NotPlainError
        return sex

    def _birth(self, cell: Cell) -> tuple[date, bool]:
        if isinstance(cell, str):
            self._word(cell)
        elif not isinstance(cell, date):
            raise NotPlainError
        day, is_month, code = cells.read_birth(cell, self._today, False)
        if code or day is None:
            raise NotPlainError
        return day, is_month

    def _head(self, digits: str) -> tuple[date, int]:
        """The birth date in the first fourteen digits of a number, and what they weigh in its check."""
        if not _HEAD.fullmatch(digits) or digits[:2] in _OTHER_PERMITS:
            raise NotPlainError
        try:
            day = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
        except ValueError:
            raise NotPlainError from None
        if day > self._today or day.year < cells.OLDEST_YEAR:
            raise NotPlainError
        return day, sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))

    def _tag(self, said: tuple[str, str]) -> list[str] | None:
        """The tags of a note and a relation; None where they depend on the age."""
        note, relation = said
        young, old = (sorted({*cells.read_tags(f"{note};;;{relation}", age)}) for age in (1, 99))
        return old if young == old else None

    def _work(self, cell: str) -> str | None:
        work = cells.text_of(self._word(cell), _MAX_WORK)
        return None if cells.is_blank(work) else work

    def _note(self, cell: str) -> tuple[str, bool]:
        note = cells.text_of(self._word(cell))
        if cells.says_vacant(note):
            raise NotPlainError
        return note, not cells.is_blank(note)

    def _age(self, cell: Cell) -> int | None:
        if not isinstance(cell, str):
            raise NotPlainError
        return cells.read_age(self._word(cell))


def _same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)
