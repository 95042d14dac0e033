"""Rounds and visits over HTTP: who may open, who may read, and when a household counts as done."""

from typing import Any

from app.core.db import Database
from tests.makers import care_visit, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, FAR_DISTRICT, STREET, A, C, Caller

ROUND = {"title": "二月排查", "starts_on": "2026-02-01", "ends_on": "2026-02-03", "minutes": 0}


async def figures(call: Caller) -> dict[str, Any]:
    """Community A's coverage as its committee sees it."""
    total: dict[str, Any] = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
    return total


class TestCreateRound:
    async def test_a_desk_opens_one_for_its_part(self, call: Caller) -> None:
        made = await call("committee", "POST", "/rounds", json=ROUND | {"division_code": A})
        assert made.status_code == 201
        assert (made.json()["status"], made.json()["division_name"]) == ("open", "甲社区")
        listed = await call("worker", "GET", "/rounds", params={"status": "open"})
        assert [r["title"] for r in listed.json()["items"]] == ["二月排查"]

    async def test_not_without_having_seen_what_it_costs(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        body = ROUND | {"division_code": A}
        cost = (await call("committee", "POST", "/rounds/estimate", json={"division_code": A})).json()["minutes"]
        answers = [
            await call("committee", "POST", "/rounds", json=body | {"minutes": seen}) for seen in (None, cost + 1, cost)
        ]
        assert [(a.status_code, a.json().get("code")) for a in answers] == [
            (422, "round_needs_estimate"),
            (409, "estimate_changed"),
            (201, None),
        ]

    async def test_not_above_or_beside_it_and_not_by_workers(self, call: Caller) -> None:
        answers = [
            await call(who, "POST", "/rounds", json=ROUND | {"division_code": code})
            for who, code in (("committee", CITY), ("committee", C), ("worker", A), ("viewer", A), ("client", A))
        ]
        assert [a.status_code for a in answers] == [404, 404, 403, 403, 403]

    async def test_it_ends_no_sooner_than_it_begins(self, call: Caller) -> None:
        body = ROUND | {"division_code": A, "ends_on": "2026-01-31"}
        answer = await call("committee", "POST", "/rounds", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "round_dates")

    async def test_an_unknown_division_is_not_found(self, call: Caller) -> None:
        answer = await call("city", "POST", "/rounds", json=ROUND | {"division_code": "990101001999"})
        assert answer.status_code == 404


class TestCloseRound:
    async def test_its_desk_closes_it_once(self, call: Caller) -> None:
        round_id = await make_round(call, A, "committee")
        closed = await call("committee", "POST", f"/rounds/{round_id}/close")
        assert closed.json()["status"] == "closed"
        again = await call("committee", "POST", f"/rounds/{round_id}/close")
        assert (again.status_code, again.json()["code"]) == (409, "round_already_closed")

    async def test_a_committee_does_not_close_the_citys(self, call: Caller) -> None:
        round_id = await make_round(call)
        assert (await call("committee", "POST", f"/rounds/{round_id}/close")).status_code == 404

    async def test_one_of_another_part_is_not_there(self, call: Caller) -> None:
        round_id = await make_round(call, FAR_DISTRICT)
        assert (await call("committee", "GET", "/rounds")).json()["items"] == []
        assert (await call("committee", "POST", f"/rounds/{round_id}/close")).status_code == 404


class TestListDoorVisits:
    async def test_flagged_knocks_can_be_asked_for_and_say_where(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        await make_area(call, homes[:1], "worker")
        round_id = await make_round(call)
        results = await push(call, "worker", door_visit(homes[0], round_id), door_visit(homes[1], round_id))
        assert [r["status"] for r in results] == ["accepted", "flagged"]
        asked = {"community_code": A, "is_flagged": True}
        (visit,) = (await call("committee", "GET", "/door-visits", params=asked)).json()["items"]
        assert (visit["address"], visit["head_name"], visit["flag_code"]) == (
            "3号楼 2单元 102",
            "甲32102",
            "not_assigned",
        )
        others = await call("street", "GET", "/door-visits", params=asked | {"is_flagged": False})
        assert [v["household_id"] for v in others.json()["items"]] == [str(homes[0].id)]
        assert (await call("street", "GET", "/door-visits", params={"community_code": STREET})).json()["items"] == []

    async def test_the_desk_reads_what_was_said_and_nobody_else(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        await make_area(call, homes, "worker")
        round_id = await make_round(call)
        await push(call, "worker", door_visit(homes[0], round_id, note="门口有狗"), door_visit(homes[1], round_id))
        params = {"community_code": A, "household_id": str(homes[0].id)}
        (visit,) = (await call("committee", "GET", "/door-visits", params=params)).json()["items"]
        assert (visit["note"], visit["is_flagged"], visit["actor_name"]) == ("门口有狗", False, "worker 某")
        assert {p["status"] for p in visit["persons"]} == {"well"}
        others = [await call(who, "GET", "/door-visits", params=params) for who in ("worker", "viewer", "client")]
        assert [a.status_code for a in others] == [403, 403, 403]
        assert (await call("far_committee", "GET", "/door-visits", params=params)).status_code == 404

    async def test_pages(self, call: Caller, database: Database) -> None:
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await make_round(call)
        sent = [door_visit(home, round_id, "no_answer") for _ in range(5)]
        await push(call, "committee", *sent)
        seen: list[str] = []
        params: dict[str, Any] = {"community_code": A, "limit": 2}
        while True:
            page = (await call("committee", "GET", "/door-visits", params=params)).json()
            seen += [v["id"] for v in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert seen == sorted((v["id"] for v in sent), reverse=True)


class TestRecordDoorVisit:
    async def test_who_moves_in_has_not_been_asked_yet(self, call: Caller, database: Database) -> None:
        """A household that was done is done in part when there is somebody more, and nobody is missed."""
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await make_round(call)
        await push(call, "committee", door_visit(home, round_id))
        assert (await figures(call))["communities_done"] == 1
        made = await call("committee", "POST", f"/households/{home.id}/residents", json={"name": "新来的"})
        assert made.status_code == 201
        after = await figures(call)
        assert (after["communities_done"], after["households_missing"], after["persons_missing"]) == (0, 1, 1)
        (gap,) = (await call("committee", "GET", "/coverage/gaps", params={"area": A})).json()["items"]
        assert (gap["household_id"], gap["reason"]) == (str(home.id), "answered_part")

    async def test_what_a_closed_round_found_stays(self, call: Caller, database: Database) -> None:
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await make_round(call, A, "committee")
        await push(call, "committee", door_visit(home, round_id))
        await call("committee", "POST", f"/rounds/{round_id}/close")
        await call("committee", "POST", f"/households/{home.id}/residents", json={"name": "新来的"})
        total = await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})
        assert total.json()["total"]["outcomes"]["answered_all"] == 1

    async def test_neighbours_do_not_answer_for_a_household(self, call: Caller, database: Database) -> None:
        here, next_door = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        round_id = await make_round(call)
        strangers = [{"resident_id": str(r), "status": "well"} for r in next_door.residents]
        (result,) = await push(call, "committee", door_visit(here, round_id, persons=strangers))
        assert (result["status"], result["code"]) == ("rejected", "resident_not_found")
        assert (await figures(call))["persons_done"] == 0

    async def test_a_care_visit_names_somebody_of_the_household(self, call: Caller, database: Database) -> None:
        here, next_door = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        own, strange = await push(
            call,
            "committee",
            care_visit(here, resident_id=str(here.residents[0])),
            care_visit(here, resident_id=str(next_door.residents[0])),
        )
        assert (own["status"], strange["status"], strange["code"]) == ("accepted", "rejected", "resident_not_found")
