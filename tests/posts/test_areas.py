"""A responsibility area is cut, assigned, claimed, given back and dissolved; by whom, and what stands in the way."""

from typing import Any

import pytest

from app.core.db import Database
from app.core.ids import new_id
from tests.makers import Home, make_area, make_homes, stair_of
from tests.personas import A, B, Caller

AREAS = "/responsibility-areas"
DESK_ONLY = [("street", True, 200), ("worker", False, 403), ("viewer", False, 403), ("other_committee", False, 404),
             ("far_committee", False, 404), (None, False, 401)]  # fmt: skip


@pytest.fixture
async def homes(database: Database, call: Caller) -> list[Home]:
    """Three doors of a stair in A."""
    return await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))


async def read(call: Caller, area: dict[str, Any], who: str = "committee") -> dict[str, Any]:
    """The area as it now stands."""
    answer = await call(who, "GET", f"{AREAS}/{area['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def assignee(call: Caller, who: str) -> dict[str, str]:
    """A body that names somebody."""
    return {"account_id": str(call.personas[who].id)}


class TestCreate:
    async def test_takes_a_whole_stair_and_says_what_is_in_it(self, call: Caller, homes: list[Home]) -> None:
        body = {"community_code": A, "name": "二单元", "stairs": [{"building": "3", "stair": "2"}], "is_open": True}
        made = (await call("committee", "POST", AREAS, json=body)).json()
        assert (made["dwelling_count"], made["household_count"], made["holder"], made["is_open"]) == (3, 3, None, True)

    async def test_a_door_has_one_area(self, call: Caller, homes: list[Home]) -> None:
        await make_area(call, homes[:1], "worker")
        body = {"community_code": A, "name": "又一个", "dwelling_ids": [str(homes[0].dwelling_id)], "is_open": True}
        answer = await call("committee", "POST", AREAS, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "door_already_assigned")

    async def test_refuses_doors_nobody_knows_and_holders_from_elsewhere(self, call: Caller, homes: list[Home]) -> None:
        body = {"community_code": A, "name": "甲", "is_open": False, "dwelling_ids": [str(homes[0].dwelling_id)]}
        for wrong, code in (
            ({"dwelling_ids": [str(new_id())]}, "doors_unknown"),
            ({"assign_to": str(call.personas["far_worker"].id)}, "account_not_here"),
            ({"assign_to": str(call.personas["viewer"].id)}, "account_not_here"),
            ({"name": ""}, "shape_invalid"),
            ({"colour": "red"}, "shape_invalid"),
        ):
            answer = await call("committee", "POST", AREAS, json=body | wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, code), wrong
        listed = await call("committee", "GET", AREAS, params={"community_code": A})
        assert listed.json()["items"] == []

    @pytest.mark.parametrize(("who", "is_done", "status"), DESK_ONLY)
    async def test_is_for_the_desks_over_the_community(
        self, call: Caller, homes: list[Home], who: str | None, is_done: bool, status: int
    ) -> None:
        body = {"community_code": A, "name": "甲", "is_open": True, "dwelling_ids": [str(homes[0].dwelling_id)]}
        assert (await call(who, "POST", AREAS, json=body)).status_code == (201 if is_done else status)


class TestAssign:
    async def test_gives_it_and_takes_it_from_who_had_it(self, call: Caller, homes: list[Home]) -> None:
        area = await make_area(call, homes, "worker")
        answer = await call("committee", "POST", f"{AREAS}/{area['id']}/assign", json=assignee(call, "worker2"))
        assert answer.status_code == 200
        assert answer.json()["holder"]["id"] == str(call.personas["worker2"].id)
        assert answer.json()["epoch"] > area["epoch"]
        held = {who: (await call(who, "GET", "/sync/areas")).json() for who in ("worker", "worker2")}
        assert [[a["id"] for a in held[who]] for who in ("worker", "worker2")] == [[], [area["id"]]]

    @pytest.mark.parametrize("who", ["far_worker", "viewer", "client"])
    async def test_only_to_who_works_here(self, call: Caller, homes: list[Home], who: str) -> None:
        area = await make_area(call, homes, None)
        answer = await call("committee", "POST", f"{AREAS}/{area['id']}/assign", json=assignee(call, who))
        assert (answer.status_code, answer.json()["code"]) == (422, "account_not_here")
        assert (await read(call, area))["holder"] is None

    @pytest.mark.parametrize(("who", "is_done", "status"), DESK_ONLY)
    async def test_is_for_the_desks_over_the_community(
        self, call: Caller, homes: list[Home], who: str | None, is_done: bool, status: int
    ) -> None:
        area = await make_area(call, homes, None)
        answer = await call(who, "POST", f"{AREAS}/{area['id']}/assign", json=assignee(call, "worker"))
        assert answer.status_code == status
        assert bool((await read(call, area))["holder"]) == is_done


class TestClaim:
    async def test_an_open_area_becomes_ones_own_and_is_gone_for_others(self, call: Caller, homes: list[Home]) -> None:
        area = await make_area(call, homes, None)
        first = await call("worker", "POST", f"{AREAS}/{area['id']}/claim")
        assert (first.status_code, first.json()["holder"]["name"]) == (200, "worker 某")
        second = await call("worker2", "POST", f"{AREAS}/{area['id']}/claim")
        assert (second.status_code, second.json()["code"]) == (409, "area_already_claimed")
        assert (await call("worker2", "GET", f"{AREAS}/{area['id']}")).status_code == 404
        mine = await call("worker", "GET", AREAS, params={"is_mine": True})
        assert [a["id"] for a in mine.json()["items"]] == [area["id"]]

    async def test_one_that_is_not_open_is_nobodys_to_claim(self, call: Caller, homes: list[Home]) -> None:
        area = await make_area(call, homes, None)
        await call("committee", "PATCH", f"{AREAS}/{area['id']}", json={"is_open": False})
        answer = await call("worker", "POST", f"{AREAS}/{area['id']}/claim")
        assert (answer.status_code, answer.json()["code"]) == (409, "area_already_claimed")
        assert (await read(call, area))["holder"] is None

    @pytest.mark.parametrize(
        ("who", "status"),
        [("far_worker", 404), ("other_committee", 404), ("viewer", 403), ("client", 403), (None, 401)],
    )
    async def test_is_for_the_people_of_the_community(
        self, call: Caller, homes: list[Home], who: str | None, status: int
    ) -> None:
        area = await make_area(call, homes, None)
        assert (await call(who, "POST", f"{AREAS}/{area['id']}/claim")).status_code == status
        assert (await call(who, "POST", f"{AREAS}/{new_id()}/claim")).status_code == status
        assert (await read(call, area))["holder"] is None


class TestRelease:
    @pytest.mark.parametrize("who", ["worker", "committee", "street"])
    async def test_its_holder_gives_it_back_or_its_desk_for_them(
        self, call: Caller, homes: list[Home], who: str
    ) -> None:
        area = await make_area(call, homes, "worker")
        answer = await call(who, "POST", f"{AREAS}/{area['id']}/release")
        assert (answer.status_code, answer.json()["holder"]) == (200, None)
        again = await call("committee", "POST", f"{AREAS}/{area['id']}/release")
        assert (again.status_code, again.json()["code"]) == (409, "area_not_claimed")

    @pytest.mark.parametrize(
        ("who", "status"), [("worker2", 404), ("far_committee", 404), ("other_committee", 404), ("viewer", 403),
                            (None, 401)]
    )  # fmt: skip
    async def test_nobody_else_does(self, call: Caller, homes: list[Home], who: str | None, status: int) -> None:
        area = await make_area(call, homes, "worker")
        assert (await call(who, "POST", f"{AREAS}/{area['id']}/release")).status_code == status
        assert (await read(call, area))["holder"]["name"] == "worker 某"


class TestUpdateAndDelete:
    async def test_doors_move_and_a_dissolved_area_leaves_them_free(self, call: Caller, homes: list[Home]) -> None:
        area = await make_area(call, homes[:2], "worker")
        change = {"add_dwelling_ids": [str(homes[2].dwelling_id)], "remove_dwelling_ids": [str(homes[0].dwelling_id)]}
        changed = (await call("committee", "PATCH", f"{AREAS}/{area['id']}", json=change | {"name": "新名"})).json()
        assert (changed["name"], changed["dwelling_count"]) == ("新名", 2)
        assert (await call("committee", "DELETE", f"{AREAS}/{area['id']}")).status_code == 204
        assert (await call("committee", "GET", f"{AREAS}/{area['id']}")).status_code == 404
        (building,) = (await call("committee", "GET", "/buildings", params={"community_code": A})).json()["items"]
        assert building["unassigned_count"] == 3

    @pytest.mark.parametrize(("who", "is_done", "status"), DESK_ONLY)
    async def test_are_for_the_desks_over_the_community(
        self, call: Caller, homes: list[Home], who: str | None, is_done: bool, status: int
    ) -> None:
        area = await make_area(call, homes, "worker")
        path = f"{AREAS}/{area['id']}"
        assert (await call(who, "PATCH", path, json={"name": "别的"})).status_code == status
        assert ((await read(call, area))["name"] == "别的") == is_done
        assert (await call(who, "DELETE", path)).status_code == (204 if is_done else status)

    async def test_refuse_what_is_no_change(self, call: Caller, homes: list[Home]) -> None:
        area = await make_area(call, homes[:1], "worker")
        for wrong in ({"name": ""}, {"holder": "x"}, {"add_dwelling_ids": [str(new_id())]}):
            assert (await call("committee", "PATCH", f"{AREAS}/{area['id']}", json=wrong)).status_code == 422, wrong


class TestList:
    async def test_a_worker_sees_ones_own_and_the_open_ones(self, call: Caller, homes: list[Home]) -> None:
        mine, free, others = [
            await make_area(call, [home], who) for home, who in zip(homes, ("worker", None, "worker2"), strict=True)
        ]
        seen = {
            who: {a["id"] for a in (await call(who, "GET", AREAS, params={"community_code": A})).json()["items"]}
            for who in ("worker", "committee", "street", "viewer")
        }
        everything = {a["id"] for a in (mine, free, others)}
        assert seen == {"worker": everything - {others["id"]}} | dict.fromkeys(
            ("committee", "street", "viewer"), everything
        )
        opened = await call("committee", "GET", AREAS, params={"community_code": A, "is_open": True})
        assert [a["id"] for a in opened.json()["items"]] == [free["id"]]

    @pytest.mark.parametrize(("who", "status"), [("far_worker", 404), ("other_committee", 404), (None, 401)])
    async def test_not_from_elsewhere(self, call: Caller, who: str | None, status: int) -> None:
        assert (await call(who, "GET", AREAS, params={"community_code": A})).status_code == status
        assert (await call("street", "GET", AREAS, params={"community_code": B})).json()["items"] == []
