"""A browser as one person has it: a window, a language, its own storage, a network that can be cut."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

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
PATIENCE = 30_000
"""ms: how long anything may take before a test fails, on a machine that many share. What is there is not waited for."""

# What the browser's databases hold, and what has been said in passing: a strip or a toast goes after seconds, which a
# busy machine may spend before anybody looks.
_HELP = """
  window.rowsOf = async store => {
    const done = asked => new Promise((resolve, reject) => {
      asked.onsuccess = () => resolve(asked.result)
      asked.onerror = () => reject(asked.error)
    })
    const rows = []
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name))
      if (database.objectStoreNames.contains(store)) {
        rows.push(...await done(database.transaction(store).objectStore(store).getAll()))
      }
      database.close()
    }
    return rows
  }
  window.said = []
  const shown = {}
  new MutationObserver(() => {
    for (const kind of ['toast', 'strip']) {
      const element = document.querySelector(`[data-testid=${kind}]`)
      const words = element?.textContent ?? ''
      if (words && (words !== shown[kind]?.words || element !== shown[kind].element)) said.push({ kind, words })
      shown[kind] = { words, element }
    }
  }).observe(document, { childList: true, characterData: true, subtree: true })
"""
_SAID = """asked => {
  const at = said.findIndex(({ kind, words }) => kind === asked.kind && words.includes(asked.words))
  said.splice(0, at + 1)
  return at >= 0
}"""
_IS_DRAFT = "async ([words, isThere]) => JSON.stringify(await rowsOf('drafts')).includes(words) === isThere"


def wait_until(page: Page, script: str, arg: Any = None) -> None:
    """Wait until a script answers yes of a page, or promises to and does.

    Playwright's own `wait_for_function` takes a promise for a yes, and cannot ask twice where a page forbids eval.
    """
    deadline = time.monotonic() + PATIENCE / 1000
    while not _answers(page, script, arg):
        assert time.monotonic() < deadline, f"never came to be: {script}"
        page.wait_for_timeout(50)


def _answers(page: Page, script: str, arg: Any) -> bool:
    try:
        return bool(page.evaluate(script, arg))
    except Error as error:
        # the page has just been left for another, or opened anew
        if "context was destroyed" in error.message or "navigation" in error.message:
            return False
        raise


def find_chromium() -> str:
    """The browser `make test` names, else the one it would find."""
    named = os.environ.get("PIONEER_CHROMIUM")
    return (
        named or subprocess.check_output([ROOT / "tools" / "chromium.sh", "shell"], text=True).strip().splitlines()[-1]
    )


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
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(_HELP)
        # a twelfth of these tests' processor time, with each step's page a sixth: PIONEER_TRACE=1 to look into one
        self.is_traced = "PIONEER_TRACE" in os.environ
        if self.is_traced:
            self.context.tracing.start(snapshots=True)
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

    def wait_until(self, script: str, arg: Any = None) -> None:
        """Wait until a script answers yes of the page, or promises to and does."""
        wait_until(self.page, script, arg)

    def wait_for_draft(self, words: str) -> None:
        """Wait until what was typed has reached this browser's database, which is some moments after the key."""
        self.wait_until(_IS_DRAFT, [words, True])

    def wait_for_no_draft(self, words: str) -> None:
        """Wait until what was typed, and then sent or thrown away, has left this browser's database."""
        self.wait_until(_IS_DRAFT, [words, False])

    def expect_toast(self, words: str) -> None:
        """This was said in passing since that was asked last; it may be gone from the screen."""
        self.wait_until(_SAID, {"kind": "toast", "words": words})

    def expect_strip(self, words: str = "") -> None:
        """A strip said this since that was asked last; it may be gone, and with it the way to take it back."""
        self.wait_until(_SAID, {"kind": "strip", "words": words})

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
        """Keep what was seen last, and the way there where it was traced."""
        if not self.page.is_closed():
            self.page.screenshot(path=folder / f"{name}.png")
            (folder / f"{name}.html").write_text(self.page.content(), encoding="utf-8")
            (folder / f"{name}.txt").write_text("\n".join([self.page.url, *self.errors]), encoding="utf-8")
        if self.is_traced:
            self.context.tracing.stop(path=folder / f"{name}.zip")

    def close(self) -> None:
        """Put it away."""
        self.context.close()
