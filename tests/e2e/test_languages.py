"""The languages a phone speaks are on the phone: each it was set to works in a cellar, the other says what it lacks."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.phone import Phone
from tests.e2e.service import Service


def kept_texts(phone: Phone) -> list[str]:
    """Which languages' texts the phone keeps."""
    names: list[str] = phone.page.evaluate(
        "caches.open('texts').then(c => c.keys()).then(all => all.map(one => one.url.match(/text-(en|zh-CN)-/)?.[1]))"
    )
    return sorted({name for name in names if name})


def test_a_phone_in_english_starts_offline_and_turns_chinese_only_with_its_texts(
    town: Service, open_phone: Callable[..., Phone]
) -> None:
    phone = open_phone(town, "english", language="en")
    phone.sign_in("demo-worker")
    phone.wait_until_kept()
    assert kept_texts(phone) == ["en"]

    phone.cut_network()
    phone.close_tab()
    phone.open_tab()
    expect(phone.get("tab-doors")).to_contain_text("Doors")
    phone.go("me")
    phone.tap("language-zh")
    phone.expect_toast("cannot be reached")
    expect(phone.get("tab-doors")).to_contain_text("Doors")

    phone.restore_network()
    phone.close_tab()
    phone.open_tab("/me")
    phone.tap("language-zh")
    expect(phone.get("tab-doors")).to_contain_text("住户")
    phone.wait_until_kept("zh-CN")
    assert kept_texts(phone) == ["en", "zh-CN"]

    phone.cut_network()
    phone.close_tab()
    phone.open_tab()
    expect(phone.get("tab-doors")).to_contain_text("住户")
