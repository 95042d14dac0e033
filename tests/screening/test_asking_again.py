"""Asked today already: a second asking of a household on the same day needs a reason."""

from typing import Any

from app.core.db import Database
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, Caller

MORNING, NOON = "2026-02-01T09:10:00+08:00", "2026-02-01T12:30:00+08:00"


async def ground(call: Caller, database: Database) -> tuple[list[Home], str, dict[str, Any]]:
    """Two doors that a worker holds, a round and the area."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, "worker")
    return homes, await make_round(call), area


async def codes(call: Caller, *visits: dict[str, Any]) -> list[str | None]:
    """What the worker hears of each visit, one push after another."""
    return [(await push(call, "worker", visit))[0]["code"] for visit in visits]


class TestRecordDoorVisit:
    async def test_again_on_the_day_is_taken_and_flagged_without_a_reason(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id, _ = await ground(call, database)
        first, second = (door_visit(homes[0], round_id, recorded_at=at) for at in (MORNING, NOON))
        assert await codes(call, first, second) == [None, "asked_again"]
        asked = {"community_code": A, "is_flagged": True}
        (flagged,) = (await call("committee", "GET", "/door-visits", params=asked)).json()["items"]
        assert (flagged["id"], flagged["flag_code"]) == (second["id"], "asked_again")
        total = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
        assert (total["households_done"], total["persons_done"]) == (1, 2)

    async def test_with_a_reason_it_is_in_order_and_the_reason_is_kept(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        second = door_visit(homes[0], round_id, recorded_at=NOON, again_reason="changed")
        assert await codes(call, door_visit(homes[0], round_id, recorded_at=MORNING), second) == [None, None]
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        assert {v["id"]: v["again_reason"] for v in visits}[second["id"]] == "changed"

    async def test_another_day_another_round_a_miss_or_those_left_over_need_none(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id, _ = await ground(call, database)
        other = await make_round(call, A, "committee")
        part = [{"resident_id": str(homes[1].residents[0]), "status": "well"}]
        visits = [
            door_visit(homes[0], round_id, recorded_at=MORNING),
            door_visit(homes[0], round_id, recorded_at="2026-02-02T00:10:00+08:00"),
            door_visit(homes[0], other, recorded_at=NOON),
            door_visit(homes[0], round_id, "no_answer", recorded_at=NOON),
            door_visit(homes[1], round_id, "answered_part", persons=part, recorded_at=MORNING),
            door_visit(homes[1], round_id, recorded_at=NOON),
        ]
        assert await codes(call, *visits) == [None] * 6

    async def test_two_in_one_batch(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        pair = [door_visit(homes[0], round_id, recorded_at=at) for at in (MORNING, NOON)]
        assert [r["code"] for r in await push(call, "worker", *pair)] == [None, "asked_again"]
        again = await push(call, "worker", *pair, door_visit(homes[1], round_id, recorded_at=NOON))
        assert [(r["status"], r["code"]) for r in again] == [
            ("duplicate", None), ("duplicate", "asked_again"), ("accepted", None),
        ]  # fmt: skip

    async def test_one_set_aside_was_no_asking(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        stranger = door_visit(homes[0], round_id, recorded_at=MORNING)
        await push(call, "worker2", stranger)
        await call("committee", "POST", f"/door-visits/{stranger['id']}/judge", json={"verdict": "set_aside"})
        assert await codes(call, door_visit(homes[0], round_id, recorded_at=NOON)) == [None]

    async def test_at_the_desk_a_reason_is_asked_for(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        await push(call, "worker", door_visit(homes[0], round_id, recorded_at=MORNING))
        persons = [{"resident_id": str(r), "status": "well"} for r in homes[0].residents]
        body = {
            "community_code": A, "household_id": str(homes[0].id), "round_id": round_id, "outcome": "answered_all",
            "persons": persons, "recorded_at": NOON, "id": door_visit(homes[0], round_id)["id"],
        }  # fmt: skip
        refused = await call("committee", "POST", "/door-visits", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "asked_again")
        taken = await call("committee", "POST", "/door-visits", json=body | {"again_reason": "correction"})
        assert (taken.status_code, taken.json()["again_reason"], taken.json()["is_flagged"]) == (
            201, "correction", False,
        )  # fmt: skip
        again = await call("committee", "POST", "/door-visits", json=body | {"again_reason": "correction"})
        assert again.json() == taken.json()
        other = body | {"outcome": "refused", "persons": []}
        assert (await call("committee", "POST", "/door-visits", json=other)).json()["code"] == "id_taken"
        nobody = body | {"round_id": str(homes[0].id), "id": None}
        assert (await call("committee", "POST", "/door-visits", json=nobody)).json()["code"] == "round_not_found"
        for who, status in {None: 401, "worker": 403, "other_committee": 404}.items():
            assert (await call(who, "POST", "/door-visits", json=body)).status_code == status


class TestPull:
    async def test_a_phone_knows_who_asked_last_and_when_nobody_opened(self, call: Caller, database: Database) -> None:
        homes, round_id, area = await ground(call, database)
        await push(
            call, "worker",
            door_visit(homes[0], round_id, recorded_at=MORNING),
            door_visit(homes[0], round_id, "no_answer", recorded_at=NOON),
            door_visit(homes[1], round_id, "no_answer", recorded_at=MORNING),
            door_visit(homes[1], round_id, "no_answer", recorded_at="2026-02-01T19:00:00+08:00"),
        )  # fmt: skip
        states = (await call("worker", "GET", f"/sync/areas/{area['id']}")).json()["upserts"]["states"]
        found = {
            home: (asked, by, parts)
            for home, asked, by, parts in zip(states["h"], states["a"], states["b"], states["p"], strict=True)
        }
        assert found == {0: (1769908200, "worker 某", 2), 1: (None, "", 5)}
