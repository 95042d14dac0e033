"""Care visits: recorded by who carries the door, read by the desks over it."""

import asyncio
from typing import Any

import pytest

from app.core.clock import today
from app.core.db import Database
from app.core.ids import new_id
from tests.makers import Home, care_visit, make_area, make_homes, push, stair_of
from tests.personas import A, B, Caller


@pytest.fixture
async def home(database: Database, call: Caller) -> Home:
    """A home of two in A, carried by the worker."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
    await make_area(call, homes, "worker")
    return homes[0]


async def listed(call: Caller, who: str = "committee", **params: Any) -> list[dict[str, Any]]:
    """The community's care visits."""
    answer = await call(who, "GET", "/care-visits", params={"community_code": A} | params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestRecordCareVisit:
    async def test_says_what_was_seen_what_is_needed_and_when_next(self, call: Caller, home: Home) -> None:
        said = {"condition": "needs_attention", "needs": ["food", "medicine"], "note": "降压药快没了"}
        visit = care_visit(home, resident_id=str(home.residents[1]), next_on=today().isoformat(), **said)
        (result,) = await push(call, "worker", visit)
        assert (result["status"], result["code"]) == ("accepted", None)
        (seen,) = await listed(call)
        assert {key: seen[key] for key in said} == said
        assert (seen["id"], seen["resident_id"], seen["next_on"], seen["actor_name"]) == (
            visit["id"], str(home.residents[1]), today().isoformat(), "worker 某",
        )  # fmt: skip

    async def test_the_same_id_again_is_one_visit(self, call: Caller, home: Home) -> None:
        visit = care_visit(home)
        await push(call, "worker", visit)
        (again,) = await push(call, "worker", visit)
        assert (again["status"], again["first_status"]) == ("duplicate", "accepted")
        assert len(await listed(call)) == 1

    async def test_by_somebody_who_does_not_carry_the_door_is_kept_and_flagged(self, call: Caller, home: Home) -> None:
        (result,) = await push(call, "worker2", care_visit(home))
        assert (result["status"], result["code"]) == ("flagged", "not_assigned")
        assert len(await listed(call)) == 1

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"condition": "fine"}, "shape_invalid"),
            ({"needs": ["a car"]}, "shape_invalid"),
            ({"next_on": "soon"}, "shape_invalid"),
            ({"resident_id": str(new_id())}, "resident_not_found"),
            ({"household_id": str(new_id())}, "household_not_found"),
        ],
    )
    async def test_what_cannot_be_is_refused_alone(
        self, call: Caller, home: Home, wrong: dict[str, Any], code: str
    ) -> None:
        bad, good = care_visit(home), care_visit(home)
        bad["payload"] |= wrong
        results = await push(call, "worker", bad, good)
        assert [(r["status"], r["code"]) for r in results] == [("rejected", code), ("accepted", None)]
        assert [v["id"] for v in await listed(call)] == [good["id"]]

    async def test_from_another_area_there_is_no_such_door(self, call: Caller, home: Home) -> None:
        for who in ("far_worker", "other_committee"):
            (result,) = await push(call, who, care_visit(home))
            assert (result["status"], result["code"]) == ("rejected", "household_not_found")
        assert await listed(call) == []

    @pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("client", 403), (None, 401)])
    async def test_is_for_people_who_work(self, call: Caller, home: Home, who: str | None, status: int) -> None:
        push_of_one = {"device_id": str(new_id()), "commands": [care_visit(home)]}
        assert (await call(who, "POST", "/sync/commands", json=push_of_one)).status_code == status


class TestListCareVisits:
    async def test_newest_first_of_one_household_or_all(self, call: Caller, home: Home, database: Database) -> None:
        other = (await make_homes(database, A, stair_of("4", "1", ["101"])))[-1]
        first = care_visit(home, recorded_at="2026-02-01T09:00:00+08:00")
        await asyncio.sleep(0.002)  # ids of one millisecond stand in no order
        second = care_visit(other, recorded_at="2026-02-02T09:00:00+08:00")
        await push(call, "committee", first, second)
        assert [v["id"] for v in await listed(call)] == [second["id"], first["id"]]
        assert [v["id"] for v in await listed(call, household_id=str(home.id))] == [first["id"]]

    @pytest.mark.parametrize(
        ("who", "status"),
        [("street", 200), ("worker", 403), ("viewer", 403), ("other_committee", 404), ("far_street", 404), (None, 401)],
    )
    async def test_is_for_the_desks_over_the_community(self, call: Caller, who: str | None, status: int) -> None:
        assert (await call(who, "GET", "/care-visits", params={"community_code": A})).status_code == status
        assert (await call("committee", "GET", "/care-visits", params={"community_code": B})).status_code == 404
        assert (await call("committee", "GET", "/care-visits", params={"community_code": "1"})).status_code == 422
