"""A phone that does not get through: its records go to the committee as a sealed file, and count once."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.screen import ROOT
from tests.e2e.service import Service
from tests.e2e.town import list_homes


def test_records_brought_as_a_file_count_once(
    town: Service, open_phone: Callable[..., Phone], open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    home = list_homes(town, "1", "2")[-1]
    recorded = "SELECT count(*) FROM door_visit WHERE household_id = %s"
    before = town.count(recorded, home.id)
    phone = open_phone(town, "worker")
    phone.sign_in("demo-worker")
    phone.cut_network()
    phone.open_door(home.stair_title, home.room)
    phone.tap("more")
    phone.get("take-photo").set_input_files(ROOT / "frontend" / "public" / "icon-192.png")
    expect(phone.get("photo")).to_have_count(1)
    phone.tap("sheet-close")
    phone.tap("no-answer")
    phone.expect_waiting(2)
    phone.go("me")
    with phone.page.expect_download() as saved:
        phone.tap("export")
    phone.expect_toast("已导出 1 条记录、1 张照片，已加密，请交给社区")
    file = tmp_path / saved.value.suggested_filename
    assert file.suffix == ".sealed"
    saved.value.save_as(file)
    assert file.read_bytes().startswith(b"pioneer-sealed-1\n")
    assert home.id.encode() not in file.read_bytes()
    # a browser that cannot seal asks first, and what it writes is taken too
    phone.page.evaluate("delete Crypto.prototype.subtle")
    phone.tap("export")
    expect(phone.get("toast")).to_have_count(0)
    with phone.page.expect_download() as saved:
        phone.tap("export-plain")
    plain = tmp_path / saved.value.suggested_filename
    saved.value.save_as(plain)
    assert home.id in plain.read_text(encoding="utf-8")

    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.open("/desk/admin/devices")
    desk.get("unsent-open").click()
    wrong = tmp_path / "wrong.json"
    wrong.write_text("名单", encoding="utf-8")
    desk.get("unsent-file").set_input_files(wrong)
    expect(desk.text("这不是手机导出的未上传记录文件。")).to_be_visible()
    desk.get("unsent-file").set_input_files(file)
    expect(desk.get("unsent-taken")).to_contain_text("收下 1 条")
    expect(desk.get("unsent-taken")).to_contain_text("收下照片 1 张")
    assert town.count(recorded, home.id) == before + 1

    phone.restore_network()
    phone.tap("sync-now")
    phone.go("today")
    phone.expect_confirmed()
    assert town.count(recorded, home.id) == before + 1
    desk.get("unsent-file").set_input_files(plain)
    expect(desk.get("unsent-taken")).to_contain_text("以前已收下 1 条")
    expect(desk.get("unsent-taken")).to_contain_text("以前已收下照片 1 张")
    assert town.count("SELECT count(*) FROM visit_photo WHERE household_id = %s", home.id) == 1
