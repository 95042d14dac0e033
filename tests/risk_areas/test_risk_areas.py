"""A risk area over HTTP: what the registry and the doors know, how old it is, and the round that asks the others."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.risk_areas.service import delete_risk_areas
from tests.makers import Home, make_area, make_homes, push, stair_of
from tests.personas import CITY, FAR_DISTRICT, STREET, A, B, C, Caller
from tests.rounds.asking import CAME, answered, open_round

WUHAN = {"name": "武汉市", "code": "420100000000"}


def ago(days: int) -> str:
    return (today() - timedelta(days=days)).isoformat()


def wuhan(division: str = A, **extra: Any) -> dict[str, Any]:
    days = {"from_on": ago(20), "to_on": ago(-10), "stale_after_days": 7}
    return {"division_code": division, "place": WUHAN, **days, **extra}


async def risk_area(call: Caller, who: str = "committee", division: str = A, **extra: Any) -> str:
    made = await call(who, "POST", "/risk-areas", json=wuhan(division, **extra))
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def known(call: Caller, risk_area_id: str, who: str = "committee", code: str = A) -> dict[str, Any]:
    """What is known of each household, by the room of its door."""
    query = {"community_code": code}
    found = await call(who, "GET", f"/risk-areas/{risk_area_id}/households", params=query)
    assert found.status_code == 200, found.text
    return {one["address"][-3:]: (one["knowledge"], one["fact"], one["age_days"]) for one in found.json()["items"]}


async def counted(call: Caller, risk_area_id: str, who: str, area: str) -> dict[str, tuple[int, int, int, int]]:
    found = await call(who, "GET", f"/risk-areas/{risk_area_id}/communities", params={"area": area})
    assert found.status_code == 200, found.text
    return {
        one["community_code"]: (one["there"], one["not_there"], one["stale"], one["unknown"])
        for one in found.json()["items"]
    }


def of_each(home: Home, *values: bool) -> list[dict[str, Any]]:
    return [
        {"question": "back", "resident_id": str(one), "value": value}
        for one, value in zip(home.residents, values, strict=False)
    ]


def days_ago(days: int) -> dict[str, Any]:
    return {"recorded_at": (now() - timedelta(days=days)).isoformat()}


class TestWhatIsKnown:
    async def test_by_kind_and_age_from_doors_moves_and_registrations(self, call: Caller, database: Database) -> None:
        rooms = ["101", "102", "103", "104", "201", "202", "203", "204", "301"]
        homes = dict(zip(rooms, await make_homes(database, A, stair_of("3", "2", rooms)), strict=True))
        await make_area(call, list(homes.values()), "worker")
        may = {**CAME, "is_required": False}
        round_id = await open_round(call, questions=[may], standard=["temperature", "arrival"])
        first = str(homes["204"].residents[0])
        typed = [
            {"question": "std_came", "resident_id": first, "value": True},
            {"question": "std_came_on", "resident_id": first, "value": ago(2)},
            {"question": "std_came_from", "resident_id": first, "value": "湖北 武汉 洪山区"},
        ]
        results = await push(
            call, "worker",
            answered(homes["101"], round_id, of_each(homes["101"], True, False), **days_ago(1)),
            answered(homes["102"], round_id, of_each(homes["102"], False, False), **days_ago(3)),
            answered(homes["103"], round_id, of_each(homes["103"], False, False), **days_ago(9)),
            answered(homes["104"], round_id, of_each(homes["104"], False), **days_ago(1)),
            answered(homes["204"], round_id, typed, **days_ago(1)),
        )  # fmt: skip
        assert {one["status"] for one in results} == {"accepted"}, results
        for room, started in (("201", ago(4)), ("202", ago(90))):
            body = {"person": {"name": "新来的"}, "reason": "moved_in", "on": started, "place": "武汉江岸区"}
            came = await call("committee", "POST", f"/households/{homes[room].id}/arrivals", json=body)
            assert came.status_code == 201, came.text
        there = {"place": "湖北省武汉市"}
        put = await call("committee", "PUT", f"/residents/{homes['203'].residents[0]}/registration", json=there)
        assert put.status_code == 204, put.text

        one = await risk_area(call)
        assert await known(call, one) == {
            "101": ("there", "answer", 1),
            "102": ("not_there", "answer", 3),
            # nine days ago is older than seven
            "103": ("stale", "answer", 9),
            # one of two was asked
            "104": ("unknown", None, None),
            "201": ("there", "move", 4),
            "202": ("stale", "move", 90),
            # where somebody is from does not say when they were there
            "203": ("stale", "registration", 0),
            "204": ("there", "answer", 2),
            "301": ("unknown", None, None),
        }
        assert await counted(call, one, "committee", A) == {A: (3, 1, 3, 2)}
        # a no from before the place was a risk says nothing about it
        later = await risk_area(call, from_on=ago(2))
        assert (await known(call, later))["102"] == ("stale", "answer", 3)
        # nor does a no to another place
        elsewhere = await risk_area(call, place={"name": "黄冈"})
        assert {state for state, _, _ in (await known(call, elsewhere)).values()} == {"unknown"}
        # a yes to the city is no yes to one of its quarters, but a no to the city is
        quarter = await risk_area(call, place={"name": "洪山区", "code": "420111000000"})
        found = await known(call, quarter)
        assert (found["101"][0], found["102"][0], found["204"][0]) == ("unknown", "not_there", "there")

    async def test_a_record_set_aside_is_no_fact(self, call: Caller, database: Database) -> None:
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_area(call, [home], "worker")
        round_id = await open_round(call, questions=[CAME], standard=["temperature"])
        visit = answered(home, round_id, of_each(home, True, False), **days_ago(1))
        await push(call, "worker", visit)
        one = await risk_area(call)
        assert await known(call, one) == {"101": ("there", "answer", 1)}
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE door_visit SET verdict = 'set_aside'"))
        assert await known(call, one) == {"101": ("unknown", None, None)}


class TestWhoSeesIt:
    async def test_levels_see_counts_committees_their_own_and_others_nothing(
        self, call: Caller, database: Database
    ) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        await make_homes(database, B, stair_of("1", "1", ["101"]))
        await make_homes(database, C, stair_of("1", "1", ["101"]))
        one = await risk_area(call, "street", STREET)
        assert await counted(call, one, "street", STREET) == {A: (0, 0, 0, 2), B: (0, 0, 0, 1)}
        assert await counted(call, one, "committee", A) == {A: (0, 0, 0, 2)}
        # a city's list of a street's risk area is of the street
        assert set(await counted(call, one, "city", CITY)) == {A, B}
        path = f"/risk-areas/{one}/households"
        assert (await call("street", "GET", path, params={"community_code": A})).status_code == 403
        assert (await call("other_committee", "GET", path, params={"community_code": A})).status_code == 404
        assert (await call("worker", "GET", path, params={"community_code": A})).status_code == 403
        found = (await call("committee", "GET", path, params={"community_code": A})).json()["items"]
        assert all(row["head_masked"][1:].strip("*") == "" for row in found)
        assert "甲32101" not in str(found)
        for who, code in (("far_committee", C), ("far_street", FAR_DISTRICT)):
            assert (await call(who, "GET", f"/risk-areas/{one}", params={"area": code})).status_code == 404
        listed = await call("far_committee", "GET", "/risk-areas", params={"area": C})
        assert listed.json()["items"] == []
        async with database.session(EVERYWHERE) as session:
            looks = await session.execute(
                text("SELECT action, community_code, actor_name FROM audit_entry WHERE action LIKE 'look_at_risk%'")
            )
            seen = {tuple(row) for row in looks}
        assert ("look_at_risk_area", STREET, "street 某") in seen
        assert ("look_at_risk_area_households", A, "committee 某") in seen

    async def test_the_same_place_and_days_are_the_same_and_have_an_end(self, call: Caller, database: Database) -> None:
        one = await risk_area(call)
        assert await risk_area(call, stale_after_days=3) == one
        (found,) = (await call("committee", "GET", "/risk-areas", params={"area": A})).json()["items"]
        assert (found["stale_after_days"], found["place_name"]) == (3, "武汉市")
        unnamed = await call("committee", "POST", "/risk-areas", json=wuhan(place={"code": "429900000000"}))
        assert unnamed.json()["code"] == "risk_area_place"
        backwards = await call("committee", "POST", "/risk-areas", json=wuhan(to_on=ago(30)))
        assert backwards.json()["code"] == "risk_area_dates"
        assert await delete_risk_areas(database) == 0
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE risk_area SET delete_by = :on"), {"on": today()})
        assert (await call("committee", "GET", f"/risk-areas/{one}")).status_code == 404
        assert await delete_risk_areas(database) == 1


class TestTheRound:
    async def test_asks_the_others_once_and_its_answers_are_known_at_once(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "103"]))
        await make_area(call, homes, "worker")
        before = await open_round(call, questions=[CAME], standard=["temperature"])
        await push(call, "worker", answered(homes[0], before, of_each(homes[0], False, False), **days_ago(1)))
        one = await risk_area(call, "street", STREET)
        path = f"/risk-areas/{one}/round"
        draft = await call("committee", "POST", path, json={"division_code": A})
        assert draft.status_code == 201, draft.text
        round_id = draft.json()["id"]
        assert (draft.json()["status"], draft.json()["target"]) == ("draft", "list")
        detail = (await call("committee", "GET", f"/rounds/{round_id}")).json()
        assert detail["estimate"]["doors"] == 2
        (question,) = detail["questions"]
        assert (question["place"], question["kind"]) == (WUHAN, "yes_no")
        # the same draft again, with who has become known since left out
        await push(call, "worker", answered(homes[1], before, of_each(homes[1], True, False), **days_ago(0)))
        unseen = {"division_code": A, "minutes": 999}
        refused = await call("committee", "POST", path, json=unseen)
        assert refused.json()["code"] == "estimate_changed"
        again = await call("committee", "POST", path, json={"division_code": A})
        assert again.json()["id"] == round_id
        minutes = (await call("committee", "GET", f"/rounds/{round_id}")).json()["estimate"]["minutes"]
        opened = await call("committee", "POST", path, json={"division_code": A, "minutes": minutes})
        assert (opened.json()["id"], opened.json()["status"]) == (round_id, "open")
        assert (await call("committee", "POST", path, json={"division_code": A})).json() == opened.json()
        read = (await call("committee", "GET", f"/risk-areas/{one}")).json()
        assert read["round_id"] == round_id
        async with database.session(EVERYWHERE) as session:
            targets = await session.scalars(
                text("SELECT household_id FROM round_target WHERE round_id = :id"), {"id": round_id}
            )
            assert set(targets.all()) == {homes[2].id}
        await push(
            call, "worker", answered(homes[2], round_id, [{"question": "been_there", "value": False}], **days_ago(0))
        )
        assert (await known(call, one))["103"] == ("not_there", "answer", 0)
        await call("committee", "POST", f"/rounds/{round_id}/close")
        nobody = await call("committee", "POST", path, json={"division_code": A})
        assert (nobody.status_code, nobody.json()["code"]) == (422, "round_nobody")

    async def test_is_made_by_a_desk_for_its_own_part(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        one = await risk_area(call, "street", STREET)
        path = f"/risk-areas/{one}/round"
        assert (await call("committee", "POST", path, json={"division_code": B})).status_code == 404
        assert (await call("far_committee", "POST", path, json={"division_code": C})).status_code == 404
        assert (await call("city", "POST", path, json={"division_code": CITY})).status_code == 404
        assert (await call("street", "POST", path, json={"division_code": STREET})).status_code == 201
