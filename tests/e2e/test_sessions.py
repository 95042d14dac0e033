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


def test_another_device_is_signed_out_from_ones_own(town: Service, open_phone: Callable[..., Phone]) -> None:
    lost, kept = open_phone(town, "lost"), open_phone(town, "kept")
    for phone in (lost, kept):
        phone.sign_in("demo-worker2")
    kept.go("me")
    kept.tap("devices")
    mine = kept.get("device").filter(has_text="本机")
    expect(mine).to_have_count(1)
    expect(mine).to_contain_text("版本")
    expect(mine.get_by_test_id("sign-device-out")).to_have_count(0)
    # signed in a moment ago; those of tests before have signed out or been told to
    kept.tap(kept.get("sign-device-out").first)
    kept.tap("confirm-device-out")
    kept.expect_toast("退出")
    expect(kept.get("device").filter(has_text="已要求退出")).not_to_have_count(0)
    assert town.count("SELECT count(*) FROM device WHERE revoked_at > now() - interval '1 minute'") == 1

    lost.go("me")
    lost.tap("sync-now")
    expect(lost.get("login")).to_be_visible()
    kept.go("me")
    kept.tap("sync-now")
    kept.expect_toast("已同步")
