"""A round with questions of its own: made at the desk, answered on a phone without a network, counted at the desk, and
asked on paper that is typed in by keyboard."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import expect

from app.core.clock import day_start, today
from app.core.ids import new_id
from app.demo import CITY, TOWN_COMMUNITY
from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service, signed_in
from tests.e2e.town import Home, list_homes
from tests.makers import answers_on

TITLE = "返乡人员排查"
TOMORROW = "明天才开始的排查"


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


def open_tomorrows(town: Service) -> str:
    """A round that begins tomorrow: carried by phones, worked on by nobody yet. Answers its id."""
    with signed_in(town, "demo-city") as city:
        minutes = city.post("/rounds/estimate", {"division_code": CITY})["minutes"]
        days = {"starts_on": str(today() + timedelta(days=1)), "ends_on": str(today() + timedelta(days=3))}
        opened: str = city.post("/rounds", {"division_code": CITY, "title": TOMORROW, "minutes": minutes, **days})["id"]
        return opened


def report_themselves(town: Service, home: Home) -> None:
    """Nobody opened in this round yesterday, in three parts of the day; they scan the code on the notice."""
    town.change("UPDATE screening_round SET starts_on = starts_on - 1 WHERE title = %s", TITLE)
    with signed_in(town, "demo-worker") as worker:
        (its,) = town.rows(
            "SELECT d.responsibility_area_id AS area FROM household h JOIN dwelling d ON d.id = h.dwelling_id "
            "WHERE h.id = %s", home.id,
        )  # fmt: skip
        area = next(one for one in worker.get("/sync/areas") if one["id"] == str(its["area"]))
        round_id = next(one["id"] for one in area["rounds"] if one["title"] == TITLE)
        start = day_start(today() - timedelta(days=1))
        missed = {"household_id": home.id, "round_id": round_id, "outcome": "no_answer", "persons": []}
        commands = [
            {
                "id": str(new_id()), "name": "screening.record_door_visit", "epoch": area["epoch"],
                "recorded_at": (start + timedelta(hours=hour)).isoformat(), "payload": missed,
                "community_code": TOWN_COMMUNITY,
            }
            for hour in (9, 14, 19)
        ]  # fmt: skip
        results = worker.post("/sync/commands", {"device_id": str(new_id()), "commands": commands})["results"]
        assert {one["status"] for one in results} == {"accepted"}, results
    with signed_in(town, "demo-committee") as committee:
        wanted = {"community_code": TOWN_COMMUNITY, "round_id": round_id, "household_ids": [home.id]}
        url = committee.post("/door-notices/print", wanted)["items"][0]["url"]
    asked = httpx.post(url, data={"room": home.room, "surname": home.head[:1]}, trust_env=False)
    sent = httpx.post(url.rsplit("/", 1)[0] + "/report", data=answers_on(asked.text), trust_env=False)
    assert sent.status_code == 200, sent.text


def confirm_report(town: Service, phone: Phone, home: Home) -> None:
    """The tap that confirms a self-report asks the round's own questions first."""
    report_themselves(town, home)
    phone.go("me")
    phone.tap("sync-now")
    phone.open(f"/door/{home.id}")
    phone.tap("confirm-report")
    phone.tap("questions-done")
    rows = phone.get("question-q1")
    expect(rows.first).to_contain_text("这一题需要回答")
    for at in range(rows.count()):
        phone.tap(rows.nth(at).get_by_test_id("answer-q1-false"))
    phone.tap("questions-done")
    phone.expect_strip("已确认自报")
    phone.expect_state("已查")
    phone.expect_confirmed()
    flagged = town.count("SELECT count(*) FROM door_visit WHERE household_id = %s AND flag_code <> ''", home.id)
    answers = town.rows("SELECT answers FROM door_answer WHERE household_id = %s", home.id)
    assert (flagged, [len(one["answers"]) for one in answers]) == (0, [len(home.members)])


def look_from_another_round(phone: Phone, home: Home) -> None:
    """Who has asked here today is told whoever comes for another round, and needs no reason there."""
    phone.go("today")
    expect(phone.page.locator(".today-rounds")).not_to_contain_text(TOMORROW)
    phone.tap(phone.page.locator(".today-rounds").get_by_text("首轮入户排查"))
    phone.open(f"/door/{home.id}")
    expect(phone.get("asked")).to_contain_text(re.compile(f"今天.*已询问.*{TITLE}"))
    phone.tap("all-well")
    phone.expect_strip()


def test_from_the_desk_to_the_door_and_back(
    town: Service, open_desk: Callable[..., Desk], open_phone: Callable[..., Phone]
) -> None:
    desk = open_desk(town, "city")
    desk.sign_in("demo-city")
    make_round(desk)
    tomorrows = open_tomorrows(town)

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

    look_from_another_round(phone, home)
    phone.go("today")
    phone.tap(phone.page.locator(".today-rounds").get_by_text(TITLE))
    confirm_report(town, phone, list_homes(town, "1", "1")[1])

    desk.get(f"round-{TITLE}").get_by_test_id("round-answers").click()
    expect(desk.get("count-q1-true")).to_contain_text("1")
    expect(desk.get("count-q2-")).to_be_visible()

    # what the visit answered stands in the household's history, with whom it is for
    committee = open_desk(town, "committee")
    committee.sign_in("demo-committee")
    committee.open(f"/desk/registry/household/{home.id}")
    answers = committee.get("visit-answers")
    expect(answers.locator("summary")).to_have_text(f"{people + 1} 个回答")
    answers.locator("summary").click()
    expect(answers.locator("dd").first).to_have_text("近期到过武汉？ 是")
    # a sheet is for the round that runs, though tomorrow's is the newer one
    enter_on_paper(committee)
    # whoever comes next in this town finds the round of before
    (ours,) = town.rows("SELECT id FROM screening_round WHERE title = %s", TITLE)
    with signed_in(town, "demo-city") as city:
        for one in (tomorrows, ours["id"]):
            city.post(f"/rounds/{one}/close")
    heard = [error for error in phone.errors if "ERR_INTERNET_DISCONNECTED" not in error]
    assert (desk.errors, committee.errors, heard) == ([], [], [])
