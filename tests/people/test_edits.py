"""Edits that phones make at doors: fields merge, the same field files a conflict, the committee decides."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.audit import service as audit
from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.people import service as people
from app.screening import service as screening
from tests.makers import Home, command, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, C, Caller


async def prepared(call: Caller, database: Database, holder: str = "worker") -> tuple[list[Home], int, str]:
    """Two doors of two people, held by a worker; the version of the area and its id."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, holder)
    return homes, int(area["version"]), str(area["id"])


def at_now(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A command recorded this moment."""
    return command(name, payload, recorded_at=now().isoformat())


def change_person(home: Home, at: int, base: int, **changes: Any) -> dict[str, Any]:
    """A `people.update_resident` command."""
    who = str(home.residents[at])
    payload = {"household_id": str(home.id), "resident_id": who, "base_version": base, "changes": changes}
    return at_now("people.update_resident", payload)


def change_home(home: Home, base: int, **changes: Any) -> dict[str, Any]:
    """A `people.update_household` command."""
    payload = {"household_id": str(home.id), "base_version": base, "changes": changes}
    return at_now("people.update_household", payload)


def newcomer(home: Home, **facts: Any) -> dict[str, Any]:
    """A `people.add_resident` command."""
    return at_now("people.add_resident", {"household_id": str(home.id)} | facts)


async def carried(call: Caller, who: str, area_id: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """What a phone carries of the first home: the area's version, the household, its people by name."""
    pull = (await call(who, "GET", f"/sync/areas/{area_id}")).json()
    homes, persons = pull["upserts"]["households"], pull["upserts"]["residents"]
    home = {key: column[0] for key, column in homes.items()}
    rows = [dict(zip(persons, row, strict=True)) for row in zip(*persons.values(), strict=True)]
    return pull["version"], home, {row["n"]: row for row in rows if row["h"] == 0}


async def conflicts(call: Caller, who: str = "committee") -> list[dict[str, Any]]:
    """The community's open conflicts as its desk sees them."""
    answer = await call(who, "GET", "/conflicts", params={"community_code": A})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def assert_sound(database: Database) -> None:
    """Tallies equal their recount and the trail holds."""
    async with database.session(EVERYWHERE) as session:
        assert await people.find_tally_drift(session) == []
        assert await screening.find_tally_drift(session) == []
    assert (await audit.verify_chains(database))[1] == []


class TestMerge:
    async def test_a_correction_reaches_the_phone_and_the_desk(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        results = await push(
            call,
            "worker",
            change_home(homes[0], base, phone="15487654321", tags=["tenant"], note="晚上七点后在家"),
            change_person(homes[0], 0, base, name="甲新名", sex=2, birth_on="1961-02-03"),
        )
        assert [(r["status"], r["code"]) for r in results] == [("accepted", None)] * 2
        version, home, persons = await carried(call, "worker", area_id)
        assert version > base
        assert (home["p"], home["t"], home["n"]) == ("15487654321", ["tenant"], "晚上七点后在家")
        assert (home["h"], home["y"]) == ("甲新名", "jxm")
        assert (persons["甲新名"]["s"], persons["甲新名"]["b"]) == (2, 1961)
        read = (await call("committee", "GET", f"/households/{homes[0].id}")).json()
        assert (read["phone_masked"], read["head_name"]) == ("154****4321", "甲新名")
        assert await conflicts(call) == []
        assert (await call("worker", "GET", "/sync/status")).json()["confirmed_today"] == 2
        await assert_sound(database)

    async def test_different_fields_changed_apart_both_stand(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        url = f"/residents/{homes[0].residents[0]}"
        assert (await call("committee", "PATCH", url, json={"relation": "租客"})).is_success
        (result,) = await push(call, "worker", change_person(homes[0], 0, base, name="甲新名"))
        assert (result["status"], result["code"]) == ("accepted", None)
        _, _, persons = await carried(call, "worker", area_id)
        assert persons["甲新名"]["r"] == "租客"

    async def test_the_same_value_from_two_sides_is_no_conflict(self, call: Caller, database: Database) -> None:
        homes, base, _ = await prepared(call, database)
        await push(call, "committee", change_home(homes[0], base, phone="15411112222"))
        (result,) = await push(call, "worker", change_home(homes[0], base, phone="15411112222"))
        assert (result["status"], await conflicts(call)) == ("accepted", [])

    async def test_ones_own_later_edit_on_the_same_base_stands(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        await push(call, "worker", change_home(homes[0], base, phone="15411112222"))
        (result,) = await push(call, "worker", change_home(homes[0], base, phone="15411113333"))
        assert result["status"] == "accepted"
        assert (await carried(call, "worker", area_id))[1]["p"] == "15411113333"

    async def test_the_same_id_again_changes_nothing(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        edit = change_home(homes[0], base, phone="15411112222")
        await push(call, "worker", edit)
        assert (
            await call("committee", "PATCH", f"/households/{homes[0].id}", json={"phone": "15433334444"})
        ).is_success
        again, twin = await push(call, "worker", edit, edit)
        assert [(r["status"], r["first_status"]) for r in (again, twin)] == [("duplicate", "accepted")] * 2
        assert (await carried(call, "worker", area_id))[1]["p"] == "15433334444"
        assert (await call("worker", "GET", "/sync/status")).json()["confirmed_today"] == 1

    async def test_an_import_counts_as_somebody_else(self, call: Caller, database: Database) -> None:
        homes, base, _ = await prepared(call, database)
        doors = stair_of("3", "2", ["101"])
        doors[0].households[0].phone = "15455556666"
        await make_homes(database, A, doors)
        (result,) = await push(call, "worker", change_home(homes[0], base, phone="15411112222"))
        assert (result["status"], result["code"]) == ("flagged", "edit_conflict")


class TestConflict:
    async def clash(self, call: Caller, database: Database) -> tuple[list[Home], str]:
        """The desk and the worker change the same number apart; the worker changes a name besides."""
        homes, base, area_id = await prepared(call, database)
        url = f"/households/{homes[0].id}"
        assert (await call("committee", "PATCH", url, json={"phone": "15411112222"})).is_success
        edit = change_home(homes[0], base, phone="15433334444", note="门铃坏了")
        (result,) = await push(call, "worker", edit)
        assert (result["status"], result["code"]) == ("flagged", "edit_conflict")
        (again,) = await push(call, "worker", edit)
        assert (again["status"], again["first_status"], again["code"]) == ("duplicate", "flagged", "edit_conflict")
        return homes, area_id

    async def test_the_servers_value_stands_and_both_are_filed_masked(self, call: Caller, database: Database) -> None:
        homes, area_id = await self.clash(call, database)
        version, home, _ = await carried(call, "worker", area_id)
        assert (home["p"], home["n"]) == ("15411112222", "门铃坏了")
        # also a phone that has pulled the desk's number before its own edit went up is told again
        delta = (await call("worker", "GET", f"/sync/areas/{area_id}", params={"since": version - 1})).json()
        assert delta["upserts"]["households"]["i"] == [str(homes[0].id)]
        (item,) = await conflicts(call)
        assert (item["subject"], item["field"], item["household_id"]) == ("household", "phone", str(homes[0].id))
        assert (item["server"]["value"], item["server"]["actor_name"]) == ("154****2222", "committee 某")
        assert (item["phone"]["value"], item["phone"]["actor_name"]) == ("154****4444", "worker 某")
        assert "101" in item["address"]
        async with database.session(EVERYWHERE) as session:
            row = (await session.execute(text("SELECT server_sealed, phone_sealed FROM edit_conflict"))).one()
        assert b"154" not in bytes(row[0]) + bytes(row[1])

    async def test_keeping_the_phones_value_sends_it_to_both(self, call: Caller, database: Database) -> None:
        homes, area_id = await self.clash(call, database)
        before = (await carried(call, "worker", area_id))[0]
        (item,) = await conflicts(call)
        url = f"/conflicts/{item['id']}/resolve"
        assert (await call("committee", "POST", url, json={"keep": "phone"})).status_code == 204
        delta = (await call("worker", "GET", f"/sync/areas/{area_id}", params={"since": before})).json()
        assert delta["upserts"]["households"]["p"] == ["15433334444"]
        read = (await call("committee", "GET", f"/households/{homes[0].id}")).json()
        assert read["phone_masked"] == "154****4444"
        assert await conflicts(call) == []
        again = await call("committee", "POST", url, json={"keep": "server"})
        assert (again.status_code, again.json()["code"]) == (409, "conflict_resolved")
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert entries[0]["action"] == "resolve_conflict"
        await assert_sound(database)

    async def test_keeping_the_servers_value_changes_nothing(self, call: Caller, database: Database) -> None:
        _, area_id = await self.clash(call, database)
        (item,) = await conflicts(call)
        url = f"/conflicts/{item['id']}/resolve"
        assert (await call("committee", "POST", url, json={"keep": "server"})).status_code == 204
        assert (await carried(call, "worker", area_id))[1]["p"] == "15411112222"
        assert await conflicts(call) == []

    async def test_of_a_person_it_names_the_person_and_of_a_birth_the_year(
        self, call: Caller, database: Database
    ) -> None:
        homes, base, area_id = await prepared(call, database)
        await push(call, "committee", change_person(homes[0], 0, base, birth_on="1961-02-03"))
        await push(call, "worker", change_person(homes[0], 0, base, birth_on="1963-04-05"))
        (item,) = await conflicts(call)
        assert (item["resident_name"], item["server"]["value"], item["phone"]["value"]) == ("甲32101", "1961", "1963")
        url = f"/conflicts/{item['id']}/resolve"
        assert (await call("committee", "POST", url, json={"keep": "phone"})).status_code == 204
        assert (await carried(call, "worker", area_id))[2]["甲32101"]["b"] == 1963

    async def test_others_neither_see_nor_decide_it(self, call: Caller, database: Database) -> None:
        await self.clash(call, database)
        (item,) = await conflicts(call)
        listed = [
            await call(who, "GET", "/conflicts", params={"community_code": A}) for who in ("far_committee", "worker")
        ]
        assert [answer.status_code for answer in listed] == [404, 403]
        url = f"/conflicts/{item['id']}/resolve"
        decided = [await call(who, "POST", url, json={"keep": "phone"}) for who in ("far_committee", "worker")]
        assert [answer.status_code for answer in decided] == [404, 403]
        assert (await call("committee", "POST", url, json={"keep": "both"})).status_code == 422
        assert len(await conflicts(call)) == 1


class TestAddResident:
    async def test_a_person_found_at_the_door_is_counted_and_asked_for(self, call: Caller, database: Database) -> None:
        homes, _, area_id = await prepared(call, database)
        round_id = await make_round(call)
        await push(call, "worker", door_visit(homes[0], round_id, recorded_at=now().isoformat()))
        add = newcomer(homes[0], name="丙小新", sex=1, birth_on="2020-05-06", relation="孙子", phone="15411112222")
        (result,) = await push(call, "worker", add)
        assert (result["status"], result["code"]) == ("accepted", None)
        _, _, persons = await carried(call, "worker", area_id)
        assert (persons["丙小新"]["i"], persons["丙小新"]["b"], persons["丙小新"]["r"]) == (add["id"], 2020, "孙子")
        door = (await call("committee", "GET", "/coverage/doors", params={"community_code": A})).json()["items"][0]
        assert (door["outcome"], door["persons"], door["persons_done"]) == ("answered_part", 3, 2)
        one = [{"resident_id": add["id"], "status": "well"}]
        await push(call, "worker", door_visit(homes[0], round_id, persons=one, recorded_at=now().isoformat()))
        door = (await call("committee", "GET", "/coverage/doors", params={"community_code": A})).json()["items"][0]
        assert (door["outcome"], door["persons_done"]) == ("answered_all", 3)
        await assert_sound(database)

    async def test_one_batch_may_add_correct_and_ask_a_person(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        round_id = await make_round(call)
        add = newcomer(homes[0], name="丙小新")
        edit = change_person(homes[0], 0, base, name="丙大新")
        edit["payload"]["resident_id"] = add["id"]
        asked = [{"resident_id": add["id"], "status": "well"}]
        visit = door_visit(homes[0], round_id, "answered_part", persons=asked, recorded_at=now().isoformat())
        results = await push(call, "worker", visit, edit, add)
        assert [r["status"] for r in results] == ["accepted"] * 3
        assert "丙大新" in (await carried(call, "worker", area_id))[2]

    async def test_somebody_of_the_same_name_is_added_and_looked_at(self, call: Caller, database: Database) -> None:
        homes, _, area_id = await prepared(call, database)
        (result,) = await push(call, "worker", newcomer(homes[0], name="甲32101"))
        assert (result["status"], result["code"]) == ("flagged", "person_known")
        pull = (await call("worker", "GET", f"/sync/areas/{area_id}")).json()
        assert pull["upserts"]["residents"]["n"].count("甲32101") == 2
        await assert_sound(database)

    async def test_an_id_that_is_somebodys_is_refused(self, call: Caller, database: Database) -> None:
        homes, _, area_id = await prepared(call, database)
        taken = newcomer(homes[0], name="丙小新") | {"id": str(homes[1].residents[0])}
        (result,) = await push(call, "worker", taken)
        assert (result["status"], result["code"]) == ("rejected", "id_taken")
        assert "丙小新" not in (await carried(call, "worker", area_id))[2]


class TestJudgement:
    async def test_shapes_scope_and_strangers(self, call: Caller, database: Database) -> None:
        homes, base, _ = await prepared(call, database)
        (far, *_) = await make_homes(database, C, stair_of("1", "1", ["101"]))
        nobody = Home(new_id(), new_id(), "901", [new_id()])
        stranger = change_person(homes[0], 0, base, name="新")
        stranger["payload"]["resident_id"] = str(new_id())
        results = await push(
            call,
            "worker",
            change_home(homes[0], base, phone="12"),
            change_home(homes[0], base, head_name="新"),
            change_person(homes[0], 0, base, sex=5),
            newcomer(homes[0], name=" "),
            change_home(far, base, note="x"),
            change_home(nobody, base, note="x"),
            newcomer(nobody, name="新"),
            stranger,
            change_person(homes[0], 0, base, name="有\x00字"),
            change_home(homes[0], base, note="好"),
        )
        assert [r["code"] for r in results] == [
            *["shape_invalid"] * 4,
            *["household_not_found"] * 3,
            "resident_not_found",
            "value_invalid",
            None,
        ]
        assert [r["status"] for r in results] == ["rejected"] * 9 + ["accepted"]
        read = (await call("committee", "GET", f"/households/{homes[0].id}")).json()
        assert (read["note"], read["phone_masked"]) == ("好", "138****5678")

    async def test_a_door_of_another_area_is_kept_and_flagged(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database, "worker2")
        results = await push(
            call, "worker", change_home(homes[0], base, note="x"), newcomer(homes[0], name="丙小新"),
            change_person(homes[0], 0, base, relation="本人"),
        )  # fmt: skip
        assert [(r["status"], r["code"]) for r in results] == [("flagged", "not_assigned")] * 3
        assert (await carried(call, "worker2", area_id))[1]["n"] == "x"

    async def test_after_a_hand_over_it_is_flagged_as_old(self, call: Caller, database: Database) -> None:
        homes, base, area_id = await prepared(call, database)
        other = {"account_id": str(call.personas["worker2"].id)}
        assert (await call("committee", "POST", f"/responsibility-areas/{area_id}/assign", json=other)).is_success
        late = change_home(homes[0], base, note="x") | {"recorded_at": (now() + timedelta(seconds=2)).isoformat()}
        (result,) = await push(call, "worker", late)
        assert (result["status"], result["code"]) == ("flagged", "epoch_old")
