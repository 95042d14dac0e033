"""Every screen of the desk in both languages, at 100 % and 150 %, light and dark, 1280 and 1024 px wide."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.demo import STREET, TOWN_COMMUNITY, VILLAGE
from tests.e2e.desk import Desk
from tests.e2e.looks import look_over
from tests.e2e.service import Service

WIDTHS = (1280, 1024)
# each colour scheme is seen in one of the languages: colours do not depend on words
SCHEMES: dict[str, Literal["light", "dark"]] = {"zh-CN": "light", "en": "dark"}
ROSTER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "roster.csv"


def walk(desk: Desk) -> Iterator[str]:
    """Go from page to page as a street does, which sees most; answers the name of each when it is there."""
    dialog = desk.page.get_by_role("dialog")
    table = desk.page.locator("table").first

    def at(path: str, area: str) -> None:
        there = f"/desk/{path}{'&' if '?' in path else '?'}area={area}"
        is_here = urlsplit(desk.page.url).path == urlsplit(there).path
        (desk.open if is_here else desk.follow)(there)

    expect(desk.get("totals")).to_be_visible()
    yield "overview of a street"
    desk.get("path-down").click()
    expect(desk.get(f"division-{VILLAGE}")).to_be_visible()
    yield "choosing a division"
    at("coverage", TOWN_COMMUNITY)
    desk.get("open-account").click()
    expect(dialog).to_be_visible()
    yield "account and display"
    at("coverage?gaps=persons", TOWN_COMMUNITY)
    expect(desk.get("gap").first).to_be_visible()
    yield "overview of a community"
    at("coverage/doors?compound=泉景园&building=1", TOWN_COMMUNITY)
    expect(table).to_be_visible()
    yield "doors of a building"

    at("registry", STREET)
    desk.get("household-search").fill("nobody")
    expect(desk.get("people-found").locator(".empty")).to_be_visible()
    yield "registry of a street, nobody found"
    at("registry", TOWN_COMMUNITY)
    expect(table).to_be_visible()
    yield "registry, buildings"
    person = desk.get("people-found").get_by_role("row").get_by_role("link").first
    desk.get("household-search").fill("101")
    expect(person).to_be_visible()
    yield "registry, searching"
    desk.get("new-household").click()
    desk.get("household-submit").click()
    expect(dialog).to_be_visible()
    yield "new household, nothing filled in"
    at("registry", TOWN_COMMUNITY)
    desk.get("household-search").fill("101")
    person.click()
    expect(desk.get("edit-household")).to_be_visible()
    yield "household"
    desk.get("add-resident").click()
    desk.get("resident-submit").click()
    expect(dialog).to_be_visible()
    yield "new resident, nothing filled in"
    desk.get("sheet-close").click()
    member = desk.get("open-member").first
    member.click()
    desk.get("correct-submit").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    yield "a member, nothing corrected"
    desk.get("member-numbers").click()
    desk.get("reveal-submit").click()
    expect(desk.get("reveal-form")).to_be_visible()
    yield "full numbers, nothing chosen"
    desk.get("reveal-id_number").or_(desk.get("reveal-phone")).first.click()
    desk.get("reveal-for-identity").click()
    desk.get("reveal-submit").click()
    expect(desk.get("revealed")).to_be_visible()
    yield "full numbers, shown"
    desk.get("member-access").click()
    expect(desk.get("access").first).to_be_visible()
    yield "who has looked"
    desk.get("member-copy").click()
    yield "the person's copy, before it is opened"
    desk.get("copy-open").click()
    expect(desk.get("copy-facts").first).to_be_visible()
    yield "the person's copy"
    at("care", TOWN_COMMUNITY)
    expect(table).to_be_visible()
    yield "care"

    at("screening", STREET)
    expect(table).to_be_visible()
    yield "rounds"
    desk.get("new-round").click()
    desk.get("round-submit").click()
    expect(dialog).to_be_visible()
    yield "new round, nothing filled in"
    at("screening/risk-areas", STREET)
    desk.get("new-risk").click()
    desk.get("risk-name").fill("武汉市")
    yield "new risk area"
    desk.get("risk-submit").click()
    expect(desk.get(f"risk-{TOWN_COMMUNITY}")).to_be_visible()
    yield "risk area"
    at("screening/flagged", TOWN_COMMUNITY)
    yield "flagged records"
    at("registry/duplicates", TOWN_COMMUNITY)
    expect(desk.get("searched")).not_to_be_empty()
    yield "registered twice"

    at("areas", TOWN_COMMUNITY)
    desk.get("facade-stair-3-1").click()
    expect(desk.get("selection")).to_be_visible()
    yield "areas, a stair selected"
    desk.get("area-make").click()
    desk.get("area-who-assign").click()
    expect(dialog).to_be_visible()
    yield "new area"
    at("areas", VILLAGE)
    expect(desk.get("facades")).to_be_visible()
    yield "areas of a village"
    at("areas", STREET)
    yield "areas, no community chosen"

    at("posts", TOWN_COMMUNITY)
    expect(desk.get("posts")).to_be_visible()
    yield "posts"
    desk.get("post-new").click()
    desk.get("post-save").click()
    expect(dialog).to_be_visible()
    yield "new post, nothing filled in"

    at("import", STREET)
    yield "import, no community chosen"
    at("import", VILLAGE)
    expect(desk.get("import-choose")).to_be_visible()
    yield "import"
    desk.get("import-file").set_input_files(ROSTER)
    expect(desk.get("import-columns")).to_be_visible(timeout=60_000)
    yield "import, columns"
    desk.get("import-next").click()
    expect(desk.get("import-preview")).to_be_visible()
    yield "import, preview"
    desk.apply_import()
    yield "import, done"

    at("admin", TOWN_COMMUNITY)
    expect(desk.get("account-demo-worker")).to_be_visible()
    yield "accounts"
    desk.get("account-demo-worker").get_by_test_id("invite").click()
    expect(desk.get("invitation-qr")).to_be_visible()
    yield "invitation"
    at("admin", TOWN_COMMUNITY)
    desk.get("new-account").click()
    desk.get("account-submit").click()
    expect(dialog).to_be_visible()
    yield "new account, nothing filled in"
    at("admin/trail", TOWN_COMMUNITY)
    expect(desk.get("trail-entry").first).to_be_visible()
    yield "trail"
    at("admin/devices", STREET)
    expect(desk.get("device").first).to_be_visible()
    yield "devices"
    desk.get("revoke-device").first.click()
    expect(desk.get("revoke-confirm")).to_be_visible()
    yield "a device about to be ended"
    at("admin/clients", STREET)
    yield "API clients"
    at("admin/privacy", TOWN_COMMUNITY)
    expect(desk.get("reveal").first).to_be_visible()
    yield "full numbers read"
    at("admin/privacy?view=deletions", TOWN_COMMUNITY)
    yield "deletions"
    at("admin/privacy?view=exports", TOWN_COMMUNITY)
    yield "lists taken away"
    at("admin/rules", STREET)
    expect(desk.get("kept").first).to_be_visible()
    yield "rules"
    desk.get("rule-open").first.click()
    yield "a rule's history"
    at("admin/changes", STREET)
    yield "changes of codes"


@pytest.mark.parametrize("language", SCHEMES)
def test_every_page_is_good_to_look_at(town: Service, open_desk: Callable[..., Desk], language: str) -> None:
    desk = open_desk(town, language, language=language, reduced_motion="reduce")
    desk.sign_in("demo-street")
    wrong: list[str] = []
    for name in walk(desk):
        wrong += look_over(desk.page, name, scheme=SCHEMES[language], widths=WIDTHS, thumb=False)
    assert not wrong, "\n".join(wrong)
