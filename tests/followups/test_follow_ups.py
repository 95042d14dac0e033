"""What is learnt at a door and cannot wait: one follow-up a person, an owner, an end."""

from datetime import timedelta
from typing import Any

import pytest

from app.audit.service import SYSTEM
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.privacy import retention
from app.rules import service as rules
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, Caller
from tests.test_tally import pioneer


async def ground(call: Caller, database: Database) -> tuple[list[Home], str]:
    """Two doors that a worker holds, and a round."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201", "202"]))
    await make_area(call, homes, "worker")
    return homes, await make_round(call)


def found(home: Home, round_id: str, *persons: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """A visit in which something is said of the first people of a home; the others are well."""
    said = [*persons, *({"status": "well"} for _ in home.residents[len(persons) :])]
    named = [{"resident_id": str(r), **one} for r, one in zip(home.residents, said, strict=True)]
    return door_visit(home, round_id, persons=named, **extra)


HOT: dict[str, Any] = {"status": "symptoms", "temperature_c": 38.0, "symptoms": ["fever"]}


async def listed(call: Caller, **params: Any) -> list[dict[str, Any]]:
    """The committee's follow-ups."""
    answer = await call("committee", "GET", "/follow-ups", params={"community_code": A} | params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestFinding:
    async def test_a_fever_is_with_the_committee_at_once(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        assert (await push(call, "worker", found(homes[0], round_id, HOT)))[0]["status"] == "accepted"
        (one,) = await listed(call, is_open=True)
        assert (one["resident_id"], one["reasons"]) == (str(homes[0].residents[0]), ["temperature", "symptoms"])
        assert (one["temperature_c"], one["source"], one["is_self_reported"]) == (38.0, "door", False)
        assert (one["owner"]["kind"], one["owner"]["name"], one["found_by"]) == ("committee", "甲社区", "worker 某")
        flags = (await call("street", "GET", "/coverage/flags", params={"area": A})).json()
        assert (flags["follow_ups"], flags["items"][0]["follow_ups"]) == (1, 1)

    @pytest.mark.parametrize(
        ("said", "reasons"),
        [
            ({"status": "well", "temperature_c": 37.3}, ["temperature"]),
            ({"status": "symptoms", "symptoms": ["cough"]}, ["symptoms"]),
            ({"status": "away", "risk_area": True}, ["contact"]),
            ({"status": "well", "temperature_c": 37.2, "risk_area": False}, None),
        ],
    )
    async def test_above_threshold_and_not_below(
        self, call: Caller, database: Database, said: dict[str, Any], reasons: list[str] | None
    ) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, said))
        assert [one["reasons"] for one in await listed(call)] == ([reasons] if reasons else [])

    async def test_the_threshold_is_a_rule_with_a_day(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        async with database.session(EVERYWHERE) as session:
            await rules.set_rule(session, SYSTEM, "finding.temperature_c", today(), 37.0, "〔2026〕8号")
            await rules.set_rule(session, SYSTEM, "finding.contact", today() + timedelta(days=1), 0, "〔2026〕8号")
            await rules.set_rule(session, SYSTEM, "finding.symptoms", today(), 0, "〔2026〕8号")
        rules._books.clear()
        at = {"recorded_at": now().isoformat()}
        warm = {"status": "well", "temperature_c": 37.0}
        # what phones are told, and so show: the rules until today, from today on, from tomorrow on
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        before, today_on, later = area["findings"]
        assert before["from_on"] < today().isoformat()
        assert (before["temperature_c"], before["symptoms"], before["contact"]) == (37.3, True, True)
        day = {"from_on": today().isoformat(), "temperature_c": 37.0, "symptoms": False, "contact": True}
        assert (today_on, area["fever_from"]) == (day, 37.0)
        assert later == day | {"from_on": (today() + timedelta(days=1)).isoformat(), "contact": False}
        # one that was recorded before the rule began is judged as its phone showed it, whenever it comes in
        yesterday = (now() - timedelta(days=1)).isoformat()
        await push(call, "worker", found(homes[0], round_id, warm, recorded_at=yesterday))
        assert await listed(call) == []
        await push(call, "worker", found(homes[0], round_id, warm, **at))
        await push(call, "worker", found(homes[1], round_id, {"status": "well", "risk_area": True}, **at))
        cough = {"status": "symptoms", "symptoms": ["cough"]}
        await push(call, "worker", found(homes[2], round_id, cough, **at))
        assert sorted(one["reasons"][0] for one in await listed(call)) == ["contact", "temperature"]
        # by a clock that is a week fast nobody knows which day it was: today's rules
        off = {"recorded_at": (now() + timedelta(days=7)).isoformat()}
        answers = await push(call, "worker", found(homes[3], round_id, warm, **off))
        assert (answers[0]["code"], len(await listed(call))) == ("clock_skew", 3)

    async def test_reported_again_is_the_same_one(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        first = found(homes[0], round_id, HOT)
        later = found(homes[0], round_id, HOT | {"temperature_c": 38.6}, recorded_at="2026-02-02T09:00:00+08:00")
        await push(call, "worker", first)
        await push(call, "worker", first, later)
        (one,) = await listed(call)
        assert (one["temperature_c"], one["finding_count"]) == (38.6, 2)

    async def test_a_refused_visit_makes_none(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        visit = found(homes[0], round_id, HOT)
        visit["payload"]["persons"][1]["resident_id"] = str(homes[1].residents[0])
        assert (await push(call, "worker", visit))[0]["status"] == "rejected"
        assert await listed(call) == []


class TestCloseFollowUp:
    async def test_it_has_an_owner_and_ends_with_an_outcome(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, HOT))
        (one,) = await listed(call)
        worker = str(call.personas["worker"].id)
        given = await call("committee", "POST", f"/follow-ups/{one['id']}/take", json={"account_id": worker})
        assert given.json()["owner"] == {"kind": "person", "id": worker, "name": "worker 某"}
        body = {"outcome": "taken_to_clinic", "note": "送发热门诊，核酸阴性"}
        closed = await call("committee", "POST", f"/follow-ups/{one['id']}/close", json=body)
        assert (closed.json()["outcome"], closed.json()["note"]) == ("taken_to_clinic", body["note"])
        again = await call("committee", "POST", f"/follow-ups/{one['id']}/close", json=body)
        assert (again.status_code, again.json()["code"]) == (409, "follow_up_closed")
        assert await listed(call, is_open=True) == []
        flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()
        assert flags["follow_ups"] == 0
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [e["action"] for e in entries[:2]] == ["close_follow_up", "take_follow_up"]
        opened = await call("committee", "POST", f"/follow-ups/{one['id']}/reopen")
        assert (opened.json()["outcome"], opened.json()["note"], len(await listed(call, is_open=True))) == (
            None, None, 1,
        )  # fmt: skip

    async def test_what_was_found_before_the_end_joins_it_and_what_comes_after_is_new(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, HOT))
        (one,) = await listed(call)
        await call("committee", "POST", f"/follow-ups/{one['id']}/close", json={"outcome": "ruled_out"})
        late = found(homes[0], round_id, HOT, recorded_at="2026-02-03T09:00:00+08:00")
        await push(call, "worker", late)
        assert [one["finding_count"] for one in await listed(call)] == [2]
        assert await listed(call, is_open=True) == []
        after = found(
            homes[0], round_id, HOT, recorded_at=(today() + timedelta(days=2)).isoformat() + "T09:00:00+08:00"
        )
        await push(call, "worker", after)
        assert [one["finding_count"] for one in await listed(call, is_open=True)] == [1]
        reopened = await call("committee", "POST", f"/follow-ups/{one['id']}/reopen")
        assert (reopened.status_code, reopened.json()["code"]) == (409, "follow_up_open")

    async def test_is_for_the_desks_above_it(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, HOT))
        (one,) = await listed(call)
        answers = [
            await call(who, "POST", f"/follow-ups/{one['id']}/close", json={"outcome": "ruled_out"})
            for who in (None, "worker", "viewer", "other_committee", "far_street")
        ]
        assert [a.status_code for a in answers] == [401, 403, 403, 404, 404]
        bad = await call("committee", "POST", f"/follow-ups/{one['id']}/close", json={"outcome": "fine"})
        assert bad.status_code == 422


class TestJudged:
    async def test_set_aside_it_is_void_and_back_again_when_reopened(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        visit = found(homes[0], round_id, HOT)
        assert (await push(call, "worker2", visit))[0]["code"] == "not_assigned"
        assert len(await listed(call)) == 1
        await call("committee", "POST", f"/door-visits/{visit['id']}/judge", json={"verdict": "set_aside"})
        assert await listed(call) == []
        await call("committee", "POST", f"/door-visits/{visit['id']}/reopen")
        (one,) = await listed(call)
        await call("committee", "POST", f"/door-visits/{visit['id']}/judge", json={"verdict": "set_aside"})
        await push(call, "worker", found(homes[0], round_id, HOT | {"temperature_c": 37.9}))
        (again,) = await listed(call)
        assert (again["id"], again["temperature_c"], again["finding_count"]) == (one["id"], 37.9, 1)


class TestRetention:
    async def test_what_was_found_and_noted_goes_on_its_day(self, call: Caller, database: Database) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, HOT))
        (one,) = await listed(call)
        body = {"outcome": "observed_at_home", "note": "居家观察十四天"}
        await call("committee", "POST", f"/follow-ups/{one['id']}/close", json=body)
        done = await retention.run_retention(database, today() + timedelta(days=90))
        counts = {d.kind.value: d.count for d in done}
        assert (counts["findings"], counts["follow_up_notes"]) == (1, 1)
        (one,) = await listed(call)
        assert (one["outcome"], one["note"], one["reasons"], one["temperature_c"]) == (
            "observed_at_home",
            None,
            [],
            None,
        )
        kinds = {item["kind"]: item["fields"] for item in (await call("worker", "GET", "/retention")).json()["items"]}
        assert {"findings", "follow_up_notes"} <= set(kinds)

    async def test_symptoms_reported_again_after_that_count_once(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, round_id = await ground(call, database)
        await push(call, "worker", found(homes[0], round_id, HOT))
        await retention.run_retention(database, today() + timedelta(days=90))
        later = "2026-02-02T09:00:00+08:00"
        await push(call, "worker", found(homes[0], round_id, HOT, recorded_at=later))
        await push(call, "worker", found(homes[1], round_id, HOT, HOT, recorded_at=later))
        total = (await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})).json()["total"]
        assert (total["symptoms"], total["persons_done"]) == (3, 4)
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")
