"""A desk: a PC of a committee, a street or the city, in steps as a person takes them."""

from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from app.core.clock import now
from tests.e2e.screen import Screen

_FOLLOW = """path => {
  history.pushState(null, '', path)
  dispatchEvent(new PopStateEvent('popstate', { state: null }))
}"""


class Desk(Screen):
    """A wide window with a mouse."""

    size = (1280, 800)
    is_phone = False

    def sign_in(self, login: str, password: str = "pioneer-demo") -> None:
        """Sign in and be at the desk: a wide window begins there by itself, a narrow one is led there."""
        super().sign_in(login, password)
        viewport = self.page.viewport_size
        if viewport and viewport["width"] < 1024:
            self.open("/desk")
        expect(self.get("path-here")).to_be_visible()

    def go(self, part: str) -> None:
        """A part of the desk, by the rail."""
        self.get(f"rail-{part}").click()
        expect(self.get(f"rail-{part}")).to_have_attribute("aria-current", "page")

    def follow(self, path: str) -> None:
        """Go to another page of the desk within the app, as by a link: nothing is loaded that is here already."""
        left = self.page.locator(".wide-page").element_handle()
        self.page.evaluate(_FOLLOW, path)
        self.wait_until("page => !page.isConnected", left)
        expect(self.page.locator(".wide-page__title")).to_be_visible()

    def come_back(self, seconds: int) -> None:
        """Look at the page again that has stood behind others for so long."""
        self.page.clock.set_system_time(now() + timedelta(seconds=seconds))
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def bring_roster(self, file: Path) -> None:
        """Bring a file to the import page; it is read and nothing is written."""
        self.get("import-file").set_input_files(file)
        expect(self.get("import-columns")).to_be_visible(timeout=60_000)
        self.get("import-next").click()
        expect(self.get("import-counts")).to_be_visible()

    def expect_counts(self, **counts: int) -> None:
        """What the import says of the file and of what it does."""
        for name, count in counts.items():
            expect(self.get(f"import-count-{name}")).to_have_text(f"{count:,}")

    def apply_import(self) -> None:
        """Import for real, and wait until it is done."""
        self.get("import-apply").click()
        expect(self.get("import-done")).to_be_visible(timeout=60_000)

    def expect_total(self, what: str, done: int | str, all_of: int | str) -> None:
        """A figure of the coverage page: 4 / 450."""
        shown = [f"{one:,}" if isinstance(one, int) else one for one in (done, all_of)]
        expect(self.get(f"total-{what}")).to_have_text(f"{shown[0]} / {shown[1]}")

    def go_down(self, name: str) -> None:
        """Follow a row of the coverage table to what lies below."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def make_area(self, stair: str, name: str, holder: str | None = None) -> None:
        """Take a stair of a facade (`1-2`), make an area of it, give it to somebody or leave it open."""
        self.get(f"facade-stair-{stair}").click()
        self.get("area-make").click()
        self.get("area-name").fill(name)
        self.get("area-who-assign" if holder else "area-who-open").click()
        if holder:
            person = self.get("area-person")
            value = person.locator("option", has_text=holder).get_attribute("value")
            person.select_option(value)
        self.get("area-save").click()
        expect(self.get(f"area-{name}").get_by_test_id("area-holder")).to_contain_text(holder or "")

    def publish_post(self, title: str, place: str, starts: str, ends: str, wanted: int) -> None:
        """Publish a pioneer post; times as `2020-02-01T09:00`."""
        self.get("post-new").click()
        for field, value in (("title", title), ("place", place), ("starts", starts), ("ends", ends)):
            self.get(f"post-{field}").fill(value)
        self.get("post-wanted").fill(str(wanted))
        self.get("post-published").click()
        self.get("post-save").click()
        expect(self.get(f"post-{title}")).to_be_visible()
