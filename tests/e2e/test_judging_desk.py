"""A committee looks at what came in flagged: what it sets aside counts no longer, and comes back when taken back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from app.core.ids import new_id
from app.demo import TOWN_COMMUNITY
from tests.e2e.desk import Desk
from tests.e2e.service import Service, signed_in
from tests.e2e.town import Home, list_homes

BUILDING, STAIR = "2", "2"


def knock_elsewhere(town: Service, home: Home) -> None:
    """`demo-worker2` records a vacant home that is not theirs to look after."""
    with signed_in(town, "demo-worker2") as worker:
        round_id = worker.get("/rounds", area=TOWN_COMMUNITY, status="open")["items"][0]["id"]
        payload = {"household_id": home.id, "round_id": round_id, "outcome": "vacant", "persons": []}
        command = {
            "id": str(new_id()), "name": "screening.record_door_visit",
            "recorded_at": datetime.now(UTC).isoformat(), "epoch": 1, "payload": payload,
        }  # fmt: skip
        (result,) = worker.post("/sync/commands", {"device_id": str(new_id()), "commands": [command]})["results"]
        assert result["status"] == "flagged", result


def vacant(town: Service) -> int:
    """How many homes of the town count as vacant."""
    with signed_in(town, "demo-committee") as committee:
        found: int = committee.get("/coverage", area=TOWN_COMMUNITY)["total"]["outcomes"]["vacant"]
    return found


def change_elsewhere(town: Service, home: Home) -> None:
    """`demo-worker2` changes what stands of a home that is not theirs to look after."""
    with signed_in(town, "demo-worker2") as worker:
        payload = {"household_id": home.id, "base_version": 10**9, "changes": {"note": "装修中"}}
        command = {
            "id": str(new_id()), "name": "people.update_household",
            "recorded_at": datetime.now(UTC).isoformat(), "epoch": 1, "payload": payload,
        }  # fmt: skip
        (result,) = worker.post("/sync/commands", {"device_id": str(new_id()), "commands": [command]})["results"]
        assert result["status"] == "flagged", result


def test_a_record_is_set_aside_and_taken_back(town: Service, open_desk: Callable[..., Desk]) -> None:
    before = vacant(town)
    home = list_homes(town, BUILDING, STAIR)[-1]
    knock_elsewhere(town, home)
    change_elsewhere(town, home)
    assert vacant(town) == before + 1

    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.get("need-flagged").get_by_role("link").click()
    row = desk.get("flagged-door").filter(has_text=home.head)
    expect(row).to_contain_text("不在登记人的责任区")
    row.get_by_test_id("set-aside").click()
    desk.get("set-aside-reason").fill("走错了单元")
    desk.get("set-aside-confirm").click()
    expect(row).to_have_count(0)
    assert vacant(town) == before

    desk.get("flagged-judged").click()
    expect(row).to_contain_text("走错了单元")
    row.get_by_test_id("take-back").click()
    expect(row).to_have_count(0)
    desk.get("flagged-open").click()
    expect(row).to_be_visible()
    assert vacant(town) == before + 1
    row.get_by_test_id("confirm").click()
    expect(row).to_have_count(0)
    assert vacant(town) == before + 1

    # a change of the registry stands beside: seen, and corrected where it stands
    edit = desk.get("flagged-edit").filter(has_text=home.head)
    expect(edit).to_contain_text("修改住户信息")
    expect(edit).to_contain_text("备注")
    edit.get_by_test_id("set-aside").click()
    expect(desk.get("correct-in-registry")).to_have_attribute("href", re.compile(home.id))
    desk.get("set-aside-reason").fill("没有装修")
    desk.get("set-aside-confirm").click()
    expect(edit).to_have_count(0)
    desk.get("flagged-judged").click()
    expect(edit).to_contain_text("不属实")
    expect(edit).to_contain_text("没有装修")
    assert desk.errors == []
