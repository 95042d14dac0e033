"""Doors taken out of a list and written as sets are written as comparing them one by one would have."""

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.audit.service import SYSTEM
from app.core import crypto
from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.enrolment.new_doors import NewDoors
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput, PutCounts
from app.people.service import HOUSEHOLD_NOTE, HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE
from tests.makers import invented_id
from tests.personas import A, B

ROWS = """
    SELECT d.compound, d.building, d.stair, d.floor, d.room, d.address, d.address_key, d.sort_key, d.search_key,
        d.is_vacant, h.kind, h.head_name, h.head_initials, h.phone_index, h.phone_sealed, h.tags AS home_tags,
        h.note_sealed, h.resident_count, r.name, r.name_initials, r.name_pinyin, r.sex, r.birth_on, r.relation,
        r.workplace, r.id_kind, r.id_index, r.id_sealed, r.phone_index AS own_index, r.phone_sealed AS own_sealed,
        r.tags, r.needs_id_check
    FROM dwelling d LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id
    LEFT JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id
    WHERE d.community_code = :c ORDER BY d.address_key, h.head_name, r.name, r.relation, r.sex
"""
SEALED = {
    "phone_sealed": HOUSEHOLD_PHONE, "note_sealed": HOUSEHOLD_NOTE, "id_sealed": RESIDENT_ID,
    "own_sealed": RESIDENT_PHONE,
}  # fmt: skip


def invented_list(seed: int) -> list[DwellingInput]:
    """Doors as rosters have them: vacant ones, one door twice, two households behind one, people of one name, a
    number twice."""
    draw = random.Random(seed)

    def person() -> PersonInput:
        number = invented_id(draw.randrange(40)) if draw.random() < 0.6 else None
        return PersonInput(
            name=draw.choice(("王芳", "曾鹏", "欧阳娜娜", "Anna Li", "买买提·艾力", "")),
            relation=draw.choice(("户主", "子")),
            sex=draw.randrange(3), birth_on=draw.choice((None, date(1950, 2, 3))), id_number=number,
            id_kind="resident_id" if number else draw.choice(("none", "passport", "resident_id")),
            phone=draw.choice((None, "13800000001", "13900000002")), needs_id_check=draw.random() < 0.3,
            workplace=draw.choice(("", "第一中学")), tags=draw.sample(["tenant", "disabled"], draw.randrange(3)),
        )  # fmt: skip

    def home() -> HouseholdInput:
        persons = [person() for _ in range(draw.randrange(4))]
        return HouseholdInput(
            draw.choice(("", "王芳", "李四")), draw.choice((None, "13800000003")), draw.sample(["tenant", "infant"], 1),
            draw.choice((None, "二楼右手")), persons, draw.choice(("family", "collective")),
        )  # fmt: skip

    def door() -> DwellingInput:
        room = f"{draw.randrange(1, 7)}0{draw.randrange(1, 6)}"
        households = [home() for _ in range(draw.choice((0, 1, 1, 1, 2)))]
        place = DwellingInput("泉景园", "3", "1", int(room[0]), room) if draw.random() < 0.9 else DwellingInput(
            address=f"前街{room}号"
        )  # fmt: skip
        place.is_vacant, place.households = draw.random() < 0.2, households
        return place

    return [door() for _ in range(24)]


async def put(
    database: Database, community: str, doors: Sequence[DwellingInput], newcomers: NewDoors | None
) -> PutCounts:
    async with database.session(EVERYWHERE) as session:
        return await registry.put_dwellings(session, SYSTEM, community, doors, as_of=now(), newcomers=newcomers)


async def rows_of(database: Database, community: str) -> list[dict[str, Any]]:
    """All behind a community's doors, numbers and notes opened."""
    async with database.session(EVERYWHERE) as session:
        rows = [dict(row) for row in (await session.execute(text(ROWS), {"c": community})).mappings()]
    return [row | {name: crypto.open_text(row[name], context) for name, context in SEALED.items()} for row in rows]


async def tallies_of(database: Database, community: str) -> dict[str, int]:
    async with database.session(EVERYWHERE) as session:
        clock = text("SELECT * FROM community_clock WHERE community_code = :c")
        (row,) = (await session.execute(clock, {"c": community})).mappings()
        return {name: value for name, value in row.items() if name.endswith("_count")}


@pytest.mark.parametrize("seed", range(4))
async def test_gives_what_comparing_door_by_door_gives(database: Database, seed: int) -> None:
    doors, same = invented_list(seed), invented_list(seed)
    more, same_more = invented_list(seed + 100), invented_list(seed + 100)
    taken = NewDoors()
    by_set, one_by_one = await put(database, A, doors, taken), await put(database, B, same, None)
    assert registry.vars_of(by_set) == registry.vars_of(one_by_one)
    assert sum(map(len, taken.rows().values())) > 0
    again, again_one_by_one = await put(database, A, more, NewDoors()), await put(database, B, same_more, None)
    assert registry.vars_of(again) == registry.vars_of(again_one_by_one)
    assert [(c.code, c.row) for c in again.conflicts] == [(c.code, c.row) for c in again_one_by_one.conflicts]
    assert await rows_of(database, A) == await rows_of(database, B)
    assert await tallies_of(database, A) == await tallies_of(database, B)


async def test_the_same_list_again_changes_nothing(database: Database) -> None:
    doors = [
        DwellingInput(room=f"{n}01", building="1", households=[HouseholdInput("王", persons=[PersonInput("王")])])
        for n in range(1, 9)
    ]
    first = await put(database, A, doors, NewDoors())
    second = await put(database, A, doors, NewDoors())
    assert (first.created, first.version > 0) == (8, True)
    assert (second.created, second.updated, second.unchanged, second.version) == (0, 0, 8, 0)
