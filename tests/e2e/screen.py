"""A browser as one person has it: a window, a language, its own storage, a network that can be cut."""

import os
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
# The pages behind the address bar, which nobody sees here, are two thirds of what a new window costs. The rest is
# Playwright's own list, as far as it concerns pages: of two lists the browser reads the last.
_OFF = [
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]  # fmt: skip
CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    f"--disable-features={','.join(_OFF)}",
]  # fmt: skip
SHANGHAI = "Asia/Shanghai"


DRAFTS_SAY = """async words => {
  const done = asked => new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name))
    const isThere = database.objectStoreNames.contains('drafts')
    const drafts = isThere ? await done(database.transaction('drafts').objectStore('drafts').getAll()) : []
    database.close()
    if (JSON.stringify(drafts).includes(words)) return true
  }
  return false
}"""
"""Whether any draft of this phone holds these words."""


def find_chromium() -> str:
    """The browser `make test` names, else the one it would find."""
    named = os.environ.get("PIONEER_CHROMIUM")
    return named or subprocess.check_output([ROOT / "tools" / "chromium.sh"], text=True).strip().splitlines()[-1]


class Screen:
    """What phone and desk have in common."""

    size = (390, 844)
    is_phone = True

    def __init__(self, browser: Browser, url: str, name: str, *, language: str = "zh-CN", **options: Any) -> None:
        self.url = url
        self.name = name
        self.errors: list[str] = []
        width, height = options.pop("size", self.size)
        self.context = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": height},
            locale=language,
            timezone_id=SHANGHAI,
            has_touch=self.is_phone,
            is_mobile=self.is_phone,
            **options,
        )
        self.context.set_default_timeout(15_000)
        # each step's page as well would be a tenth of these tests' processor time: PIONEER_SNAPSHOTS=1 to look into one
        self.context.tracing.start(snapshots="PIONEER_SNAPSHOTS" in os.environ)
        self.page = self._new_page()

    def _new_page(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} {said.location.get('url', '')}")

    def get(self, testid: str) -> Locator:
        """A part of the page by its name in the code."""
        return self.page.get_by_test_id(testid)

    def text(self, words: str) -> Locator:
        """A part of the page by what it says."""
        return self.page.get_by_text(words)

    def open(self, path: str = "/") -> None:
        """Go to a page by its address, as from a bookmark."""
        self.page.goto(path)
        expect(self.page.locator("h1").first).to_be_visible()

    def wait_for_draft(self, words: str) -> None:
        """Wait until what was typed has reached this browser's database, which is some moments after the key."""
        self.page.wait_for_function(DRAFTS_SAY, arg=words)

    def close_tab(self) -> None:
        """Close the tab, as swiping the app away does."""
        self.page.close()

    def open_tab(self, path: str = "/") -> None:
        """Open the app again in a new tab."""
        self.page = self._new_page()
        self.open(path)

    def sign_in(self, login: str, password: str = "pioneer-demo") -> None:
        """Sign in at the first page there is."""
        self.open("/")
        self.get("login").fill(login)
        self.get("password").fill(password)
        self.get("sign-in").click()
        expect(self.get("login")).to_be_hidden()

    def keep(self, folder: Path, name: str) -> None:
        """Keep what was seen last, and the way there."""
        if not self.page.is_closed():
            self.page.screenshot(path=folder / f"{name}.png")
            (folder / f"{name}.txt").write_text("\n".join([self.page.url, *self.errors]), encoding="utf-8")
        self.context.tracing.stop(path=folder / f"{name}.zip")

    def close(self) -> None:
        """Put it away."""
        self.context.close()
