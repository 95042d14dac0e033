"""A worker's day without network: the phone is offline and the service is dead; then all comes back."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from pypinyin import Style, lazy_pinyin

from app.core.clock import today
from tests.e2e.phone import Phone
from tests.e2e.service import Service
from tests.e2e.town import Home, list_homes

VISITS = "SELECT count(*) FROM door_visit"


@pytest.fixture(scope="module")
def shared_town(prepared_demo: Service, run_folder: Path) -> Iterator[Service]:
    """A town of this file's own: its days begin with doors that nobody has been to."""
    service = prepared_demo.copy_to(run_folder / "offline", quick=True)
    yield service
    service.remove()


@pytest.fixture
def first_stair(town: Service) -> list[Home]:
    """The households of building 1, stair 1."""
    return list_homes(town, "1", "1")


@pytest.fixture
def second_stair(town: Service) -> list[Home]:
    """The households of building 1, stair 2."""
    return list_homes(town, "1", "2")


@pytest.fixture
def phone(town: Service, open_phone: Callable[..., Phone]) -> Phone:
    """The worker's phone, signed in, doors loaded."""
    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    expect(phone.get("stair").first).to_be_visible()
    return phone


def test_doors_are_found_by_name_room_and_initials(phone: Phone, first_stair: list[Home]) -> None:
    home = next(one for one in first_stair if len(one.head) == 3)
    found = phone.get(f"door-row-{home.room}").filter(has_text=home.head)
    phone.go("doors")
    search = phone.get("search")
    for asked in (home.head, home.head[1:], home.room, initials(home.head)):
        search.fill(asked)
        expect(found).to_have_count(1)
    search.fill("不存在的人")
    expect(phone.text("没有找到“不存在的人”")).to_be_visible()


def initials(name: str) -> str:
    """First letters of a name's pinyin."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))


def test_a_day_in_the_cellar(town: Service, phone: Phone, first_stair: list[Home], second_stair: list[Home]) -> None:
    """The whole of a day's work, all of it offline, the tab closed in between."""
    before = town.count(VISITS)
    phone.cut_network()
    town.kill()
    all_well, ill, refusing, vacant, *_ = first_stair
    stair = all_well.stair_title

    # a normal household: from the list to saved in four taps at most, and the next door is there
    phone.go("doors")
    phone.taps = 0
    phone.tap(phone.get(f"door-row-{all_well.room}").filter(has_text=all_well.head))
    phone.tap("all-well")
    phone.expect_strip(all_well.room)
    assert phone.taps <= 4
    phone.expect_room(ill.room)
    phone.expect_waiting(1)

    # somebody with fever, a cough, from a risk area; the button says what it will save
    person = ill.members[0]
    phone.answer(person, temperature="38.0", symptoms=("cough",))
    phone.tap("risk-area")
    phone.tap("person-done")
    row = phone.get(f"member-{person}")
    expect(row).to_contain_text("38.0 ℃")
    expect(row).to_contain_text("有症状")
    expect(row).to_contain_text("重点疫区")
    expect(phone.get("save")).to_contain_text("1 人有症状")
    phone.tap("save")

    phone.expect_room(refusing.room)
    phone.tap("refused")
    phone.expect_room(vacant.room)
    phone.tap("vacant")
    phone.expect_waiting(4)
    # this browser has not promised to keep anything, and these are nowhere else
    expect(phone.get("line-not-kept")).to_contain_text("没有答应长期保存")

    # nobody opens on the whole of the other stair: one gesture
    phone.open_stair(second_stair[0].stair_title)
    expect(phone.get("no-answer-stair")).to_contain_text(str(len(second_stair)))
    phone.tap("no-answer-stair")
    phone.expect_strip(f"{len(second_stair)} 户无人应答")
    for home in second_stair:
        expect(phone.get(f"door-{home.room}")).to_contain_text("无")
    recorded = 4 + len(second_stair)
    phone.expect_waiting(recorded)

    # a visit to an elder who lives alone
    elder = next(one for one in [*second_stair, *first_stair] if "living_alone_elder" in one.tags)
    phone.go("today")
    phone.tap(phone.get("care-due").get_by_text(elder.head))
    phone.tap("condition-needs_attention")
    phone.tap("need-food")
    phone.tap("need-company")
    phone.get("care-note").fill("药快吃完了，已记下药名")
    phone.tap("next-3")
    phone.tap("save-care")
    phone.expect_toast("走访已保存")
    recorded += 1
    phone.expect_waiting(recorded)

    # the app is closed and opened again, still offline
    phone.close_tab()
    phone.open_tab()
    phone.expect_waiting(recorded)
    expect(phone.get("sync-line")).to_contain_text("离线")
    phone.open("/outbox")
    rows = phone.get("outbox-row")
    expect(rows).to_have_count(recorded)
    # what has just been tried waits again
    expect(rows.and_(phone.page.locator("[data-state=waiting]"))).to_have_count(recorded)
    phone.open("/today")
    phone.open_stair(stair)
    for home, sign in ((all_well, "已"), (ill, "已"), (refusing, "拒"), (vacant, "空")):
        expect(phone.get(f"door-{home.room}")).to_contain_text(sign)

    # back where there is network: all goes up by itself
    town.start()
    assert town.count(VISITS) == before
    phone.restore_network()
    phone.expect_confirmed()
    phone.open("/outbox")
    expect(rows.and_(phone.page.locator("[data-state=confirmed]"))).to_have_count(recorded)
    expect(rows).to_have_count(recorded)
    phone.open("/me")
    expect(phone.get("confirmed-today")).to_contain_text(str(recorded))

    # and the database holds what was said, once
    assert town.count(VISITS) == before + recorded - 1
    visited = [home.id for home in (all_well, ill, refusing, vacant, *second_stair)]
    visits = town.rows(
        "SELECT household_id::text, outcome FROM door_visit WHERE household_id = ANY(%s::uuid[])", visited
    )
    assert len(visits) == len(visited)
    said = {visit["household_id"]: visit["outcome"] for visit in visits}
    expected = {all_well.id: "answered_all", ill.id: "answered_all", refusing.id: "refused", vacant.id: "vacant"}
    assert said == expected | {home.id: "no_answer" for home in second_stair}
    (fever,) = town.rows("SELECT * FROM person_check WHERE status = 'symptoms' AND household_id = %s", ill.id)
    assert (float(fever["temperature_c"]), fever["symptoms"], fever["risk_area"]) == (38.0, ["fever", "cough"], True)
    (care,) = town.rows("SELECT condition, needs, next_on FROM care_visit WHERE household_id = %s", elder.id)
    assert (care["condition"], sorted(care["needs"])) == ("needs_attention", ["company", "food"])
    assert care["next_on"] == today() + timedelta(days=3)


def test_an_answer_lost_after_the_commit_makes_no_second_row(
    town: Service, phone: Phone, first_stair: list[Home]
) -> None:
    home = first_stair[4]
    lost: list[int] = []

    def lose_answer(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    phone.context.route("**/api/v1/sync/commands", lose_answer)
    phone.open_door(home.stair_title, home.room)
    phone.tap("all-well")
    mine = "SELECT count(*) FROM door_visit WHERE household_id = %s"
    expect(phone.get("sync-line")).to_contain_text("离线 · 1 条待上传")
    assert lost[0] == 200
    assert town.count(mine, home.id) == 1
    phone.context.unroute_all()
    phone.open("/me")
    phone.tap("sync-now")
    expect(phone.get("waiting")).to_contain_text("0")
    assert len(lost) >= 1
    assert town.count(mine, home.id) == 1
    (tally,) = town.rows("SELECT attempts, outcome FROM household_screening WHERE household_id = %s", home.id)
    assert tally["outcome"] == "answered_all"
    checks = town.count("SELECT count(*) FROM person_check WHERE household_id = %s", home.id)
    assert checks == len(home.members)
    assert "0 tallies differ" in town.must("tally", "verify")


def test_a_record_the_server_cannot_take_says_why_and_stays(
    town: Service, phone: Phone, first_stair: list[Home]
) -> None:
    home = next(one for one in first_stair[5:] if len(one.members) > 1)
    phone.open_door(home.stair_title, home.room)
    phone.cut_network()
    phone.tap("all-well")
    # meanwhile the committee's registry loses a member of that household
    assert town.change("DELETE FROM resident WHERE household_id = %s AND name = %s", home.id, home.members[-1]) == 1
    phone.restore_network()

    expect(phone.get("line-red")).to_have_text(re.compile("1 条需处理"))
    phone.tap("line-red")
    row = phone.get("outbox-needs-you").get_by_test_id("outbox-row")
    expect(row).to_contain_text("服务器上没有记录里的某个人")
    phone.close_tab()
    phone.open_tab("/outbox")
    row = phone.get("outbox-needs-you").get_by_test_id("outbox-row")
    expect(row).to_have_attribute("data-state", "rejected")
    phone.tap("retry")
    expect(row).to_have_attribute("data-state", "rejected")
    assert town.count("SELECT count(*) FROM door_visit WHERE household_id = %s", home.id) == 0
    # it goes only when the person says so, and is asked
    phone.tap("discard")
    phone.tap("confirm-discard")
    expect(row).to_have_count(0)


def test_a_record_that_cannot_be_kept_is_said(phone: Phone, first_stair: list[Home]) -> None:
    """A storage that fails in a way nobody has foreseen: the worker is told, the door stays, a second try works."""
    phone.open_door("1号楼 1单元", first_stair[-3].room)
    phone.page.evaluate("""() => {
        const { add, put } = IDBObjectStore.prototype
        const fail = () => { throw new TypeError('unforeseen') }
        Object.assign(IDBObjectStore.prototype, { add: fail, put: fail })
        window.mendStorage = () => Object.assign(IDBObjectStore.prototype, { add, put })
    }""")
    phone.tap("all-well")
    expect(phone.text("没有成功")).to_be_visible()
    phone.expect_room(first_stair[-3].room)
    phone.page.evaluate("mendStorage()")
    phone.tap("all-well")
    phone.expect_strip(first_stair[-3].room)
    phone.expect_confirmed()


def test_drafts_outlive_the_tab(town: Service, phone: Phone, first_stair: list[Home]) -> None:
    home = first_stair[-1]
    dwelling = town.rows("SELECT dwelling_id FROM household WHERE id = %s", home.id)[0]["dwelling_id"]
    phone.open_door(home.stair_title, home.room)
    phone.answer(home.members[0], temperature="36.8")
    phone.tap("person-done")
    phone.wait_for_draft("36.8")
    forms = {
        f"/household/{home.id}": ("household-note", "七点后在家"),
        f"/household/{home.id}?add=1": ("person-name", "丁小"),
        f"/household/{dwelling}?new=1": ("found-name", "戊新来"),
        f"/care/{home.id}": ("care-note", "屋里冷"),
    }
    for path, (field, words) in forms.items():
        phone.open(path)
        phone.get(field).press_sequentially(words)
        phone.wait_for_draft(words)
    phone.close_tab()
    phone.open_tab()
    phone.open_door(home.stair_title, home.room)
    expect(phone.get(f"member-{home.members[0]}")).to_contain_text("36.8")
    expect(phone.text("草稿已恢复")).to_be_visible()
    phone.tap("drop-draft")
    expect(phone.get(f"member-{home.members[0]}")).not_to_contain_text("36.8")
    expect(phone.get("draft")).to_be_hidden()
    phone.wait_for_no_draft("36.8")

    # sent or thrown away, each is gone
    for path, (field, words) in forms.items():
        phone.open(path)
        expect(phone.get(field)).to_have_value(words)
        if "add" in path:
            phone.tap("save-person")
            expect(phone.get(f"edit-{words}")).to_be_visible()
        elif "care" in path:
            phone.tap("condition-well")
            phone.tap("save-care")
            phone.expect_toast("走访已保存")
        else:
            phone.tap("drop-draft")
            expect(phone.get(field)).to_have_value("")
        phone.wait_for_no_draft(words)
    for path, (field, _) in forms.items():
        phone.open(path)
        expect(phone.get(field)).to_have_value("")
        expect(phone.get("draft")).to_be_hidden()

    # what is taken back is a draft again
    phone.open(f"/household/{dwelling}?new=1")
    phone.get("found-name").fill("戊新来")
    phone.tap("save-found")
    phone.tap("undo")
    expect(phone.get("found-name")).to_have_value("戊新来")
    phone.expect_confirmed()
    assert town.count("SELECT count(*) FROM resident WHERE name = %s", "戊新来") == 0


def test_a_record_can_be_taken_back(town: Service, phone: Phone, first_stair: list[Home]) -> None:
    home = first_stair[-1]
    phone.open_door(home.stair_title, home.room)
    phone.tap("refused")
    phone.tap("undo")
    phone.expect_room(home.room)
    phone.expect_state("待查")
    phone.expect_waiting(0)
    phone.open("/me")
    phone.tap("sync-now")
    phone.expect_toast("已同步")
    assert town.count("SELECT count(*) FROM door_visit WHERE household_id = %s", home.id) == 0


def test_a_finger_sliding_over_tiles_marks_them(phone: Phone, first_stair: list[Home]) -> None:
    """Press, hold, slide over a floor: both tiles are taken, and one button says nobody opened."""
    phone.open_stair(first_stair[0].stair_title)
    floor = max({home.floor for home in first_stair}, key=lambda n: sum(home.floor == n for home in first_stair))
    rooms = [home.room for home in first_stair if home.floor == floor]
    phone.slide([phone.get(f"door-{room}") for room in rooms])
    for room in rooms:
        expect(phone.get(f"door-{room}")).to_have_attribute("aria-pressed", "true")


def test_leaving_with_unsent_records_is_asked(phone: Phone, first_stair: list[Home]) -> None:
    home = first_stair[-1]
    phone.cut_network()
    phone.open_door(home.stair_title, home.room)
    phone.tap("all-well")
    phone.expect_waiting(1)
    phone.open("/me")
    phone.tap("sign-out")
    expect(phone.page.get_by_role("dialog")).to_contain_text("还有 1 条记录没有上传")
    expect(phone.get("sign-out-export")).to_be_visible()
