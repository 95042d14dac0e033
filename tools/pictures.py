"""Take the READMEs' pictures of a stair, in Chinese and English, from a fresh demo: it works some doors first.

With `PIONEER_DATA_DIR=/tmp/pictures`, run `.venv/bin/pioneer demo`, then `.venv/bin/pioneer serve &`, then
`.venv/bin/python tools/pictures.py http://127.0.0.1:8000`.
"""

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
ANSWERS = {
    "602": "all-well",
    "502": "all-well",
    "501": "no-answer",
    "402": "all-well",
    "401": "refused",
    "301": "all-well",
    "202": "no-answer",
    "201": "vacant",
    "102": "all-well",
}
IN_PART = "302"


def open_stair(browser: Browser, url: str, locale: str) -> Page:
    """Sign in on a phone of this language and open the first stair."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True, locale=locale
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_test_id("login").fill("demo-worker")
    page.get_by_test_id("password").fill("pioneer-demo")
    page.get_by_test_id("sign-in").tap()
    page.get_by_test_id("stair").first.tap(timeout=60_000)
    return page


def work_doors(page: Page) -> None:
    """Knock at some doors, so that the picture shows what can be found behind them."""
    for room, answer in {**ANSWERS, IN_PART: "save"}.items():
        stair = page.url
        page.get_by_test_id(f"door-{room}").tap()
        expect(page.locator("h1")).to_have_text(room)
        if room == IN_PART:
            page.locator("[data-testid^=member-]").first.tap()
            page.get_by_test_id("status-unknown").tap()
            page.keyboard.press("Escape")
        page.get_by_test_id(answer).tap()
        expect(page.locator("h1")).not_to_have_text(room)
        page.goto(stair)


def main() -> None:
    """Take both pictures into docs/images."""
    chromium = subprocess.run([ROOT / "tools/chromium.sh"], capture_output=True, text=True, check=True).stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = open_stair(browser, sys.argv[1], "zh-CN")
        if page.get_by_test_id("door-602").locator(".tile__sign").inner_text() == "待":
            work_doors(page)
        page.wait_for_timeout(8_000)  # until all is confirmed and nothing is said in passing
        page.screenshot(path=ROOT / "docs/images/phone-zh.png")
        page = open_stair(browser, sys.argv[1], "en")
        page.wait_for_timeout(3_000)
        page.screenshot(path=ROOT / "docs/images/phone-en.png")
        browser.close()


if __name__ == "__main__":
    main()
