"""A row as it will be, from what is given and what is known; and who is meant by what is given."""

from datetime import date
from typing import Any
from uuid import UUID

from app.core import crypto
from app.people.naming import initials, pinyin, sort_key, written_relation
from app.people.registry.given import DwellingInput, HouseholdInput, PersonInput, Subject, kind_without_number
from app.people.service import HOUSEHOLD_NOTE, HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE


def fields_of(person: PersonInput) -> dict[str, Any]:
    """What is given of a person, by name."""
    return {name: getattr(person, name) for name in PersonInput.__slots__}


def differs(known: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row would be another; what is sealed differs each time and does not tell."""
    return any(known.get(key) != value for key, value in row.items() if not key.endswith("_sealed"))


def door_row(door: DwellingInput) -> dict[str, Any]:
    """A door as a row."""
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


def merged_row(known: dict[str, Any] | None, row: dict[str, Any], is_vacant: bool) -> dict[str, Any]:
    """A door's row that keeps what is known and not given."""
    if known is not None:
        row = {key: known[key] if value in (None, "") else value for key, value in row.items()} | {"id": known["id"]}
    return row | {"is_vacant": is_vacant}


def plain_fact(subject: Subject, known: dict[str, Any], name: str) -> Any:
    """A fact of a known row as people read it."""
    if name == "phone":
        return crypto.open_text(known["phone_sealed"], HOUSEHOLD_PHONE if subject == "household" else RESIDENT_PHONE)
    if name == "note":
        return crypto.open_text(known["note_sealed"], HOUSEHOLD_NOTE)
    if name == "id_number":
        return crypto.open_text(known["id_sealed"], RESIDENT_ID)
    value = known[name]
    return value.isoformat() if isinstance(value, date) else value


def same_household(
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


def household_row(given: HouseholdInput, known: dict[str, Any] | None) -> dict[str, Any]:
    """A household's row: what is given, and where nothing is, what is known."""
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


def same_person(members: list[dict[str, Any]], given: PersonInput, index: bytes | None) -> dict[str, Any] | None:
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


def person_row(given: PersonInput, index: bytes | None, known: dict[str, Any] | None) -> dict[str, Any]:
    """A person's row: what is given, and where nothing is, what is known. `index`: the number's blind index."""
    row: dict[str, Any] = {"name": given.name, "name_initials": initials(given.name), "name_pinyin": pinyin(given.name)}
    if known is None:
        row |= {"relation": written_relation(given.relation), "sex": given.sex, "birth_on": given.birth_on}
        row |= {"workplace": given.workplace, "id_kind": given.id_kind if index else kind_without_number(given)}
        row["needs_id_check"] = given.needs_id_check
        row["tags"] = sorted(given.tags)
    else:
        relation = written_relation(given.relation, known["relation"])
        row |= {"relation": relation or known["relation"], "sex": given.sex or known["sex"]}
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
