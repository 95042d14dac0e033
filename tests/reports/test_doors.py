"""Door by door: the bottom of coverage agrees with its figures."""

from typing import Any

import pytest

from app.core.db import Database
from app.people.registry import DwellingInput
from tests.makers import door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import STREET, A, Caller

FEVER = {"status": "symptoms", "temperature_c": 38.1, "symptoms": ["fever"]}


async def doors_of(call: Caller, who: str = "committee", **params: Any) -> list[dict[str, Any]]:
    """All doors, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {"community_code": A} | params | ({"cursor": cursor} if cursor else {})
        answer = await call(who, "GET", "/coverage/doors", params=given)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


async def two_buildings(call: Caller, database: Database) -> str:
    """Building 3 with three homes, one held by a worker, and an empty door; building 10 with one home. A round."""
    doors = [
        *stair_of("10", "1", ["101"]),
        *stair_of("3", "2", ["101", "102", "201"]),
        DwellingInput(building="3", stair="2", floor=9, room="901", is_vacant=True),
    ]
    homes = {f"{h.room}-{len(h.residents)}-{i}": h for i, h in enumerate(await make_homes(database, A, doors))}
    first, second, third, _ = homes.values()
    await make_area(call, [first], "worker")
    round_id = await make_round(call)
    await push(
        call,
        "worker",
        door_visit(first, round_id, "answered_part", persons=[{"resident_id": str(first.residents[0])} | FEVER]),
        door_visit(second, round_id, "no_answer"),
        door_visit(third, round_id),
    )
    return round_id


class TestListDoorStandings:
    async def test_a_building_is_whole_with_what_each_door_said(self, call: Caller, database: Database) -> None:
        await two_buildings(call, database)
        items = await doors_of(call, building="3")
        found = [
            (i["room"], i["outcome"], i["persons"], i["persons_done"], i["symptoms"], i["is_vacant"]) for i in items
        ]
        assert found == [
            ("101", "answered_part", 2, 1, 1, False),
            ("102", "no_answer", 2, 0, 0, False),
            ("201", "answered_all", 2, 2, 0, False),
            ("901", None, None, None, None, True),
        ]
        assert [i["owner"]["name"] for i in items] == ["worker 某", "甲社区居委会", "甲社区居委会", "甲社区居委会"]
        assert (items[1]["attempts"], items[1]["last_by"], items[1]["address"]) == (1, "worker 某", "3号楼 2单元 102")
        assert items[3]["household_id"] is None

    async def test_coverage_names_the_buildings_to_ask_for(self, call: Caller, database: Database) -> None:
        await two_buildings(call, database)
        coverage = (await call("committee", "GET", "/coverage", params={"area": A})).json()
        for row in coverage["items"]:
            doors = await doors_of(call, compound=row["compound"], building=row["building"])
            assert len({d["dwelling_id"] for d in doors}) == row["dwellings"]
            assert sum(d["outcome"] in ("answered_all", "vacant") for d in doors) == row["households_done"]
            assert sum(d["persons_done"] or 0 for d in doors) == row["persons_done"]

    async def test_the_round_can_be_another_one_or_none(self, call: Caller, database: Database) -> None:
        round_id = await two_buildings(call, database)
        await make_round(call)
        assert {i["outcome"] for i in await doors_of(call)} == {None}
        assert "no_answer" in {i["outcome"] for i in await doors_of(call, round=round_id)}

    async def test_without_a_round_nobody_is_counted_as_done(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        (door,) = await doors_of(call)
        assert (door["outcome"], door["persons"], door["persons_done"]) == (None, 2, None)

    @pytest.mark.parametrize(
        ("params", "rooms"),
        [
            ({"outcome": "no_answer"}, ["102"]),
            ({"has_symptoms": True}, ["101"]),
            ({"is_unassigned": True}, ["102", "201", "901", "101"]),
            ({"building": "10"}, ["101"]),
            ({"building": "nowhere"}, []),
        ],
    )
    async def test_it_can_be_narrowed(
        self, call: Caller, database: Database, params: dict[str, Any], rooms: list[str]
    ) -> None:
        await two_buildings(call, database)
        assert [i["room"] for i in await doors_of(call, **params)] == rooms

    async def test_pages_neither_repeat_nor_skip(self, call: Caller, database: Database) -> None:
        await two_buildings(call, database)
        whole = await doors_of(call)
        assert len(whole) == 5
        assert await doors_of(call, limit=1) == whole
        assert await doors_of(call, limit=2) == whole

    async def test_names_are_masked_above_the_street(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        names = {who: (await doors_of(call, who))[0]["name"] for who in ("committee", "street", "city", "viewer")}
        assert names == {"committee": "甲32101", "street": "甲32101", "city": "甲*****", "viewer": "甲*****"}

    @pytest.mark.parametrize(
        ("who", "area", "status"),
        [("worker", A, 403), ("other_committee", A, 404), ("street", STREET, 422), ("viewer", A, 200), (None, A, 401)],
    )
    async def test_who_may_ask(self, call: Caller, who: str | None, area: str, status: int) -> None:
        answer = await call(who, "GET", "/coverage/doors", params={"community_code": area})
        assert answer.status_code == status
