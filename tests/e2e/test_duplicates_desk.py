"""A committee finds somebody registered twice: looks at both entries, merges them, parts them, says they differ."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from app.demo import TOWN_COMMUNITY
from tests.e2e.desk import Desk
from tests.e2e.looks import find_violations
from tests.e2e.service import Service, signed_in


def register(town: Service, room: str, phone: str, **facts: Any) -> str:
    """A door behind which the same name and birth date stand; answers the household's id."""
    person = {"name": "祝双登", "birth_on": "1961-04-05", "sex": 1, "relation": "户主", "phone": phone} | facts
    home = {"community_code": TOWN_COMMUNITY, "building": "77", "stair": "1", "room": room, "residents": [person]}
    with signed_in(town, "demo-committee") as committee:
        made: str = committee.post("/households", home)["id"]
    return made


def members(town: Service, household: str) -> list[tuple[str, str | None]]:
    """The people of a household with their masked numbers."""
    with signed_in(town, "demo-committee") as committee:
        items = committee.get(f"/households/{household}/residents")["items"]
    return [(one["name"], one["phone_masked"]) for one in items]


def test_an_entry_is_merged_parted_and_said_to_be_another(town: Service, open_desk: Callable[..., Desk]) -> None:
    first, second = register(town, "101", "13800000101"), register(town, "901", "13800000901")
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.go("registry")
    desk.get("see-duplicates").click()
    desk.get("search-duplicates").click()
    pair = desk.get("pair-person").filter(has_text="祝双登")
    expect(pair).to_contain_text("出生日期相同")
    expect(pair.get_by_test_id("differs-phone")).to_contain_text("138****0901")
    desk.go("coverage")
    desk.get("need-duplicates").get_by_role("link").click()

    expect(pair).to_be_visible()
    assert find_violations(desk.page) == []
    pair.get_by_test_id("merge").click()
    expect(desk.get("merge-submit")).to_be_visible()
    assert find_violations(desk.page) == []
    sides = [desk.get(f"keep-{side}").inner_text() for side in (0, 1)]
    kept = next(side for side, text in enumerate(sides) if "101" in text)
    desk.get(f"keep-{kept}").click()
    desk.get(f"right-phone-{1 - kept}").click()
    desk.get("merge-submit").click()
    expect(pair).to_have_count(0)
    assert (members(town, first), members(town, second)) == ([("祝双登", "138****0901")], [])

    desk.get("duplicates-merged").click()
    expect(pair).to_be_visible()
    pair.get_by_test_id("undo-merge").click()
    desk.get("undo-confirm").click()
    expect(pair).to_have_count(0)
    assert members(town, first) == [("祝双登", "138****0101")]
    assert members(town, second) == [("祝双登", "138****0901")]

    desk.get("duplicates-open").click()
    pair.get_by_test_id("dismiss").click()
    desk.get("dismiss-reason").fill("同名同日,两人都见过")
    desk.get("dismiss-submit").click()
    expect(pair).to_have_count(0)
    desk.get("search-duplicates").click()
    expect(desk.get("searched")).to_contain_text("上次查找")
    expect(pair).to_have_count(0)
    desk.get("duplicates-dismissed").click()
    expect(pair).to_contain_text("同名同日,两人都见过")
    assert desk.errors == []
