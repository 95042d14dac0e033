"""Households as the desk lists them."""

from typing import Any

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.makers import Home, invented_id, make_homes, stair_of
from tests.personas import A, C, Caller


def door(compound: str, building: str, head: str) -> DwellingInput:
    """A door with one person behind it."""
    person = PersonInput(name=head, relation="户主")
    household = HouseholdInput(head_name=head, persons=[person])
    return DwellingInput(compound=compound, building=building, stair="1", room="101", households=[household])


class TestListHouseholds:
    async def test_buildings_of_one_number_in_two_compounds_are_told_apart(
        self, call: Caller, database: Database
    ) -> None:
        await make_homes(database, A, [door("东园", "3", "甲一"), door("西园", "3", "乙二")])
        for params, heads in (
            ({"building": "3"}, ["甲一", "乙二"]),
            ({"building": "3", "compound": "西园"}, ["乙二"]),
            ({"compound": "东园"}, ["甲一"]),
            ({"compound": ""}, []),
        ):
            answer = await call("committee", "GET", "/households", params={"community_code": A} | params)
            assert sorted(h["head_name"] for h in answer.json()["items"]) == sorted(heads), params


def entered(**given: Any) -> dict[str, Any]:
    """A household of two as a desk enters it."""
    return {
        "community_code": A, "building": "3", "stair": "2", "room": "502", "phone": "13812345678",
        "tags": ["tenant"], "note": "二楼右手",
        "residents": [
            {"name": "王甲", "relation": "户主", "id_kind": "resident_id", "id_number": invented_id(7)},
            {"name": "李乙", "sex": 2, "birth_on": "1961-05-01"},
        ],
    } | given  # fmt: skip


class TestCreateHousehold:
    async def test_adds_the_door_the_people_and_their_masks(self, call: Caller) -> None:
        answer = await call("committee", "POST", "/households", json=entered())
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["address"] or made["room"], made["head_name"], made["resident_count"]) == ("502", "王甲", 2)
        assert (made["phone_masked"], made["tags"], made["note"]) == ("138****5678", ["tenant"], "二楼右手")
        people = (await call("committee", "GET", f"/households/{made['id']}/residents")).json()["items"]
        assert [p["name"] for p in people] == ["王甲", "李乙"]
        assert people[0]["id_masked"].startswith("379999")
        assert invented_id(7) not in answer.text

    async def test_the_same_again_under_its_id_is_the_one_that_is_there(self, call: Caller) -> None:
        new = entered(id=str(new_id()))
        first = await call("committee", "POST", "/households", json=new)
        again = await call("committee", "POST", "/households", json=new)
        assert (again.status_code, again.json()) == (201, first.json())
        found = (await call("committee", "GET", "/households", params={"community_code": A})).json()["items"]
        assert [h["id"] for h in found] == [new["id"]]

    @pytest.mark.parametrize(
        "other",
        [
            {"room": "503"},
            {"phone": "13900000000"},
            {"tags": []},
            {"note": "别的话"},
            {"kind": "collective"},
            {"residents": [{"name": "王甲", "relation": "户主"}]},
        ],
        ids=lambda other: next(iter(other)),
    )
    async def test_something_else_under_a_known_id_changes_nothing(self, call: Caller, other: dict[str, Any]) -> None:
        new = entered(id=str(new_id()))
        first = (await call("committee", "POST", "/households", json=new)).json()
        answer = await call("committee", "POST", "/households", json=new | other)
        assert (answer.status_code, answer.json()["code"]) == (409, "household_exists")
        assert (await call("committee", "GET", f"/households/{new['id']}")).json() == first
        found = (await call("committee", "GET", "/households", params={"community_code": A})).json()["items"]
        assert len(found) == 1

    @pytest.mark.parametrize(
        ("who", "status"),
        [("other_committee", 404), ("far_committee", 404), ("worker", 403), ("viewer", 403), (None, 401)],
    )
    async def test_is_for_the_desks_over_the_community(self, call: Caller, who: str | None, status: int) -> None:
        assert (await call(who, "POST", "/households", json=entered())).status_code == status

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"room": ""}, "room_missing"),
            ({"phone": "12"}, "shape_invalid"),
            ({"surprise": 1}, "shape_invalid"),
            ({"residents": [{"name": ""}]}, "shape_invalid"),
            (
                {"residents": [{"name": "甲", "id_kind": "resident_id", "id_number": "379999194001010000"}]},
                "id_checksum",
            ),
        ],
    )
    async def test_refuses_what_nobody_could_find_or_ring(self, call: Caller, wrong: dict[str, Any], code: str) -> None:
        answer = await call("committee", "POST", "/households", json=entered(**wrong))
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        found = (await call("committee", "GET", "/households", params={"community_code": A})).json()["items"]
        assert found == []


@pytest.fixture
async def home(database: Database, call: Caller) -> Home:
    """A household of two in A."""
    return (await make_homes(database, A, stair_of("3", "2", ["101"])))[0]


READERS = [
    ("street", 200),
    ("viewer", 200),
    ("worker", 403),
    ("other_committee", 404),
    ("far_street", 404),
    (None, 401),
]
WRITERS = [
    ("street", 200),
    ("viewer", 403),
    ("worker", 403),
    ("other_committee", 404),
    ("far_street", 404),
    (None, 401),
]


class TestOneHousehold:
    @pytest.mark.parametrize(("who", "status"), READERS)
    async def test_is_read_by_the_desks_over_it(self, call: Caller, home: Home, who: str | None, status: int) -> None:
        for path in (f"/households/{home.id}", f"/households/{home.id}/residents"):
            assert (await call(who, "GET", path)).status_code == status

    @pytest.mark.parametrize(("who", "status"), WRITERS)
    async def test_is_corrected_by_the_desks_over_it(
        self, call: Caller, home: Home, who: str | None, status: int
    ) -> None:
        answer = await call(who, "PATCH", f"/households/{home.id}", json={"note": "改了"})
        assert answer.status_code == status
        note = (await call("committee", "GET", f"/households/{home.id}")).json()["note"]
        assert note == ("改了" if status == 200 else None)

    async def test_what_is_not_named_stays_and_an_empty_note_goes(self, call: Caller, home: Home) -> None:
        path = f"/households/{home.id}"
        await call("committee", "PATCH", path, json={"note": "狗", "tags": ["disabled"]})
        answer = (await call("committee", "PATCH", path, json={"phone": "13900000000"})).json()
        assert (answer["note"], answer["tags"], answer["phone_masked"]) == ("狗", ["disabled"], "139****0000")
        assert (await call("committee", "PATCH", path, json={"note": ""})).json()["note"] is None
        for wrong in ({"phone": "1"}, {"tags": ["giant"]}, {"head_name": "甲"}):
            assert (await call("committee", "PATCH", path, json=wrong)).status_code == 422

    async def test_nobody_knows_one_that_is_not_there(self, call: Caller) -> None:
        for method in ("GET", "PATCH"):
            answer = await call(
                "committee", method, f"/households/{new_id()}", **({"json": {}} if method == "PATCH" else {})
            )
            assert answer.status_code == 404


class TestResidents:
    @pytest.mark.parametrize(("who", "status"), [(w, 201 if s == 200 else s) for w, s in WRITERS])
    async def test_somebody_moves_in(self, call: Caller, home: Home, who: str | None, status: int) -> None:
        answer = await call(who, "POST", f"/households/{home.id}/residents", json={"name": "孙丙"})
        assert answer.status_code == status
        count = (await call("committee", "GET", f"/households/{home.id}")).json()["resident_count"]
        assert count == (3 if status == 201 else 2)

    async def test_the_same_person_again_is_the_one_who_is_there(self, call: Caller, home: Home) -> None:
        path = f"/households/{home.id}/residents"
        first, again = [(await call("committee", "POST", path, json={"name": "孙丙"})).json() for _ in range(2)]
        assert first["id"] == again["id"]

    @pytest.mark.parametrize(("who", "status"), WRITERS)
    async def test_somebody_is_called_otherwise(self, call: Caller, home: Home, who: str | None, status: int) -> None:
        answer = await call(who, "PATCH", f"/residents/{home.residents[0]}", json={"name": "甲改"})
        assert answer.status_code == status
        head = (await call("committee", "GET", f"/households/{home.id}")).json()["head_name"]
        assert (head == "甲改") == (status == 200)

    async def test_a_number_that_is_no_number_is_refused(self, call: Caller, home: Home) -> None:
        bad = {"name": "孙丙", "id_kind": "resident_id", "id_number": "379999194001010000"}
        answer = await call("committee", "POST", f"/households/{home.id}/residents", json=bad)
        assert (answer.status_code, answer.json()["code"]) == (422, "id_checksum")
        answer = await call("committee", "PATCH", f"/residents/{home.residents[0]}", json={"id_number": invented_id(1)})
        assert (answer.status_code, answer.json()["code"]) == (422, "shape_invalid")


class TestBuildings:
    async def test_count_what_is_in_them_and_show_each_door(self, call: Caller, home: Home) -> None:
        (building,) = (await call("committee", "GET", "/buildings", params={"community_code": A})).json()["items"]
        counts = ("dwelling_count", "household_count", "resident_count", "vacant_count", "unassigned_count")
        assert [building[name] for name in counts] == [1, 1, 2, 0, 1]
        params = {"community_code": A, "building": "3"}
        (door,) = (await call("committee", "GET", "/buildings/doors", params=params)).json()["items"]
        assert (door["dwelling_id"], door["household_count"], door["resident_count"]) == (str(home.dwelling_id), 1, 2)

    @pytest.mark.parametrize(("who", "status"), READERS)
    async def test_are_for_who_may_look_at_the_community(
        self, call: Caller, home: Home, who: str | None, status: int
    ) -> None:
        for path, more in (("/buildings", {}), ("/buildings/doors", {"building": "3"}), ("/households", {})):
            assert (await call(who, "GET", path, params={"community_code": A} | more)).status_code == status
        assert (await call("committee", "GET", "/buildings", params={"community_code": C})).status_code == 404
        assert (await call("committee", "GET", "/buildings/doors", params={"community_code": A})).status_code == 422
