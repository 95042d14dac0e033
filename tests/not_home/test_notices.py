"""Nobody opened: after the third miss a notice is due, it is printed and left, and it is over when somebody answers."""

from datetime import timedelta
from typing import Any

from app.audit.service import SYSTEM
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.rules import service as rules
from tests.makers import Home, command, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, Caller

MISSES = ("2026-02-01T09:00:00+08:00", "2026-02-01T14:00:00+08:00", "2026-02-01T19:00:00+08:00")
MORNINGS = tuple(f"2026-02-0{day}T09:00:00+08:00" for day in (1, 2, 3))


async def ground(call: Caller, database: Database) -> tuple[list[Home], str, str]:
    """Two doors that a worker holds, a round, the area's id."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, "worker")
    return homes, await make_round(call), area["id"]


def misses(home: Home, round_id: str, *at: str) -> list[dict[str, Any]]:
    """Knocks that nobody answered."""
    return [door_visit(home, round_id, "no_answer", recorded_at=one) for one in at]


async def listed(call: Caller, **params: Any) -> list[dict[str, Any]]:
    """The committee's notices."""
    answer = await call("committee", "GET", "/door-notices", params={"community_code": A} | params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def on_phone(call: Caller, area: str) -> list[int]:
    """What the worker's phone hears of notices, door by door."""
    notices: list[int] = (await call("worker", "GET", f"/sync/areas/{area}")).json()["upserts"]["states"]["n"]
    return notices


class TestDue:
    async def test_after_three_misses_in_different_parts_of_the_day(self, call: Caller, database: Database) -> None:
        homes, round_id, area = await ground(call, database)
        await push(call, "worker", *misses(homes[0], round_id, *MISSES[:2]), *misses(homes[1], round_id, *MORNINGS))
        assert await listed(call) == []
        await push(call, "worker", *misses(homes[0], round_id, MISSES[2]))
        (notice,) = await listed(call, is_left=False)
        assert (notice["household_id"], notice["attempts"], notice["missed_parts"]) == (str(homes[0].id), 3, [0, 1, 2])
        assert (notice["address"], notice["holder_name"]) == ("3号楼 2单元 101", "worker 某")
        flags = (await call("street", "GET", "/coverage/flags", params={"area": A})).json()
        assert (flags["door_notices"], flags["items"][0]["door_notices"]) == (1, 1)
        assert sorted(await on_phone(call, area)) == [0, 1]

    async def test_how_many_and_in_how_many_parts_are_rules(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        async with database.session(EVERYWHERE) as session:
            await rules.set_rule(session, SYSTEM, "not_home.misses", today(), 2, "〔2026〕9号")
            await rules.set_rule(session, SYSTEM, "not_home.day_parts", today(), 1, "〔2026〕9号")
            await rules.set_rule(session, SYSTEM, "not_home.misses", today() + timedelta(days=1), 1, "〔2026〕9号")
        await push(call, "worker", *misses(homes[0], round_id, *MORNINGS[:2]), *misses(homes[1], round_id, MISSES[0]))
        assert [n["household_id"] for n in await listed(call)] == [str(homes[0].id)]

    async def test_it_is_over_when_somebody_answers_and_due_again_when_that_is_set_aside(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id, area = await ground(call, database)
        await push(call, "worker", *misses(homes[0], round_id, *MISSES))
        answered = door_visit(homes[0], round_id, recorded_at="2026-02-02T09:00:00+08:00")
        await push(call, "worker2", answered)
        assert (await listed(call), await on_phone(call, area)) == ([], [0])
        await call("committee", "POST", f"/door-visits/{answered['id']}/judge", json={"verdict": "set_aside"})
        assert (len(await listed(call)), await on_phone(call, area)) == (1, [1])
        flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()
        assert flags["door_notices"] == 1


class TestLeaveDoorNotice:
    async def test_a_worker_leaves_it_once_however_often_it_is_sent(self, call: Caller, database: Database) -> None:
        homes, round_id, area = await ground(call, database)
        await push(call, "worker", *misses(homes[0], round_id, *MISSES))
        payload = {"household_id": str(homes[0].id), "round_id": round_id}
        left = command("screening.leave_door_notice", payload, recorded_at="2026-02-01T19:05:00+08:00")
        first = await push(call, "worker", left)
        again = await push(call, "worker", left)
        assert [(r["status"], r["code"]) for r in (*first, *again)] == [("accepted", None), ("duplicate", None)]
        (notice,) = await listed(call, is_left=True)
        assert (notice["left_at"], notice["left_by_name"]) == ("2026-02-01T11:05:00Z", "worker 某")
        assert (await listed(call, is_left=False), await on_phone(call, area)) == ([], [2])
        await push(call, "worker", door_visit(homes[0], round_id, recorded_at="2026-02-02T09:00:00+08:00"))
        assert await listed(call) == []

    async def test_before_the_misses_have_come_and_at_doors_nobody_knows(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id, _ = await ground(call, database)
        name, payload = "screening.leave_door_notice", {"household_id": str(homes[0].id), "round_id": round_id}
        batch = [*misses(homes[0], round_id, *MISSES), command(name, payload)]
        assert {r["status"] for r in await push(call, "worker", *batch)} == {"accepted"}
        assert [n["left_by_name"] for n in await listed(call)] == ["worker 某"]
        unknown = [
            command(name, payload | {"round_id": str(homes[0].id)}),
            command(name, payload | {"household_id": round_id}, community_code=A),
        ]
        assert [r["code"] for r in await push(call, "worker", *unknown)] == ["round_not_found", "household_not_found"]
        assert (await push(call, "worker2", command(name, payload)))[0]["code"] == "not_assigned"


class TestPrintDoorNotices:
    async def test_it_has_the_address_and_the_code_and_nobodys_name(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        await push(call, "worker", *misses(homes[0], round_id, *MISSES))
        body = {"community_code": A, "round_id": round_id, "household_ids": [str(homes[0].id)]}
        answer = await call("committee", "POST", "/door-notices/print", json=body)
        assert answer.status_code == 200, answer.text
        (item,) = answer.json()["items"]
        assert (item["address"], item["attempts"]) == ("3号楼 2单元 101", 3)
        assert item["qr_svg"].startswith("<svg")
        assert "甲32101" not in answer.text
        again = (await call("committee", "POST", "/door-notices/print", json=body)).json()["items"][0]
        assert again["url"] == item["url"]
        assert (await call("committee", "POST", f"/households/{homes[0].id}/replace-code")).status_code == 204
        fresh = (await call("committee", "POST", "/door-notices/print", json=body)).json()["items"][0]
        assert fresh["url"] != item["url"]
        (notice,) = await listed(call)
        assert notice["printed_by_name"] == "committee 某"
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        actions = [entry["action"] for entry in entries[:4]]
        assert actions == ["print_door_notices", "replace_household_code", "print_door_notices", "print_door_notices"]

    async def test_only_what_is_due_and_only_for_the_desk(self, call: Caller, database: Database) -> None:
        homes, round_id, _ = await ground(call, database)
        await push(call, "worker", *misses(homes[0], round_id, *MISSES))
        body = {"community_code": A, "round_id": round_id, "household_ids": [str(homes[1].id)]}
        assert (await call("committee", "POST", "/door-notices/print", json=body)).status_code == 404
        body["household_ids"] = [str(homes[0].id)]
        for who, status in {None: 401, "worker": 403, "viewer": 403, "other_committee": 404}.items():
            assert (await call(who, "POST", "/door-notices/print", json=body)).status_code == status
            assert (await call(who, "GET", "/door-notices", params={"community_code": A})).status_code == status
