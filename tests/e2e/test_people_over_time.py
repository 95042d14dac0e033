"""A member moves, another has died, a household is found at a door without network: desk and phone agree."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service
from tests.e2e.town import Home, list_homes


@pytest.fixture
def homes(town: Service) -> tuple[Home, Home]:
    """A household of several people, and one to move to, that no other test speaks of."""
    found = list_homes(town, "1", "2")[:-1]
    first = next(home for home in found if len(home.members) > 2)
    return first, next(home for home in found if home is not first)


def test_people_move_and_go_and_are_found(
    town: Service, homes: tuple[Home, Home], open_phone: Callable[..., Phone], open_desk: Callable[..., Desk]
) -> None:
    home, other = homes
    stays = next(name for name in home.members if name != home.head)
    moves = next(name for name in home.members if name not in (home.head, stays))
    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    phone.open_door(home.stair_title, home.room)

    # without network: somebody who has died, and a second household behind the door
    phone.cut_network()
    phone.tap("more")
    phone.tap("door-correct")
    phone.tap(f"edit-{home.head}")
    phone.tap("gone-died")
    phone.tap("mark-gone")
    expect(phone.get(f"edit-{home.head}")).to_be_hidden()
    phone.tap("add-household")
    phone.tap("save-found")
    expect(phone.text("请填写姓名")).to_be_visible()
    phone.get("found-name").fill("钱租客")
    phone.tap("save-found")
    phone.expect_room(home.room)
    expect(phone.get("member-钱租客")).to_be_visible()
    phone.expect_waiting(2)
    phone.close_tab()
    phone.open_tab()
    phone.expect_waiting(2)
    phone.restore_network()
    phone.expect_confirmed()

    # the committee sees both, and moves somebody to another door
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.go("registry")
    desk.get("household-search").fill(stays)
    desk.get(f"person-{stays}").get_by_role("link", name=stays).click()
    expect(desk.get("past-members")).to_contain_text("去世")
    expect(desk.get("timeline")).to_contain_text(f"{home.head} · 去世")
    desk.get("change-places").click()
    desk.get("change-submit").click()
    expect(desk.get("change-form")).to_contain_text("请选择是哪些人")
    desk.get(f"who-{moves}").click()
    desk.get("picker-search").fill(other.head)
    desk.get(f"pick-{other.room}").click()
    desk.get("change-submit").click()
    expect(desk.get(f"resident-{moves}")).to_be_visible()
    expect(desk.get("timeline")).to_contain_text(f"{moves} · 迁入")

    # the phone has it at its next sync
    phone.open_door(other.stair_title, other.room)
    phone.page.reload()
    expect(phone.get(f"member-{moves}")).to_be_visible()

    # the last one's leaving closes a household; a mistake is taken back
    desk.go("registry")
    desk.get("household-search").fill("钱租客")
    desk.get("person-钱租客").get_by_role("link", name="钱租客").click()
    desk.get("change-places").click()
    desk.get("change-leave").click()
    desk.get("change-submit").click()
    expect(desk.page.get_by_text("这一户已注销")).to_be_visible()
    desk.get("past-钱租客").get_by_test_id("mistake").click()
    expect(desk.get("resident-钱租客")).to_be_visible()
    assert [error for error in phone.errors if "ERR_INTERNET_DISCONNECTED" not in error] == []
