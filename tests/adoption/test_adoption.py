"""Codes change under a community at work: its rows go along, whole or divided, and nobody's record is lost."""

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.adoption import service
from app.adoption.carrying import TRAIL, community_tables
from app.adoption.plan import Listed, Part
from app.all_models import metadata
from app.areas import codes
from app.audit import service as audit
from app.core.area_code import ancestors_of, level_of
from app.core.db import EVERYWHERE, Database
from app.people import service as people
from app.screening import service as screening
from tests.makers import (
    Home,
    care_visit,
    command,
    door_visit,
    make_area,
    make_homes,
    make_post,
    make_round,
    push,
    stair_of,
)
from tests.not_home.test_self_reports import MISSES, printed, try_code
from tests.personas import CITY, DISTRICT, DIVISIONS, STREET, A, B, C, Caller

NEW_DISTRICT, NEW_STREET, NEW_A, NEW_B = "990103000000", "990103001000", "990103001001", "990103001002"
DAY = date(2026, 11, 26)
NAMES = {one.code: one.name for one in DIVISIONS}


def listing(names: Mapping[str, str]) -> list[Listed]:
    """A list out of codes and names."""
    return [Listed(c, n, level_of(c), (ancestors_of(c) or [None])[-1]) for c, n in sorted(names.items())]


async def adopt(call: Caller, database: Database, names: Mapping[str, str], answers: Mapping[str, list[Part]]) -> int:
    """Plan and apply."""
    listed = listing(names)
    plan, _ = await service.plan_adoption(database, metadata, listed, answers, "9901")
    assert plan.is_ready, (plan.problems, plan.questions)
    carried = await service.apply_adoption(database, metadata, plan, listed, on=DAY, source="2027.csv", wait=0)
    # instead of the wait, after which every process has heard
    codes.forget(call.http._transport.app.state.database)  # type: ignore[attr-defined]
    return carried


def moved_district() -> dict[str, str]:
    """The list in which the eastern district has another code and name, and all below it another code."""
    swap = {DISTRICT: NEW_DISTRICT, STREET: NEW_STREET, A: NEW_A, B: NEW_B}
    return {swap.get(code, code): "东新区" if code == DISTRICT else name for code, name in NAMES.items()}


async def rows(database: Database) -> dict[str, int]:
    """How many rows there are of everything that belongs to communities."""
    async with database.session(EVERYWHERE) as session:
        return {
            t.name: await session.scalar(text(f"SELECT count(*) FROM {t.name}")) or 0
            for t in community_tables(metadata)
            if t.name not in ("community_clock", "screening_tally")
        }


async def check_holds(database: Database) -> None:
    """Tallies equal their rows and all chains hold."""
    async with database.session(EVERYWHERE) as session:
        assert [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)] == []
    count, broken = await audit.verify_chains(database)
    assert count > 0
    assert broken == []


async def fill(call: Caller, database: Database) -> tuple[list[Home], dict[str, Any], str]:
    """A community at work: doors, an area that is held, visits, care, a post, a reveal, an edit, official counts."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201", "202"]))
    area = await make_area(call, homes[:2], "worker")
    round_id = await make_round(call)
    await push(call, "worker", door_visit(homes[0], round_id, note="在"), care_visit(homes[0], needs=["food"]))
    post = await make_post(call, title="卡口")
    await call("worker2", "POST", f"/posts/{post['id']}/claim")
    path = f"/residents/{homes[0].residents[0]}/reveal"
    assert (await call("committee", "POST", path, json={"fields": ["phone"], "purpose": "回访"})).is_success
    assert (await call("committee", "PATCH", f"/households/{homes[0].id}", json={"note": "有犬"})).is_success
    body = {"source": "公安", "as_of": "2026-01-31", "items": [{"community_code": A, "households": 5}]}
    assert (await call("client", "PUT", "/headcounts/expected", json=body)).is_success
    return homes, area, round_id


TEMPLATE = {"name": "模板", "title": "返乡排查"}
RISK = {"place": {"name": "望江县"}, "from_on": "2026-11-10", "to_on": "2026-11-20"}


async def keep_things(call: Caller, who: str, code: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A risk area and a template of a division."""
    risk_area = await call(who, "POST", "/risk-areas", json={**RISK, "division_code": code, **more})
    template = await call(who, "POST", "/round-templates", json={**TEMPLATE, "division_code": code})
    assert (risk_area.status_code, template.status_code) == (201, 201), (risk_area.text, template.text)
    return risk_area.json(), template.json()


async def kept(call: Caller, who: str, code: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Templates by name and division that a division may use, and whose risk areas concern it."""
    found = [
        (await call(who, "GET", path, params={"area": code})).json()["items"]
        for path in ("/round-templates", "/risk-areas")
    ]
    templates, risk_areas = found
    return (
        sorted(((one["name"], one["division_code"]) for one in templates), key=lambda one: one[::-1]),
        sorted(one["division_code"] for one in risk_areas),
    )


async def notices_of(call: Caller, round_id: str, *homes: Home) -> list[str]:
    """The addresses on the notices of doors at which nobody opened."""
    await push(
        call, "worker", *(door_visit(home, round_id, "no_answer", recorded_at=at) for home in homes for at in MISSES)
    )
    return [await printed(call, home, round_id) for home in homes]


class TestADistrictMoves:
    async def test_rows_go_along_and_nothing_is_lost(self, call: Caller, database: Database) -> None:
        homes, _, round_id = await fill(call, database)
        (notice,) = await notices_of(call, round_id, homes[3])
        before = await rows(database)
        assert await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]}) == 2
        assert await rows(database) == before
        # what hangs at the door goes on leading behind it
        assert (await try_code(call, notice, homes[3].room, "甲"))[0] == 200
        await check_holds(database)
        async with database.session(EVERYWHERE) as session:
            for table in community_tables(metadata):
                left = await session.scalar(
                    text(f"SELECT count(*) FROM {table.name} WHERE community_code LIKE '990101%'")
                )
                assert left == 0, table.name
        listed = await call("committee", "GET", "/households", params={"community_code": NEW_A})
        assert [one["room"] for one in listed.json()["items"]] == ["101", "102", "201", "202"]
        city = (await call("city", "GET", "/coverage", params={"area": CITY})).json()
        assert {one["code"]: one["households"] for one in city["items"]} == {NEW_DISTRICT: 4, "990102000000": None}
        assert city["total"]["expected"]["households"] == 5

    async def test_both_trails_say_so_and_the_old_one_stays(self, call: Caller, database: Database) -> None:
        await fill(call, database)
        async with database.session(EVERYWHERE) as session:
            old = await session.scalar(text("SELECT count(*) FROM audit_entry WHERE community_code = :a"), {"a": A})
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        async with database.session(EVERYWHERE) as session:
            trail = (
                await session.execute(
                    text(
                        "SELECT community_code, seq, action, subjects, encode(hash, 'hex') AS hash FROM audit_entry "
                        "WHERE community_code IN (:a, :n) AND action LIKE '%_community' ORDER BY 1"
                    ),
                    {"a": A, "n": NEW_A},
                )
            ).all()
        (last, first) = trail
        assert (last.community_code, last.seq, last.action, last.subjects) == (A, old + 1, "carry_community", [NEW_A])
        assert (first.action, first.subjects) == ("receive_community", [A, f"{last.seq}:{last.hash}"])
        assert {t.name for t in community_tables(metadata)}.isdisjoint(TRAIL)

    async def test_a_phone_with_unsent_work_is_taken_and_credited(self, call: Caller, database: Database) -> None:
        homes, area, round_id = await fill(call, database)
        sent = door_visit(homes[1], round_id, community_code=A)
        assert (await push(call, "worker", sent))[0]["status"] == "accepted"
        pulled = (await call("worker", "GET", f"/sync/areas/{area['id']}")).json()
        held = [door_visit(homes[1], round_id, "refused", community_code=A), care_visit(homes[1], community_code=A)]
        edit = {"household_id": str(homes[1].id), "base_version": pulled["version"], "changes": {"note": "改后"}}
        held.append(command("people.update_household", edit, community_code=A))
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        results = await push(call, "worker", *held, sent)
        assert [(r["status"], r.get("code")) for r in results] == [("accepted", None)] * 3 + [("duplicate", None)]
        (own,) = (await call("worker", "GET", "/sync/areas")).json()
        assert (own["id"], own["community_code"], own["epoch"]) == (area["id"], NEW_A, 1)
        again = (await call("worker", "GET", f"/sync/areas/{area['id']}?since={pulled['version']}")).json()
        assert (again["reset"], len(again["upserts"]["households"]["i"])) == (True, 2)
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": NEW_A})).json()["items"]
        assert [(v["outcome"], v["actor_name"]) for v in visits if v["household_id"] == str(homes[1].id)] == [
            ("refused", "worker 某"), ("answered_all", "worker 某"),
        ]  # fmt: skip
        await check_holds(database)

    async def test_an_old_code_is_understood(self, call: Caller, database: Database) -> None:
        await fill(call, database)
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        listed = await call("committee", "GET", "/households", params={"community_code": A})
        assert len(listed.json()["items"]) == 4
        assert (await call("committee", "GET", f"/areas/{A}")).json()["code"] == NEW_A
        assert (await call("street", "GET", "/coverage", params={"area": STREET})).json()["area"]["code"] == NEW_STREET
        items = [{"community_code": A, "households": 6}, {"community_code": B, "households": 7}]
        body = {"source": "公安", "as_of": "2026-02-28", "items": items}
        answer = await call("client", "PUT", "/headcounts/expected", json=body)
        assert answer.json() == {"accepted": 2, "unchanged": 0, "rejected": []}
        roster = (
            "名册.csv",
            "村居代码,姓名,楼号,单元,房号,与户主关系\n".encode() + f"{A},王甲,8,1,101,户主\n".encode(),
            "text/csv",
        )
        form = {"kind": "roster", "community_code": A, "dry_run": "true"}
        made = await call("committee", "POST", "/imports", data=form, files={"file": roster})
        assert made.status_code == 202, made.text
        assert (await call("far_committee", "GET", "/households", params={"community_code": A})).status_code == 404

    async def test_who_looked_at_a_person_before_is_still_told(self, call: Caller, database: Database) -> None:
        homes, _, _ = await fill(call, database)
        facts = {"relation": "户主", "name": "新名", "reason": "本人更正"}
        path = f"/residents/{homes[0].residents[0]}"
        assert (await call("committee", "PATCH", path, json=facts)).is_success
        before = (await call("committee", "GET", f"{path}/access-log")).json()["items"]
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        after = (await call("committee", "GET", f"{path}/access-log")).json()["items"]
        assert [one for one in after if one["action"] != "list_access_log"] == before
        assert {"reveal", "correction", "update_resident"} <= {one["action"] for one in after}

    async def test_grants_and_history(self, call: Caller, database: Database) -> None:
        await fill(call, database)
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        grants = {who: (await call(who, "GET", "/me")).json()["grants"] for who in ("committee", "street", "district")}
        assert {who: [(g["division_code"], g["name"]) for g in held] for who, held in grants.items()} == {
            "committee": [(NEW_A, "甲社区")],
            "street": [(NEW_STREET, "花园街道")],
            "district": [(NEW_DISTRICT, "东新区")],
        }
        told = (await call("street", "GET", "/areas/changes", params={"area": NEW_STREET})).json()["items"]
        assert {(c["kind"], c["old_code"], c["new_code"]) for c in told} == {
            ("moved", STREET, NEW_STREET), ("moved", A, NEW_A), ("moved", B, NEW_B),
        }  # fmt: skip
        assert all((c["effective_on"], c["source"]) == ("2026-11-26", "2027.csv") for c in told)
        # the same list again says nothing new
        plan, _ = await service.plan_adoption(database, metadata, listing(moved_district()), {}, "9901")
        assert plan.is_empty

    async def test_what_a_level_keeps_goes_along(self, call: Caller, database: Database) -> None:
        await fill(call, database)
        here, _ = await keep_things(call, "district", DISTRICT, place={"name": "东区", "code": DISTRICT})
        answer, template = await keep_things(call, "committee", A)
        made = await call("committee", "POST", f"/risk-areas/{answer['id']}/round", json={"division_code": A})
        assert made.is_success, made.text
        await adopt(call, database, moved_district(), {DISTRICT: [Part(NEW_DISTRICT)]})
        assert await kept(call, "committee", NEW_A) == (
            [("模板", NEW_DISTRICT), ("模板", NEW_A)],
            [NEW_DISTRICT, NEW_A],
        )
        # the round that was made of it is known by it, and a place is looked for under today's code
        path = f"/risk-areas/{answer['id']}"
        again = await call("committee", "GET", path, params={"area": NEW_A})
        assert again.json()["round_id"] == made.json()["id"]
        path = f"/risk-areas/{here['id']}/communities"
        counts = (await call("committee", "GET", path, params={"area": NEW_A})).json()["items"]
        assert [(one["community_code"], one["there"]) for one in counts] == [(NEW_A, 4)]
        replaced = await call("committee", "POST", "/round-templates", json={**TEMPLATE, "division_code": NEW_A})
        assert replaced.json()["id"] == template["id"]

    async def test_cut_off_between_its_steps_it_goes_on(self, call: Caller, database: Database) -> None:
        homes, _, round_id = await fill(call, database)
        before = await rows(database)
        listed = listing(moved_district())
        plan, _ = await service.plan_adoption(database, metadata, listed, {DISTRICT: [Part(NEW_DISTRICT)]}, "9901")
        async with database.session(EVERYWHERE) as session:
            await service._begin(session, plan, listed, DAY, "2027.csv")
        # meanwhile work goes on under the old code
        assert (await push(call, "worker", door_visit(homes[1], round_id)))[0]["status"] == "accepted"
        plan, _ = await service.plan_adoption(database, metadata, listed, {}, "9901")
        assert plan.is_empty
        assert await service.apply_adoption(database, metadata, plan, listed, on=DAY, source="x", wait=0) == 2
        after = await rows(database)
        assert after == before | {name: after[name] for name in after if name in _VISITED}
        await check_holds(database)


async def set_carried(database: Database, when: str) -> None:
    """Say when doors of A were last given to another code."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(
            text(f"UPDATE community_clock SET carried_at = {when} WHERE community_code = :a"), {"a": A}
        )


_VISITED = ("door_visit", "household_screening", "person_check", "sync_command", "confirmed_day")


class TestACommunityIsDivided:
    NEW = "990101001003"

    @pytest.mark.parametrize("rest", [A, "990101001004"])
    async def test_by_building_and_area(self, call: Caller, database: Database, rest: str) -> None:
        homes, area, round_id = await fill(call, database)
        notices = await notices_of(call, round_id, homes[1], homes[3])
        far = await make_homes(database, A, stair_of("4", "1", ["101", "102"]))
        await push(call, "committee", door_visit(far[-1], round_id))
        before = await rows(database)
        names = {code: name for code, name in NAMES.items() if code != A} | {self.NEW: "甲新社区", rest: "甲社区"}
        parts = [Part(self.NEW, "area", area["name"]), Part(self.NEW, "building", "|4"), Part(rest)]
        assert await adopt(call, database, names, {A: parts}) == 1
        assert await rows(database) == before
        for home, notice in zip((homes[1], homes[3]), notices, strict=True):
            assert (await try_code(call, notice, home.room, "甲"))[0] == 200
        await check_holds(database)
        async with database.session(EVERYWHERE) as session:
            split = await session.execute(text("SELECT community_code, count(*) FROM household GROUP BY 1 ORDER BY 1"))
            assert dict(split.all()) == {self.NEW: 4, rest: 2}
            held = await session.execute(text("SELECT DISTINCT community_code FROM responsibility_area"))
            assert held.scalars().all() == [self.NEW]
        if rest == A:
            await set_carried(database, "now() + interval '1 minute'")
            unheard = await call("committee", "PATCH", f"/households/{homes[2].id}", json={"note": "x"})
            assert unheard.status_code == 503, "who looked for a door before it went looks again"
            await set_carried(database, "now() - interval '1 minute'")
        # what the phone had sent before is known again, and what it holds is taken where the door is now
        results = await push(call, "worker", door_visit(homes[0], round_id, "refused", community_code=A))
        assert results[0]["status"] == "accepted"
        me = (await call("committee", "GET", "/me")).json()["grants"]
        assert {g["division_code"] for g in me} == {self.NEW, rest}

    async def test_an_area_is_not_torn_and_what_is_not_there_is_said(self, call: Caller, database: Database) -> None:
        _, area, _ = await fill(call, database)
        names = NAMES | {self.NEW: "甲新社区"}
        for part, said in ((Part(self.NEW, "building", "|9"), "no door is in"), (Part(self.NEW, "compound", ""), "")):
            plan, _ = await service.plan_adoption(database, metadata, listing(names), {A: [part, Part(A)]}, "9901")
            assert any(said in problem for problem in plan.problems) == bool(said)
        more = await make_homes(database, A, stair_of("5", "1", ["101"]))
        add = {"add_dwelling_ids": [str(more[-1].dwelling_id)]}
        assert (await call("committee", "PATCH", f"/responsibility-areas/{area['id']}", json=add)).is_success
        answers = {A: [Part(self.NEW, "building", "|5"), Part(A)]}
        plan, _ = await service.plan_adoption(database, metadata, listing(names), answers, "9901")
        assert any("torn" in problem for problem in plan.problems)


class TestCommunitiesAreMerged:
    async def test_doors_with_the_same_address_stay_two(self, call: Caller, database: Database) -> None:
        _, _, round_id = await fill(call, database)
        theirs = await make_homes(database, B, stair_of("3", "2", ["101", "301"]))
        await push(call, "other_committee", door_visit(theirs[0], round_id))
        body = {"source": "公安", "as_of": "2026-01-31", "items": [{"community_code": B, "households": 2}]}
        assert (await call("client", "PUT", "/headcounts/expected", json=body)).is_success
        ours, _ = await keep_things(call, "committee", A)
        other, _ = await keep_things(call, "other_committee", B)
        made = await call("other_committee", "POST", f"/risk-areas/{other['id']}/round", json={"division_code": B})
        assert made.is_success, made.text
        before = await rows(database)
        names = {code: name for code, name in NAMES.items() if code != B}
        assert await adopt(call, database, names, {B: [Part(A)]}) == 1
        after = await rows(database)
        assert after["dwelling"] == before["dwelling"] == 6
        assert {n: after[n] for n in after if n != "confirmed_day"} == {
            n: before[n] for n in before if n != "confirmed_day"
        }
        await check_holds(database)
        listed = (await call("committee", "GET", "/households", params={"community_code": A})).json()["items"]
        assert sorted((one["compound"], one["room"]) for one in listed) == [
            ("", "101"), ("", "102"), ("", "201"), ("", "202"), ("乙社区", "101"), ("乙社区", "301"),
        ]  # fmt: skip
        other = (await call("other_committee", "GET", "/households", params={"community_code": B})).json()["items"]
        assert len(other) == 6
        # the same place is asked about once; of two templates with a name one says whose it was
        assert await kept(call, "committee", A) == ([("模板", A), ("模板（乙社区）", A)], [A])
        found = await call("committee", "GET", f"/risk-areas/{ours['id']}", params={"area": A})
        assert found.json()["round_id"] == made.json()["id"]
        # what was said of each alone is not said of both
        coverage = (await call("city", "GET", "/coverage", params={"area": A})).json()
        assert coverage["total"]["expected"] is None
        assert (await call("far_committee", "GET", "/households", params={"community_code": C})).status_code == 200


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_divided_and_merged_nothing_is_lost(call: Caller, database: Database, seed: int) -> None:
    """Buildings of two communities, with visits, dealt out at random among old and new codes."""
    draw = random.Random(seed)
    round_id = await make_round(call)
    buildings = {A: ["1", "2", "3"], B: ["2", "3", "4"]}
    for code, who in ((A, "committee"), (B, "other_committee")):
        for building in buildings[code]:
            await make_homes(database, code, stair_of(building, "1", ["101", "102"], persons=draw.randint(1, 3)))
        homes = [home for home in await make_homes(database, code, []) if home.residents]
        await make_area(call, [home for home in homes if home.room == "101"][:1], None, code)
        for home in draw.sample(homes, 4):
            visit = door_visit(
                home, round_id, draw.choice(["answered_all", "refused", "no_answer"]), community_code=code
            )
            await push(call, who, visit, care_visit(home, community_code=code))
    fresh = {"990101001005": "戊社区", "990102001006": "己社区"}
    keeps = draw.random() < 0.5
    names = NAMES | fresh
    answers: dict[str, list[Part]] = {}
    for code in (A, B):
        rest = A if code == A and keeps else draw.choice(list(fresh))
        dealt = [b for b in buildings[code] if draw.random() < 0.5]
        answers[code] = [Part(draw.choice([*fresh, *([A] if keeps else [])]), "building", f"|{b}") for b in dealt]
        answers[code].append(Part(rest))
    names = {code: name for code, name in names.items() if code != B and (keeps or code != A)}
    before = await rows(database)
    await adopt(call, database, names, answers)
    after = await rows(database)
    # one account's counts of one day under one code are one
    assert after == before | {"confirmed_day": after["confirmed_day"]}
    await check_holds(database)
    async with database.session(EVERYWHERE) as session:
        codes_left = await session.scalars(text("SELECT DISTINCT community_code FROM dwelling"))
        assert set(codes_left.all()) <= {*fresh, *([A] if keeps else [])}
        keys = (await session.execute(text("SELECT address_key, community_code FROM dwelling"))).all()
        assert len(set(keys)) == len(keys) == before["dwelling"]
