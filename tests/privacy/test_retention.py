"""Health data ends on its day, and the figures stay."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from app.audit.service import SYSTEM
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.privacy import retention
from app.rules import service as rules
from tests.makers import Home, care_visit, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, B, Caller
from tests.test_tally import pioneer

LAST_DAY = today() + timedelta(days=90)


def sick(home: Home, round_id: str, **extra: Any) -> dict[str, Any]:
    """A visit that learns something of two people, with a note."""
    first, second = home.residents
    persons = [
        {"resident_id": str(first), "status": "symptoms", "temperature_c": 38.5, "symptoms": ["fever"]},
        {"resident_id": str(second), "status": "well", "temperature_c": 36.4},
    ]  # fmt: skip
    return door_visit(home, round_id, persons=persons, note="咳嗽三天", **extra)


async def screened(call: Caller, database: Database, code: str = A, who: str = "committee") -> tuple[list[Home], str]:
    """Two doors answered for, one of them with symptoms, and a care visit."""
    homes = await make_homes(database, code, stair_of("3", "2", ["101", "102"]))
    round_id = await make_round(call)
    results = await push(
        call, who, sick(homes[0], round_id, community_code=code), door_visit(homes[1], round_id, community_code=code),
        care_visit(homes[0], condition="needs_attention", needs=["medicine"], note="血压偏高", community_code=code),
    )  # fmt: skip
    assert [r["status"] for r in results] == ["accepted"] * 3
    return homes, round_id


async def rows(database: Database, statement: str) -> list[Any]:
    """Rows seen by the service everywhere."""
    async with database.session(EVERYWHERE) as session:
        return [tuple(row) for row in await session.execute(text(statement))]


async def coverage(call: Caller, round_id: str) -> dict[str, Any]:
    """The community's coverage, and the sum over its buildings."""
    answer = (await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})).json()
    return {"total": answer["total"], "buildings": answer["items"]}


HEALTH = "SELECT status, temperature_c, symptoms, risk_area FROM person_check ORDER BY 1, 2"


class TestDeleteDue:
    async def test_on_the_day_before_nothing_goes(self, call: Caller, database: Database) -> None:
        await screened(call, database)
        before = await rows(database, HEALTH)
        assert await retention.run_retention(database, LAST_DAY - timedelta(days=1)) == []
        assert await rows(database, HEALTH) == before
        assert (await call("committee", "GET", "/deletions", params={"community_code": A})).json()["items"] == []

    async def test_on_its_day_the_health_goes_and_the_figures_stay(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, round_id = await screened(call, database)
        before = await coverage(call, round_id)
        assert (before["total"]["persons_done"], before["total"]["symptoms"]) == (4, 1)
        done = await retention.run_retention(database, LAST_DAY)
        assert {(one.community_code, one.kind.value, one.count) for one in done} == {
            (A, "person_checks", 4), (A, "door_visits", 2), (A, "findings", 1),
        }  # fmt: skip
        assert await rows(database, HEALTH) == [("answered", None, [], None)] * 4
        assert await rows(database, "SELECT DISTINCT persons::text, note_sealed FROM door_visit") == [("[]", None)]
        after = await coverage(call, round_id)
        assert after["total"] == before["total"]
        # below the community nobody can say any more how many had symptoms: unknown, not zero
        (building,) = after["buildings"]
        assert (building["persons_done"], building["symptoms"]) == (4, None)
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        assert {(v["outcome"], len(v["persons"]), v["note"]) for v in visits} == {("answered_all", 0, None)}
        # what a care visitor noted is kept for longer
        (care,) = (await call("committee", "GET", "/care-visits", params={"community_code": A})).json()["items"]
        assert (care["note"], care["needs"]) == ("血压偏高", ["medicine"])
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")
        assert "0 broken" in pioneer(database_url, "audit", "verify")[1]
        del homes

    async def test_what_a_care_visitor_noted_goes_after_a_year(self, call: Caller, database: Database) -> None:
        await screened(call, database)
        await retention.run_retention(database, today() + timedelta(days=365))
        (care,) = (await call("committee", "GET", "/care-visits", params={"community_code": A})).json()["items"]
        assert (care["condition"], care["note"], care["needs"]) == ("needs_attention", None, [])
        assert await rows(database, "SELECT needs FROM care_plan") == [([],)]

    async def test_a_record_of_it_stays_without_anybody_in_it(self, call: Caller, database: Database) -> None:
        homes, _ = await screened(call, database)
        await retention.run_retention(database, LAST_DAY)
        answer = await call("committee", "GET", "/deletions", params={"community_code": A})
        items = {item["kind"]: item for item in answer.json()["items"]}
        assert set(items) == {"person_checks", "door_visits", "findings"}
        record = items["person_checks"]
        assert (record["deleted_count"], record["upto"], record["days"]) == (4, LAST_DAY.isoformat(), 90)
        assert "个人信息保护法" in record["source"]
        assert not any(str(person) in answer.text for home in homes for person in [home.id, *home.residents])
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [e["action"] for e in entries].count("delete_due") == 3
        for who, status in {"other_committee": 404, "viewer": 403, "worker": 403}.items():
            assert (await call(who, "GET", "/deletions", params={"community_code": A})).status_code == status, who

    async def test_a_phone_that_holds_it_loads_its_area_anew(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        area = await make_area(call, homes, "worker")
        round_id = await make_round(call)
        await push(call, "worker", sick(homes[0], round_id))
        path = f"/sync/areas/{area['id']}"
        first = (await call("worker", "GET", path)).json()
        assert 38.5 in first["upserts"]["checks"]["t"]
        await retention.run_retention(database, LAST_DAY)
        then = (await call("worker", "GET", path, params={"since": first["version"]})).json()
        # whole, so that nothing stays on the phone of rounds that are closed and no longer spoken of
        assert then["reset"] is True
        assert then["upserts"]["checks"]["s"] == ["answered", "answered"]
        assert then["upserts"]["checks"]["t"] == [None, None]
        assert then["upserts"]["states"]["o"] == ["answered_all"]

    async def test_in_batches_and_again_it_comes_to_the_same(self, call: Caller, database: Database) -> None:
        homes = await make_homes(
            database, A, stair_of("3", "2", [f"{f}0{n}" for f in range(1, 6) for n in range(1, 5)])
        )
        round_id = await make_round(call)
        await push(call, "committee", *(sick(home, round_id) for home in homes))
        done = await retention.run_retention(database, LAST_DAY, batch=7)
        assert {one.kind.value: one.count for one in done} == {"person_checks": 40, "door_visits": 20, "findings": 20}
        assert await retention.run_retention(database, LAST_DAY) == []
        items = (await call("committee", "GET", "/deletions", params={"community_code": A})).json()["items"]
        assert {i["kind"]: i["deleted_count"] for i in items} == {
            "person_checks": 40,
            "door_visits": 20,
            "findings": 20,
        }
        assert (await coverage(call, round_id))["total"]["symptoms"] == 20

    async def test_each_community_by_itself(self, call: Caller, database: Database) -> None:
        await screened(call, database)
        await screened(call, database, B, "other_committee")
        await retention.run_retention(database, LAST_DAY)
        for who, code in (("committee", A), ("other_committee", B)):
            items = (await call(who, "GET", "/deletions", params={"community_code": code})).json()["items"]
            assert {item["community_code"] for item in items} == {code}
            assert len(items) == 3

    async def test_an_answer_that_comes_after_counts_once(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, round_id = await screened(call, database)
        await retention.run_retention(database, LAST_DAY)
        later = door_visit(homes[0], round_id, recorded_at="2026-02-02T09:00:00+08:00")
        assert (await push(call, "committee", later))[0]["status"] == "accepted"
        assert (await coverage(call, round_id))["total"]["persons_done"] == 4
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")


class TestRules:
    async def test_a_shorter_period_holds_from_its_day_on(self, call: Caller, database: Database) -> None:
        homes, round_id = await screened(call, database)
        async with database.session(EVERYWHERE) as session:
            await rules.set_rule(session, SYSTEM, "retention.screening", today(), 30, "〔2026〕5号")
        rules._books.clear()
        await push(call, "committee", door_visit(homes[1], round_id, recorded_at="2026-02-01T10:00:00+08:00"))
        ends = await rows(database, "SELECT DISTINCT delete_by FROM door_visit ORDER BY 1")
        assert ends == [(today() + timedelta(days=30),), (LAST_DAY,)]
        (screening, *_) = (await call("worker", "GET", "/retention")).json()["items"]
        assert (screening["days"], screening["source"]) == (30, "〔2026〕5号")

    async def test_a_rule_to_come_does_not_hold_yet(self, database: Database) -> None:
        tomorrow = today() + timedelta(days=1)
        async with database.session(EVERYWHERE) as session:
            await rules.set_rule(session, SYSTEM, "retention.care", tomorrow, 30, "〔2026〕6号")
            book = await rules.read_rules(session)
        assert book.in_force("retention.care", today()).value == 365
        assert book.day_after("retention.care", tomorrow) == tomorrow + timedelta(days=30)
        assert book.in_force("retention.care", date(2020, 1, 1)).value == 365

    async def test_purposes_are_said_in_the_readers_language(self, call: Caller) -> None:
        zh = (await call("worker", "GET", "/retention")).json()["items"]
        en = (await call("worker", "GET", "/retention", headers={"Accept-Language": "en"})).json()["items"]
        assert "发热" in zh[0]["purpose"]
        assert "fever" in en[0]["purpose"]
        assert (await call(None, "GET", "/retention")).status_code == 401


class TestCommandLine:
    async def test_the_operator_asks_first_and_runs_then(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        await screened(call, database)
        code, said = pioneer(database_url, "retention", "run")
        assert (code, "0 rows emptied" in said) == (0, True), said
        later = LAST_DAY.isoformat()
        code, said = pioneer(database_url, "retention", "run", "--on", later, "--dry-run")
        assert (code, f"{A} person_checks: 4" in said, "7 rows due" in said) == (0, True, True), said
        assert pioneer(database_url, "retention", "run", "--on", later)[0] == 2
        assert len(await rows(database, "SELECT 1 FROM person_check WHERE status <> 'answered'")) == 4
