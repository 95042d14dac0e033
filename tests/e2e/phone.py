"""A phone in a worker's hand, in steps as a person takes them. Taps are counted."""

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.e2e.screen import Screen

DIST = Path(__file__).parents[2] / "frontend" / "dist"


class Phone(Screen):
    """390 × 844, touch, Chinese unless said otherwise."""

    taps = 0

    def tap(self, what: str | Locator) -> None:
        """One touch of the thumb."""
        target = self.get(what) if isinstance(what, str) else what
        target.tap()
        self.taps += 1

    def sign_in(self, login: str, password: str = "pioneer-demo") -> None:
        """Sign in, and wait until the phone could be taken into a cellar: shell and doors are on it."""
        super().sign_in(login, password)
        expect(self.get("tab-today")).to_be_visible()
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def wait_for_part(self, name: str) -> None:
        """Wait until the phone keeps a part that only doors need (`photos`, `questions`), which comes by itself."""
        files = [f"/assets/{one.name}" for one in (DIST / "assets").glob(f"part-{name}-*")]
        assert files
        self.page.wait_for_function(
            """async files => {
                const cache = await caches.open('texts')
                return (await Promise.all(files.map(one => cache.match(one)))).every(Boolean)
            }""",
            arg=files,
        )

    def cut_network(self) -> None:
        """No network for this phone."""
        self.context.set_offline(True)

    def restore_network(self) -> None:
        """Back where there is signal."""
        self.context.set_offline(False)

    # what it shows

    def expect_waiting(self, count: int) -> None:
        """The line under the title says how many records wait; with none it says nothing of the kind."""
        line = self.get("sync-line")
        if count:
            expect(line).to_contain_text(re.compile(rf"(?<!\d){count} 条"))
        else:
            expect(line).not_to_contain_text("条")

    def expect_confirmed(self) -> None:
        """Everything has gone up, without anybody asking for it."""
        expect(self.get("sync-line")).not_to_contain_text("条", timeout=30_000)

    def expect_state(self, words: str) -> None:
        """The door on screen stands so."""
        expect(self.get("door-state")).to_have_text(words)

    def room(self) -> str:
        """The number of the door on screen."""
        return self.page.locator(".door-card__room").inner_text()

    def expect_room(self, room: str) -> None:
        """This door is on screen."""
        expect(self.page.locator(".door-card__room")).to_have_text(room)

    # where to go

    def go(self, tab: str) -> None:
        """One of the four tabs at the thumb, back from wherever one is."""
        while not self.get(f"tab-{tab}").is_visible():
            self.back()
            self.page.wait_for_timeout(100)
        self.tap(f"tab-{tab}")

    def open_stair(self, title: str) -> None:
        """A stair from Today."""
        self.go("today")
        self.tap(self.get("stair").filter(has_text=title))

    def open_door(self, stair: str, room: str) -> None:
        """A door, by way of its stair."""
        self.open_stair(stair)
        self.tap(f"door-{room}")
        self.expect_room(room)

    def back(self) -> None:
        """The arrow in the bar."""
        self.tap("back")

    # what to do at a door

    def answer(
        self, member: str, status: str | None = None, *, temperature: str = "", symptoms: tuple[str, ...] = ()
    ) -> None:
        """What was said of one member; the sheet closes again."""
        self.tap(f"member-{member}")
        if status:
            self.tap(f"status-{status}")
        if temperature:
            self.tap(f"temperature-{temperature}")
        for symptom in symptoms:
            self.tap(f"symptom-{symptom}")

    def claim(self, what: str, name: str) -> None:
        """Claim a post (`post`) or a responsibility area (`area`) that is on screen, and say yes."""
        self.tap(self.get(f"{what}-{name}").get_by_test_id(f"claim-{what}"))
        self.tap(f"confirm-{what}")

    def slide(self, points: list[tuple[float, float]]) -> None:
        """Press on the first point, hold, and slide over the others with real touches."""
        touch = self.context.new_cdp_session(self.page)

        def send(kind: str, at: list[tuple[float, float]]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in at]})

        send("touchStart", points[:1])
        self.page.wait_for_timeout(450)  # the length of a press
        for point in points[1:]:
            send("touchMove", [point])
        send("touchEnd", [])
        touch.detach()
