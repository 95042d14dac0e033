"""Flagged records judged: what is set aside counts nowhere, what is taken back counts as before."""

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import EVERYWHERE, Database
from app.screening import service as screening
from tests.makers import Home, care_visit, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, DISTRICT, STREET, A, B, Caller

WELL, ILL = {"status": "well"}, {"status": "symptoms", "temperature_c": 38.2, "symptoms": ["fever"]}


def said(home: Home, *answers: dict[str, Any]) -> list[dict[str, Any]]:
    """What was said of a home's people, in their order."""
    return [{"resident_id": str(r)} | answer for r, answer in zip(home.residents, answers, strict=False)]


async def tally(database: Database, round_id: str) -> dict[str, int]:
    """The round's figures in A, which equal a recount of its rows."""
    async with database.session(EVERYWHERE) as session:
        statement = text("SELECT * FROM screening_tally WHERE community_code = :c AND round_id = :r")
        row = (await session.execute(statement, {"c": A, "r": round_id})).mappings().one()
        assert await screening.find_tally_drift(session) == []
    return {k: v for k, v in row.items() if isinstance(v, int) and v}


async def judge(call: Caller, visit: dict[str, Any], verdict: str, who: str = "committee") -> dict[str, Any]:
    """Judge a door visit; answers it as it is read then."""
    body = {"verdict": verdict, "reason": "不是本人登记"}
    answer = await call(who, "POST", f"/door-visits/{visit['id']}/judge", json=body)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


async def carried(call: Caller, area: str, since: int = 0) -> dict[str, Any]:
    """What the worker's phone gets of an area."""
    answer = await call("worker", "GET", f"/sync/areas/{area}", params={"since": since})
    assert answer.status_code == 200, answer.text
    pulled: dict[str, Any] = answer.json()
    return pulled


def checks_of(pulled: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Who was answered for and how, of a pull, in the residents' order."""
    checks = pulled["upserts"]["checks"]
    return sorted(zip(checks["r"], checks["s"], checks["t"], strict=True))


class Stair:
    """Two doors that `worker` holds, and a round; `worker2` is at the wrong doors."""

    def __init__(self, homes: list[Home], area: str, round_id: str) -> None:
        self.homes, self.area, self.round_id = homes, area, round_id


@pytest.fixture
async def stair(call: Caller, database: Database) -> Stair:
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, "worker")
    return Stair(homes, area["id"], await make_round(call))


class TestSetAside:
    async def test_what_only_it_said_is_as_if_nobody_had_come(
        self, call: Caller, database: Database, stair: Stair
    ) -> None:
        visit = door_visit(stair.homes[0], stair.round_id, persons=said(stair.homes[0], WELL, ILL))
        (result,) = await push(call, "worker2", visit)
        assert result["status"] == "flagged"
        counted = await tally(database, stair.round_id)
        assert counted == {"answered_all": 1, "persons_done": 2, "persons_symptoms": 1, "visit_count": 1}
        before = await carried(call, stair.area)

        read = await judge(call, visit, "set_aside")
        assert (read["verdict"], read["is_flagged"], read["reason"]) == ("set_aside", False, "不是本人登记")
        assert (read["judged_by_name"], read["outcome"]) == ("committee 某", "answered_all")
        assert await tally(database, stair.round_id) == {}
        change = await carried(call, stair.area, before["version"])
        assert change["upserts"]["households"]["i"] == [str(stair.homes[0].id)]
        assert (change["upserts"]["states"]["h"], change["upserts"]["checks"]["r"]) == ([], [])

        back = await call("committee", "POST", f"/door-visits/{visit['id']}/reopen")
        assert (back.json()["verdict"], back.json()["is_flagged"], back.json()["reason"]) == (None, True, None)
        assert await tally(database, stair.round_id) == counted
        after = await carried(call, stair.area)
        assert after["upserts"]["states"] == before["upserts"]["states"]
        assert checks_of(after) == checks_of(before)

    async def test_what_others_said_stands_in_its_place(self, call: Caller, database: Database, stair: Stair) -> None:
        (home, _) = stair.homes
        early = door_visit(
            home, stair.round_id, "answered_part", persons=said(home, WELL), recorded_at="2026-02-01T08:00:00+08:00"
        )
        late = door_visit(home, stair.round_id, persons=said(home, ILL, WELL), recorded_at="2026-02-01T18:00:00+08:00")
        await push(call, "worker", early)
        await push(call, "worker2", late)
        both = await tally(database, stair.round_id)
        assert both == {"answered_all": 1, "persons_done": 2, "persons_symptoms": 1, "visit_count": 2}
        await judge(call, late, "set_aside")
        assert await tally(database, stair.round_id) == {"answered_part": 1, "persons_done": 1, "visit_count": 1}
        pulled = (await carried(call, stair.area))["upserts"]
        assert (pulled["states"]["o"], pulled["states"]["w"], pulled["checks"]["s"]) == (
            ["answered_part"], ["worker 某"], ["well"],
        )  # fmt: skip
        await call("committee", "POST", f"/door-visits/{late['id']}/reopen")
        assert await tally(database, stair.round_id) == both

    async def test_it_stays_out_when_more_visits_come(self, call: Caller, database: Database, stair: Stair) -> None:
        (home, _) = stair.homes
        wrong = door_visit(home, stair.round_id, "vacant", recorded_at="2026-02-01T18:00:00+08:00")
        await push(call, "worker2", wrong)
        await judge(call, wrong, "set_aside")
        await push(call, "worker", door_visit(home, stair.round_id, "no_answer"))
        assert await tally(database, stair.round_id) == {"no_answer": 1, "visit_count": 1}
        await call("committee", "POST", f"/door-visits/{wrong['id']}/reopen")
        assert await tally(database, stair.round_id) == {"vacant": 1, "visit_count": 2}

    async def test_the_phone_that_asks_again_hears_what_it_heard_first(
        self, call: Caller, database: Database, stair: Stair
    ) -> None:
        visit = door_visit(stair.homes[0], stair.round_id)
        (first,) = await push(call, "worker2", visit)
        await judge(call, visit, "set_aside")
        (again,) = await push(call, "worker2", visit)
        assert (again["status"], again["first_status"], again["code"]) == ("duplicate", "flagged", first["code"])
        assert await tally(database, stair.round_id) == {}

    async def test_of_a_record_whose_content_was_deleted_it_comes_too_late(
        self, call: Caller, database: Database, stair: Stair
    ) -> None:
        visit = door_visit(stair.homes[0], stair.round_id)
        await push(call, "worker2", visit)
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE door_visit SET delete_by = '2026-01-01'"))
            await session.execute(text("UPDATE person_check SET delete_by = '2026-01-01'"))
        body = {"verdict": "set_aside"}
        answer = await call("committee", "POST", f"/door-visits/{visit['id']}/judge", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "record_emptied")
        assert (await judge(call, visit, "confirmed"))["verdict"] == "confirmed"


class TestConfirmed:
    async def test_it_counts_as_before_and_leaves_the_list(
        self, call: Caller, database: Database, stair: Stair
    ) -> None:
        visit = door_visit(stair.homes[0], stair.round_id)
        await push(call, "worker2", visit)
        counted = await tally(database, stair.round_id)
        await judge(call, visit, "confirmed")
        await judge(call, visit, "confirmed")
        assert await tally(database, stair.round_id) == counted
        asked = {"community_code": A, "is_flagged": True}
        assert (await call("committee", "GET", "/door-visits", params=asked)).json()["items"] == []
        (judged,) = (
            await call("committee", "GET", "/door-visits", params={"community_code": A, "is_judged": True})
        ).json()["items"]
        assert (judged["id"], judged["verdict"]) == (visit["id"], "confirmed")
        async with database.session(EVERYWHERE) as session:
            actions = await session.scalars(text("SELECT action FROM audit_entry WHERE action LIKE 'judge%'"))
            assert list(actions) == ["judge_door_visit"]

    async def test_a_record_in_order_needs_no_verdict(self, call: Caller, stair: Stair) -> None:
        visit = door_visit(stair.homes[0], stair.round_id)
        await push(call, "worker", visit)
        answer = await call("committee", "POST", f"/door-visits/{visit['id']}/judge", json={"verdict": "set_aside"})
        assert (answer.status_code, answer.json()["code"]) == (409, "record_not_flagged")

    async def test_only_the_desk_of_its_community(self, call: Caller, stair: Stair) -> None:
        visit, care = door_visit(stair.homes[0], stair.round_id), care_visit(stair.homes[0])
        await push(call, "worker2", visit, care)
        for path in (f"/door-visits/{visit['id']}", f"/care-visits/{care['id']}"):
            answers = [
                await call(who, "POST", f"{path}/judge", json={"verdict": "confirmed"})
                for who in ("other_committee", "far_committee", "worker", "viewer", "client")
            ]
            assert [a.status_code for a in answers] == [404, 404, 403, 403, 403]


class TestCare:
    async def test_the_plan_follows_the_visits_that_count(self, call: Caller, database: Database, stair: Stair) -> None:
        (home, _) = stair.homes
        early = care_visit(home, condition="well", next_on="2026-02-08", recorded_at="2026-02-01T08:00:00+08:00")
        late = care_visit(home, condition="needs_attention", needs=["food"], recorded_at="2026-02-01T18:00:00+08:00")
        await push(call, "worker", early)
        await push(call, "worker2", late)
        path = f"/care-visits/{late['id']}"

        async def plan() -> tuple[Any, ...]:
            params = {"community_code": A}
            items = (await call("committee", "GET", "/care-households", params=params)).json()["items"]
            return tuple((one["condition"], one["needs"], one["next_on"]) for one in items)

        stood = await plan()
        assert stood == (("needs_attention", ["food"], None),)
        before = (await carried(call, stair.area))["version"]
        aside = await call("committee", "POST", f"{path}/judge", json={"verdict": "set_aside"})
        assert aside.json()["verdict"] == "set_aside"
        assert await plan() == (("well", [], "2026-02-08"),)
        change = (await carried(call, stair.area, before))["upserts"]["care"]
        assert (change["l"], change["n"]) == (["well"], ["2026-02-08"])
        await call("committee", "POST", f"{path}/reopen")
        assert await plan() == stood

    async def test_a_household_nobody_has_been_to_has_no_plan(self, call: Caller, stair: Stair) -> None:
        visit = care_visit(stair.homes[0])
        await push(call, "worker2", visit)
        await call("committee", "POST", f"/care-visits/{visit['id']}/judge", json={"verdict": "set_aside"})
        assert (await carried(call, stair.area))["upserts"]["care"]["h"] == []
        listed = await call("committee", "GET", "/care-visits", params={"community_code": A, "is_judged": True})
        assert [v["verdict"] for v in listed.json()["items"]] == ["set_aside"]


class TestCountFlags:
    async def test_by_the_next_division_below(self, call: Caller, database: Database, stair: Stair) -> None:
        visit, care = door_visit(stair.homes[0], stair.round_id), care_visit(stair.homes[1])
        await push(call, "worker2", visit, care)

        async def counted(who: str, area: str) -> dict[str, Any]:
            answer = await call(who, "GET", "/coverage/flags", params={"area": area})
            found: dict[str, Any] = answer.json()
            return found

        for who, area, below in (("city", CITY, DISTRICT), ("district", DISTRICT, STREET), ("street", STREET, A)):
            found = await counted(who, area)
            assert (found["door_visits"], found["care_visits"]) == (1, 1)
            assert [(row["code"], row["door_visits"]) for row in found["items"]] == [(below, 1)]
        assert (await counted("other_committee", B))["items"] == []
        await judge(call, visit, "confirmed", "street")
        assert ((await counted("committee", A))["door_visits"], (await counted("committee", A))["care_visits"]) == (
            0,
            1,
        )
        refused = await call("other_committee", "GET", "/coverage/flags", params={"area": A})
        assert refused.status_code == 404
