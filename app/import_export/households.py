"""Gathering rows into doors and households, and what can only be said once all rows are known.

A door is told by its parts, wherever in the file its rows stand. Behind it a new household begins with another head's
name, another household number, or a second person related as head.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import median

from app.import_export.addresses import floor_of
from app.import_export.persons import is_head, read_tags
from app.import_export.places import PlaceReader
from app.import_export.readings import DwellingRow, HouseholdRow, PersonRow, RowProblem, problem

_KIN = re.compile(r"[妻夫子女儿父母孙媳婿兄弟姐妹爷奶岳公婆侄甥伯叔姑姨舅爱]|配偶")
_NO_NUMBER = re.compile(r"[^0-9A-Z]")
_MAX_NOTE = 500
_AGE_SLACK = 3
_AGES_NEEDED = 5


@dataclass(slots=True)
class Candidate:
    """A person with what later checks need: the ID's column, the birth year inside the ID, whether the row itself
    speaks against the number."""

    person: PersonRow
    id_column: str = ""
    id_year: int | None = None
    refused_number: str | None = None
    is_doubtful: bool = False

    @property
    def number(self) -> str | None:
        """The number that was stated, taken or not."""
        return self.person.id_number or self.refused_number


@dataclass(slots=True)
class Members:
    """One household while its rows are being read."""

    row: HouseholdRow
    sheet: str
    first_row: int
    number: str = ""
    stated_head: str = ""
    head_column: str = ""
    count_column: str = ""
    head: Candidate | None = None
    candidates: list[Candidate] = field(default_factory=list)
    remarks: list[tuple[PersonRow | None, str]] = field(default_factory=list)

    def has_head(self) -> bool:
        """Whether somebody related as head is listed."""
        return any(is_head(candidate.person.relation) for candidate in self.candidates)


@dataclass(slots=True)
class Door:
    """One door while the file is being read."""

    row: DwellingRow
    households: list[Members] = field(default_factory=list)


class Gathering:
    """The doors of a file by their address.

    A community whose last row is read can be finished and let go of. Only doors behind which somebody has a number
    that is `repeated` in the file wait for its end: whose it is can be said when all who state it are known.
    """

    def __init__(self, repeated: Collection[int]) -> None:
        self.repeated = repeated
        self.doors: dict[str, dict[tuple[str, ...], Door]] = {}
        self.waiting: list[Door] = []
        self.problems: list[RowProblem] = []

    def door(self, where: PlaceReader, sheet: str, row: int) -> Door:
        """The door where the reader stands, new or known; a later row may add the floor or the address it lacked."""
        place, community = where.place, where.community
        parts = (where.town, community, place.compound, place.building, place.stair, place.room)
        key = parts if place.room or not place.address else (*parts, place.address)
        doors = self.doors.setdefault(community, {})
        found = doors.get(key)
        if found is None:
            is_code = re.fullmatch(r"[0-9]{12}", community) is not None
            dwelling = DwellingRow(
                community_code=community if is_code else None,
                compound=place.compound,
                building=place.building,
                stair=place.stair,
                room=place.room,
                sheet=sheet,
                row=row,
                community_name="" if is_code else community,
                town_name=where.town,
            )
            found = doors[key] = Door(dwelling)
        floor = place.floor if place.floor is not None else floor_of(place.room) if place.building else None
        if found.row.floor is None:
            found.row.floor = floor
        found.row.address = found.row.address or place.address
        return found

    def household(
        self, door: Door, current: Members | None, head: str, number: str, is_head_row: bool, sheet: str, row: int
    ) -> Members:
        """The household behind a door that a row belongs to."""
        known = door.households
        if number:
            found = next((h for h in known if h.number == number), None)
        elif head:
            found = next((h for h in known if h.stated_head == head), None)
        elif current is not None and current in known:
            found = current
        else:
            found = known[-1] if known else None
        if found is not None and is_head_row and not number and not head and found.has_head():
            found = None
        if found is None:
            found = Members(HouseholdRow(), sheet, row, number, head)
            known.append(found)
        return found

    def finish(self, community: str, today: date) -> list[DwellingRow]:
        """The doors of a community in the order they appeared, households complete, what contradicts itself reported;
        without those that wait."""
        doors = list(self.doors.pop(community, {}).values())
        for door in doors:
            for household in door.households:
                _join_head(household)
        _check_ages(doors)
        done = []
        for door in doors:
            candidates = _candidates(door)
            if self.repeated and any(c.number and number_key(c.number) in self.repeated for c in candidates):
                self.waiting.append(door)
                continue
            for candidate in candidates:
                if candidate.is_doubtful and candidate.person.id_number:
                    self._doubt(candidate)
            done.append(self._complete_door(door, today))
        return done

    def finish_waiting(self, today: date) -> list[DwellingRow]:
        """The doors that waited for the end of the file, in its order."""
        sheets = {name: at for at, name in enumerate(dict.fromkeys(door.row.sheet for door in self.waiting))}
        self.waiting.sort(key=lambda door: (sheets[door.row.sheet], door.row.row))
        self._check_duplicates()
        return [self._complete_door(door, today) for door in self.waiting]

    def _complete_door(self, door: Door, today: date) -> DwellingRow:
        for household in door.households:
            self._complete(household, today)
        door.row.households = [household.row for household in door.households]
        if door.row.is_vacant and door.households:
            door.row.is_vacant = False
            self.problems.append(problem("vacancy_conflict", door.row.sheet, door.row.row, "", "有人居住"))
        return door.row

    def _doubt(self, candidate: Candidate) -> None:
        candidate.person.needs_id_check = True
        self._report("age_mismatch", candidate)

    def _check_duplicates(self) -> None:
        """One number, one person.

        Where the same number stands in several rows nobody here knows whose it is. The first row whose own birth
        date or age does not speak against it keeps it as the file states it, marked to be checked; the others are
        reported, kept without it and marked. Keeping it once lets the next import find the same person again.
        """
        holders: dict[str, list[Candidate]] = defaultdict(list)
        for door in self.waiting:
            for candidate in _candidates(door):
                if candidate.number:
                    holders[candidate.number].append(candidate)
        for candidates in holders.values():
            sound = [c for c in candidates if c.person.id_number and not c.is_doubtful]
            kept = (sound or [c for c in candidates if c.person.id_number] or candidates)[0]
            for candidate in candidates:
                person = candidate.person
                if candidate is not kept:
                    person.id_number, person.id_kind, person.needs_id_check = None, "none", True
                    where = (
                        f"{kept.person.row}"
                        if kept.person.sheet == person.sheet
                        else (f"{kept.person.row}({kept.person.sheet})")
                    )
                    self._report("id_duplicate", candidate, where)
                elif len(candidates) > 1 and person.id_number:
                    person.needs_id_check = True
                if candidate is kept and candidate.is_doubtful and person.id_number:
                    self._doubt(candidate)

    def _report(self, code: str, candidate: Candidate, detail: str = "") -> None:
        person = candidate.person
        self.problems.append(problem(code, person.sheet, person.row, candidate.id_column, detail))

    def _complete(self, household: Members, today: date) -> None:
        row = household.row
        persons = [candidate.person for candidate in household.candidates]
        _place_head(household, persons)
        row.persons = persons
        heads = [person for person in persons if is_head(person.relation)]
        if household.stated_head and heads and all(person.name != household.stated_head for person in heads):
            place = (household.sheet, household.first_row, household.head_column)
            self.problems.append(problem("household_conflict", *place))
        first = heads[0] if heads else persons[0] if persons else None
        row.head_name = household.stated_head or (first.name if first else "")
        row.phone = row.phone or (first.phone if first else None) or next((p.phone for p in persons if p.phone), None)
        if household.count_column and row.stated_count not in (None, len(persons)):
            place = (household.sheet, household.first_row, household.count_column)
            self.problems.append(problem("count_mismatch", *place, str(row.stated_count)))
        tags = set(row.tags)
        notes: list[str] = []
        for person, text in household.remarks:
            tags |= set(read_tags(text, _age(person or first, today)))
            is_own = person is None or person is first or len(persons) == 1 or not person.name
            note = text if is_own or person is None else f"{person.name}:{text}"
            if note not in notes:
                notes.append(note)
        row.tags = sorted(tags)
        row.note = ";".join(notes)[:_MAX_NOTE] or None


def number_key(cell: str) -> int:
    """A number that is equal for all ways to write one document's number: spaced, dashed, with 15 digits or 18."""
    text = cell if cell.isascii() and cell.isalnum() else unicodedata.normalize("NFKC", cell)
    text = _NO_NUMBER.sub("", text.upper())
    if len(text) == 15 and text.isdigit():
        text = f"{text[:6]}19{text[6:]}"
    return hash(text[:17])  # the eighteenth follows from the others, and is written in many ways


def _candidates(door: Door) -> list[Candidate]:
    return [c for home in door.households for c in (*home.candidates, *((home.head,) if home.head else ()))]


def _check_ages(doors: Iterable[Door]) -> None:
    """Mark who is years away from their ID number's age; the roster's own year is the middle of what its ages say,
    for nobody can tell when it was made."""
    by_sheet: dict[str, list[Candidate]] = defaultdict(list)
    for door in doors:
        for candidate in _candidates(door):
            if candidate.id_year and candidate.person.age is not None:
                by_sheet[candidate.person.sheet].append(candidate)
    for candidates in by_sheet.values():
        years = [(c.id_year or 0) + (c.person.age or 0) for c in candidates]
        if len(years) < _AGES_NEEDED:
            continue
        made = median(years)
        for candidate, year in zip(candidates, years, strict=True):
            candidate.is_doubtful = abs(year - made) > _AGE_SLACK


def _join_head(household: Members) -> None:
    """When the head stands in the head columns and among the members too, they are one person."""
    if household.head is None:
        return
    own = household.head.person
    named = next((c for c in household.candidates if c.person.name == own.name), None)
    if named is None:
        return
    household.head = None
    person = named.person
    if person.id_number is None and own.id_number:
        person.id_number, person.id_kind = own.id_number, own.id_kind
        named.id_year = own.birth_on.year if own.birth_on else None
    elif own.id_number and person.id_number != own.id_number:
        person.needs_id_check = True
    person.birth_on, person.sex = person.birth_on or own.birth_on, person.sex or own.sex
    person.phone = person.phone or own.phone


def _place_head(household: Members, persons: list[PersonRow]) -> None:
    """Put the head among the household's people where the file says they belong there.

    A head named only in the head column is one of them when their own number or phone stands beside the name, or
    when the others are related to them as kin. An owner who lets to strangers is not.
    """
    if household.head is not None:
        persons.insert(0, household.head.person)
    elif household.stated_head and not household.has_head():
        is_listed = any(person.name == household.stated_head for person in persons)
        if not is_listed and any(_KIN.search(person.relation) for person in persons):
            persons.insert(0, PersonRow(household.stated_head, "户主", sheet=household.sheet, row=household.first_row))


def _age(person: PersonRow | None, today: date) -> int | None:
    if person is None or person.age is not None:
        return person.age if person else None
    born = person.birth_on
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) if born else None
