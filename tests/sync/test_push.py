"""Push: every id gets one answer, nothing is counted twice, nothing is dropped."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.audit import service as audit
from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.screening import service as screening
from tests.makers import Home, care_visit, command, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import PERSONAS, A, B, C, Caller

ROOMS = ["101", "102", "201", "202"]


async def prepared(call: Caller, database: Database, holder: str | None = "worker") -> tuple[list[Home], str]:
    """Four doors of two people each, held by a worker, and an open round."""
    homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
    await make_area(call, homes, holder)
    return homes, await make_round(call)


async def tally(database: Database, round_id: str) -> dict[str, int]:
    """The round's figures in community A."""
    async with database.session(EVERYWHERE) as session:
        statement = text("SELECT * FROM screening_tally WHERE community_code = :c AND round_id = :r")
        row = (await session.execute(statement, {"c": A, "r": round_id})).mappings().first()
        assert await screening.find_tally_drift(session) == []
    return {k: v for k, v in (row or {}).items() if isinstance(v, int) and v}


class TestTakePush:
    async def test_a_normal_household_counts_its_people(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        (result,) = await push(call, "worker", door_visit(homes[0], round_id))
        assert (result["status"], result["code"]) == ("accepted", None)
        assert await tally(database, round_id) == {"answered_all": 1, "persons_done": 2, "visit_count": 1}

    async def test_the_same_id_again_is_a_duplicate_and_counts_once(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        visit = door_visit(homes[0], round_id)
        await push(call, "worker", visit)
        again, twin = await push(call, "worker", visit, visit)
        assert (again["status"], again["first_status"]) == ("duplicate", "accepted")
        assert twin["status"] == "duplicate"
        assert (await tally(database, round_id))["visit_count"] == 1

    async def test_twins_in_one_batch_count_once(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        visit = door_visit(homes[0], round_id)
        first, second = await push(call, "worker", visit, visit)
        assert (first["status"], second["status"]) == ("accepted", "duplicate")
        assert (await tally(database, round_id))["visit_count"] == 1

    async def test_nobody_is_screened_because_a_door_was_knocked(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        unknown = [{"resident_id": str(homes[2].residents[0]), "status": "unknown"}]
        await push(
            call,
            "worker",
            door_visit(homes[0], round_id, "no_answer"),
            door_visit(homes[1], round_id, "answered_all", persons=[]),
            door_visit(homes[2], round_id, "answered_part", persons=unknown),
        )
        figures = await tally(database, round_id)
        assert "persons_done" not in figures
        assert (figures["no_answer"], figures["answered_part"]) == (1, 2)

    async def test_two_part_answers_make_a_whole_household(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        for resident in homes[0].residents:
            one = [{"resident_id": str(resident), "status": "well"}]
            await push(call, "worker", door_visit(homes[0], round_id, "answered_part", persons=one))
        assert await tally(database, round_id) == {"answered_all": 1, "persons_done": 2, "visit_count": 2}

    async def test_a_later_no_answer_does_not_undo_an_answer(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        late = "2026-02-02T09:00:00+08:00"
        await push(call, "worker", door_visit(homes[0], round_id, "no_answer", recorded_at=late))
        await push(call, "worker", door_visit(homes[0], round_id))
        assert (await tally(database, round_id))["answered_all"] == 1

    async def test_a_bad_command_does_not_take_its_neighbours_down(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        stranger = [{"resident_id": str(new_id()), "status": "well"}]
        results = await push(
            call,
            "worker",
            door_visit(homes[0], round_id),
            door_visit(Home(new_id(), new_id(), "901"), round_id),
            door_visit(homes[1], str(new_id())),
            door_visit(homes[1], round_id, persons=stranger),
            door_visit(homes[1], round_id, "danced"),
            command("people.delete_everybody", {}),
            door_visit(homes[2], round_id, note="有\x00字"),
            door_visit(homes[3], round_id),
        )
        assert [(r["status"], r["code"]) for r in results] == [
            ("accepted", None),
            ("rejected", "household_not_found"),
            ("rejected", "round_not_found"),
            ("rejected", "resident_not_found"),
            ("rejected", "shape_invalid"),
            ("rejected", "command_unknown"),
            ("accepted", None),
            ("accepted", None),
        ]
        assert (await tally(database, round_id))["visit_count"] == 3

    async def test_a_rejected_id_stays_rejected(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        bad = door_visit(homes[0], round_id, "danced")
        await push(call, "worker", bad)
        mended = bad | {"payload": door_visit(homes[0], round_id)["payload"]}
        (result,) = await push(call, "worker", mended)
        assert (result["status"], result["code"]) == ("rejected", "shape_invalid")

    async def test_another_community_does_not_exist(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, C, stair_of("1", "1", ["101"]))
        round_id = await make_round(call)
        plain, named = await push(
            call, "worker", door_visit(homes[0], round_id), door_visit(homes[0], round_id, community_code=C)
        )
        assert (plain["code"], named["code"]) == ("household_not_found", "household_not_found")

    async def test_a_street_pushes_without_naming_communities(self, call: Caller, database: Database) -> None:
        here = await make_homes(database, A, stair_of("1", "1", ["101"]))
        there = await make_homes(database, B, stair_of("1", "1", ["101"]))
        round_id = await make_round(call)
        results = await push(call, "street", door_visit(here[0], round_id), door_visit(there[0], round_id))
        assert [r["status"] for r in results] == ["accepted", "accepted"]


class TestHandOver:
    async def test_work_before_the_hand_over_is_in_order_and_after_it_is_flagged(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        area = await make_area(call, homes, "worker")
        round_id = await make_round(call)
        before = now().isoformat()
        other = {"account_id": str(call.personas["worker2"].id)}
        assert (await call("committee", "POST", f"/responsibility-areas/{area['id']}/assign", json=other)).is_success
        after = (now() + timedelta(seconds=2)).isoformat()
        results = await push(
            call,
            "worker",
            door_visit(homes[0], round_id, recorded_at=before),
            door_visit(homes[1], round_id, recorded_at=after),
        )
        assert [(r["status"], r["code"]) for r in results] == [("accepted", None), ("flagged", "epoch_old")]
        assert (await tally(database, round_id))["answered_all"] == 2

    async def test_a_door_never_held_is_credited_and_flagged(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database, holder=None)
        (result,) = await push(call, "worker", door_visit(homes[0], round_id))
        assert (result["status"], result["code"]) == ("flagged", "not_assigned")

    async def test_a_clock_a_day_ahead_is_flagged(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        ahead = (now() + timedelta(days=1)).isoformat()
        (result,) = await push(call, "worker", door_visit(homes[0], round_id, recorded_at=ahead))
        assert (result["status"], result["code"]) == ("flagged", "clock_skew")

    @pytest.mark.parametrize("days", [-1, 1])
    async def test_a_phone_whose_clock_is_wrong_by_a_day_is_credited_and_flagged(
        self, call: Caller, database: Database, days: int
    ) -> None:
        """Every kind of record of such a push; both times stand, and the desk sees by how much the clock is wrong."""
        homes, round_id = await prepared(call, database)
        shown = now() + timedelta(days=days)
        edit = command(
            "people.update_household", {"household_id": str(homes[2].id), "base_version": 99, "changes": {"note": "狗"}}
        )
        made = [door_visit(homes[0], round_id), care_visit(homes[1]), edit]
        body = {
            "device_id": str(PERSONAS["worker"].device_id),
            "sent_at": shown.isoformat(),
            "commands": [one | {"recorded_at": shown.isoformat()} for one in made],
        }
        results = (await call("worker", "POST", "/sync/commands", json=body)).json()["results"]
        assert [(r["status"], r["code"]) for r in results] == [("flagged", "clock_skew")] * 3
        for path in ("/door-visits", "/care-visits"):
            (item,) = (await call("committee", "GET", path, params={"community_code": A})).json()["items"]
            assert (item["is_flagged"], item["flag_code"]) == (True, "clock_skew")
            assert datetime.fromisoformat(item["recorded_at"]) == shown
            assert abs(datetime.fromisoformat(item["received_at"]) - now()) < timedelta(minutes=1)
        assert (await tally(database, round_id))["visit_count"] == 1
        devices = (await call("committee", "GET", "/devices", params={"community_code": A})).json()["items"]
        (device,) = [one for one in devices if one["id"] == str(PERSONAS["worker"].device_id)]
        assert abs(device["clock_error_s"] - days * 86_400) < 60

    async def test_a_record_made_by_a_wrong_clock_is_flagged_when_the_clock_is_right_again(
        self, call: Caller, database: Database
    ) -> None:
        """The phone knew by how much, so the time it says is right."""
        homes, round_id = await prepared(call, database)
        at = (now() - timedelta(hours=3)).isoformat()
        made = [
            door_visit(homes[0], round_id, recorded_at=at, clock_error_s=-86_400),
            door_visit(homes[1], round_id, recorded_at=at, clock_error_s=30),
        ]
        body = {"device_id": str(PERSONAS["worker"].device_id), "sent_at": now().isoformat(), "commands": made}
        results = (await call("worker", "POST", "/sync/commands", json=body)).json()["results"]
        assert [(r["status"], r["code"]) for r in results] == [("flagged", "clock_skew"), ("accepted", None)]
        async with database.session(EVERYWHERE) as session:
            kept = await session.execute(text("SELECT clock_error_s FROM sync_command ORDER BY status"))
            assert [row[0] for row in kept] == [None, -86_400]


class TestCareVisit:
    async def test_it_is_kept_with_its_needs_and_next_date(self, call: Caller, database: Database) -> None:
        homes, _ = await prepared(call, database)
        visit = care_visit(
            homes[0], condition="needs_attention", needs=["medicine"], note="降压药快吃完了", next_on="2026-02-05"
        )
        (result,) = await push(call, "worker", visit)
        assert result["status"] == "accepted"
        answer = await call("committee", "GET", "/care-visits", params={"community_code": A})
        (item,) = answer.json()["items"]
        assert (item["condition"], item["needs"], item["note"]) == ("needs_attention", ["medicine"], "降压药快吃完了")
        async with database.session(EVERYWHERE) as session:
            sealed = (await session.execute(text("SELECT note_sealed FROM care_visit"))).scalar_one()
        assert "降压药".encode() not in bytes(sealed)


class TestManyAtOnce:
    async def test_phones_pushing_together_lose_and_double_nothing(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", [f"{f}0{d}" for f in range(1, 9) for d in (1, 2, 3)]))
        round_id = await make_round(call)
        batches = [[door_visit(home, round_id) for home in homes] for _ in range(8)]
        sent = [push(call, who, *batch) for batch in batches for who in ("committee", "worker")]
        results = await asyncio.gather(*sent)
        assert all(r["status"] in ("accepted", "flagged", "duplicate") for batch in results for r in batch)
        figures = await tally(database, round_id)
        assert figures == {"answered_all": 24, "persons_done": 48, "visit_count": 8 * 24}

    async def test_the_day_count_is_the_servers(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        await push(call, "worker", *(door_visit(home, round_id) for home in homes), care_visit(homes[0]))
        status = (await call("worker", "GET", "/sync/status")).json()
        assert status["confirmed_today"] == 5
        count, broken = await audit.verify_chains(database)
        assert count > 0
        assert broken == []


class TestManyPhonesAtOnce:
    """Pushes that arrive together share a transaction; each phone has its own answer and its own failures."""

    async def test_each_is_answered_for_itself(self, call: Caller, database: Database) -> None:
        round_id = await make_round(call)
        homes = {code: await make_homes(database, code, stair_of("3", "2", ROOMS)) for code in (A, B, C)}
        desks = {A: "committee", B: "other_committee", C: "far_committee"}

        def work(code: str, at: int) -> list[dict[str, object]]:
            home = homes[code][at % 4]
            if at % 7 == 3:
                return [door_visit(home, round_id, "nobody_knows")]
            if at % 7 == 4:
                return [door_visit(homes[B if code != B else C][0], round_id)]  # somebody else's door
            if at % 7 == 5:
                return [care_visit(home), command("care.unheard_of", {})]
            return [door_visit(home, round_id, "no_answer"), door_visit(home, round_id)]

        batches = [(code, work(code, at)) for at in range(14) for code in (A, B, C)]
        answers = await asyncio.gather(*(push(call, desks[code], *commands) for code, commands in batches))
        said: dict[str, int] = {}
        for (_, commands), results in zip(batches, answers, strict=True):
            assert [r["id"] for r in results] == [c["id"] for c in commands]
            for result in results:
                key = result["code"] or result["status"]
                said[key] = said.get(key, 0) + 1
        assert said == {
            "accepted": 42, "asked_again": 12, "household_not_found": 6, "command_unknown": 6, "shape_invalid": 6,
        }  # fmt: skip
        async with database.session(EVERYWHERE) as session:
            counted = await session.execute(
                text("SELECT community_code, count(*) FROM door_visit GROUP BY 1 ORDER BY 1")
            )
            assert [tuple(row) for row in counted] == [(A, 16), (B, 16), (C, 16)]
            assert await screening.find_tally_drift(session) == []
        assert (await audit.verify_chains(database))[1] == []

    async def test_who_may_only_look_somewhere_records_nothing_there(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        (there,) = await make_homes(database, B, stair_of("1", "1", ["101"]))
        async with database.session(EVERYWHERE) as session:
            grant = "INSERT INTO role_grant (account_id, role, division_prefix) VALUES (:id, 'viewer', :b)"
            await session.execute(text(grant), {"id": call.personas["worker"].id, "b": B})
        mine, named, found = await push(
            call,
            "worker",
            door_visit(homes[0], round_id),
            door_visit(there, round_id, community_code=B),
            care_visit(there),
        )
        assert (mine["status"], mine["code"]) == ("accepted", None)
        assert [(r["status"], r["code"]) for r in (named, found)] == [("rejected", "not_allowed")] * 2
        async with database.session(EVERYWHERE) as session:
            written = "SELECT count(*) FROM door_visit UNION ALL SELECT count(*) FROM care_visit"
            assert sorted((await session.scalars(text(written))).all()) == [0, 1]

    async def test_one_sent_twice_at_once_counts_once(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        visit = door_visit(homes[0], round_id)
        answers = await asyncio.gather(*(push(call, "worker", visit) for _ in range(12)))
        assert sorted(a[0]["status"] for a in answers) == ["accepted"] + ["duplicate"] * 11
        assert (await tally(database, round_id))["visit_count"] == 1

    async def test_a_community_held_by_a_long_work_does_not_hold_up_its_neighbours(
        self, call: Caller, database: Database
    ) -> None:
        round_id = await make_round(call)
        homes = {code: await make_homes(database, code, stair_of("3", "2", ROOMS)) for code in (A, B, C)}
        desks = {A: "committee", B: "other_committee", C: "far_committee"}
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("SELECT 1 FROM community_clock WHERE community_code = :c FOR UPDATE"), {"c": A})
            held = [asyncio.create_task(push(call, desks[A], door_visit(home, round_id))) for home in homes[A][:2]]
            await asyncio.sleep(0.1)
            free = [push(call, desks[code], door_visit(homes[code][at], round_id)) for code in (B, C) for at in (0, 1)]
            answers = await asyncio.wait_for(asyncio.gather(*free), 60)
            assert {a[0]["status"] for a in answers} == {"accepted"}
            assert not any(task.done() for task in held)
        assert {(await task)[0]["status"] for task in held} == {"accepted"}
