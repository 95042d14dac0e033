"""A field day end to end: nobody opens until a household reports by its notice, a photo from a door reaches the desk,
My day equals the server, and a new risk area's round shrinks as its doors are asked."""

import re
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from app.core.clock import day_start, now, today
from app.core.ids import new_id
from app.demo import TOWN_COMMUNITY
from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service, signed_in
from tests.e2e.town import Home, list_homes

PLACE = "望江县"


@pytest.fixture(scope="module")
def shared_town(field_town: Service) -> Service:
    """The town of those who work all of a stair."""
    return field_town


def yesterday_at(hour: int) -> datetime:
    """An hour of yesterday: by then the day's three parts are over, whatever the hour is now."""
    return day_start(today() - timedelta(days=1)) + timedelta(hours=hour)


def figures(town: Service) -> dict[str, Any]:
    """The community's tally of the round that is for all doors, and what waits for its desk."""
    with signed_in(town, "demo-committee") as committee:
        total = committee.get("/coverage", area=TOWN_COMMUNITY)["total"]
        return total | committee.get("/coverage/flags", area=TOWN_COMMUNITY)


def miss_three_times(phone: Phone, homes: list[Home]) -> None:
    """A whole stair, nobody opens: in the morning, in the afternoon and in the evening, without a network."""
    phone.cut_network()
    for hour in (9, 14, 19):
        phone.page.clock.set_system_time(yesterday_at(hour))
        phone.open_stair(homes[0].stair_title)
        every = phone.get("no-answer-stair")
        expect(every).to_contain_text(str(len(homes)))
        phone.tap(every)
        # not again in the same part of the day
        expect(every).to_be_disabled()
    phone.expect_waiting(3 * len(homes))
    phone.page.clock.set_system_time(now())
    phone.restore_network()
    phone.expect_confirmed()


def print_notices(desk: Desk, home: Home, count: int) -> str:
    """From the desk's list of what needs it to paper; answers the link in a household's QR."""
    need = desk.get("need-notices")
    expect(need).to_contain_text(str(count))
    need.get_by_role("link").click()
    desk.get("print-notices").click()
    notices = desk.get("notice")
    expect(notices).to_have_count(count)
    mine = notices.filter(has=desk.page.get_by_text(f"泉景园 {home.stair_title} {home.room}", exact=True))
    expect(mine.locator("svg")).to_be_visible()
    # on paper: A4, two to a page
    paper = desk.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == -(-count // 2)
    assert {
        round(float(side)) for box in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper) for side in box
    } == {595, 842}
    return str(mine.get_attribute("data-url"))


def report_by_qr(chromium: Browser, url: str, home: Home) -> None:
    """A resident's own phone, without an account: wrong once, then room and surname, then how everybody is."""
    context = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(url)
    for room in ("9999", home.room):
        page.get_by_label("房号").fill(room)
        page.get_by_label("户主的姓").fill(home.head[:1])
        page.get_by_role("button").click()
        expect(page.get_by_role("status" if room == "9999" else "group").first).to_be_visible()
    expect(page.get_by_role("group")).to_have_count(len(home.members))
    assert home.head not in page.content()
    page.get_by_label(re.compile("体温")).first.fill("36.6")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("已收到")
    context.close()


def picture() -> bytes:
    """A PNG of 32 × 24 red pixels, as a camera's picture is something a browser can open."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    head = (32).to_bytes(4, "big") + (24).to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    rows = (b"\x00" + b"\xc8\x10\x2e" * 32) * 24
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def ask_all_but(town: Service, left: Home) -> None:
    """A first round about the place, answered at every door of the worker's area but one."""
    place = {"division_code": TOWN_COMMUNITY, "place": {"name": PLACE}, "from_on": str(today()), "to_on": str(today())}
    with signed_in(town, "demo-committee") as committee:
        risk = committee.post("/risk-areas", place)
        draft = committee.post(f"/risk-areas/{risk['id']}/round", {"division_code": TOWN_COMMUNITY})
        minutes = committee.get(f"/rounds/{draft['id']}")["estimate"]["minutes"]
        committee.post(f"/rounds/{draft['id']}/publish", {"minutes": minutes})
    with signed_in(town, "demo-worker") as worker:
        (area,) = worker.get("/sync/areas")
        homes = [home for stair in ("1", "2") for home in list_homes(town, "1", stair) if home.id != left.id]
        commands = [
            {
                "id": str(new_id()), "name": "screening.record_door_visit", "recorded_at": now().isoformat(),
                "epoch": area["epoch"], "community_code": TOWN_COMMUNITY,
                "payload": {
                    "household_id": home.id, "round_id": draft["id"], "outcome": "answered_all", "persons": [],
                    "form_version": 1, "answers": [{"question": "been_there", "value": False}],
                },
            }
            for home in homes
        ]  # fmt: skip
        results = worker.post("/sync/commands", {"device_id": str(new_id()), "commands": commands})["results"]
        assert {one["status"] for one in results} == {"accepted"}, results
    with signed_in(town, "demo-committee") as committee:
        committee.post(f"/rounds/{draft['id']}/close")


def take_photo(phone: Phone, home: Home) -> None:
    """A photo with the visit, in a cellar."""
    phone.open_door(home.stair_title, home.room)
    phone.cut_network()
    phone.tap("more")
    phone.get("take-photo").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": picture()})
    expect(phone.get("photo")).to_be_visible()
    phone.tap("note-done")
    phone.tap("all-well")
    phone.expect_waiting(2)
    phone.restore_network()
    phone.expect_confirmed()


def look_at_photo(desk: Desk, home: Home) -> None:
    """The desk sees the picture, and that it did stands in the trail, where every action has its word."""
    desk.open(f"/desk/registry/household/{home.id}")
    desk.get("show-photo").click()
    shown = desk.get("shown-photo")
    expect(shown).to_be_visible()
    assert shown.evaluate("one => one.decode().then(() => [one.naturalWidth, one.naturalHeight])") == [32, 24]
    desk.open("/desk/admin/trail")
    expect(desk.get("trail-entry").first).to_contain_text("查看上门照片")
    expect(desk.page.locator("table")).not_to_contain_text("_")


def expect_day_adds_up(town: Service, phone: Phone) -> None:
    """My day is what the server counts: records confirmed today, doors of the area done."""
    phone.go("me")
    with signed_in(town, "demo-worker") as worker:
        expect(phone.get("confirmed-today")).to_contain_text(str(worker.get("/sync/status")["confirmed_today"]))
        (area,) = worker.get("/sync/areas")
    phone.go("today")
    done = town.count(
        "SELECT count(*) FROM household_screening s JOIN household h ON h.id = s.household_id "
        "JOIN dwelling d ON d.id = h.dwelling_id WHERE d.responsibility_area_id = %s "
        "AND s.outcome IN ('answered_all', 'vacant') AND s.round_id = %s", area["id"], area["rounds"][-1]["id"],
    )  # fmt: skip
    words = f"应查 {area['household_count']} 户，已完成 {done} 户"
    expect(phone.get("ring")).to_have_attribute("aria-label", words)


def ask_the_rest(town: Service, desk: Desk, phone: Phone, home: Home) -> None:
    """A new risk area at the desk: whose answer is known is not asked again; of the worker's doors one is left."""
    ask_all_but(town, home)
    desk.go("screening")
    desk.get("risk-areas").click()
    desk.get("new-risk").click()
    desk.get("risk-name").fill(PLACE)
    desk.get("risk-submit").click()
    row = desk.get(f"risk-{TOWN_COMMUNITY}")
    to_ask = int(row.locator("strong").inner_text())
    desk.get("risk-round").click()
    expect(desk.get("estimate")).to_contain_text(f"{to_ask} 户")
    desk.get("round-publish").click()
    expect(desk.page.get_by_text(re.compile(f"{PLACE}相关人员补问")).first).to_be_visible()

    phone.go("me")
    phone.tap("sync-now")
    phone.go("today")
    expect(phone.get("ring")).to_have_attribute("aria-label", "应查 1 户，已完成 0 户")
    phone.go("doors")
    phone.tap("filter-due")
    expect(phone.page.locator(".door-row")).to_have_count(1)
    phone.tap(f"door-row-{home.room}")
    with signed_in(town, "demo-worker") as worker:
        confirmed = worker.get("/sync/status")["confirmed_today"]
    phone.tap("all-well")
    phone.tap(phone.get("question-been_there").get_by_test_id("answer-been_there-false"))
    phone.tap("questions-done")
    # it was the last: the stair is on screen
    expect(phone.get("no-answer-stair")).to_be_visible()
    phone.go("me")
    expect(phone.get("confirmed-today")).to_contain_text(str(confirmed + 1))
    desk.page.go_back()
    desk.page.go_back()
    expect(row.locator("strong")).to_have_text(str(to_ask - 1))
    close_newest(town, PLACE)


def choose_households(town: Service, desk: Desk) -> None:
    """A round for households by name: all of a stair, one of them taken off, one pasted as an address."""
    stair = list_homes(town, "3", "2")
    other = list_homes(town, "3", "1")[0]
    desk.go("screening")
    desk.get("new-own").click()
    desk.get("round-title").fill("重点户补查")
    desk.get("target").select_option("list")
    desk.get("open-list").click()
    desk.get("list-building").select_option("泉景园|3")
    desk.get("list-stair").select_option("2")
    found = desk.get("list-found").get_by_role("checkbox")
    expect(found).to_have_count(len(stair))
    desk.get("list-all").click()
    expect(desk.get("list-count")).to_contain_text(f"{len(stair)} 户")
    found.first.click()
    expect(desk.get("list-count")).to_contain_text(f"{len(stair) - 1} 户")
    desk.get("list-paste").click()
    desk.get("list-addresses").fill(f"3-1-{other.room}\n9号楼9单元999")
    desk.get("list-put").click()
    expect(desk.get("list-count")).to_contain_text(f"{len(stair)} 户")
    expect(desk.get("list-addresses")).to_have_value("9号楼9单元999")
    expect(desk.get("estimate")).to_contain_text(f"{len(stair)} 户")
    desk.get("round-publish").click()
    expect(desk.get("round-重点户补查")).to_contain_text("名单上的住户")
    close_newest(town, "重点户补查")


def close_newest(town: Service, title: str) -> None:
    """Close the round that was opened last, so that the round for all doors is the one to work on."""
    with signed_in(town, "demo-committee") as committee:
        newest = committee.get("/rounds", area=TOWN_COMMUNITY, status="open")["items"][0]
        assert title in committee.post(f"/rounds/{newest['id']}/close")["title"]


def test_from_a_silent_stair_to_the_last_door_that_is_asked(
    town: Service,
    open_phone: Callable[..., Phone],
    open_desk: Callable[..., Desk],
    chromium: Browser,
) -> None:
    homes = list_homes(town, "1", "2")
    home = homes[0]
    before = figures(town)
    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    expect(phone.get("ring")).to_be_visible()
    miss_three_times(phone, homes)
    assert figures(town)["door_notices"] == before["door_notices"] + len(homes)

    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    url = print_notices(desk, home, len(homes))
    desk.go("coverage")
    expect(desk.get("need-notices")).to_contain_text(str(len(homes)))
    report_by_qr(chromium, url, home)
    assert figures(town)["self_reports"] == before["self_reports"] + 1

    # the worker is told of it first of all, and says it is right with one tap
    phone.go("me")
    phone.tap("sync-now")
    phone.go("today")
    expect(phone.get("reported")).to_contain_text("自报待确认")
    phone.tap("reported")
    expect(phone.get("door-row-" + home.room)).to_contain_text("自报")
    phone.tap("door-row-" + home.room)
    phone.tap("confirm-report")
    phone.expect_strip("已确认自报")
    phone.expect_state("已查")
    expect(phone.get("strip")).to_be_hidden()
    phone.expect_confirmed()
    after = figures(town)
    assert after["door_notices"] == before["door_notices"] + len(homes) - 1
    assert after["self_reports"] == before["self_reports"]
    assert after["households_done"] == before["households_done"] + 1
    # the desk stood open all the while, and is looked at again
    desk.come_back(61)
    expect(desk.get("need-notices")).to_contain_text(str(after["door_notices"]))
    expect(desk.get("need-self-reports")).to_have_count(0)

    stair = list_homes(town, "1", "1")
    take_photo(phone, stair[-1])
    look_at_photo(desk, stair[-1])
    expect_day_adds_up(town, phone)
    ask_the_rest(town, desk, phone, stair[0])
    choose_households(town, desk)
