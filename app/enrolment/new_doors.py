"""Doors that are plainly new, with their household, taken out of a list and written as sets.

In a first import nearly all are. Comparing each with nothing, fact by fact, took most of its time.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from app.core import crypto
from app.core.ids import new_ids
from app.people.naming import initials, pinyin, sort_key, written_relation
from app.people.registry import DwellingInput, Known, PersonInput, PutCounts, kind_without_number
from app.people.service import HOUSEHOLD_NOTE, HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE

Row = tuple[Any, ...]


class NewDoors:
    """The plainly new doors of one list for one community; a `registry.Newcomers`."""

    def __init__(self) -> None:
        self._doors: list[DwellingInput] = []
        self._indexes: dict[str, bytes] = {}

    def take(self, known: Known, doors: Sequence[DwellingInput]) -> list[DwellingInput]:
        """Take the doors of which nothing has to be compared; answers the others in their order.

        Such a door stands nowhere yet and once in the list, with one household at most, whose people have a name
        each and numbers that nobody else has, in the list or here, and nobody of their name has departed.
        """
        keys = Counter(door.key for door in doors)
        numbers = Counter(
            person.id_number for door in doors for home in door.households for person in home.persons
            if person.id_number
        )  # fmt: skip
        self._indexes = known.indexes
        taken_numbers = {number for number, index in known.indexes.items() if index in known.id_holders}
        taken_numbers |= {number for number, count in numbers.items() if count > 1}
        taken_numbers |= {number for number, index in known.indexes.items() if index in known.departed_by_index}
        departed = known.departed_by_name
        rest = []
        for door in doors:
            if keys[door.key] == 1 and door.key not in known.dwellings and _is_plain(door, taken_numbers, departed):
                self._doors.append(door)
            else:
                rest.append(door)
        return rest

    def count(self, counts: PutCounts, tallies: Counter[str]) -> None:
        """Add what was taken."""
        homes = [home for door in self._doors for home in door.households]
        vacant = sum(door.is_vacant and not door.households for door in self._doors)
        persons = sum(len(home.persons) for home in homes)
        counts.dwellings += len(self._doors)
        counts.vacant += vacant
        counts.households += len(homes)
        counts.persons += persons
        counts.created += vacant + persons
        tallies.update(
            dwellings=len(self._doors), unassigned=len(self._doors), vacant=vacant, households=len(homes),
            residents=persons,
        )  # fmt: skip

    def rows(self) -> dict[str, list[Row]]:
        """What was taken as rows, in the order of `registry.COLUMNS`; ids rise in the order of the list."""
        homes = [home for door in self._doors for home in door.households]
        persons = [person for home in homes for person in home.persons]
        door_ids, home_ids, person_ids = new_ids(len(self._doors)), new_ids(len(homes)), new_ids(len(persons))
        fresh = iter(zip(homes, home_ids, strict=True))
        ring = crypto.key_ring()
        phones = [home.phone for home in homes]
        phone_indexes = ring.index_each(filter(None, phones), HOUSEHOLD_PHONE)
        sealed = zip(
            ring.seal_each(phones, HOUSEHOLD_PHONE), ring.seal_each([home.note for home in homes], HOUSEHOLD_NOTE),
            strict=True,
        )  # fmt: skip
        dwellings, households, home_of = [], [], list[UUID]()
        for door, door_id in zip(self._doors, door_ids, strict=True):
            dwellings.append(_door_row(door_id, door))
            for _ in door.households:
                home, home_id = next(fresh)
                phone, note = next(sealed)
                households.append(
                    (
                        home_id, door_id, home.kind, home.head_name, initials(home.head_name), phone,
                        phone_indexes.get(home.phone or ""), _once(home.tags), note, len(home.persons),
                    )
                )  # fmt: skip
                home_of += [home_id] * len(home.persons)
        residents = self._people(persons, person_ids, home_of)
        return {"dwelling": dwellings, "household": households, "resident": residents}

    def _people(self, persons: Sequence[PersonInput], ids: Sequence[UUID], home_of: Sequence[UUID]) -> list[Row]:
        ring = crypto.key_ring()
        indexes = self._indexes
        phones = [person.phone for person in persons]
        phone_indexes = ring.index_each(filter(None, phones), RESIDENT_PHONE)
        numbers = ring.seal_each([person.id_number for person in persons], RESIDENT_ID)
        sealed = ring.seal_each(phones, RESIDENT_PHONE)
        return [
            (
                person_id, home_id, person.name, initials(person.name), pinyin(person.name), person.sex,
                person.birth_on, written_relation(person.relation), person.workplace,
                person.id_kind if person.id_number else kind_without_number(person), number,
                indexes[person.id_number] if person.id_number else None, phone,
                phone_indexes[person.phone] if person.phone else None, sorted(person.tags), person.needs_id_check,
            )
            for person, person_id, home_id, number, phone in zip(persons, ids, home_of, numbers, sealed, strict=True)
        ]  # fmt: skip


def _is_plain(door: DwellingInput, taken_numbers: set[str], departed: Collection[str]) -> bool:
    """Whether all behind a door is one household of people who cannot be taken for each other or for anybody."""
    if not door.households:
        return True
    if len(door.households) > 1:
        return False
    home = door.households[0]
    persons = home.persons
    if home.id is not None or any(person.id is not None for person in persons):
        return False  # whoever gives ids wants to hear of them
    names = {person.name for person in persons}
    if len(names) < len(persons) or (departed and any(name in departed for name in names)):
        return False
    return not any(person.id_number in taken_numbers for person in persons)


def _door_row(door_id: UUID, door: DwellingInput) -> Row:
    return (
        door_id, door.compound, door.building, door.stair, door.floor, door.room, door.address, door.key,
        sort_key(door.compound, door.building, door.stair, door.floor, door.room, door.address),
        door.is_vacant and not door.households,
    )  # fmt: skip


def _once(words: Sequence[str]) -> list[str]:
    return sorted(set(words)) if words else []
