"""People and households that are registered twice, and the list in which they stand."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.audit.service import SYSTEM
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.core.resident_id import check_character
from app.duplicates import finding
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.personas import A, Caller

BORN = date(1980, 3, 12)


def id_of(born: date, sequence: int, district: str = "379999") -> str:
    """An ID number that checks, of somebody born on a day; 379999 is no district."""
    digits = f"{district}{born:%Y%m%d}{sequence:03d}"
    return digits + check_character(digits)


def person(name: str = "赵一同", born: date | None = BORN, number: str | None = None, **facts: Any) -> PersonInput:
    """A person as a list gives them."""
    facts = {"sex": 1, "id": new_id(), "is_new": True} | facts
    return PersonInput(name=name, birth_on=born, id_number=number, id_kind="resident_id" if number else "none", **facts)


def door(room: str, *persons: PersonInput, building: str = "3", **facts: Any) -> DwellingInput:
    """A door with one household behind it."""
    head = facts.pop("head", persons[0].name if persons else "")
    where = {"building": building, "stair": "2", "room": room} | {
        k: facts.pop(k) for k in ("compound", "building", "stair", "room", "address") if k in facts
    }
    home = HouseholdInput(head_name=head, persons=list(persons), id=new_id(), **facts)
    return DwellingInput(**where, households=[home])


async def register(database: Database, *doors: DwellingInput, community: str = A) -> None:
    """Put doors into a community's registry, each as it is given."""
    async with database.session(EVERYWHERE) as session:
        for one in doors:
            await registry.put_dwellings(session, SYSTEM, community, [one])


async def search(database: Database, *, full: bool = False) -> dict[str, int]:
    """Search as the nightly job does."""
    return await finding.search_all(database, full=full)


async def listed(call: Caller, who: str = "committee", area: str = A, **params: Any) -> list[dict[str, Any]]:
    """What a desk reads in the list."""
    answer = await call(who, "GET", "/duplicates", params={"area": area} | params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def post(call: Caller, path: str, body: dict[str, Any] | None = None, who: str = "committee") -> dict[str, Any]:
    """Post, and be answered well."""
    answer = await call(who, "POST", path, json=body)
    assert answer.is_success, answer.text
    read: dict[str, Any] = answer.json()
    return read


TABLES = {
    "resident": "id", "household": "id", "dwelling": "id", "door_visit": "id", "care_visit": "id",
    "care_plan": "household_id", "person_check": "round_id, resident_id", "residence": "id",
    "household_screening": "round_id, household_id", "screening_tally": "round_id", "edit_conflict": "id",
    "follow_up": "id", "finding": "source_id, resident_id", "visit_photo": "id", "self_report": "id",
}  # fmt: skip
CLOCK_MARKS = {"version", "updated_at"}
"""What moves so that phones fetch; everything else has to be as it was."""


async def rows_of(database: Database, community: str = A) -> dict[str, list[dict[str, Any]]]:
    """Every row of a community that a merge may touch, bit for bit but for the marks of the clock."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with database.session(EVERYWHERE) as session:
        for table, key in TABLES.items():
            rows = await session.execute(
                text(f"SELECT * FROM {table} WHERE community_code = :c ORDER BY {key}"), {"c": community}
            )
            found[table] = [{k: v for k, v in row.items() if k not in CLOCK_MARKS} for row in rows.mappings()]
        tallies = "dwelling_count, vacant_count, household_count, resident_count, unassigned_count"
        clock = await session.execute(
            text(f"SELECT {tallies} FROM community_clock WHERE community_code = :c"), {"c": community}
        )
        found["clock"] = [dict(row) for row in clock.mappings()]
    return found


def differences(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Where two readings differ, for a failing test to name."""
    found = []
    for table, rows in before.items():
        if len(rows) != len(after[table]):
            found.append(f"{table}: {len(rows)} rows, then {len(after[table])}")
        for one, other in zip(rows, after[table], strict=False):
            found += [f"{table}.{k}: {v!r}, then {other[k]!r}" for k, v in one.items() if other[k] != v]
    return found


async def present(database: Database, resident: UUID | str) -> dict[str, Any]:
    """A person's row."""
    async with database.session(EVERYWHERE) as session:
        row = await session.execute(text("SELECT * FROM resident WHERE id = :id"), {"id": str(resident)})
        return dict(row.mappings().one())
