"""A phone in a worker's hand, in steps as a person takes them. Taps are counted."""

import re

from playwright.sync_api import Locator, expect

from tests.e2e.screen import ROOT, Screen

HASH = len("-CH8RY-fM")
APART = [
    [f"/assets/{one.stem[:-HASH]}-", one.suffix]
    for one in sorted((ROOT / "frontend" / "dist" / "assets").iterdir())
    if one.name.startswith(("text-", "part-"))
]
"""What phones keep as far as they need it, by the names' beginnings and ends: what is between changes by version."""

_IS_KEPT = """async ([apart, asked]) => {
  if (!navigator.serviceWorker.controller) return false
  const cache = await caches.open('texts')
  const language = await (await cache.match('/language'))?.text()
  if (!language || (asked && asked !== language)) return false
  const areas = await rowsOf('areas')
  const needed = [`text-${language}-`]
  if (areas.length) needed.push('part-photos')
  if (areas.some(area => area.rounds.some(round => round.form?.questions.length))) needed.push('part-questions')
  const kept = (await cache.keys()).map(request => new URL(request.url).pathname)
  return apart
    .filter(([start]) => needed.some(one => start.startsWith(`/assets/${one}`)))
    .every(([start, end]) => kept.some(path => path.startsWith(start) && path.endsWith(end)))
}"""

_HAS_SYNCED = "async () => (await rowsOf('meta')).some(one => one?.day)"
"""The count of today's records comes last of all."""

_IS_CONFIRMED = """async () => {
  const [commands, meta] = [await rowsOf('commands'), await rowsOf('meta')]
  return commands.every(({ state }) => state === 'rejected') && !meta.find(Array.isArray)?.[0]
}"""
"""No record waits, and of what goes up beside them, whose number stands in `meta`, nothing."""


class Phone(Screen):
    """390 × 844, touch, Chinese unless said otherwise."""

    taps = 0

    def tap(self, what: str | Locator) -> None:
        """One touch of the thumb."""
        target = self.get(what) if isinstance(what, str) else what
        target.tap()
        self.taps += 1

    def sign_in(self, login: str, password: str = "pioneer-demo") -> None:
        """Sign in, and wait until all that the server has for this phone has come."""
        super().sign_in(login, password)
        expect(self.get("tab-today")).to_be_visible()
        self.wait_until(_HAS_SYNCED)

    def wait_until_kept(self, language: str = "") -> None:
        """Wait until the phone could be taken into a cellar: the shell, its language, what its doors need are on it."""
        self.wait_until(_IS_KEPT, [APART, language])

    def cut_network(self) -> None:
        """No network for this phone, once it keeps all that it needs then."""
        if not self.page.is_closed():
            self.wait_until_kept()
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
        """Everything has gone up, without anybody asking for it, and the line says no more of it."""
        self.wait_until(_IS_CONFIRMED)
        expect(self.get("sync-line")).not_to_contain_text("条")

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
        wanted, arrow = self.get(f"tab-{tab}"), self.get("back")
        expect(wanted.or_(arrow).first).to_be_visible()
        while not wanted.is_visible():
            page = self.page.locator(".page").element_handle()
            self.back()
            # the page that one leaves stays until the one before it is drawn
            self.wait_until("page => !page.isConnected", page)
            expect(wanted.or_(arrow).first).to_be_visible()
        self.tap(wanted)

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

    def slide(self, tiles: list[Locator]) -> None:
        """Press on the first tile, hold until it is taken, and slide over the others with real touches."""
        touch = self.context.new_cdp_session(self.page)

        def send(kind: str, at: list[tuple[float, float]]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in at]})

        def middle(tile: Locator) -> list[tuple[float, float]]:
            box = tile.bounding_box()
            assert box is not None
            return [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)]

        send("touchStart", middle(tiles[0]))
        expect(tiles[0]).to_have_attribute("aria-pressed", "true")
        for tile in tiles[1:]:
            send("touchMove", middle(tile))
        send("touchEnd", [])
        touch.detach()
