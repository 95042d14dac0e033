"""What phones say of who lives at their doors: a household found, somebody gone."""

from typing import Any

from app.core.clock import now
from app.core.db import Database
from app.core.ids import new_id
from tests.makers import Home, care_visit, command, door_visit, jpeg, make_area, make_round, push, take_photo
from tests.personas import A, Caller
from tests.residence.households import assert_sound, done, members, read, stair, this_day


def at_now(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A command recorded this moment."""
    return command(name, payload, recorded_at=now().isoformat(), community_code=A)


def gone(home: Home, at: int, reason: str = "moved_away", **more: Any) -> dict[str, Any]:
    """A `people.mark_resident_gone` command."""
    payload = {"household_id": str(home.id), "resident_id": str(home.residents[at]), "reason": reason} | more
    return at_now("people.mark_resident_gone", payload)


def household(**payload: Any) -> dict[str, Any]:
    """A `people.add_household` command: one person, unless told otherwise."""
    person = {"id": str(new_id()), "name": "戊某", "sex": 2, "relation": "户主"}
    return at_now("people.add_household", {"household_id": str(new_id()), "residents": [person]} | payload)


class TestMarkResidentGone:
    async def test_once_however_often_it_is_sent_and_the_next_pull_lacks_them(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        area = await make_area(call, [one, two], "worker")
        mark = gone(one, 0, "died", on="2026-01-31")
        (first,), (second,) = await push(call, "worker", mark), await push(call, "worker", mark)
        assert (first["status"], second["status"], second["first_status"]) == ("accepted", "duplicate", "accepted")
        assert len(await members(call, one.id)) == 2
        pull = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": area["version"]})).json()
        assert pull["upserts"]["households"]["i"] == [str(one.id)]
        assert str(one.residents[0]) not in pull["upserts"]["residents"]["i"]
        # somebody else says so too
        (third,) = await push(call, "worker2", gone(one, 0, "moved_away"))
        assert third["status"] in ("accepted", "flagged")
        (event,) = (await read(call, f"/households/{one.id}/timeline"))["items"]
        assert (event["event"], event["on"]) == ("died", "2026-01-31")
        await assert_sound(database)

    async def test_the_last_one_gone_leaves_a_vacant_door(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        area = await make_area(call, [one, two], "worker")
        results = await push(call, "worker", *(gone(one, at, "not_living_here") for at in range(3)))
        assert [r["status"] for r in results] == ["accepted"] * 3
        pull = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": area["version"]})).json()
        assert pull["removed"] == [str(one.id)]
        doors = pull["upserts"]["dwellings"]
        assert dict(zip(doors["i"], doors["v"], strict=True))[str(one.dwelling_id)] == 1
        await assert_sound(database)

    async def test_who_has_moved_meanwhile_stays_where_they_are_and_somebody_looks(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        await make_area(call, [one, two], "worker")
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(two.id))
        (result,) = await push(call, "worker", gone(one, 0))
        assert (result["status"], result["code"]) == ("flagged", "person_moved")
        assert "甲32101" in await members(call, two.id)
        await assert_sound(database)

    async def test_a_clock_that_is_wrong_does_not_stop_it(self, call: Caller, database: Database) -> None:
        one, two, _ = await stair(database)
        await make_area(call, [one, two], "worker")
        await done(call, f"/residents/{one.residents[0]}/move", household_id=str(two.id))
        payload = {"household_id": str(two.id), "resident_id": str(one.residents[0]), "reason": "died"}
        early = at_now("people.mark_resident_gone", payload | {"on": "2019-01-01"})
        late = gone(one, 1, on="2066-01-01")
        assert [r["status"] for r in await push(call, "worker", early, late)] == ["accepted", "accepted"]
        for person in one.residents[:2]:
            stays = (await read(call, f"/residents/{person}/residences"))["items"]
            assert stays[0]["ended_on"] == this_day()
        await assert_sound(database)


class TestHouseholdGoneMeanwhile:
    async def test_what_was_recorded_at_its_door_is_taken_and_counts_for_nobody_else(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        await make_area(call, [one, two], "worker")
        round_id = await make_round(call)
        visit, care = door_visit(one, round_id), care_visit(one)
        for person in one.residents:
            await done(call, f"/residents/{person}/leave", reason="moved_away")
        assert [result["status"] for result in await push(call, "worker", visit, care)] == ["accepted", "accepted"]
        photo = await take_photo(call, "worker", one, jpeg(), visit_id=visit["id"])
        assert (photo.status_code, photo.json()["household_id"]) == (200, str(one.id))
        for path in ("/door-visits", "/care-visits", "/photos"):
            listed = await read(call, path, community_code=A, household_id=str(one.id))
            assert len(listed["items"]) == 1, path
        total = (await read(call, "/coverage", area=A, round=round_id))["total"]
        assert total["households_done"] == 0
        await assert_sound(database)

    async def test_what_is_recorded_after_it_is_taken_and_somebody_looks(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        await make_area(call, [one, two], "worker")
        round_id = await make_round(call)
        for person in one.residents:
            await done(call, f"/residents/{person}/leave", reason="moved_away")
        at = {"recorded_at": now().isoformat()}
        knock, care = await push(call, "worker", door_visit(one, round_id, **at), care_visit(one, **at))
        for result in (knock, care):
            assert (result["status"], result["code"]) == ("flagged", "household_closed")
        flags = await read(call, "/coverage/flags", area=A)
        assert (flags["door_visits"], flags["care_visits"]) == (1, 1)
        assert (await read(call, "/coverage", area=A, round=round_id))["total"]["households_done"] == 0
        await assert_sound(database)

    async def test_edits_are_written_down_and_somebody_found_there_opens_it_again(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        area = await make_area(call, [one, two], "worker")
        for person in one.residents:
            await done(call, f"/residents/{person}/leave", reason="moved_away")
        home = {"household_id": str(one.id)}
        facts = {"base_version": area["version"], "changes": {"phone": "13700000007"}}
        results = await push(
            call, "worker", at_now("people.update_household", home | facts),
            at_now("people.update_resident", home | {"resident_id": str(one.residents[0])} | facts),
        )  # fmt: skip
        assert [(one["status"], one["code"]) for one in results] == [
            ("flagged", "household_closed"), ("flagged", "resident_gone"),
        ]  # fmt: skip
        assert str(one.id) not in [home["id"] for home in (await read(call, "/households", community_code=A))["items"]]
        newcomer = at_now("people.add_resident", home | {"resident_id": str(new_id()), "name": "后来人"})
        (result,) = await push(call, "worker", newcomer)
        assert (result["status"], result["code"]) == ("flagged", "household_closed")
        assert await members(call, one.id) == ["后来人"]
        pull = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": area["version"]})).json()
        assert (pull["upserts"]["residents"]["n"], pull["upserts"]["dwellings"]["v"]) == (["后来人"], [0])
        listed = (await read(call, "/flagged-edits", community_code=A))["items"]
        assert sorted(one["flag_code"] for one in listed) == ["household_closed", "household_closed", "resident_gone"]
        await assert_sound(database)


class TestAddHousehold:
    async def test_behind_a_known_door_and_its_people_answered_for_in_the_same_batch(
        self, call: Caller, database: Database
    ) -> None:
        one, two, _ = await stair(database)
        area = await make_area(call, [one, two], "worker")
        round_id = await make_round(call)
        new = household(dwelling_id=str(one.dwelling_id), phone="13812345678", tags=["tenant"], note="租住")
        who = new["payload"]["residents"][0]["id"]
        home = Home(new["payload"]["household_id"], one.dwelling_id, "101", [who])
        results = await push(call, "worker", new, door_visit(home, round_id))
        assert [r["status"] for r in results] == ["accepted", "accepted"]
        again = await push(call, "worker", new)
        assert again[0]["status"] == "duplicate"
        made = await read(call, f"/households/{home.id}")
        assert (made["room"], made["head_name"], made["note"], made["resident_count"]) == ("101", "戊某", "租住", 1)
        pull = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": area["version"]})).json()
        assert home.id in pull["upserts"]["households"]["i"]
        assert pull["upserts"]["states"]["o"] == ["answered_all"]
        await assert_sound(database)

    async def test_behind_a_new_door_which_joins_the_area_that_found_it(self, call: Caller, database: Database) -> None:
        one, *_ = await stair(database)
        area = await make_area(call, [one], "worker")
        door = {"building": "3", "stair": "2", "room": "401"}
        new = household(door=door, responsibility_area_id=area["id"])
        other = household(door=door | {"room": "402"}, responsibility_area_id=area["id"])
        (result,), (strange,) = await push(call, "worker", new), await push(call, "worker2", other)
        assert (result["status"], strange["status"], strange["code"]) == ("accepted", "flagged", "not_assigned")
        homes = (await read(call, "/households", community_code=A, building="3"))["items"]
        assert {h["room"]: h["responsibility_area_id"] for h in homes if h["room"] > "4"} == {
            "401": area["id"], "402": None,
        }  # fmt: skip
        await assert_sound(database)

    async def test_a_second_household_of_that_name_is_added_and_somebody_looks(
        self, call: Caller, database: Database
    ) -> None:
        one, *_ = await stair(database)
        await make_area(call, [one], "worker")
        person = {"id": str(new_id()), "name": "甲32101"}
        (result,) = await push(call, "worker", household(dwelling_id=str(one.dwelling_id), residents=[person]))
        assert (result["status"], result["code"]) == ("flagged", "person_known")
        homes = (await read(call, "/households", community_code=A, q="甲32101"))["items"]
        assert len(homes) == 2
        await assert_sound(database)

    async def test_what_cannot_be_is_rejected_and_may_be_tried_again(self, call: Caller, database: Database) -> None:
        one, *_ = await stair(database)
        await make_area(call, [one], "worker")
        nowhere = household(dwelling_id=str(new_id()))
        taken = household(dwelling_id=str(one.dwelling_id), household_id=str(one.id))
        codes = [r["code"] for r in await push(call, "worker", nowhere, taken)]
        assert codes == ["household_not_found", "id_taken"]
        # under another command's id, with the same people
        retry = nowhere | {"id": str(new_id()), "payload": nowhere["payload"] | {"dwelling_id": str(one.dwelling_id)}}
        (result,) = await push(call, "worker", retry)
        assert result["status"] == "accepted"
        newcomer = {"household_id": str(one.id), "resident_id": str(new_id()), "name": "己某"}
        (added,) = await push(call, "worker", at_now("people.add_resident", newcomer))
        (same,) = await push(call, "worker", at_now("people.add_resident", newcomer))
        assert (added["status"], same["code"]) == ("accepted", "id_taken")
        await assert_sound(database)
