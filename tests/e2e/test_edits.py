"""A household put right at its door without network, a number that the committee changed meanwhile, and who decides."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service, signed_in
from tests.e2e.town import Home, list_homes

THEIRS, OURS = "15411112222", "15433334444"


@pytest.fixture
def home(town: Service) -> Home:
    """A household that no other test speaks of."""
    return list_homes(town, "1", "2")[-1]


def test_corrections_made_apart_meet_at_the_committee(
    town: Service, home: Home, open_phone: Callable[..., Phone], open_desk: Callable[..., Desk]
) -> None:
    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    phone.open_door(home.stair_title, home.room)

    # without network: somebody who is not listed, a name that is wrong, the number, a note
    phone.cut_network()
    phone.tap("more")
    phone.tap("door-add-person")
    phone.tap("save-person")
    expect(phone.text("请填写姓名")).to_be_visible()
    phone.get("person-name").fill("丙小新")
    phone.tap("sex-1")
    phone.get("person-birth").fill("2020-05-06")
    phone.get("person-relation").fill("孙子")
    phone.tap("save-person")
    expect(phone.get("edit-丙小新")).to_contain_text("孙子")
    phone.tap(f"edit-{home.head}")
    phone.get("person-name").fill("甲改名")
    phone.tap("save-person")
    expect(phone.get("edit-甲改名")).to_be_visible()
    phone.get("household-phone").fill("154")
    phone.tap("save-household")
    expect(phone.text("电话号码不对")).to_be_visible()
    phone.get("household-phone").fill("154 3333 4444")
    phone.get("household-note").fill("晚上七点后在家")
    phone.tap("save-household")
    phone.expect_room(home.room)
    expect(phone.get("call")).to_contain_text(OURS)
    expect(phone.get("member-丙小新")).to_be_visible()
    phone.expect_waiting(3)
    phone.close_tab()
    phone.open_tab()
    phone.expect_waiting(3)

    # meanwhile the committee changes the same number
    with signed_in(town, "demo-committee") as committee:
        answer = committee.request("PATCH", f"/households/{home.id}", json={"phone": THEIRS})
        assert answer.is_success, answer.text

    # the rest is taken over; of the number theirs stands, and the phone says so
    phone.restore_network()
    phone.expect_confirmed()
    phone.open_door(home.stair_title, home.room)
    expect(phone.get("call")).to_contain_text(THEIRS)
    expect(phone.text("晚上七点后在家")).to_be_visible()
    expect(phone.get("member-甲改名")).to_be_visible()
    expect(phone.get("door-records")).to_contain_text("别人也改了这一项")
    rows = town.rows(
        "SELECT name, relation FROM resident WHERE household_id = %s AND name LIKE '_改名' OR name = '丙小新'", home.id
    )
    assert {row["name"] for row in rows} == {"甲改名", "丙小新"}

    # the committee sees both numbers, masked, and takes the phone's
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.get("need-conflicts").get_by_role("link").click()
    expect(desk.get("conflict")).to_have_count(1)
    expect(desk.get("conflict-server")).to_have_text("154****2222")
    expect(desk.get("conflict-phone")).to_have_text("154****4444")
    desk.get("keep-phone").click()
    expect(desk.get("conflict")).to_have_count(0)
    expect(desk.text("没有待处理的冲突")).to_be_visible()

    # and the phone follows
    phone.open("/me")
    phone.tap("sync-now")
    phone.expect_toast("已同步")
    phone.open_door(home.stair_title, home.room)
    expect(phone.get("call")).to_contain_text(OURS)
    assert "0 tallies differ" in town.must("tally", "verify")
