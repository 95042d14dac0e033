"""The one writer of the registry: doors, households and people, as sets.

The roster import, the HTTP routes and the demo all call `put_dwellings`. It compares what is given with what
is known and writes only the difference, so the same list twice changes nothing. A value that is missing in
the list never erases one that is known; nobody is removed because a list does not name them.

A list may say of when it is (`as_of`). What a person has entered since then stands against it, fact by fact, and the
difference is told; what is older gives way to the list.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Literal, Protocol
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import SHANGHAI, day_start
from app.core.db import driver_connection
from app.core.errors import Invalid
from app.core.ids import new_ids
from app.core.resident_id import is_resident_id
from app.people.models import IdKind
from app.people.naming import address_key, initials, pinyin, sort_key
from app.people.schemas import ResidentCreate, ResidentRead
from app.people.service import (
    HOUSEHOLD_NOTE,
    HOUSEHOLD_PHONE,
    RESIDENT_ID,
    RESIDENT_PHONE,
    address_of,
    get_household,
    list_residents,
    note_changes,
    tell_grown,
    touch_areas,
)

Subject = Literal["household", "resident"]
FACTS: dict[Subject, dict[str, tuple[str, ...]]] = {
    "household": {
        "head_name": ("head_name", "head_initials"),
        "phone": ("phone_index", "phone_sealed"),
        "tags": ("tags",),
        "note": ("note_changed", "note_sealed"),
    },
    "resident": {
        "name": ("name", "name_initials", "name_pinyin"),
        "sex": ("sex",),
        "birth_on": ("birth_on",),
        "relation": ("relation",),
        "phone": ("phone_index", "phone_sealed"),
        "workplace": ("workplace",),
        "id_number": ("id_index", "id_sealed", "id_kind"),
        "tags": ("tags",),
    },
}
"""The facts of a household and a person, each with the keys of a row here that hold it; the first tells whether it
differs."""
DATED: dict[Subject, frozenset[str]] = {
    "household": frozenset({"phone", "tags", "note"}),
    "resident": frozenset({"name", "sex", "birth_on", "relation", "phone"}),
}
"""Facts that people change one by one, at desks and on phones, and whose last change is kept."""
IS_GONE = "is_gone"
"""The fact a difference speaks of when a list names somebody who has gone."""
PLACE = "place"
"""The fact a difference speaks of when a list names somebody behind another door than theirs."""

_BREATH = 50
"""Doors compared at one go."""


@dataclass(slots=True)
class PersonInput:
    """A person as somebody gives them; `id` when the giver made one, `row` where in a file they stand."""

    name: str
    relation: str = ""
    sex: int = 0
    birth_on: date | None = None
    id_kind: str = "none"
    id_number: str | None = None
    phone: str | None = None
    needs_id_check: bool = False
    workplace: str = ""
    tags: list[str] = field(default_factory=list)
    sheet: str = ""
    row: int = 0
    id: UUID | None = None
    # somebody stood there and was written down: never taken for another of the same name
    is_new: bool = False


@dataclass(slots=True)
class HouseholdInput:
    """A household as somebody gives it."""

    head_name: str = ""
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    persons: list[PersonInput] = field(default_factory=list)
    kind: str = "family"
    id: UUID | None = None
    # somebody stood there and wrote it down: never taken for another behind the same door
    is_new: bool = False


@dataclass(slots=True)
class DwellingInput:
    """A door as somebody gives it."""

    compound: str = ""
    building: str = ""
    stair: str = ""
    floor: int | None = None
    room: str = ""
    address: str = ""
    is_vacant: bool = False
    households: list[HouseholdInput] = field(default_factory=list)
    sheet: str = ""
    row: int = 0
    _key: str = field(default="", init=False, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What makes two doors the same door; asked for when nothing of the door changes any more."""
        if not self._key:
            self._key = address_key(self.compound, self.building, self.stair, self.room, self.address)
        return self._key


@dataclass(frozen=True, slots=True)
class PutConflict:
    """What was given and cannot stand beside what is known: where in the file, and the code."""

    code: Literal["id_duplicate", "vacant_but_lived_in"]
    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the list and the registry give differently.

    `is_kept`: somebody has changed it since the list was made (`actor_name`, `changed_at`), and the registry's value
    stands; else the list's was taken. Kept without a `changed_at` is a question: the list may be right, and where
    somebody lives is not a list's to change. Values are plain: text, a number, a list of tags, an ISO date, None.
    """

    subject: Subject
    subject_id: UUID
    household_id: UUID
    field: str
    listed: Any
    registered: Any
    is_kept: bool
    actor_name: str
    changed_at: datetime | None
    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class Departed:
    """Somebody who has lived behind one of the community's doors and does not any more: gone, or moved behind another
    (`is_gone` False). `doors`: those they have left; `address`: where they live now, or lived last; `left_on`: the day
    of the last change, None when nobody wrote it down, and then `left_at` is when the registry heard of it."""

    id: UUID
    household_id: UUID
    name: str
    birth_on: date | None
    id_index: bytes | None
    is_gone: bool
    doors: frozenset[UUID]
    address: str
    left_on: date | None
    left_at: datetime
    reason: str | None
    by: str


FindDeparted = Callable[[AsyncSession, str, Sequence[bytes], Sequence[str]], Awaitable[list[Departed]]]
"""Who in a community has departed and has one of these ID indexes or names; `app.residence` answers."""


@dataclass(slots=True)
class Before:
    """What a put has changed of a row that was there: the values of its columns before, of those that it changed; none
    where a household has only got more people. `changes`: of facts whose last change is kept, that row before, None
    where there was none."""

    kind: Literal["dwelling", "household", "resident"]
    id: UUID
    values: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, dict[str, Any] | None] = field(default_factory=dict)


@dataclass(slots=True)
class PutCounts:
    """What a put did. `created`, `updated`, `unchanged` count persons and vacant doors: a roster's rows; `kept` facts
    that stand against the list; `asked` people whom the list places where the registry has them not, for a person to
    decide. `version` is the clock's that the put has written, 0 when it wrote nothing; `made` are new rows by table,
    `span` the lowest and highest of their ids, `before` what stood in rows that were there."""

    dwellings: int = 0
    vacant: int = 0
    households: int = 0
    persons: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    asked: int = 0
    version: int = 0
    conflicts: list[PutConflict] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    household_ids: list[UUID] = field(default_factory=list)
    created_ids: dict[str, list[UUID]] = field(
        default_factory=lambda: {"dwelling": [], "household": [], "resident": []}
    )
    made: Counter[str] = field(default_factory=Counter)
    span: tuple[UUID, UUID] | None = None
    before: list[Before] = field(default_factory=list)


class Known:
    """What the registry holds behind the given doors, and whose the given ID numbers are."""

    def __init__(self) -> None:
        # the blind index of each number that is given
        self.indexes: dict[str, bytes] = {}
        self.dwellings: dict[str, dict[str, Any]] = {}
        self.households: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self.residents: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self.id_holders: dict[bytes, UUID] = {}
        # those of them who were here before the list: their name, household and address
        self.holders: dict[UUID, tuple[str, UUID, str]] = {}
        # of what somebody has changed since the list was made: (subject, field) to who and when
        self.later: dict[tuple[UUID, str], tuple[str, datetime]] = {}
        self.as_of: datetime | None = None
        # who has departed, by number and by name
        self.departed_by_index: dict[bytes, Departed] = {}
        self.departed_by_name: dict[str, list[Departed]] = defaultdict(list)
        # who stood in these households and was merged into somebody: a list that names them names who stands for them
        self.merged: dict[UUID, list[dict[str, Any]]] = defaultdict(list)


_HOLDERS = """
    SELECT r.id, r.id_index, r.name, r.household_id, d.compound, d.building, d.stair, d.room, d.address
    FROM resident r JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE r.community_code = :c AND r.id_index = ANY(:indexes) AND NOT r.is_gone
"""
_HAS_DOORS = "SELECT EXISTS (SELECT FROM dwelling WHERE community_code = :c)"


async def _load(
    session: AsyncSession,
    community: str,
    doors: Sequence[DwellingInput],
    as_of: datetime | None,
    find_departed: FindDeparted | None,
) -> Known:
    known = Known()
    known.as_of = as_of
    persons = [person for door in doors for home in door.households for person in home.persons]
    id_numbers = [person.id_number for person in persons if person.id_number]
    # while an index key is being replaced a number may stand under its old index, read as its new one
    known.indexes = crypto.key_ring().index_each(id_numbers, RESIDENT_ID)
    newest = {index: index for index in known.indexes.values()}
    if len(crypto.key_ring().keys.index_keys) > 1:
        newest |= {
            old: every[0] for n in id_numbers for every in [crypto.blind_indexes(n, RESIDENT_ID)] for old in every
        }
    if not (await session.execute(text(_HAS_DOORS), {"c": community})).scalar_one():
        return known  # where no door is nobody is
    params: dict[str, Any] = {"c": community, "keys": sorted({door.key for door in doors})}
    by_key = "SELECT * FROM dwelling WHERE community_code = :c AND address_key = ANY(:keys)"
    for row in (await session.execute(text(by_key), params)).mappings():
        known.dwellings[row["address_key"]] = dict(row)
    params = {"c": community, "ids": [d["id"] for d in known.dwellings.values()]}
    homes = (
        "SELECT * FROM household WHERE community_code = :c AND dwelling_id = ANY(:ids) AND NOT is_closed ORDER BY id"
    )
    for row in (await session.execute(text(homes), params)).mappings():
        known.households[row["dwelling_id"]].append(dict(row))
    params = {"c": community, "ids": [h["id"] for homes in known.households.values() for h in homes]}
    members = (
        "SELECT * FROM resident WHERE community_code = :c AND household_id = ANY(:ids) AND NOT is_gone ORDER BY id"
    )
    for row in (await session.execute(text(members), params)).mappings():
        known.residents[row["household_id"]].append(
            dict(row) | {"id_index": newest.get(row["id_index"], row["id_index"])}
        )
    for holder in (await session.execute(text(_HOLDERS), {"c": community, "indexes": list(newest)})).all():
        known.id_holders[newest[bytes(holder.id_index)]] = holder.id
        known.holders[holder.id] = (holder.name, holder.household_id, address_of(holder))
    if as_of is not None:
        merged = (
            "SELECT * FROM resident WHERE community_code = :c AND household_id = ANY(:ids) "
            "AND merged_into_id IS NOT NULL ORDER BY id"
        )
        for row in (await session.execute(text(merged), params)).mappings():
            known.merged[row["household_id"]].append(
                dict(row) | {"id_index": newest.get(row["id_index"], row["id_index"])}
            )
        params = {"c": community, "at": as_of}
        later = "SELECT * FROM field_change WHERE community_code = :c AND changed_at > :at"
        for row in (await session.execute(text(later), params)).mappings():
            known.later[row["subject_id"], row["field"]] = (row["actor_name"], row["changed_at"])
    if find_departed is not None:
        names = sorted({person.name for person in persons if person.name})
        for person in await find_departed(session, community, list(newest), names):
            if person.id_index:
                known.departed_by_index[newest.get(person.id_index, person.id_index)] = person
            known.departed_by_name[person.name].append(person)
    return known


class Newcomers(Protocol):
    """Doors nobody knows yet, taken out of a long list to be written as sets; `app.enrolment` makes them."""

    def take(self, known: Known, doors: Sequence[DwellingInput]) -> list[DwellingInput]:
        """Take what is plainly new; answers the rest, to be compared one by one."""

    def count(self, counts: "PutCounts", tallies: Counter[str]) -> None:
        """Add what was taken."""

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What was taken as rows by table, in the order of `COLUMNS`."""


class _Difference:
    """The rows to write, gathered door by door."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.dwellings: list[dict[str, Any]] = []
        self.households: list[dict[str, Any]] = []
        self.residents: list[dict[str, Any]] = []
        self.touched: set[UUID] = set()
        self.grown: set[UUID] = set()
        self.changes: list[tuple[UUID, str]] = []
        self.before: dict[UUID, Before] = {}
        self.tallies: Counter[str] = Counter()
        self.counts = PutCounts()
        self._fresh: Iterator[UUID] = iter(())

    def fresh_id(self) -> UUID:
        """The next id of this put; ids of one put rise together."""
        value = next(self._fresh, None)
        if value is None:
            self._fresh = iter(new_ids(500))
            value = next(self._fresh)
        return value

    def put_door(self, door: DwellingInput) -> None:
        """Compare one door and all behind it."""
        self.counts.dwellings += 1
        known = self.known.dwellings.get(door.key)
        homes = self.known.households[known["id"]] if known else []
        staying = [home for home in door.households if not self._all_departed(home, homes, known, door)]
        lived_in = bool(homes or staying)
        if door.is_vacant and homes:
            self.counts.conflicts.append(PutConflict("vacant_but_lived_in", door.sheet, door.row))
        is_vacant = (door.is_vacant or bool(known and known["is_vacant"])) and not lived_in
        row = _merged(known, _door_row(door), is_vacant)
        is_new = known is None
        is_changed = known is None or _differs(known, row)
        if known is None:
            row["id"] = self.fresh_id()
            self.counts.created_ids["dwelling"].append(row["id"])
            known = self.known.dwellings[door.key] = {"responsibility_area_id": None}
            self.tallies.update(dwellings=1, unassigned=1, vacant=int(is_vacant))
        elif is_changed:
            self.tallies["vacant"] += int(is_vacant) - int(known["is_vacant"])
            self._touch(known)
        if is_changed:
            self._remember("dwelling", known, row)
            known.update(row)
            self.dwellings.append(known)
        if door.is_vacant and not door.households:
            self.counts.vacant += 1
            self._count(is_new, is_changed)
        for household in staying:
            self._put_household(known, household, door)

    def _put_household(self, door: dict[str, Any], given: HouseholdInput, place: DwellingInput) -> None:
        self.counts.households += 1
        homes = self.known.households[door["id"]]
        indexes = [self.known.indexes[person.id_number] if person.id_number else None for person in given.persons]
        known = _same_household(homes, self.known.residents, given, {index for index in indexes if index})
        if known is None and self._may_be_elsewhere:
            given, indexes = self._without_departed(given, door, place)
        row = _household_row(given, known)
        if known is None:
            row |= {"id": given.id or self.fresh_id(), "dwelling_id": door["id"], "resident_count": 0}
            known = dict(row)
            homes.append(known)
            self.households.append(known)
            self.counts.created_ids["household"].append(known["id"])
            self.tallies["households"] += 1
            self._touch(door)
        else:
            listed = {"head_name": given.head_name, "phone": given.phone, "tags": row["tags"], "note": given.note}
            self._settle("household", known["id"], known, row, listed, place.sheet, place.row)
            if _differs(known, row):
                self._remember("household", known, row)
                known.update(row)
                self._write_household(known)
                self._touch(door)
        self.counts.household_ids.append(known["id"])
        for person, index in zip(given.persons, indexes, strict=True):
            self._put_person(door, known, person, index, place)

    def _put_person(
        self, door: dict[str, Any], home: dict[str, Any], given: PersonInput, index: bytes | None, place: DwellingInput
    ) -> None:
        self.counts.persons += 1
        members = self.known.residents[home["id"]]
        known = _same_person(members, given, index)
        if known is None and _same_person(self.known.merged[home["id"]], given, index) is not None:
            self._count(False, False)
            return
        if known is None and not given.is_new and (found := self._elsewhere(given, index, door.get("id"))) is not None:
            self._tell_elsewhere(found, given, place)
            return
        holder = self.known.id_holders.get(index) if index else None
        if index and holder is not None and (known is None or holder != known["id"]):
            # Whose the number really is cannot be known from here: it stays where it was, to be checked.
            self.counts.conflicts.append(PutConflict("id_duplicate", given.sheet, given.row))
            given = PersonInput(**{**_fields(given), "id_number": None, "id_kind": "none", "needs_id_check": True})
            index = None
        row = _person_row(given, index, known)
        if known is None:
            row |= {"id": given.id or self.fresh_id(), "household_id": home["id"]}
            self.counts.created_ids["resident"].append(row["id"])
            members.append(row)
            self.residents.append(row)
            self._remember("household", home, {})
            home["resident_count"] += 1
            self._write_household(home)
            self.tallies["residents"] += 1
            self.grown.add(home["id"])
            self._touch(door)
            known = row
            self._count(True, True)
        else:
            listed = {name: getattr(given, name) for name in FACTS["resident"]} | {"tags": row["tags"]}
            self._settle("resident", home["id"], known, row, listed, given.sheet, given.row)
            changed = _differs(known, row)
            if changed:
                self._remember("resident", known, row)
                known.update(row)
                self.residents.append(known)
                self._touch(door)
            self._count(False, changed)
        if index:
            self.known.id_holders[index] = known["id"]

    def _remember(
        self, kind: Literal["dwelling", "household", "resident"], known: dict[str, Any], row: dict[str, Any]
    ) -> None:
        """Keep what a row that is about to change says; what it said first, where it changes twice."""
        if "id" in known:
            values = self.before.setdefault(known["id"], Before(kind, known["id"])).values
            for name in CHANGING[kind]:
                if name in row and known.get(name) != row[name]:
                    values.setdefault(name, known.get(name))

    def _write_household(self, home: dict[str, Any]) -> None:
        if not any(h is home for h in self.households[-3:]):
            self.households.append(home)

    def _settle(
        self,
        subject: Subject,
        home_id: UUID,
        known: dict[str, Any],
        row: dict[str, Any],
        listed: dict[str, Any],
        sheet: str,
        line: int,
    ) -> None:
        """Fact by fact: what somebody has changed since the list was made is taken out of `row` again; of the rest it
        is kept which are about to change, for edits that phones made meanwhile are held against that."""
        for name, keys in FACTS[subject].items():
            if keys[0] not in row or known.get(keys[0]) == row[keys[0]]:
                continue
            who, when = self.known.later.get((known["id"], name), ("", self._listed_later(known, keys[0])))
            value = listed[name].isoformat() if isinstance(listed[name], date) else listed[name]
            before = _plain_fact(subject, known, name)
            self.counts.differences.append(
                Difference(subject, known["id"], home_id, name, value, before, when is not None, who, when, sheet, line)
            )
            if when is not None:
                self.counts.kept += 1
                for key in keys:
                    if key in known and key in row:
                        row[key] = known[key]
                    else:
                        row.pop(key, None)
            elif name in DATED[subject]:
                self.changes.append((known["id"], name))

    def _listed_later(self, known: dict[str, Any], key: str) -> datetime | None:
        """Of when the list is that a fact came with, if that is a later one than this."""
        at: datetime | None = known.get("listed_at")
        as_of = self.known.as_of
        return at if at is not None and as_of is not None and at > as_of and known.get(key) else None

    # who has departed

    def _departed(self, given: PersonInput, index: bytes | None, door: UUID | None) -> Departed | None:
        """Somebody the list names who lives there no more: of the same number, or of the same name where birth dates
        agree or, one of them unknown, who has lived behind this very door."""
        if index and index in self.known.departed_by_index:
            return self.known.departed_by_index[index]
        for person in self.known.departed_by_name.get(given.name, ()):
            if index and person.id_index and index != person.id_index:
                continue
            has_both = person.birth_on is not None and given.birth_on is not None
            if person.birth_on == given.birth_on if has_both else door in person.doors:
                return person
        return None

    def _all_departed(
        self, given: HouseholdInput, homes: list[dict[str, Any]], known: dict[str, Any] | None, place: DwellingInput
    ) -> bool:
        """Whether a household that is not behind this door has only people who have departed or live behind another: it
        is not begun anew."""
        if not self._may_be_elsewhere or not given.persons or given.is_new:
            return False
        indexes = [self.known.indexes[person.id_number] if person.id_number else None for person in given.persons]
        if _same_household(homes, self.known.residents, given, {index for index in indexes if index}) is not None:
            return False
        door = known["id"] if known else None
        found = [self._elsewhere(person, index, door) for person, index in zip(given.persons, indexes, strict=True)]
        if any(person is None for person in found):
            return False
        self.counts.households += 1
        for one, person in zip(found, given.persons, strict=True):
            self.counts.persons += 1
            if one is not None:
                self._tell_elsewhere(one, person, place)
        return True

    def _without_departed(
        self, given: HouseholdInput, door: dict[str, Any], place: DwellingInput
    ) -> tuple[HouseholdInput, list[bytes | None]]:
        """A household that is begun now, without those who have departed or live behind another door, who are told."""
        staying = []
        for person in given.persons:
            index = self.known.indexes[person.id_number] if person.id_number else None
            found = None if given.is_new else self._elsewhere(person, index, door.get("id"))
            if found is None:
                staying.append((person, index))
                continue
            self.counts.persons += 1
            self._tell_elsewhere(found, person, place)
        head = given.head_name
        if len(staying) < len(given.persons) and head not in {person.name for person, _ in staying}:
            head = staying[0][0].name if staying else ""
        given = replace(given, head_name=head, persons=[person for person, _ in staying])
        return given, [index for _, index in staying]

    @property
    def _may_be_elsewhere(self) -> bool:
        """Whether anybody whom the list names may be found behind another door, or gone."""
        return self.known.as_of is not None and bool(self.known.departed_by_name or self.known.holders)

    def _elsewhere(self, given: PersonInput, index: bytes | None, door: UUID | None) -> Departed | UUID | None:
        """Who is meant, if that is somebody who has departed, or lives behind another door."""
        return self._departed(given, index, door) or self._living_elsewhere(given, index)

    def _tell_elsewhere(self, found: Departed | UUID, given: PersonInput, place: DwellingInput) -> None:
        if isinstance(found, Departed):
            self._tell_departed(found, given, place)
        else:
            self._ask_place(found, given, place)

    def _living_elsewhere(self, given: PersonInput, index: bytes | None) -> UUID | None:
        """Somebody of the same number and name who lives behind another door; another name is another matter."""
        holder = self.known.id_holders.get(index) if index and self.known.as_of else None
        return holder if holder in self.known.holders and self.known.holders[holder][0] == given.name else None

    def _tell_departed(self, left: Departed, given: PersonInput, place: DwellingInput) -> None:
        """Where a list and the registry have somebody otherwise the registry stands: because it is newer, or, where the
        list is, until somebody has asked."""
        as_of = self.known.as_of
        if left.left_on is not None:
            is_later = as_of is not None and left.left_on > as_of.astimezone(SHANGHAI).date()
            when = day_start(left.left_on)
        else:
            is_later, when = as_of is not None and left.left_at > as_of, left.left_at
        listed: Any = False if left.is_gone else address_of(place)
        registered: Any = (left.reason or "gone") if left.is_gone else left.address
        self._tell_place(
            left.id, left.household_id, IS_GONE if left.is_gone else PLACE, (listed, registered),
            (left.by, when) if is_later else None, given,
        )  # fmt: skip

    def _ask_place(self, holder: UUID, given: PersonInput, place: DwellingInput) -> None:
        _, home, address = self.known.holders[holder]
        self._tell_place(holder, home, PLACE, (address_of(place), address), None, given)

    def _tell_place(
        self,
        person: UUID,
        home: UUID,
        fact: str,
        values: tuple[Any, Any],
        later: tuple[str, datetime] | None,
        given: PersonInput,
    ) -> None:
        who, when = later or ("", None)
        self.counts.differences.append(
            Difference("resident", person, home, fact, *values, True, who, when, given.sheet, given.row)
        )
        self.counts.kept += later is not None
        self.counts.asked += later is None
        self._count(False, False)

    def _touch(self, door: dict[str, Any]) -> None:
        if door.get("responsibility_area_id"):
            self.touched.add(door["responsibility_area_id"])

    def _count(self, is_new: bool, is_changed: bool) -> None:
        if is_new:
            self.counts.created += 1
        elif is_changed:
            self.counts.updated += 1
        else:
            self.counts.unchanged += 1


def _fields(person: PersonInput) -> dict[str, Any]:
    return {name: getattr(person, name) for name in PersonInput.__slots__}


def _differs(known: dict[str, Any], row: dict[str, Any]) -> bool:
    return any(known.get(key) != value for key, value in row.items() if not key.endswith("_sealed"))


def _door_row(door: DwellingInput) -> dict[str, Any]:
    return {
        "compound": door.compound,
        "building": door.building,
        "stair": door.stair,
        "floor": door.floor,
        "room": door.room,
        "address": door.address,
        "address_key": door.key,
        "sort_key": sort_key(door.compound, door.building, door.stair, door.floor, door.room, door.address),
    }


def _merged(known: dict[str, Any] | None, row: dict[str, Any], is_vacant: bool) -> dict[str, Any]:
    if known is not None:
        row = {key: known[key] if value in (None, "") else value for key, value in row.items()} | {"id": known["id"]}
    return row | {"is_vacant": is_vacant}


def _plain_fact(subject: Subject, known: dict[str, Any], name: str) -> Any:
    """A fact of a known row as people read it."""
    if name == "phone":
        return crypto.open_text(known["phone_sealed"], HOUSEHOLD_PHONE if subject == "household" else RESIDENT_PHONE)
    if name == "note":
        return crypto.open_text(known["note_sealed"], HOUSEHOLD_NOTE)
    if name == "id_number":
        return crypto.open_text(known["id_sealed"], RESIDENT_ID)
    value = known[name]
    return value.isoformat() if isinstance(value, date) else value


def _same_household(
    homes: list[dict[str, Any]],
    residents: dict[UUID, list[dict[str, Any]]],
    given: HouseholdInput,
    indexes: set[bytes],
) -> dict[str, Any] | None:
    """The household behind the door that is meant: by id, by its head, by a shared member (name or number), or the
    only one there when neither says otherwise."""
    if not homes:
        return None  # a new door, as in most of a first import
    for home in homes:
        if given.id is not None and home["id"] == given.id:
            return home
    if given.is_new:
        return None
    for home in homes:
        if given.head_name and home["head_name"] == given.head_name:
            return home
    names = {person.name for person in given.persons}
    for home in homes:
        if names & {member["name"] for member in residents[home["id"]]}:
            return home
    for home in homes:
        if indexes & {member["id_index"] for member in residents[home["id"]]}:
            return home
    if len(homes) == 1 and (not given.head_name or not homes[0]["head_name"]):
        return homes[0]
    return None


def _household_row(given: HouseholdInput, known: dict[str, Any] | None) -> dict[str, Any]:
    tags = sorted({*given.tags, *(known["tags"] if known else ())})
    head = given.head_name or (known["head_name"] if known else "")
    row: dict[str, Any] = {"head_name": head, "head_initials": initials(head), "tags": tags}
    row["kind"] = given.kind if known is None else known["kind"]
    if given.phone or known is None:
        row["phone_index"] = crypto.blind_index(given.phone, HOUSEHOLD_PHONE)
        same = known is not None and known["phone_index"] in crypto.blind_indexes(given.phone, HOUSEHOLD_PHONE)
        if known and same:
            row |= {"phone_sealed": known["phone_sealed"], "phone_index": known["phone_index"]}
        else:
            row["phone_sealed"] = crypto.seal_text(given.phone, HOUSEHOLD_PHONE)
    if given.note or known is None:
        old = crypto.open_text(known["note_sealed"], HOUSEHOLD_NOTE) if known else None
        if known is None or old != given.note:
            row["note_sealed"] = crypto.seal_text(given.note, HOUSEHOLD_NOTE)
            row["note_changed"] = True
    return row


def _same_person(members: list[dict[str, Any]], given: PersonInput, index: bytes | None) -> dict[str, Any] | None:
    """The member meant: by id, by ID number, else by name where birth dates do not speak against it."""
    for member in members:
        if member["id"] == given.id or (index and member["id_index"] == index):
            return member
    for member in members:
        if given.is_new or member["name"] != given.name:
            continue
        other_number = index and member["id_index"] and member["id_index"] != index
        born = member["birth_on"]
        other_birth = born and given.birth_on and born != given.birth_on and other_number
        if not other_birth:
            return member
    return None


def _person_row(given: PersonInput, index: bytes | None, known: dict[str, Any] | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": given.name, "name_initials": initials(given.name), "name_pinyin": pinyin(given.name)}
    if known is None:
        row |= {"relation": given.relation, "sex": given.sex, "birth_on": given.birth_on}
        row |= {"workplace": given.workplace, "id_kind": given.id_kind if index else kind_without_number(given)}
        row["needs_id_check"] = given.needs_id_check
        row["tags"] = sorted(given.tags)
    else:
        row |= {"relation": given.relation or known["relation"], "sex": given.sex or known["sex"]}
        row |= {"birth_on": given.birth_on or known["birth_on"], "workplace": given.workplace or known["workplace"]}
        row["id_kind"] = given.id_kind if index else known["id_kind"]
        row["needs_id_check"] = given.needs_id_check if index or known["id_index"] is None else known["needs_id_check"]
        row["tags"] = sorted({*given.tags, *known["tags"]})
    if index or known is None:
        row["id_index"] = index
        same = known is not None and known["id_index"] == index
        row["id_sealed"] = known["id_sealed"] if known and same else crypto.seal_text(given.id_number, RESIDENT_ID)
    if given.phone or known is None:
        row["phone_index"] = crypto.blind_index(given.phone, RESIDENT_PHONE)
        same = known is not None and known["phone_index"] in crypto.blind_indexes(given.phone, RESIDENT_PHONE)
        if known and same:
            row |= {"phone_sealed": known["phone_sealed"], "phone_index": known["phone_index"]}
        else:
            row["phone_sealed"] = crypto.seal_text(given.phone, RESIDENT_PHONE)
    return row


def kind_without_number(given: PersonInput) -> str:
    """What kind of document somebody has may be known without its number."""
    return given.id_kind if given.id_kind not in ("resident_id",) else "none"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that puts write: its columns with their types, and those that stay what they were on a known row."""

    name: str
    columns: dict[str, str]
    lasting: frozenset[str]
    # whether a new row says of when the list is that it came with
    is_dated: bool = True

    @property
    def _listed(self) -> tuple[str, str]:
        return (", listed_at", ", cast(:listed_at AS timestamptz)") if self.is_dated else ("", "")

    def insert(self, source: str, *, is_json: bool) -> str:
        """Write the rows of `source`, new and known ones."""
        names = ", ".join(self.columns)
        column, value = self._listed
        given = ", ".join(
            f"decode({name}, 'base64')" if is_json and kind == "bytea" else name for name, kind in self.columns.items()
        )
        written = [*(name for name in self.columns if name not in self.lasting), "version", "updated_at"]
        return (
            f"INSERT INTO {self.name} (community_code, {names}, version, updated_at{column}) "
            f"SELECT :c, {given}, :version, now(){value} FROM {source} ON CONFLICT (community_code, id) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in written)
        )

    def add(self, source: str) -> str:
        """Write the rows of `source`, all of them new."""
        names = ", ".join(self.columns)
        column, value = self._listed
        return (
            f"INSERT INTO {self.name} (community_code, {names}, version, updated_at{column}) "
            f"SELECT :c, {names}, :version, now(){value} FROM {source}"
        )

    @property
    def put(self) -> str:
        """The statement for rows that come as a JSON document."""
        kinds = ", ".join(f"{name} {'text' if kind == 'bytea' else kind}" for name, kind in self.columns.items())
        return self.insert(f"jsonb_to_recordset(cast(:rows AS jsonb)) AS r({kinds})", is_json=True)


_DWELLINGS = _Table(
    "dwelling",
    {
        "id": "uuid", "compound": "text", "building": "text", "stair": "text", "floor": "int4", "room": "text",
        "address": "text", "address_key": "text", "sort_key": "text", "is_vacant": "bool",
    },
    frozenset({"id", "address_key"}),
    is_dated=False,
)  # fmt: skip
_HOUSEHOLDS = _Table(
    "household",
    {
        "id": "uuid", "dwelling_id": "uuid", "kind": "text", "head_name": "text", "head_initials": "text",
        "phone_sealed": "bytea", "phone_index": "bytea", "tags": "text[]", "note_sealed": "bytea",
        "resident_count": "int8",
    },
    frozenset({"id", "dwelling_id", "kind"}),
)  # fmt: skip
_RESIDENTS = _Table(
    "resident",
    {
        "id": "uuid", "household_id": "uuid", "name": "text", "name_initials": "text", "name_pinyin": "text",
        "sex": "int4", "birth_on": "date", "relation": "text", "workplace": "text", "id_kind": "text",
        "id_sealed": "bytea", "id_index": "bytea", "phone_sealed": "bytea", "phone_index": "bytea", "tags": "text[]",
        "needs_id_check": "bool",
    },
    frozenset({"id", "household_id"}),
)  # fmt: skip
COLUMNS = {table.name: tuple(table.columns) for table in (_DWELLINGS, _HOUSEHOLDS, _RESIDENTS)}
"""What a row of each table holds, in the order in which rows are copied."""
CHANGING = {
    table.name: tuple(name for name in table.columns if name not in table.lasting)
    for table in (_DWELLINGS, _HOUSEHOLDS, _RESIDENTS)
}
"""What a put may change of a row that is there."""
_COPY_FROM = 200
"""From so many rows on they come by COPY, which is less work for both sides than a JSON document."""


async def put_dwellings(
    session: AsyncSession,
    doer: audit.Doer,
    community_code: str,
    doors: Sequence[DwellingInput],
    action: str | None = "put_dwellings",
    on_progress: Callable[[int], None] | None = None,
    *,
    as_of: datetime | None = None,
    is_entered: bool = False,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> PutCounts:
    """Bring a community's registry to what is given about some of its doors; answers what it did.

    The community's clock row is locked first, so two puts of the same list do not both find nothing. Nothing
    to change moves no version and leaves no entry in the trail; with `action` None the caller writes the entry.
    `on_progress` hears how many doors are compared. `as_of` is of when the list is: facts that somebody has changed
    later stand. `is_entered`: a person writes down now what they see, so new facts are dated like changed ones.
    `newcomers` takes the doors of a long list that are plainly new; with `find_departed` nobody who has moved or gone
    is added anew.
    """
    await areas.lock_clock(session, community_code)
    change = await _compare(session, community_code, doors, on_progress, as_of, newcomers, find_departed)
    # sealing thousands of numbers takes a moment in which others want to be served
    fresh = await asyncio.to_thread(newcomers.rows) if newcomers else {}
    if change.dwellings or change.households or change.residents or any(fresh.values()):
        version = await areas.advance_clock(session, community_code, **change.tallies)
        change.counts.version = version
        await _write_new(session, community_code, version, fresh, as_of)
        await _write(session, community_code, version, change, as_of)
        _tell_made(change, fresh)
        if is_entered:
            change.changes += _entered_facts(change)
        elif as_of is not None:
            await _tell_changed(session, community_code, change)
        await note_changes(session, doer, community_code, version, change.changes, as_of)
        await touch_areas(session, community_code, change.touched, version)
        await tell_grown(session, community_code, change.grown, version)
        if action is None:
            return change.counts
        subjects = sorted({row["id"] for row in change.households} | {row["id"] for row in change.dwellings})
        subjects += [row[0] for table in ("household", "dwelling") for row in fresh.get(table, ())]
        await audit.append_entry(session, doer, community_code, action, subjects, vars_of(change.counts))
    return change.counts


async def compare_dwellings(
    session: AsyncSession,
    community_code: str,
    doors: Sequence[DwellingInput],
    on_progress: Callable[[int], None] | None = None,
    *,
    as_of: datetime | None = None,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> PutCounts:
    """What `put_dwellings` would do now; writes and locks nothing."""
    return (await _compare(session, community_code, doors, on_progress, as_of, newcomers, find_departed)).counts


def _tell_made(change: _Difference, fresh: dict[str, list[tuple[Any, ...]]]) -> None:
    """Say which rows are new and what the others said before."""
    counts = change.counts
    made = [one for ids in counts.created_ids.values() for one in ids]
    counts.made.update({name: len(ids) for name, ids in counts.created_ids.items()})
    counts.made.update({name: len(rows) for name, rows in fresh.items()})
    new = set(made)
    counts.before = [before for before in change.before.values() if before.id not in new]
    # ids of one set rise
    made += [row[0] for rows in fresh.values() if rows for row in (rows[0], rows[-1])]
    counts.span = (min(made), max(made)) if made else None


async def _tell_changed(session: AsyncSession, community: str, change: _Difference) -> None:
    """Say who had last changed the facts that change now, before that is written over."""
    facts: dict[UUID, list[str]] = defaultdict(list)
    for subject, name in change.changes:
        facts[subject].append(name)
    if not facts:
        return
    last = "SELECT * FROM field_change WHERE community_code = :c AND subject_id = ANY(:ids)"
    rows = (await session.execute(text(last), {"c": community, "ids": sorted(facts)})).mappings()
    known = {(row["subject_id"], row["field"]): dict(row) for row in rows}
    for before in change.counts.before:
        for name in facts.get(before.id, ()):
            row = known.get((before.id, name))
            kept = ("version", "actor_id", "actor_name", "changed_at")
            before.changes[name] = {key: row[key] for key in kept} if row else None


def _entered_facts(change: _Difference) -> list[tuple[UUID, str]]:
    """The facts of new rows that somebody gave, each with its subject."""
    new = change.counts.created_ids
    subjects: tuple[tuple[Subject, list[dict[str, Any]]], ...] = (
        ("household", change.households), ("resident", change.residents),
    )  # fmt: skip
    return [
        (row["id"], name)
        for subject, rows in subjects
        for row in rows
        if row["id"] in new[subject]
        for name in DATED[subject]
        if row.get(FACTS[subject][name][0]) and (name != "note" or row.get("note_sealed"))
    ]


async def _compare(
    session: AsyncSession,
    community: str,
    doors: Sequence[DwellingInput],
    on_progress: Callable[[int], None] | None,
    as_of: datetime | None,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> _Difference:
    known = await _load(session, community, doors, as_of, find_departed)
    change = _Difference(known)
    taken = len(doors)
    if newcomers is not None:
        doors = newcomers.take(known, doors)
        newcomers.count(change.counts, change.tallies)
    taken -= len(doors)
    if on_progress and taken:
        on_progress(taken)
    for count, door in enumerate(doors, taken + 1):
        change.put_door(door)
        if count % _BREATH == 0:
            # sealing and comparing a large list takes seconds, in which others want to be served
            await asyncio.sleep(0)
            if on_progress:
                on_progress(count)
    return change


def vars_of(counts: PutCounts) -> dict[str, int]:
    """The numbers of a put's counts."""
    names = ("dwellings", "vacant", "households", "persons", "created", "updated", "unchanged", "kept", "asked")
    return {name: getattr(counts, name) for name in names}


async def _write(
    session: AsyncSession, community: str, version: int, change: _Difference, as_of: datetime | None
) -> None:
    for table, rows in (
        (_DWELLINGS, change.dwellings),
        (_HOUSEHOLDS, change.households),
        (_RESIDENTS, change.residents),
    ):
        distinct = list({row["id"]: row for row in rows}.values())
        params: dict[str, Any] = {"c": community, "version": version} | ({"listed_at": as_of} if table.is_dated else {})
        if len(distinct) >= _COPY_FROM:
            values = itemgetter(*table.columns)
            source = await _copy(session, table, [values(row) for row in distinct])
            await session.execute(text(table.insert(source, is_json=False)), params)
        elif distinct:
            params["rows"] = orjson.dumps([crypto.bytes_to_base64(row) for row in distinct]).decode()
            await session.execute(text(table.put), params)


async def _write_new(
    session: AsyncSession, community: str, version: int, fresh: dict[str, list[tuple[Any, ...]]], as_of: datetime | None
) -> None:
    """Write rows that nobody can have yet."""
    for table in (_DWELLINGS, _HOUSEHOLDS, _RESIDENTS):
        rows = fresh.get(table.name)
        if rows:
            source = await _copy(session, table, rows)
            params = {"c": community, "version": version} | ({"listed_at": as_of} if table.is_dated else {})
            await session.execute(text(table.add(source)), params)


async def _copy(session: AsyncSession, table: _Table, rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows in a temporary table, whose name is answered: no COPY goes straight into a table with row-level security."""
    connection = await driver_connection(session)
    name = f"put_{table.name}"
    columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
    await connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS; TRUNCATE {name}".encode()
    )
    cursor = connection.cursor()
    async with cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(list(table.columns.values()))
        for row in rows:
            await copy.write_row(row)
    return name


def person_input(new: ResidentCreate) -> PersonInput:
    """A person from a desk's form; a number that is no number is refused, not kept."""
    number = new.id_number.upper() if new.id_number else None
    if number and new.id_kind == IdKind.RESIDENT_ID and not is_resident_id(number):
        raise Invalid("id_checksum", "身份证号校验位不对。", "The ID number's check digit is wrong.", "id_number")
    return PersonInput(
        name=new.name,
        relation=new.relation,
        sex=int(new.sex),
        birth_on=new.birth_on,
        id_kind=str(new.id_kind),
        id_number=number,
        phone=new.phone,
    )


async def create_resident(session: AsyncSession, actor: Actor, household_id: UUID, new: ResidentCreate) -> ResidentRead:
    """Add a person to a household; the same person again is the one who is there."""
    household, dwelling = await get_household(session, actor, household_id, DESK)
    person = person_input(new)
    given = HouseholdInput(head_name=household.head_name, persons=[person], id=household_id)
    door = DwellingInput(
        dwelling.compound, dwelling.building, dwelling.stair, dwelling.floor, dwelling.room, dwelling.address,
        households=[given],
    )  # fmt: skip
    await put_dwellings(session, actor.doer, household.community_code, [door], "create_resident", is_entered=True)
    await session.refresh(household)
    found = [r for r in await list_residents(session, actor, household_id) if r.name == new.name]
    return found[-1]
