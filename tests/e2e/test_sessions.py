"""Ending sessions: somebody lost a phone, and signs out of all of them from the other."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.phone import Phone
from tests.e2e.service import Service


def test_signing_out_everywhere_ends_the_other_phone_too(town: Service, open_phone: Callable[..., Phone]) -> None:
    lost, kept = open_phone(town, "lost"), open_phone(town, "kept")
    for phone in (lost, kept):
        phone.sign_in("demo-worker2")
    kept.go("me")
    kept.tap("sign-out")
    kept.cut_network()
    kept.tap("sign-out-everywhere")
    expect(kept.page.get_by_role("alert")).to_contain_text("连不上服务器")
    kept.restore_network()
    kept.tap("sign-out-everywhere")
    expect(kept.get("login")).to_be_visible()

    lost.go("posts")
    expect(lost.get("sync-line")).to_contain_text("登录已过期")
    expect(lost.page.get_by_role("alert")).to_contain_text("请重新登录")
