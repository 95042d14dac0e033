"""A committee at its desk: somebody new in the registry, somebody to look after, somebody new at work."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.service import Service


def test_a_new_household_is_found_and_looked_after(town: Service, open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.go("registry")
    desk.get("new-household").click()
    desk.get("household-submit").click()
    expect(desk.get("household-form").get_by_text("请填写姓名。")).to_be_visible()
    desk.get("form-address").fill("后街 7 号")
    desk.get("form-head").fill("钱多福")
    desk.get("household-form").get_by_role("button", name="独居老人").click()
    desk.get("household-submit").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("后街 7 号")
    desk.get("add-resident").click()
    desk.get("resident-name").fill("钱小福")
    desk.get("resident-submit").click()
    expect(desk.get("resident-钱小福")).to_be_visible()
    desk.get("edit-household").click()
    desk.get("edit-note").fill("耳背,敲门要久一点")
    desk.get("edit-submit").click()
    expect(desk.get("household-note")).to_have_text(re.compile("^耳背,敲门要久一点 *保留到"))

    desk.go("registry")
    desk.get("household-search").fill("钱小福")
    found = desk.get("person-钱小福")
    expect(found).to_contain_text("后街 7 号")
    desk.get("household-search").fill("qxf")
    expect(found).to_contain_text("拼音首字母")
    found.get_by_role("link", name="钱小福").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("后街 7 号")
    desk.go("care")
    row = desk.page.get_by_role("row").filter(has_text="钱多福")
    expect(row).to_contain_text("还没有走访过")
    assert desk.errors == []


def test_a_person_is_corrected_and_every_look_is_written_down(town: Service, open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.go("registry")
    desk.get("new-household").click()
    desk.get("form-address").fill("后街 9 号")
    desk.get("form-head").fill("金宝山")
    desk.get("household-submit").click()
    member = desk.get("resident-金宝山").get_by_test_id("open-member")
    member.click()
    desk.get("correct-submit").click()
    expect(desk.get("correct-form")).to_contain_text("没有改动")
    desk.get("correct-phone").fill("13800005678")
    desk.get("correct-birth").fill("1950-03-02")
    desk.get("correct-sex").select_option("1")
    desk.get("correct-reason").fill("本人到窗口说明")
    desk.get("correct-submit").click()
    row = desk.get("resident-金宝山")
    expect(row).to_contain_text("138****5678")
    expect(row).to_contain_text("男")

    desk.go("registry")
    desk.get("household-search").fill("13800005678")
    desk.get("person-金宝山").get_by_role("link", name="金宝山").click()
    expect(row).to_be_visible()
    assert "13800005678" not in desk.page.evaluate("window.history.state.back ?? ''")
    member.click()
    desk.get("member-numbers").click()
    desk.get("reveal-phone").click()
    desk.get("reveal-submit").click()
    expect(desk.get("reveal-form")).to_contain_text("并选择用途")
    desk.get("reveal-for-help").click()
    desk.get("reveal-more").fill("送降压药")
    desk.get("reveal-submit").click()
    expect(desk.get("revealed-phone")).to_have_text("13800005678")
    desk.get("member-access").click()
    lines = desk.get("access")
    look = lines.filter(has_text="查看完整号码")
    expect(look).to_contain_text("王芳")
    expect(look).to_contain_text("送医送药等帮扶：送降压药")
    expect(lines.filter(has_text="本人到窗口说明")).to_contain_text("电话、性别")

    desk.get("sheet-close").click()
    member.click()
    desk.get("member-numbers").click()
    expect(desk.get("reveal-form")).to_be_visible()
    expect(desk.page.get_by_text("13800005678")).to_have_count(0)
    desk.get("member-copy").click()
    desk.get("copy-open").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("金宝山 的登记资料")
    expect(desk.get("copy-facts").first).to_contain_text("13800005678")
    expect(desk.get("copy-facts").first).to_contain_text("1950年3月2日")
    assert desk.errors == []


def test_a_new_worker_takes_up_the_invitation(
    town: Service, open_desk: Callable[..., Desk], open_phone: Callable[..., Phone]
) -> None:
    desk = open_desk(town, "committee")
    desk.sign_in("demo-committee")
    desk.go("admin")
    desk.get("new-account").click()
    desk.get("account-name").fill("新来的")
    desk.get("account-login").fill("newcomer")
    desk.get("account-submit").click()
    expect(desk.get("invitation-qr")).to_be_visible()
    link = desk.get("invitation-link").inner_text()

    phone = open_phone(town, "newcomer")
    phone.open(link)
    phone.get("new-password").fill("my-own-password")
    phone.get("new-password-again").fill("my-own-password")
    phone.get("accept-invitation").click()
    expect(phone.get("tab-today")).to_be_visible()

    desk.get("sheet-close").click()
    desk.get("account-newcomer").get_by_test_id("close-account").click()
    desk.get("confirm-account").click()
    expect(desk.get("account-newcomer")).to_contain_text("已停用")
    again = open_phone(town, "newcomer again")
    again.open("/")
    again.get("login").fill("newcomer")
    again.get("password").fill("my-own-password")
    again.get("sign-in").click()
    expect(again.page.get_by_role("alert")).to_contain_text("密码不对")
