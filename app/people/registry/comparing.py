"""What is given beside what is known, door by door: the rows to write."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from app.core.clock import SHANGHAI, day_start
from app.core.ids import new_ids
from app.people.registry.given import DATED, FACTS, DwellingInput, HouseholdInput, PersonInput, Subject
from app.people.registry.known import Known
from app.people.registry.outcome import IS_GONE, PLACE, Before, Departed, Difference, PutConflict, PutCounts
from app.people.registry.rows import (
    differs,
    door_row,
    fields_of,
    household_row,
    merged_row,
    person_row,
    plain_fact,
    same_household,
    same_person,
)
from app.people.registry.tables import CHANGING, Fact
from app.people.service import address_of


class Comparison:
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
        self.said_again: dict[Fact, list[UUID]] = {"tags": [], "note": []}
        self._fresh: Iterator[UUID] = iter(())

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows to write, by table."""
        return {"dwelling": self.dwellings, "household": self.households, "resident": self.residents}

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
        row = merged_row(known, door_row(door), is_vacant)
        is_new = known is None
        is_changed = known is None or differs(known, row)
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
        known = same_household(homes, self.known.residents, given, {index for index in indexes if index})
        if known is None and self._may_be_elsewhere:
            given, indexes = self._without_departed(given, door, place)
        row = household_row(given, known)
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
            self._hear_again(known, given, row)
            self._settle("household", known["id"], known, row, listed, place.sheet, place.row)
            if differs(known, row):
                self._remember("household", known, row)
                known.update(row)
                self._write_household(known)
                self._touch(door)
        self.counts.household_ids.append(known["id"])
        for person, index in zip(given.persons, indexes, strict=True):
            self._put_person(door, known, person, index, place)

    def _hear_again(self, known: dict[str, Any], given: HouseholdInput, row: dict[str, Any]) -> None:
        """A newer list that says all tags of a household, or its note, as they stand: they hold anew from its day."""
        came, as_of = known.get("listed_at"), self.known.as_of
        if as_of is None or (came is not None and came >= as_of):
            return
        if known["tags"] and set(given.tags) >= set(known["tags"]):
            self.said_again["tags"].append(known["id"])
        if given.note and known["note_sealed"] is not None and "note_changed" not in row:
            self.said_again["note"].append(known["id"])

    def _put_person(
        self, door: dict[str, Any], home: dict[str, Any], given: PersonInput, index: bytes | None, place: DwellingInput
    ) -> None:
        self.counts.persons += 1
        members = self.known.residents[home["id"]]
        known = same_person(members, given, index)
        if known is None and same_person(self.known.merged[home["id"]], given, index) is not None:
            self._count(False, False)
            return
        if known is None and not given.is_new and (found := self._elsewhere(given, index, door.get("id"))) is not None:
            self._tell_elsewhere(found, given, place)
            return
        holder = self.known.id_holders.get(index) if index else None
        if index and holder is not None and (known is None or holder != known["id"]):
            # Whose the number really is cannot be known from here: it stays where it was, to be checked.
            self.counts.conflicts.append(PutConflict("id_duplicate", given.sheet, given.row))
            given = PersonInput(**{**fields_of(given), "id_number": None, "id_kind": "none", "needs_id_check": True})
            index = None
        row = person_row(given, index, known)
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
            changed = differs(known, row)
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
            before = plain_fact(subject, known, name)
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
        if same_household(homes, self.known.residents, given, {index for index in indexes if index}) is not None:
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
