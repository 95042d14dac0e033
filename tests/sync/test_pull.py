"""Pull: what a phone carries, by area and version; a pull during running writes misses no row."""

import asyncio
import gzip
from typing import Any

import orjson
from sqlalchemy import text

from app.auth.models import Role
from app.auth.service import Actor
from app.core.db import EVERYWHERE, Database
from app.sync import pull
from tests.makers import care_visit, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import PERSONAS, A, B, Caller

ROOMS = ["101", "102", "201", "202"]


async def pulled(call: Caller, who: str, area_id: str, since: int = 0) -> dict[str, Any]:
    """A pull of an area."""
    answer = await call(who, "GET", f"/sync/areas/{area_id}", params={"since": since})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


class TestPullArea:
    async def test_the_first_pull_brings_the_area_and_nothing_else(self, call: Caller, database: Database) -> None:
        mine = await make_homes(database, A, stair_of("3", "2", ROOMS))
        await make_homes(database, A, stair_of("4", "1", ["101"]))
        await make_homes(database, B, stair_of("3", "2", ROOMS))
        area = await make_area(call, mine, "worker")
        body = await pulled(call, "worker", area["id"])
        assert body["reset"] is True
        homes = body["upserts"]["households"]
        assert sorted(homes["i"]) == sorted(str(home.id) for home in mine)
        assert [body["upserts"]["dwellings"]["r"][d] for d in homes["d"]] == ROOMS
        assert homes["p"][0] == "13812345678"
        people = body["upserts"]["residents"]
        assert len(people["i"]) == 8
        assert {people["b"][i] for i, h in enumerate(people["h"]) if people["r"][i] == "户主"} == {1960}

    async def test_it_holds_no_id_numbers(self, call: Caller, database: Database) -> None:
        doors = stair_of("3", "2", ["101"])
        doors[0].households[0].persons[0].id_kind = "resident_id"
        doors[0].households[0].persons[0].id_number = "370102194606087534"
        area = await make_area(call, await make_homes(database, A, doors), "worker")
        answer = await call("worker", "GET", f"/sync/areas/{area['id']}")
        assert "19460608" not in answer.text

    async def test_a_delta_brings_what_changed_whole(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        area = await make_area(call, homes, "worker")
        round_id = await make_round(call)
        version = (await pulled(call, "worker", area["id"]))["version"]
        sick = [
            {
                "resident_id": str(homes[1].residents[0]),
                "status": "symptoms",
                "temperature_c": 37.8,
                "symptoms": ["fever"],
            },
            {"resident_id": str(homes[1].residents[1]), "status": "well", "risk_area": True},
        ]
        visit = door_visit(homes[1], round_id, persons=sick)
        await push(call, "worker", visit, care_visit(homes[2], next_on="2026-02-09"))
        body = await pulled(call, "worker", area["id"], version)
        assert body["reset"] is False
        assert set(body["upserts"]["households"]["i"]) == {str(homes[1].id), str(homes[2].id)}
        assert body["upserts"]["states"]["o"] == ["answered_all"]
        assert sorted(body["upserts"]["checks"]["s"]) == ["symptoms", "well"]
        assert 37.8 in body["upserts"]["checks"]["t"]
        assert dict(zip(body["upserts"]["checks"]["s"], body["upserts"]["checks"]["k"], strict=True)) == {
            "symptoms": 0,
            "well": 1,
        }
        assert body["upserts"]["care"]["n"] == ["2026-02-09"]
        empty = await pulled(call, "worker", area["id"], body["version"])
        assert empty["version"] == body["version"]
        assert empty["upserts"]["households"]["i"] == []

    async def test_work_next_door_leaves_the_area_as_it_is(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        mine = await make_area(call, homes[:2], "worker")
        await make_area(call, homes[2:], "worker2")
        round_id = await make_round(call)
        version = (await pulled(call, "worker", mine["id"]))["version"]
        await push(call, "worker2", door_visit(homes[3], round_id))
        assert (await pulled(call, "worker", mine["id"]))["version"] == version

    async def test_an_area_not_held_is_not_there(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        area = await make_area(call, homes, "worker")
        answer = await call("worker2", "GET", f"/sync/areas/{area['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "area_not_held")

    async def test_taking_doors_away_resets(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        area = await make_area(call, homes, "worker")
        version = (await pulled(call, "worker", area["id"]))["version"]
        body = {"remove_dwelling_ids": [str(homes[0].dwelling_id)]}
        assert (await call("committee", "PATCH", f"/responsibility-areas/{area['id']}", json=body)).is_success
        again = await pulled(call, "worker", area["id"], version)
        assert again["reset"] is True
        assert len(again["upserts"]["households"]["i"]) == 3

    async def test_sync_areas_names_the_open_rounds(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        area = await make_area(call, homes, "worker")
        round_id = await make_round(call)
        (held,) = (await call("worker", "GET", "/sync/areas")).json()
        assert held["id"] == area["id"]
        assert held["household_count"] == 4
        assert [r["id"] for r in held["rounds"]] == [round_id]
        await call("city", "POST", f"/rounds/{round_id}/close")
        (held,) = (await call("worker", "GET", "/sync/areas")).json()
        assert held["rounds"] == []


async def test_a_pull_during_running_writes_misses_no_row(call: Caller, database: Database) -> None:
    """Deltas taken while 12 writers push, put together, equal a full pull at the end."""
    rooms = [f"{f}0{d}" for f in range(1, 9) for d in (1, 2, 3)]
    homes = await make_homes(database, A, stair_of("3", "2", rooms))
    area = await make_area(call, homes, "worker")
    round_id = await make_round(call)
    persona = PERSONAS["worker"]
    actor = Actor(persona.id, "worker", "person", persona.device_id, ((Role.GRID_WORKER, A),))
    seen: dict[str, str] = {}
    version = (await pulled(call, "worker", area["id"]))["version"]

    def take(bundle: bytes) -> int:
        body = orjson.loads(gzip.decompress(bundle))
        homes_sent = body["upserts"]["households"]["i"]
        for at, outcome in zip(body["upserts"]["states"]["h"], body["upserts"]["states"]["o"], strict=True):
            seen[homes_sent[at]] = outcome
        return int(body["version"])

    done = asyncio.Event()

    async def follow() -> None:
        nonlocal version
        while not done.is_set():
            version = take(await pull.pull_area(database, actor, area["id"], version))
            await asyncio.sleep(0)

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(push(call, "worker", door_visit(home, round_id)) for home in homes))
    done.set()
    await follower
    take(await pull.pull_area(database, actor, area["id"], version))
    assert seen == {str(home.id): "answered_all" for home in homes}


async def test_row_level_security_holds_without_the_filter(call: Caller, database: Database) -> None:
    await make_homes(database, A, stair_of("1", "1", ["101"]))
    await make_homes(database, B, stair_of("1", "1", ["101"]))
    async with database.session(PERSONA_SCOPE) as session:
        codes = (await session.execute(text("SELECT DISTINCT community_code FROM household"))).scalars().all()
    assert codes == [A]
    async with database.session(EVERYWHERE) as session:
        assert len((await session.execute(text("SELECT DISTINCT community_code FROM household"))).all()) == 2


PERSONA_SCOPE = Actor(PERSONAS["committee"].id, "c", "person", None, ((Role.COMMITTEE, A),)).scope
