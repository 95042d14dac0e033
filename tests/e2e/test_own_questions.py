"""A round with questions of its own: made at the desk, answered on a phone without a network, counted at the desk, and
asked on paper that is typed in by keyboard."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service
from tests.e2e.town import list_homes

TITLE = "返乡人员排查"


def make_round(desk: Desk) -> None:
    """Two questions, the second asked where the first is answered yes; published once its minutes are seen."""
    desk.go("screening")
    desk.get("new-own").click()
    desk.get("round-title").fill(TITLE)
    for at, (text, kind) in enumerate((("近期到过武汉？", "yes_no"), ("哪天回来", "date"))):
        desk.get("add-question").click()
        desk.get(f"edit-text-{at}").fill(text)
        desk.get(f"edit-kind-{at}").select_option(kind)
        desk.get(f"edit-per-{at}").select_option("person")
        desk.get(f"edit-definition-{at}").fill("1 月 10 日以后到过即为是")
        desk.get(f"edit-owner-{at}").fill("区防控办")
        desk.get(f"edit-required-{at}").click()
    desk.get("edit-shown-1").select_option(index=1)
    expect(desk.get("estimate")).to_contain_text("每户约")
    expect(desk.get("preview")).to_contain_text("近期到过武汉？")
    desk.get("round-publish").click()
    expect(desk.get(f"round-{TITLE}")).to_contain_text("2 个自定义问题")


def enter_on_paper(desk: Desk) -> None:
    """The questions stand on a walk sheet with boxes, in full before the doors; a row is typed in without the mouse."""
    desk.go("screening")
    desk.get("walk-sheets").click()
    desk.get("new-sheet").click()
    desk.get("make-sheet").click()
    papers = desk.get("paper")
    expect(papers.nth(0)).to_contain_text("1 月 10 日以后到过即为是")
    expect(papers.nth(0)).to_contain_text("第 1 题答“是”才问")
    expect(papers.nth(1)).to_contain_text("1. 近期到过武汉？*□是□否")
    desk.page.get_by_role("link", name="录入").click()
    row, keys = desk.get("row-1"), desk.page.keyboard
    row.locator("[data-outcome]").focus()
    keys.press("1")
    # the last of the household is out, so nobody asks them
    people = int(re.findall(r"(\d+) 人", row.inner_text())[0])
    out = ["外"] if people > 1 else []
    keys.type(" ".join(["36.5"] * (people - len(out)) + out))
    keys.press("Enter")
    asked = desk.get("entry-q1")
    expect(asked).to_have_count(people - len(out))
    expect(asked.first).to_be_focused()
    keys.press("1")
    # yes asks for the day, which must be said
    day = desk.get("entry-q2")
    expect(day).to_be_focused()
    for _ in range(people - len(out)):
        keys.press("Enter")
    expect(row.get_by_test_id("row-state")).to_have_text("还有必答的问题没有填")
    day.fill(datetime.now(UTC).date().isoformat())
    for at in range(1, people - len(out)):
        asked.nth(at).focus()
        keys.press("2")
    if people - len(out) == 1:
        day.press("Enter")
    expect(row.get_by_test_id("row-state")).to_have_text("已录入")


def test_from_the_desk_to_the_door_and_back(
    town: Service, open_desk: Callable[..., Desk], open_phone: Callable[..., Phone]
) -> None:
    desk = open_desk(town, "city")
    desk.sign_in("demo-city")
    make_round(desk)

    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    phone.page.get_by_text(TITLE).first.wait_for()
    home = list_homes(town, "1", "1")[0]
    phone.open(f"/door/{home.id}")
    expect(phone.get("round-questions")).to_be_visible()
    phone.cut_network()
    phone.tap("all-well")
    # what must be answered is asked before anything is saved, and named when it is forgotten
    phone.tap("questions-done")
    first = phone.get("question-q1").first
    expect(first).to_contain_text("这一题需要回答")
    rows = phone.get("question-q1")
    expect(phone.get("question-q2")).to_have_count(0)
    phone.tap(rows.nth(0).get_by_test_id("answer-q1-true"))
    phone.get("answer-q2").fill(datetime.now(UTC).date().isoformat())
    people = rows.count()
    for at in range(1, people):
        phone.tap(rows.nth(at).get_by_test_id("answer-q1-false"))
    phone.tap("questions-done")
    phone.expect_waiting(1)
    phone.restore_network()
    phone.expect_confirmed()

    desk.get(f"round-{TITLE}").get_by_test_id("round-answers").click()
    expect(desk.get("count-q1-true")).to_contain_text("1")
    if people > 1:
        expect(desk.get("count-q1-false")).to_contain_text(str(people - 1))
    expect(desk.get("count-q2-")).to_be_visible()

    # what the visit answered stands in the household's history, with whom it is for
    committee = open_desk(town, "committee")
    committee.sign_in("demo-committee")
    committee.open(f"/desk/registry/household/{home.id}")
    answers = committee.get("visit-answers")
    expect(answers.locator("summary")).to_have_text(f"{people + 1} 个回答")
    answers.locator("summary").click()
    expect(answers.locator("dd").first).to_have_text("近期到过武汉？ 是")
    enter_on_paper(committee)
    heard = [error for error in phone.errors if "ERR_INTERNET_DISCONNECTED" not in error]
    assert (desk.errors, committee.errors, heard) == ([], [], [])
