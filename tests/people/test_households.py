"""Households as the desk lists them."""

from app.core.db import Database
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.makers import make_homes
from tests.personas import A, Caller


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
