"""Knocks as the desk reads them."""

from app.core.db import Database
from tests.makers import door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import STREET, A, Caller


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
