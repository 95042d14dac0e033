"""Merging and undoing: both histories stay, nobody counts twice or is lost, and the same rows come back."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.all_models import metadata
from app.audit.service import SYSTEM
from app.core import crypto, rotation
from app.core.clock import now, today
from app.core.config import get_settings
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people import service as people
from app.privacy import retention
from app.residence import service as residence
from app.residence.models import ReasonOut
from app.screening import service as screening
from tests.duplicates.pairs import (
    differences,
    door,
    id_of,
    listed,
    person,
    post,
    present,
    register,
    rows_of,
    search,
)
from tests.makers import (
    Home,
    answers_on,
    command,
    jpeg,
    make_area,
    make_round,
    push,
    report_by_code,
    take_photo,
)
from tests.personas import A, Caller


async def drift(database: Database) -> list[Any]:
    """Tallies that differ from a recount."""
    async with database.session(EVERYWHERE) as session:
        return [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)]


def knock(
    home: str, round_id: str, persons: dict[str, str], outcome: str = "answered_part", **more: Any
) -> dict[str, Any]:
    """A knock at which so much was said of whom."""
    said = [{"resident_id": one, "status": status} for one, status in persons.items()]
    payload = {"household_id": home, "round_id": round_id, "outcome": outcome, "persons": said}
    return command("screening.record_door_visit", payload, **more)


def cared(home: str, resident: str | None = None, **more: Any) -> dict[str, Any]:
    """A care visit."""
    payload = {"household_id": home, "condition": more.pop("condition", "well"), "needs": []}
    payload |= {"resident_id": resident} if resident else {}
    return command("care.record_visit", payload, **more)


class Twice:
    """Somebody who stands behind two doors, with family at the first; both have been visited."""

    def __init__(self, **ids: str) -> None:
        self.__dict__.update(ids)
        self.ids = ids

    def __getattr__(self, name: str) -> str:
        return self.ids[name]


@pytest.fixture
async def twice(call: Caller, database: Database) -> Twice:
    one = person(number=id_of(date(1980, 3, 12), 101), phone="13800000001", relation="户主")
    wife = person("钱二", date(1981, 1, 1), sex=2, relation="配偶")
    other = person(phone="13800000002", workplace="纺织厂", tags=["党员"])
    father = person("赵父", date(1950, 1, 1), relation="父亲")
    first, second = door("101", one, wife), door("601", other, father, head="赵一同", phone="13800000009")
    await register(database, first, second)
    area = await make_area(call, await homes_of(database), "worker")
    open_round = await make_round(call)
    closed = await make_round(call)
    ids = {
        "one": str(one.id), "other": str(other.id), "wife": str(wife.id), "father": str(father.id),
        "home": str(first.households[0].id), "other_home": str(second.households[0].id),
        "area": area["id"], "round": open_round, "closed": closed,
    }  # fmt: skip
    twice = Twice(**ids)
    await push(
        call, "worker",
        knock(twice.home, closed, {twice.one: "well", twice.wife: "well"}, "answered_all"),
        knock(twice.other_home, closed, {twice.other: "symptoms"}),
        knock(twice.home, open_round, {twice.wife: "well"}, recorded_at="2026-02-01T10:00:00+08:00"),
        knock(twice.other_home, open_round, {twice.other: "symptoms"}, recorded_at="2026-02-01T11:00:00+08:00"),
        cared(twice.home), cared(twice.other_home, twice.other, recorded_at="2026-02-02T09:00:00+08:00"),
    )  # fmt: skip
    assert (await call("city", "POST", f"/rounds/{closed}/close")).is_success
    await search(database)
    return twice


async def homes_of(database: Database) -> list[Home]:
    """All households, for an area over their doors."""
    async with database.session(EVERYWHERE) as session:
        rows = await session.execute(text("SELECT id, dwelling_id FROM household ORDER BY id"))
        return [Home(row.id, row.dwelling_id, "") for row in rows]


async def merge(call: Caller, twice: Twice, **asked: Any) -> dict[str, Any]:
    """Merge the one pair there is; the first of the two stays."""
    (found,) = await listed(call)
    return await post(call, f"/duplicates/{found['id']}/merge", {"keep": twice.one} | asked)


async def pulled(call: Caller, area: str, since: int = 0) -> dict[str, Any]:
    """What the worker's phone gets of an area."""
    answer = await call("worker", "GET", f"/sync/areas/{area}", params={"since": since})
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


async def follow_ups(call: Caller) -> list[dict[str, Any]]:
    """The committee's follow-ups, open and closed."""
    read: list[dict[str, Any]] = (await call("committee", "GET", "/follow-ups", params={"community_code": A})).json()[
        "items"
    ]
    return read


async def coverage(call: Caller, round_id: str) -> dict[str, Any]:
    """How far a round is in A."""
    answer = await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})
    total: dict[str, Any] = answer.json()["total"]
    return {k: total[k] for k in ("households_done", "persons", "persons_done", "persons_missing", "symptoms")}


class TestMergePeople:
    async def test_one_stands_for_both_and_the_same_rows_come_back(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        (found,) = await listed(call)
        assert (found["kind"], found["reasons"]) == ("person", ["same_name", "same_birth_date"])
        assert {side["address"] for side in found["sides"]} == {"3号楼 2单元 101", "3号楼 2单元 601"}
        assert found["differences"] == ["phone"]
        assert "13800000002" not in str(found)
        before = await rows_of(database)
        phone = await pulled(call, twice.area)
        assert await coverage(call, twice.round) == {
            "households_done": 0, "persons": 4, "persons_done": 2, "persons_missing": 2, "symptoms": 1,
        }  # fmt: skip

        merged = await post(call, f"/duplicates/{found['id']}/merge", {"keep": twice.one, "take": ["phone"]})
        assert (merged["kept_id"], merged["gone_id"], merged["merged_by_name"]) == (
            twice.one, twice.other, "committee 某",
        )  # fmt: skip
        assert await drift(database) == []
        # who was answered for behind the other door is answered for at home, once
        assert await coverage(call, twice.round) == {
            "households_done": 1, "persons": 3, "persons_done": 2, "persons_missing": 1, "symptoms": 1,
        }  # fmt: skip
        assert (await coverage(call, twice.closed))["persons_done"] == 2
        row = await present(database, twice.one)
        assert (row["workplace"], row["tags"]) == ("纺织厂", ["党员"])
        change = await pulled(call, twice.area, phone["version"])
        assert twice.other not in change["upserts"]["residents"]["i"]
        assert {twice.one, twice.father, twice.wife} <= set(change["upserts"]["residents"]["i"])
        homes = dict(zip(change["upserts"]["households"]["i"], change["upserts"]["households"]["h"], strict=True))
        assert homes[twice.other_home] == "赵父"
        params = {"household_id": twice.home, "community_code": A}
        assert len((await call("committee", "GET", "/care-visits", params=params)).json()["items"]) == 2
        assert await listed(call) == []

        undone = await post(call, f"/merges/{merged['id']}/undo")
        assert undone["undone_by_name"] == "committee 某"
        assert differences(before, await rows_of(database)) == []
        assert await drift(database) == []
        again = await pulled(call, twice.area, change["version"])
        assert twice.other in again["upserts"]["residents"]["i"]
        (back,) = await listed(call)
        assert (back["id"], back["status"]) == (found["id"], "open")
        twice_undone = await call("committee", "POST", f"/merges/{merged['id']}/undo")
        assert (twice_undone.status_code, twice_undone.json()["code"]) == (409, "merge_undone")
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [e["action"] for e in entries[:2]] == ["undo_merge", "merge_residents"]

    async def test_what_a_phone_still_sends_for_the_id_that_went_is_credited_once(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        merged = await merge(call, twice)
        late = {"recorded_at": "2026-02-03T08:00:00+08:00"}
        visit = knock(twice.other_home, twice.round, {twice.other: "away", twice.father: "well"}, **late)
        care = cared(twice.other_home, twice.other, condition="needs_attention", **late)
        edit = command(
            "people.update_resident",
            {
                "household_id": twice.other_home, "resident_id": twice.other, "base_version": 10_000,
                "changes": {"phone": "13800000003"},
            },
        )  # fmt: skip
        results = await push(call, "worker", visit, care, edit)
        assert [one["status"] for one in results] == ["accepted"] * 3
        assert [one["status"] for one in await push(call, "worker", visit)] == ["duplicate"]
        assert await drift(database) == []
        assert await coverage(call, twice.round) == {
            "households_done": 2, "persons": 3, "persons_done": 3, "persons_missing": 0, "symptoms": 0,
        }  # fmt: skip
        people_ = (await call("committee", "GET", f"/households/{twice.home}/residents")).json()["items"]
        assert next(one for one in people_ if one["id"] == twice.one)["phone_masked"] == "138****0003"
        read = (await call("committee", "GET", "/care-households", params={"community_code": A})).json()["items"]
        assert {one["household_id"]: one["condition"] for one in read} == {twice.home: "needs_attention"}

        # parted, each has what was given for them; what was written of both since stays with who stood for both
        await post(call, f"/merges/{merged['id']}/undo")
        assert await drift(database) == []
        assert await coverage(call, twice.round) == {
            "households_done": 1, "persons": 4, "persons_done": 3, "persons_missing": 1, "symptoms": 0,
        }  # fmt: skip
        rows = await rows_of(database)
        checks = {str(k["resident_id"]): k["status"] for k in rows["person_check"] if str(k["round_id"]) == twice.round}
        assert checks == {twice.other: "away", twice.father: "well", twice.wife: "well"}
        assert {str(v["resident_id"]) for v in rows["care_visit"] if v["resident_id"]} == {twice.other}
        people_ = (await call("committee", "GET", f"/households/{twice.home}/residents")).json()["items"]
        assert next(one for one in people_ if one["id"] == twice.one)["phone_masked"] == "138****0003"

    async def test_follow_ups_stand_with_who_stands_for_both_and_part_again(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        late = {"recorded_at": "2026-02-03T08:00:00+08:00"}
        await push(call, "worker", knock(twice.home, twice.round, {twice.one: "symptoms"}, **late))
        before = {one["resident_id"]: one for one in await follow_ups(call)}
        assert {one: found["finding_count"] for one, found in before.items()} == {twice.one: 1, twice.other: 2}
        await post(call, f"/follow-ups/{before[twice.other]['id']}/take", {})
        rows = await rows_of(database)

        merged = await merge(call, twice)
        (joined,) = await follow_ups(call)
        assert (joined["resident_id"], joined["household_id"], joined["finding_count"]) == (twice.one, twice.home, 3)
        assert (joined["id"], joined["owner"]["name"]) == (before[twice.one]["id"], "committee 某")
        await post(call, f"/merges/{merged['id']}/undo")
        assert differences(rows, await rows_of(database)) == []

        # what comes in meanwhile goes with the id it was given for; an end that was both's is the end of one
        (again,) = await listed(call)
        merged = await post(call, f"/duplicates/{again['id']}/merge", {"keep": twice.one})
        hot = knock(twice.other_home, twice.round, {twice.other: "symptoms", twice.father: "symptoms"}, **late)
        assert [one["status"] for one in await push(call, "worker", hot)] == ["accepted"]
        counts = {one["resident_id"]: one["finding_count"] for one in await follow_ups(call)}
        assert counts == {twice.one: 4, twice.father: 1}
        await post(call, f"/follow-ups/{joined['id']}/close", {"outcome": "ruled_out"})
        await post(call, f"/merges/{merged['id']}/undo")
        after = {one["resident_id"]: one for one in await follow_ups(call)}
        assert {one: found["finding_count"] for one, found in after.items()} == {
            twice.one: 1, twice.other: 3, twice.father: 1,
        }  # fmt: skip
        assert (after[twice.one]["outcome"], after[twice.other]["closed_at"]) == ("ruled_out", None)
        assert after[twice.other]["household_id"] == twice.other_home
        flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()
        assert flags["follow_ups"] == 2

    async def test_it_is_refused_where_it_cannot_be(self, call: Caller, database: Database, twice: Twice) -> None:
        (found,) = await listed(call)
        path = f"/duplicates/{found['id']}/merge"
        for who, status in {"other_committee": 404, "viewer": 403, "worker": 403, "street": 422}.items():
            assert (await call(who, "POST", path, json={"keep": twice.wife})).status_code == status
        merged = await merge(call, twice)
        again = await call("committee", "POST", path, json={"keep": twice.one})
        assert (again.status_code, again.json()["code"]) == (409, "duplicate_decided")
        undo = f"/merges/{merged['id']}/undo"
        for who, status in {"other_committee": 404, "far_street": 404, "viewer": 403}.items():
            assert (await call(who, "POST", undo)).status_code == status

        # a third entry of the same person is merged into who stands for both: that comes apart first
        third = person()
        await register(database, door("701", third))
        await search(database)
        (found,) = await listed(call)
        later = await post(call, f"/duplicates/{found['id']}/merge", {"keep": str(third.id)})
        answer = await call("committee", "POST", undo)
        assert (answer.status_code, answer.json()["code"]) == (409, "merge_not_last")
        visit = knock(twice.other_home, twice.round, {twice.other: "away"}, recorded_at="2026-02-03T08:00:00+08:00")
        (result,) = await push(call, "worker", visit)
        assert result["status"] == "accepted"
        assert await drift(database) == []
        await post(call, f"/merges/{later['id']}/undo")
        await post(call, undo)
        assert await drift(database) == []
        checks = (await rows_of(database))["person_check"]
        of_other = [k for k in checks if str(k["resident_id"]) == twice.other and str(k["round_id"]) == twice.round]
        assert [k["status"] for k in of_other] == ["away"]

    async def test_nobody_goes_back_to_a_household_that_is_closed(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        merged = await merge(call, twice)
        async with database.session(EVERYWHERE) as session:
            change = residence.PlaceChange(UUID(twice.father), today(), reason_out=ReasonOut.MOVED_AWAY)
            assert (await residence.change_places(session, SYSTEM, A, [change]))[change.id] is None
        answer = await call("committee", "POST", f"/merges/{merged['id']}/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "merge_household_closed")
        assert "注销" in answer.json()["detail"]

    async def test_a_list_that_names_the_entry_that_went_adds_nobody(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        await merge(call, twice)
        listed_again = door(
            "601", person(id=None, is_new=False), person("赵父", date(1950, 1, 1), id=None, is_new=False)
        )
        listed_again.households[0].id = None
        async with database.session(EVERYWHERE) as session:
            counts = await registry.put_dwellings(session, SYSTEM, A, [listed_again], as_of=now())
        assert (counts.created, counts.unchanged) == (0, 2)
        assert await drift(database) == []

    async def test_what_was_learnt_ends_for_both_and_parting_brings_nothing_back(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        merged = await merge(call, twice)
        await retention.run_retention(database, today() + timedelta(days=120))
        assert await drift(database) == []
        rows = await rows_of(database)
        assert {k["status"] for k in rows["person_check"]} == {"answered"}
        assert all(v["persons"] == [] for v in rows["door_visit"])
        await post(call, f"/merges/{merged['id']}/undo")
        assert await drift(database) == []
        rows = await rows_of(database)
        assert {k["status"] for k in rows["person_check"]} == {"answered"}
        named = {(str(k["round_id"]), str(k["resident_id"])) for k in rows["person_check"]}
        assert {(twice.round, twice.other), (twice.closed, twice.one), (twice.closed, twice.other)} <= named

    async def test_it_can_be_undone_for_half_a_year_and_then_nothing_of_before_is_kept(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        merged = await merge(call, twice, take=["phone"])
        (found,) = await listed(call, status="merged")
        last = today() + timedelta(days=179)
        assert (found["merge_id"], found["undo_until"]) == (merged["id"], last.isoformat())
        await retention.run_retention(database, last)
        assert (await present(database, twice.other))["phone_sealed"] is not None
        before = (await rows_of(database))["resident"]

        done = await retention.run_retention(database, last + timedelta(days=1))
        assert [(one.kind.value, one.count) for one in done] == [("merges", 1)]
        # the entry that went says who it was and no more; who stands for both says what they said
        row = await present(database, twice.other)
        assert (row["name"], str(row["merged_into_id"])) == ("赵一同", twice.one)
        facts = ("birth_on", "workplace", "id_sealed", "id_index", "phone_sealed", "phone_index", "tags")
        assert [row[name] for name in facts] == [None, "", None, None, None, None, []]
        others = [one for one in before if str(one["id"]) != twice.other]
        assert [one for one in (await rows_of(database))["resident"] if str(one["id"]) != twice.other] == others
        async with database.session(EVERYWHERE) as session:
            assert await session.scalar(text("SELECT count(*) FROM merged_row")) == 0
            assert await session.scalar(text("SELECT before FROM registry_merge")) == {
                "persons": [[twice.other, twice.one, twice.other_home]]
            }
        (found,) = await listed(call, status="merged")
        assert (found["merge_id"], found["undo_until"]) == (None, last.isoformat())
        answer = await call("committee", "POST", f"/merges/{merged['id']}/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "merge_over")
        # what still comes for the id that went, from a phone or in a list, is hers who stands for it
        late = knock(twice.other_home, twice.round, {twice.other: "away"}, recorded_at="2026-02-03T08:00:00+08:00")
        assert [one["status"] for one in await push(call, "worker", late)] == ["accepted"]
        again = door("601", person(id=None, is_new=False), person("赵父", date(1950, 1, 1), id=None, is_new=False))
        again.households[0].id = None
        async with database.session(EVERYWHERE) as session:
            counts = await registry.put_dwellings(session, SYSTEM, A, [again], as_of=now())
        assert (counts.created, counts.unchanged) == (0, 2)
        assert await drift(database) == []
        once_more = await retention.run_retention(database, last + timedelta(days=1))
        assert "merges" not in {one.kind.value for one in once_more}

    async def test_the_person_hears_of_both(self, call: Caller, database: Database, twice: Twice) -> None:
        body = {"fields": ["phone"], "purpose": "回访核实"}
        assert (await call("committee", "POST", f"/residents/{twice.other}/reveal", json=body)).is_success
        await merge(call, twice)
        log = (await call("committee", "GET", f"/residents/{twice.one}/access-log")).json()["items"]
        actions = [one["action"] for one in log]
        assert [one["purpose"] for one in log if one["action"] == "reveal"] == ["回访核实"]
        assert (actions.count("record_door_visit"), actions.count("record_visit")) == (4, 2)
        assert "merge_residents" in actions
        copy = (await call("committee", "GET", f"/residents/{twice.one}/copy")).json()
        assert sorted(one["status"] or "" for one in copy["door_visits"]) == ["", "symptoms", "symptoms", "well"]
        assert len(copy["care_visits"]) == 2
        assert (await call("committee", "GET", f"/residents/{twice.other}/copy")).status_code == 404

    async def test_keys_change_between_merging_and_parting(
        self, call: Caller, database: Database, twice: Twice
    ) -> None:
        merged = await merge(call, twice, take=["phone"])
        ring = crypto.KeyRing(f"2:{'A' * 43}=,{get_settings().key_ring}")
        progress = await rotation.reseal(database, ring, rotation.sealed_tables(metadata))
        assert progress.unreadable == {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(crypto, "key_ring", lambda: ring)
            await post(call, f"/merges/{merged['id']}/undo")
            row = await present(database, twice.one)
            assert crypto.open_text(row["phone_sealed"], people.RESIDENT_PHONE) == "13800000001"
            assert row["phone_index"] == crypto.blind_index("13800000001", people.RESIDENT_PHONE)


class TestMergeHouseholds:
    async def test_one_door_under_two_addresses(self, call: Caller, database: Database) -> None:
        father = person("孙父", date(1970, 1, 2), id_of(date(1970, 1, 2), 11), phone="13800000011", relation="户主")
        mother = person("李母", date(1971, 2, 3), sex=2, relation="配偶")
        again, mother_again = person("孙父", date(1970, 1, 2)), person("李母", date(1971, 2, 3), sex=2)
        child = person("孙小", date(2010, 5, 5), relation="子")
        first = door("502", father, mother, compound="泉景园", phone="13800000012")
        elsewhere = "泉景园小区3号楼2单元502室"
        second = door("", again, mother_again, child, building="", stair="", address=elsewhere, note="有狗")
        await register(database, first, second)
        homes = await homes_of(database)
        area = await make_area(call, homes, "worker")
        round_id = await make_round(call)
        home, other = (str(one.households[0].id) for one in (first, second))
        await push(
            call, "worker",
            knock(home, round_id, {str(father.id): "well", str(mother.id): "well"}, "answered_all"),
            knock(other, round_id, {}, "no_answer", recorded_at="2026-02-01T12:00:00+08:00"),
            cared(other, str(child.id)),
        )  # fmt: skip
        await search(database)
        (found,) = await listed(call)
        assert (found["kind"], found["reasons"]) == ("household", ["same_people", "near_address"])
        pairs = {frozenset((one["one"], one["other"])) for one in found["members"]}
        assert pairs == {frozenset((str(father.id), str(again.id))), frozenset((str(mother.id), str(mother_again.id)))}
        counts = (await call("committee", "GET", "/duplicates/counts", params={"area": A})).json()
        assert (counts["persons"], counts["households"], counts["elsewhere"]) == (0, 1, 0)
        before = await rows_of(database)
        version = (await pulled(call, area["id"]))["version"]

        path = f"/duplicates/{found['id']}/merge"
        persons = [
            {"keep": str(father.id), "gone": str(again.id)},
            {"keep": str(mother_again.id), "gone": str(mother.id)},
        ]
        wrong = await call("committee", "POST", path, json={"keep": home, "persons": [*persons, persons[0]]})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "persons_mismatch")
        merged = await post(call, path, {"keep": home, "persons": persons})
        assert await drift(database) == []
        rows = await rows_of(database)
        clock = rows["clock"][0]
        assert (len(rows["dwelling"]), clock["household_count"], clock["resident_count"]) == (1, 1, 3)
        change = await pulled(call, area["id"], version)
        assert change["reset"] is True
        assert change["upserts"]["households"]["i"] == [home]
        assert set(change["upserts"]["residents"]["i"]) == {str(father.id), str(mother_again.id), str(child.id)}
        assert change["upserts"]["states"]["o"] == ["answered_part"]
        assert await coverage(call, round_id) == {
            "households_done": 0, "persons": 3, "persons_done": 2, "persons_missing": 1, "symptoms": 0,
        }  # fmt: skip
        read = (await call("committee", "GET", f"/households/{home}")).json()
        assert (read["note"], read["resident_count"]) == ("有狗", 3)
        for path in ("/door-visits", "/care-visits"):
            items = (await call("committee", "GET", path, params={"community_code": A, "household_id": home})).json()
            assert len(items["items"]) == (2 if path == "/door-visits" else 1)

        # a phone that was away knocks at the door that is no longer there
        late = knock(
            other, round_id, {str(mother.id): "well", str(child.id): "symptoms"}, "answered_all",
            recorded_at="2026-02-01T18:00:00+08:00",
        )  # fmt: skip
        newcomer = command("people.add_resident", {"household_id": other, "name": "孙客"})
        assert [one["status"] for one in await push(call, "worker", late, newcomer)] == ["accepted", "accepted"]
        assert await drift(database) == []
        assert (await coverage(call, round_id))["persons_done"] == 3
        assert [(one["resident_id"], one["household_id"]) for one in await follow_ups(call)] == [(str(child.id), home)]

        await post(call, f"/merges/{merged['id']}/undo")
        assert [(one["resident_id"], one["household_id"]) for one in await follow_ups(call)] == [(str(child.id), other)]
        assert await drift(database) == []
        after = await rows_of(database)
        same = ("dwelling", "care_visit", "care_plan")
        assert differences({k: before[k] for k in same}, after) == []
        people_ = {str(r["id"]): (str(r["household_id"]), r["is_gone"]) for r in after["resident"]}
        assert people_[str(mother.id)] == (home, False)
        assert people_[str(child.id)] == (other, False)
        # who was found there since stays where they were put
        assert people_[newcomer["id"]] == (home, False)
        visits = {str(v["id"]): str(v["household_id"]) for v in after["door_visit"]}
        assert visits[late["id"]] == other
        checks = {str(k["resident_id"]): k["status"] for k in after["person_check"]}
        assert checks == {str(father.id): "well", str(mother.id): "well", str(child.id): "symptoms"}

    async def test_photos_and_self_reports_go_along_and_come_back(self, call: Caller, database: Database) -> None:
        father, mother = person("孙父", date(1970, 1, 2)), person("李母", date(1971, 2, 3), sex=2, relation="配偶")
        again, mother_again = person("孙父", date(1970, 1, 2)), person("李母", date(1971, 2, 3), sex=2)
        child = person("孙小", date(2010, 5, 5), relation="子")
        first = door("502", father, mother, compound="泉景园")
        second = door("", again, mother_again, child, building="", stair="", address="泉景园小区3号楼2单元502室")
        await register(database, first, second)
        area = await make_area(call, await homes_of(database), "worker")
        round_id = await make_round(call)
        home, other = (str(one.households[0].id) for one in (first, second))
        times = [f"2026-02-01T{hour}:00:00+08:00" for hour in ("09", "14", "19")]
        misses = [knock(other, round_id, {}, "no_answer", recorded_at=at) for at in times]
        visit = knock(other, round_id, {}, "no_answer", recorded_at="2026-02-02T09:00:00+08:00")
        await push(call, "worker", *misses, visit)
        there = next(one for one in await homes_of(database) if str(one.id) == other)
        assert (await take_photo(call, "worker", there, jpeg(), visit_id=visit["id"])).is_success
        notice = {"community_code": A, "round_id": round_id, "household_ids": [other]}
        url = (await post(call, "/door-notices/print", notice))["items"][0]["url"]
        assert (await report_by_code(call, url, "502", "孙", note="都好")).is_success
        # the household has opened the page, and answers only after the merge
        asked = await call.http.post("/h/" + url.rsplit("/", 1)[1], data={"room": "502", "surname": "孙"})
        await search(database)
        (found,) = await listed(call)
        persons = [
            {"keep": str(father.id), "gone": str(again.id)},
            {"keep": str(mother.id), "gone": str(mother_again.id)},
        ]
        before = await rows_of(database)
        merged = await post(call, f"/duplicates/{found['id']}/merge", {"keep": home, "persons": persons})

        async def photos(of: str) -> list[str]:
            read = await call("committee", "GET", "/photos", params={"community_code": A, "household_id": of})
            return [one["id"] for one in read.json()["items"]]

        async def reports() -> list[tuple[str, set[str]]]:
            read = (await call("committee", "GET", "/self-reports", params={"community_code": A})).json()["items"]
            return [(one["household_id"], {said["resident_id"] for said in one["persons"]}) for one in read]

        theirs, ours = (
            {str(one.id) for one in some} for some in ((again, mother_again, child), (father, mother, child))
        )
        assert (len(await photos(home)), await photos(other)) == (1, [])
        assert await reports() == [(home, ours)]
        change = (await pulled(call, area["id"]))["upserts"]["reports"]
        assert [{said["resident_id"] for said in one} for one in change["p"]] == [ours]
        await post(call, f"/merges/{merged['id']}/undo")
        assert differences(before, await rows_of(database)) == []

        merged = await post(
            call, f"/duplicates/{(await listed(call))[0]['id']}/merge", {"keep": home, "persons": persons}
        )
        at = sorted(one.id for one in (again, mother_again, child) if one.id).index(again.id)
        hot = {f"status_{at}": "symptoms", f"temperature_{at}": "38.5", f"symptoms_{at}": ["fever"]}
        assert (await call.http.post("/h/report", data=answers_on(asked.text) | hot)).is_success
        late = await take_photo(call, "worker", there, jpeg(), visit_id=visit["id"])
        assert late.json()["household_id"] == home
        assert await reports() == [(home, ours), (home, ours)]
        (open_one,) = await follow_ups(call)
        assert (open_one["household_id"], open_one["resident_id"]) == (home, str(father.id))
        await post(call, f"/merges/{merged['id']}/undo")
        assert len(await photos(other)) == 2
        assert await reports() == [(other, theirs), (other, theirs)]
        (open_one,) = [one for one in await follow_ups(call) if one["closed_at"] is None]
        assert (open_one["household_id"], open_one["resident_id"]) == (other, str(again.id))
        assert await drift(database) == []
        # the worker's tap: once for the door it is about, whichever of the two ids the phone still shows
        (newest, _) = (await call("committee", "GET", "/self-reports", params={"community_code": A})).json()["items"]
        merged = await post(
            call, f"/duplicates/{(await listed(call))[0]['id']}/merge", {"keep": home, "persons": persons}
        )
        tap = {"household_id": other, "round_id": round_id, "self_report_id": newest["id"]}
        assert (await push(call, "worker", command("screening.confirm_self_report", tap)))[0]["status"] == "accepted"
        assert (await coverage(call, round_id))["persons_done"] == 3
        await post(call, f"/merges/{merged['id']}/undo")
        assert (await coverage(call, round_id))["persons_done"] == 3

    async def test_undone_at_once_it_was_never_there(self, call: Caller, database: Database) -> None:
        one, two = person("周一", date(1990, 1, 1)), person("周二", date(1991, 1, 1))
        one_again, two_again = person("周一", date(1990, 1, 1)), person("周二", date(1991, 1, 1))
        first, second = door("301", one, two), door("301", one_again, two_again, building="3号楼", stair="2单元")
        await register(database, first, second)
        round_id = await make_round(call)
        home, other = (str(each.households[0].id) for each in (first, second))
        await push(
            call, "committee",
            knock(home, round_id, {str(one.id): "symptoms"}), knock(other, round_id, {str(two_again.id): "well"}),
            cared(home, str(one.id)), cared(other),
        )  # fmt: skip
        await search(database)
        (found,) = await listed(call)
        before = await rows_of(database)
        persons = [
            {"keep": str(one.id), "gone": str(one_again.id)}, {"keep": str(two.id), "gone": str(two_again.id)},
        ]  # fmt: skip
        merged = await post(call, f"/duplicates/{found['id']}/merge", {"keep": home, "persons": persons})
        assert await drift(database) == []
        assert await coverage(call, round_id) == {
            "households_done": 1, "persons": 2, "persons_done": 2, "persons_missing": 0, "symptoms": 1,
        }  # fmt: skip
        await post(call, f"/merges/{merged['id']}/undo")
        assert differences(before, await rows_of(database)) == []
        assert await drift(database) == []

        # where the second address is entered anew meanwhile, there is no way back
        merged = await post(call, f"/duplicates/{found['id']}/merge", {"keep": home, "persons": persons})
        await register(database, door("301", person("吴三"), building="3号楼", stair="2单元"))
        answer = await call("committee", "POST", f"/merges/{merged['id']}/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "merge_door_taken")
