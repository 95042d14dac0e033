"""A day on paper: printed from a phone without a network, typed in at the desk by keyboard, then on the phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.service import Service, signed_in
from tests.e2e.town import list_homes


@pytest.fixture(scope="module")
def shared_town(field_town: Service) -> Service:
    """The town of those who walk all of an area."""
    return field_town


def make_two_of(town: Service, home: dict) -> int:
    """See to it that a household has somebody who can be out while another is asked; answers how many live there."""
    if len(home["members"]) > 1:
        return len(home["members"])
    with signed_in(town, "demo-committee") as committee:
        more = {"person": {"name": "丁一", "relation": "配偶", "sex": 1}, "reason": "found"}
        committee.post(f"/households/{home['household_id']}/arrivals", more)
    return 2


def test_from_a_phone_without_a_network_to_paper_and_back(town, open_phone, open_desk):
    homes = {home.room: home for home in list_homes(town, "1", "1")}
    phone = open_phone(town)
    phone.sign_in("demo-worker")
    expect(phone.get("ring")).to_be_visible()
    phone.go("me")
    phone.tap("walk-sheet")
    expect(phone.get("paper").first).to_be_visible()
    phone.cut_network()
    phone.page.evaluate("window.print = () => { window.printed = document.querySelectorAll('.paper').length }")
    phone.tap("print-sheet")
    code = phone.get("enter-sheet").locator(".cell__value, .cell__right").inner_text().strip()
    assert re.fullmatch("[A-Z2-7]{8}", code), code
    phone.wait_until("window.printed")
    pages = phone.page.evaluate("window.printed")
    assert pages == phone.get("paper").count() > 1
    # nothing on it that a lost sheet should not tell
    printed = phone.page.locator(".paper-sheets").inner_text()
    assert not [name for home in homes.values() for name in home.members if name in printed]
    phone.expect_waiting(1)
    phone.restore_network()
    phone.expect_confirmed()

    with signed_in(town, "demo-worker") as worker:
        before = worker.get("/sync/status")["confirmed_today"]
        held = worker.get("/me")["areas"][0]["community_code"]
        (sheet,) = worker.get("/walk-sheets", community_code=held, code=code)["items"]
        homes_on_paper = worker.get(f"/walk-sheets/{sheet['id']}")["rows"]
    one_of_all = " ".join(["36.5症", *["x"] * (make_two_of(town, homes_on_paper[1]) - 1)])

    desk = open_desk(town)
    desk.sign_in("demo-committee")
    desk.go("screening")
    desk.get("walk-sheets").click()
    desk.get("sheet-code").fill(code.lower())
    desk.page.keyboard.press("Enter")
    expect(desk.get("entered")).to_contain_text("0 /")

    first, second, third = "row-1", "row-2", "row-3"
    outcome = desk.get(first).locator("[data-outcome]")
    outcome.focus()
    keys = desk.page.keyboard
    keys.press("1")
    keys.press("Enter")
    expect(desk.get(first).get_by_test_id("row-state")).to_have_text("已录入")
    expect(desk.get(second).locator("[data-outcome]")).to_be_focused()
    keys.press("1")
    keys.type(one_of_all)
    # the computer is put down half-way
    desk.wait_for_draft(one_of_all)
    desk.page.reload()
    expect(desk.get(second).locator("input").first).to_have_value(one_of_all)
    expect(desk.get("entered")).to_contain_text("1 /")
    desk.get(second).locator("input").first.focus()
    keys.press("Enter")
    expect(desk.get(second).get_by_test_id("row-state")).to_have_text("已录入")
    expect(desk.get(third).locator("[data-outcome]")).to_be_focused()
    # no network: kept, sent once there is one again
    desk.context.set_offline(True)
    keys.press("3")
    keys.press("Enter")
    expect(desk.get(third).get_by_test_id("row-state")).to_have_text("待上传")
    desk.context.set_offline(False)
    desk.get("resend").click()
    expect(desk.get(third).get_by_test_id("row-state")).to_have_text("已录入")
    # asked that day already: says so, and wants to know why
    desk.get(first).locator("[data-outcome]").focus()
    keys.press("1")
    keys.press("Enter")
    expect(desk.get(first).get_by_test_id("asked")).to_contain_text("周敏已询问")
    expect(desk.get(first).get_by_test_id("row-state")).to_contain_text("请选原因")
    desk.get(first).get_by_test_id("reason").select_option("correction")
    keys.press("Enter")
    expect(desk.get(first).get_by_test_id("row-state")).to_have_text("已录入")
    expect(desk.get("entered")).to_contain_text("3 /")

    with signed_in(town, "demo-worker") as worker:
        rows = worker.get(f"/walk-sheets/{sheet['id']}")["rows"]
        assert worker.get("/sync/status")["confirmed_today"] == before + 4
    assert [row["entry"]["outcome"] for row in rows[:3]] == ["answered_all", "answered_part", "no_answer"]
    assert {row["entry"]["entered_by_name"] for row in rows[:3]} == {"王芳"}
    # a symptom on paper is followed up as one at the door is
    with signed_in(town, "demo-committee") as committee:
        ill = committee.get("/follow-ups", community_code=held, household_id=rows[1]["household_id"])["items"]
    assert [(one["reasons"], one["temperature_c"]) for one in ill] == [(["symptoms"], 36.5)]
    phone.open("/me")
    phone.tap("sync-now")
    expect(phone.get("confirmed-today")).to_contain_text(str(before + 4))
    phone.open_door("1单元", rows[0]["room"])
    phone.expect_state("已查")
