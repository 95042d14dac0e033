"""Every screen of the phone in both languages, at 100 % and 150 %, light and dark, 390 and 320 px wide."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import look_over
from tests.e2e.phone import Phone
from tests.e2e.service import Service
from tests.e2e.town import Home, list_homes

WIDTHS = (390, 320)
# each colour scheme is seen in one of the languages: colours do not depend on words
SCHEMES: dict[str, Literal["light", "dark"]] = {"zh-CN": "light", "en": "dark"}


def walk(phone: Phone, town: Service, homes: list[Home]) -> Iterator[str]:
    """Go from screen to screen as a worker does; answers the name of each when it is there."""
    refusing, lost, waiting = homes
    dialog = phone.page.get_by_role("dialog")
    yield "today"
    phone.get("search").fill(refusing.room)
    expect(phone.page.locator(".door-row").first).to_be_visible()
    yield "today, searching"
    phone.get("search").fill("不存在")
    yield "today, nothing found"
    phone.open("/doors")
    expect(phone.get("search")).to_be_visible()
    yield "doors"
    phone.tap("filter-all")
    yield "doors, all"
    phone.open("/posts")
    expect(phone.page.locator(".post").first).to_be_visible()
    yield "posts"
    phone.tap(phone.get("claim-post").first)
    expect(dialog).to_be_visible()
    yield "posts, asked"
    phone.open("/posts?tab=areas")
    expect(phone.get("my-areas")).to_be_visible()
    yield "areas"
    phone.tap(phone.get("release-area").first)
    expect(dialog).to_be_visible()
    yield "areas, asked"
    phone.open("/password")
    yield "password"
    phone.open("/me")
    yield "me"
    phone.tap("sign-out")
    expect(dialog).to_be_visible()
    yield "me, leaving"

    phone.open("/today")
    phone.tap(phone.get("stair").nth(1))
    expect(phone.page.locator(".tile").first).to_be_visible()
    yield "stair"
    phone.tap("select")
    phone.tap(f"door-{refusing.room}")
    yield "stair, selecting"
    phone.tap("select")
    phone.tap(f"door-{refusing.room}")
    expect(phone.get("door")).to_be_visible()
    yield "door"
    phone.tap(f"member-{refusing.members[0]}")
    phone.tap("temperature-38.0")
    expect(dialog).to_be_visible()
    yield "door, a member"
    phone.get("temperature").fill("99")
    yield "door, a wrong temperature"
    phone.get("temperature").fill("38.0")
    phone.tap("person-done")
    expect(dialog).to_be_hidden()
    yield "door, to be saved"
    phone.tap("more")
    expect(dialog).to_be_visible()
    yield "door, more"
    phone.open(f"/care/{refusing.id}")
    phone.tap("condition-needs_attention")
    phone.tap("need-food")
    phone.tap("next-other")
    yield "care visit"

    # one record confirmed, one refused, one waiting
    phone.open(f"/door/{refusing.id}")
    phone.cut_network()
    phone.tap("refused")
    expect(phone.get("strip")).to_be_visible()
    yield "door, saved"
    phone.open(f"/door/{lost.id}")
    town.change("DELETE FROM resident WHERE household_id = %s AND name = %s", lost.id, lost.members[-1])
    phone.tap("all-well")
    phone.expect_strip()
    phone.restore_network()
    expect(phone.get("line-red")).to_be_visible()
    phone.cut_network()
    phone.open(f"/door/{waiting.id}")
    phone.tap("no-answer")
    phone.expect_strip()
    phone.open("/outbox")
    expect(phone.get("outbox-row")).to_have_count(3)
    yield "outbox"
    phone.tap("discard")
    expect(dialog).to_be_visible()
    yield "outbox, discarding"
    phone.open("/posts")
    yield "posts, offline"
    phone.open("/me")
    phone.tap("sign-out")
    expect(dialog).to_be_visible()
    yield "me, leaving with records unsent"


@pytest.mark.parametrize("language", SCHEMES)
def test_every_screen_is_good_to_look_at_and_touch(
    town: Service, open_phone: Callable[..., Phone], language: str
) -> None:
    stair = [home for home in list_homes(town, "1", "2") if len(home.members) > 1]
    homes = stair[:3] if language == "en" else stair[3:6]
    phone = open_phone(town, language, language=language, reduced_motion="reduce")
    wrong: list[str] = []

    def look(name: str) -> None:
        wrong.extend(look_over(phone.page, name, scheme=SCHEMES[language], widths=WIDTHS, thumb=True))

    phone.open("/sign-in")
    look("sign in")
    phone.get("sign-in").click()
    look("sign in, nothing filled in")
    phone.open("/invitation")
    look("invitation")
    phone.sign_in("demo-worker")
    expect(phone.get("stair").first).to_be_visible()
    for name in walk(phone, town, homes):
        look(name)
    assert not wrong, "\n".join(wrong)
