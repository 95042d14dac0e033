"""Two members on two phones go for the same thing at once: one gets it, the other is told."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect

from app.core.clock import day_start, today
from app.demo import TOWN_COMMUNITY
from tests.e2e.phone import Phone
from tests.e2e.service import Service, signed_in

MEMBERS = {"demo-worker": "周敏", "demo-worker2": "李建国"}


def publish_post(service: Service, title: str, wanted: int) -> None:
    """The committee publishes a post for tomorrow morning."""
    begins = day_start(today() + timedelta(days=1)) + timedelta(hours=9)
    with signed_in(service, "demo-committee") as committee:
        committee.post(
            "/posts",
            {
                "community_code": TOWN_COMMUNITY, "title": title, "kind": "checkpoint", "duty": "查出入证",
                "place": "南门", "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=3)).isoformat(),
                "wanted_count": wanted, "is_published": True,
            },
        )  # fmt: skip


def take_phones(open_phone: Callable[..., Phone], town: Service) -> list[Phone]:
    phones = [open_phone(town, login) for login in MEMBERS]
    for phone in phones:
        phone.sign_in(phone.name)
        phone.go("posts")
    return phones


def test_the_last_place_at_a_post_goes_to_one(town: Service, open_phone: Callable[..., Phone]) -> None:
    publish_post(town, "南门值守先锋岗", wanted=1)
    phones = take_phones(open_phone, town)
    for phone in phones:
        phone.tap(phone.get("post-南门值守先锋岗").get_by_test_id("claim-post"))
        expect(phone.page.get_by_role("dialog")).to_contain_text("南门")
    for phone in phones:
        phone.tap("confirm-post")

    for phone in phones:
        expect(phone.page.get_by_role("dialog")).to_be_hidden()
    (claim,) = town.rows("SELECT account_name FROM post_claim JOIN post ON post.id = post_id WHERE wanted_count = 1")
    winner, loser = sorted(phones, key=lambda phone: MEMBERS[phone.name] != claim["account_name"])
    expect(winner.get("my-posts")).to_contain_text("南门值守先锋岗")
    expect(loser.get("post-南门值守先锋岗").get_by_test_id("missing")).to_have_text("已满")
    expect(loser.text("刚刚被别人认领满了")).to_be_visible()
    expect(loser.text("这个差不多，也在等人")).to_be_visible()
    expect(loser.get("post-北门体温检测先锋岗").first).to_be_visible()
    winner.go("today")
    expect(winner.get("next-shift")).to_contain_text("南门值守先锋岗")


def test_an_open_area_goes_to_one_whose_doors_then_load(town: Service, open_phone: Callable[..., Phone]) -> None:
    phones = take_phones(open_phone, town)
    for phone in phones:
        phone.tap("tab-areas")
        phone.tap(phone.get("area-泉景园2号楼").get_by_test_id("claim-area"))
    for phone in phones:
        phone.tap("confirm-area")

    for phone in phones:
        expect(phone.page.get_by_role("dialog")).to_be_hidden()
    (held,) = town.rows(
        "SELECT a.name FROM assignment s JOIN responsibility_area r ON r.id = s.area_id JOIN account a "
        "ON a.id = s.account_id WHERE r.name = '泉景园2号楼' AND s.ended_at IS NULL"
    )
    winner, loser = sorted(phones, key=lambda phone: MEMBERS[phone.name] != held["name"])
    expect(loser.text("刚刚被别人认领了")).to_be_visible()
    expect(loser.get("area-泉景园2号楼")).to_have_count(0)
    expect(winner.get("my-areas")).to_contain_text("泉景园2号楼")
    winner.go("today")
    expect(winner.get("stair").filter(has_text="2号楼 1单元")).to_be_visible()
    expect(winner.get("stair").filter(has_text="2号楼 2单元")).to_be_visible()
