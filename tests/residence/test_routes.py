"""People over time as a desk does and reads it: moves, leaving, returning, births, splits, merges, tenures."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import today
from app.core.db import Database
from tests.makers import care_visit, door_visit, invented_id, make_area, make_round, push
from tests.personas import A, B, Caller
from tests.residence.households import assert_sound, done, members, post, read, stair, this_day

YESTERDAY = (today() - timedelta(days=1)).isoformat()
TOMORROW = (today() + timedelta(days=1)).isoformat()


class TestMove:
    async def test_a_person_lives_elsewhere_from_a_day_on_and_both_places_say_so(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        person = str(one.residents[1])
        await done(call, f"/residents/{person}/move", household_id=str(two.id), on=YESTERDAY, relation="女婿")
        assert (len(await members(call, one.id)), len(await members(call, two.id))) == (2, 4)
        here, before = (await read(call, f"/residents/{person}/residences"))["items"]
        assert (here["address"], here["started_on"], here["ended_on"]) == ("3号楼 2单元 102", YESTERDAY, None)
        assert (before["address"], before["started_on"], before["ended_on"]) == ("3号楼 2单元 101", None, YESTERDAY)
        assert (here["relation"], here["reason_in"], before["reason_out"]) == ("女婿", "moved_in", "moved")
        past = [s for s in (await read(call, f"/households/{one.id}/residences"))["items"] if s["ended_on"]]
        assert [s["resident_id"] for s in past] == [person]
        await assert_sound(database)

    async def test_a_whole_household_moves_behind_another_door_with_what_is_known_of_it(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        await call("committee", "PATCH", f"/households/{one.id}", json={"note": "晚上在家", "tags": ["disabled"]})
        everybody = [str(r) for r in one.residents]
        door = {"building": "3", "stair": "2", "room": "301"}
        new = await done(call, f"/households/{one.id}/move", resident_ids=everybody, door=door)
        assert (new["room"], new["resident_count"], new["note"], new["tags"]) == ("301", 3, "晚上在家", ["disabled"])
        assert new["head_name"] == "甲32101"
        assert (await call("committee", "GET", f"/households/{one.id}")).status_code == 404
        doors = (await read(call, "/buildings/doors", community_code=A, building="3"))["items"]
        assert {d["room"]: d["is_vacant"] for d in doors} == {"101": True, "102": False, "201": False, "301": False}
        assert (await read(call, f"/households/{one.id}/timeline"))["items"][0]["event"] == "moved"
        await assert_sound(database)

    async def test_when_the_head_moves_somebody_else_is_the_head(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(two.id))
        home = await read(call, f"/households/{one.id}")
        assert home["head_name"] in await members(call, one.id)
        people = (await read(call, f"/households/{one.id}/residents"))["items"]
        assert {p["relation"] for p in people if p["name"] == home["head_name"]} == {"户主"}
        there = (await read(call, f"/households/{two.id}/residents"))["items"]
        assert {p["name"]: p["relation"] for p in there}["甲32101"] == ""
        assert (await read(call, f"/households/{two.id}"))["head_name"] == "甲32102"

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"on": TOMORROW}, 422, "date_in_future"),
            ({"household_id": "own"}, 409, "already_there"),
            ({"household_id": "01a20cca-13d8-705d-ace3-0b209f821a0b"}, 404, "not_found"),
            ({"household_id": None}, 422, "shape_invalid"),
            ({"household_id": None, "door": {"building": "9"}}, 422, "room_missing"),
        ],
    )
    async def test_what_cannot_be_changes_nothing(
        self, call: Caller, database: Database, change: dict[str, Any], status: int, code: str
    ) -> None:
        one, two, _ = await stair(database)
        body = {"household_id": str(two.id)} | change
        if body["household_id"] == "own":
            body["household_id"] = str(one.id)
        answer = await post(call, f"/residents/{one.residents[0]}/move", **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert len(await members(call, one.id)) == 3
        await assert_sound(database)

    async def test_a_move_before_the_last_one_is_refused(self, call: Caller, database: Database) -> None:
        one, two, three = await stair(database)
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(two.id))
        path = f"/residents/{one.residents[0]}/move"
        answer = await post(call, path, household_id=str(three.id), on=YESTERDAY)
        assert (answer.status_code, answer.json()["code"]) == (422, "date_before_start")


class TestLeaveAndReturn:
    async def test_who_has_died_is_in_the_past_and_in_no_figure(self, call: Caller, database: Database) -> None:
        (one, *_) = await stair(database)
        person = str(one.residents[0])
        await done(call, f"/residents/{person}/leave", reason="died", on=YESTERDAY)
        assert len(await members(call, one.id)) == 2
        assert (await call("committee", "GET", "/residents", params={"q": "甲32101", "area": A})).json()["items"] == []
        (event,) = (await read(call, f"/households/{one.id}/timeline"))["items"]
        assert (event["event"], event["on"], [p["name"] for p in event["persons"]]) == ("died", YESTERDAY, ["甲32101"])
        answer = await post(call, f"/residents/{person}/leave", reason="moved_away")
        assert (answer.status_code, answer.json()["code"]) == (409, "already_gone")
        await assert_sound(database)

    async def test_the_last_ones_leaving_closes_the_household_and_a_return_opens_it(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        everybody = [str(r) for r in one.residents]
        body = {"resident_ids": everybody, "reason": "moved_away", "place": "河南信阳"}
        await done(call, f"/households/{one.id}/leave", **body)
        assert (await call("committee", "GET", f"/households/{one.id}")).status_code == 404
        stays = (await read(call, f"/residents/{everybody[0]}/residences"))["items"]
        assert (stays[0]["reason_out"], stays[0]["to_place"]) == ("moved_away", "河南信阳")
        await assert_sound(database)
        await done(call, f"/residents/{everybody[0]}/return")
        assert await members(call, one.id) == ["甲32101"]
        reasons = [s["reason_in"] for s in (await read(call, f"/residents/{everybody[0]}/residences"))["items"]]
        assert reasons == ["returned", None]
        await assert_sound(database)

    async def test_a_mistake_is_taken_back_without_a_trace_in_the_history(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        person = str(one.residents[1])
        answer = await post(call, f"/residents/{person}/return", was_mistake=True)
        assert answer.json()["code"] == "not_gone"
        await done(call, f"/residents/{person}/leave", reason="not_living_here")
        await done(call, f"/residents/{person}/return", was_mistake=True)
        (stay,) = (await read(call, f"/residents/{person}/residences"))["items"]
        assert (stay["started_on"], stay["ended_on"], stay["reason_out"]) == (None, None, None)
        assert (await read(call, f"/households/{one.id}/timeline"))["items"] == []
        await assert_sound(database)


class TestArrivals:
    async def test_a_child_is_born_and_somebody_moves_in(self, call: Caller, database: Database) -> None:
        (one, *_) = await stair(database)
        baby = {"person": {"name": "甲小宝", "sex": 1}, "reason": "born", "on": YESTERDAY}
        made = await done(call, f"/households/{one.id}/arrivals", **baby)
        assert made["age"] == 0
        person = {"name": "丁某", "id_kind": "resident_id", "id_number": invented_id(3)}
        wife = {"person": person, "reason": "moved_in", "place": "四川成都"}
        await done(call, f"/households/{one.id}/arrivals", **wife)
        events = (await read(call, f"/households/{one.id}/timeline"))["items"]
        assert [(e["event"], e["place"]) for e in events] == [("moved_in", "四川成都"), ("born", None)]
        assert len(await members(call, one.id)) == 5
        await assert_sound(database)

    async def test_who_has_lived_here_before_is_the_same_person(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        person = {"name": "丁某", "id_kind": "resident_id", "id_number": invented_id(3)}
        made = await done(call, f"/households/{one.id}/arrivals", person=person, reason="found")
        await done(call, f"/residents/{made['id']}/leave", reason="moved_away")
        again = await done(call, f"/households/{two.id}/arrivals", person=person, reason="moved_in")
        assert (again["id"], again["household_id"]) == (made["id"], str(two.id))
        await assert_sound(database)


class TestSplitAndMerge:
    async def test_a_household_splits_behind_its_door_and_merges_again(self, call: Caller, database: Database) -> None:
        (one, *_) = await stair(database)
        leaving = [str(one.residents[1]), str(one.residents[2])]
        new = await done(call, f"/households/{one.id}/split", resident_ids=leaving, head_id=leaving[1])
        assert (new["dwelling_id"], new["resident_count"]) == (str(one.dwelling_id), 2)
        assert new["head_name"] == "乙132101"
        assert await members(call, one.id) == ["甲32101"]
        kept = await done(call, f"/households/{new['id']}/merge", into_household_id=str(one.id))
        assert kept["resident_count"] == 3
        assert (await call("committee", "GET", f"/households/{new['id']}")).status_code == 404
        events = [e["event"] for e in (await read(call, f"/households/{one.id}/timeline"))["items"]]
        assert sorted(events) == ["merged_in", "merged_in", "split_out", "split_out"]
        await assert_sound(database)

    async def test_a_split_leaves_somebody_behind(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        answer = await post(call, f"/households/{one.id}/split", resident_ids=[str(r) for r in one.residents])
        assert (answer.status_code, answer.json()["code"]) == (422, "split_all")
        answer = await post(call, f"/households/{one.id}/split", resident_ids=[str(two.residents[0])])
        assert (answer.status_code, answer.json()["code"]) == (422, "not_a_member")
        answer = await post(call, f"/households/{one.id}/merge", into_household_id=str(one.id))
        assert (answer.status_code, answer.json()["code"]) == (422, "same_household")


class TestRound:
    """What was answered in an open round goes with the people it was answered for."""

    async def test_who_moves_into_another_household_is_answered_for_there(
        self, call: Caller, database: Database
    ) -> None:
        one, two, three = await stair(database)
        round_id = await make_round(call)
        await push(call, "committee", door_visit(one, round_id), door_visit(two, round_id, "no_answer"))
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(three.id))
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert (row["persons"], row["persons_done"], row["households_done"]) == (9, 3, 1)
        await assert_sound(database)
        # all of the first household's people go to the third, which was not knocked at; of its own nobody was asked
        rest = [str(r) for r in one.residents[1:]]
        await done(call, f"/households/{one.id}/move", resident_ids=rest, household_id=str(three.id))
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert (row["households"], row["households_done"], row["persons_done"]) == (2, 0, 3)
        await assert_sound(database)

    async def test_a_household_whose_people_were_all_asked_elsewhere_is_done(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        round_id = await make_round(call)
        await push(call, "committee", door_visit(one, round_id))
        await done(call, f"/households/{one.id}/split", resident_ids=[str(one.residents[2])])
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert (row["households"], row["households_done"], row["persons_done"]) == (4, 2, 3)
        await assert_sound(database)

    async def test_who_has_left_is_no_gap_and_no_longer_done_and_the_fever_stays_in_the_figures(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        round_id = await make_round(call)
        persons = [{"resident_id": str(one.residents[0]), "status": "symptoms", "temperature_c": 38.2},
                   {"resident_id": str(one.residents[1]), "status": "well"}]  # fmt: skip
        await push(call, "committee", door_visit(one, round_id, "answered_part", persons=persons))
        await done(call, f"/residents/{one.residents[0]}/leave", reason="died")
        await done(call, f"/residents/{one.residents[2]}/leave", reason="not_living_here")
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        figures = (row["persons"], row["persons_done"], row["symptoms"], row["outcomes"]["answered_all"])
        assert figures == (7, 1, 1, 1)
        await assert_sound(database)
        await done(call, f"/residents/{one.residents[0]}/return", was_mistake=True)
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert (row["persons"], row["persons_done"]) == (8, 2)
        await assert_sound(database)

    async def test_a_visit_recorded_before_the_move_is_taken_after_it(self, call: Caller, database: Database) -> None:
        one, two, three = await stair(database)
        await make_area(call, [one], "worker")
        round_id = await make_round(call)
        await push(call, "committee", door_visit(two, round_id))
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(two.id))
        everybody = [str(r) for r in one.residents[1:]]
        await done(call, f"/households/{one.id}/move", resident_ids=everybody, household_id=str(three.id))
        (result,) = await push(call, "worker", door_visit(one, round_id))
        assert result["status"] in ("accepted", "flagged"), result
        row = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert (row["households"], row["outcomes"]["answered_all"], row["persons_done"]) == (2, 1, 6)
        events = (await read(call, f"/households/{one.id}/timeline"))["items"]
        (knock,) = [e for e in events if e["event"] == "door_visit"]
        assert {p["resident_id"] for p in knock["persons"]} == {str(r) for r in one.residents}
        await assert_sound(database)


class TestTimeline:
    async def test_it_is_paged_and_tells_people_visits_and_tenures(self, call: Caller, database: Database) -> None:
        (one, two, _) = await stair(database)
        round_id = await make_round(call)
        await push(call, "committee", door_visit(one, round_id), care_visit(one, resident_id=str(one.residents[0])))
        for person in one.residents:
            await done(call, f"/residents/{person}/move", household_id=str(two.id), on=YESTERDAY)
        tenure = {"kind": "tenant", "landlord_name": "房东", "landlord_phone": "13812345678", "since_on": "2026-02-02"}
        assert (await call("committee", "PUT", f"/households/{one.id}/tenure", json=tenure)).is_success
        whole = (await read(call, f"/households/{one.id}/timeline"))["items"]
        assert [e["event"] for e in whole] == ["moved", "moved", "moved", "tenure", "door_visit", "care_visit"] or [
            e["event"] for e in whole
        ] == ["moved", "moved", "moved", "tenure", "care_visit", "door_visit"]
        paged: list[Any] = []
        cursor = None
        while True:
            page = await read(call, f"/households/{one.id}/timeline", limit=2, **({"cursor": cursor} if cursor else {}))
            paged += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert paged == whole
        stays: list[Any] = []
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = await read(call, f"/households/{two.id}/residences", **params)
            stays += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(stays) == 6
        assert stays == (await read(call, f"/households/{two.id}/residences"))["items"]


class TestTenure:
    async def test_who_rents_is_tagged_and_the_landlords_number_masked(self, call: Caller, database: Database) -> None:
        (one, *_) = await stair(database)
        body = {"kind": "tenant", "landlord_name": "房东", "landlord_phone": "13812345678", "since_on": "2025-03-01"}
        made = (await call("committee", "PUT", f"/households/{one.id}/tenure", json=body)).json()
        assert (made["landlord_phone_masked"], made["started_on"]) == ("138****5678", "2025-03-01")
        assert (await read(call, f"/households/{one.id}"))["tags"] == ["tenant"]
        await call("committee", "PUT", f"/households/{one.id}/tenure", json={"kind": "owner", "since_on": YESTERDAY})
        items = (await read(call, f"/households/{one.id}/tenures"))["items"]
        assert [(t["kind"], t["started_on"], t["ended_on"]) for t in items] == [
            ("owner", YESTERDAY, None), ("tenant", "2025-03-01", YESTERDAY),
        ]  # fmt: skip
        assert (await read(call, f"/households/{one.id}"))["tags"] == []
        early = {"kind": "guest", "since_on": "2020-01-01"}
        answer = await call("committee", "PUT", f"/households/{one.id}/tenure", json=early)
        assert (answer.status_code, answer.json()["code"]) == (422, "date_before_start")
        await assert_sound(database)


class TestRegistration:
    async def test_who_lives_here_and_is_registered_elsewhere_is_one_person_with_two_places(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        person = str(one.residents[0])
        path = f"/residents/{person}/registration"
        body = {"place": "山东德州", "since_on": "2019-05-01"}
        assert (await call("committee", "PUT", path, json=body)).status_code == 204
        (apart,) = (await read(call, "/registrations", community_code=A))["items"]
        assert (apart["name"], apart["kind"], apart["to_place"]) == ("甲32101", "registered_elsewhere", "山东德州")
        assert (await call("committee", "PUT", path, json={"household_id": str(two.id)})).status_code == 204
        (apart,) = (await read(call, "/registrations", community_code=A))["items"]
        assert (apart["kind"], apart["address"]) == ("registered_here", "3号楼 2单元 102")
        kinds = [
            (s["kind"], s["ended_on"] is None) for s in (await read(call, f"/residents/{person}/residences"))["items"]
        ]
        assert sorted(kinds) == [("lives_here", True), ("registered_elsewhere", False), ("registered_here", True)]
        assert (await call("committee", "PUT", path, json={})).status_code == 204
        assert (await read(call, "/registrations", community_code=A))["items"] == []

    async def test_who_moves_away_may_stay_registered(self, call: Caller, database: Database) -> None:
        (one, *_) = await stair(database)
        body = {"reason": "moved_away", "keeps_registration": True, "place": "上海"}
        await done(call, f"/residents/{one.residents[1]}/leave", **body)
        (apart,) = (await read(call, "/registrations", community_code=A, kind="registered_here"))["items"]
        assert apart["resident_id"] == str(one.residents[1])
        await done(call, f"/residents/{one.residents[1]}/return")
        assert (await read(call, "/registrations", community_code=A))["items"] == []


class TestScope:
    async def test_another_committee_knows_nothing_of_it(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        for who, status in (("other_committee", 404), ("worker", 403)):
            answer = await post(call, f"/residents/{one.residents[0]}/move", who, household_id=str(two.id))
            assert answer.status_code == status
            answer = await call(who, "GET", f"/households/{one.id}/timeline")
            assert answer.status_code == status
        (theirs, *_) = await stair(database, B)
        answer = await post(call, f"/residents/{one.residents[0]}/move", household_id=str(theirs.id), on=this_day())
        assert answer.status_code == 404
