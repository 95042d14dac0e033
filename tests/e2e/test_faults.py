"""The fault matrix where it needs a browser: a new version of the app takes over while something goes wrong, and a tab
dies in the middle of bringing the local database to a newer form. The other cells, and what the words mean, are in
`tests/sync/test_faults.py`.

A new version is a real one to the browser: another service worker with another page in its cache, which says which
version it is. The fault befalls after the person has said yes to it and before the new version has started.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jose import jwt
from playwright.sync_api import Browser, Route, expect

from tests.e2e.phone import Phone
from tests.e2e.screen import ROOT, wait_until
from tests.e2e.service import Client, Service, restart_database, signed_in
from tests.e2e.town import Home, list_homes

FAULTS = (
    "tab_killed", "network_cut", "server_killed", "database_restarted", "token_expired", "area_reassigned",
    "device_revoked",
)  # fmt: skip
BROWSER_CELLS = [("migrating", "tab_killed"), *(("updating", fault) for fault in FAULTS)]

# The account's database as version 1 of it was, with what is in it.
_AGE = """async () => {
  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const all = await indexedDB.databases()
  const { name } = all.find(({ name }) => name.startsWith('pioneer-') && !name.endsWith('-device'))
  const now = await asked(indexedDB.open(name))
  const kept = {}
  for (const store of now.objectStoreNames) {
    const rows = now.transaction(store).objectStore(store)
    kept[store] = { values: await asked(rows.getAll()), keys: await asked(rows.getAllKeys()) }
  }
  now.close()
  await asked(indexedDB.deleteDatabase(name))
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => {
    const db = opening.result
    db.createObjectStore('households', { keyPath: 'id' }).createIndex('areaId', 'areaId')
    const commands = db.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true })
    commands.createIndex('id', 'id', { unique: true })
    commands.createIndex('householdId', 'payload.household_id')
    db.createObjectStore('receipts', { keyPath: 'id' }).createIndex('confirmedAt', 'confirmedAt')
    db.createObjectStore('drafts', { keyPath: 'key' })
    db.createObjectStore('areas', { keyPath: 'id' })
    db.createObjectStore('meta')
  }
  const old = await asked(opening)
  for (const [store, { values, keys }] of Object.entries(kept)) {
    const rows = old.transaction(store, 'readwrite').objectStore(store)
    for (const [at, value] of values.entries()) {
      await asked(rows.keyPath === null ? rows.put(value, keys[at]) : rows.put(value))
    }
  }
  old.close()
}"""
# An upgrade that has begun and does not end: its transaction is kept busy for as long as the tab lives.
_NEVER_DONE = """() => {
  const { createIndex } = IDBObjectStore.prototype
  IDBObjectStore.prototype.createIndex = function (...words) {
    const made = createIndex.apply(this, words)
    const busy = () => { window.isUpgrading = true; this.count().onsuccess = busy }
    busy()
    return made
  }
}"""
_VERSION = """async () => {
  const all = await indexedDB.databases()
  return all.find(({ name }) => name.startsWith('pioneer-') && !name.endsWith('-device')).version
}"""


class Published:
    """A copy of the built app that a service serves, of which new versions come out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        shutil.copytree(ROOT / "frontend" / "dist", folder)

    def rename(self) -> None:
        """Give every file of the app another name, as after a change in each; none is left under its old one."""
        assets = list((self.folder / "assets").iterdir())
        names = {
            path.name: re.sub(r"(?:\.v\d+)?(\.\w+)$", rf".v{self.number}\1", path.name) for path in assets
        }  # fmt: skip
        for path in [*assets, self.folder / "index.html", self.folder / "sw.js"]:
            text = path.read_text(encoding="utf-8")
            for before, now in names.items():
                text = text.replace(before, now)
            path.unlink()
            path.with_name(names.get(path.name, path.name)).write_text(text, encoding="utf-8")

    def publish(self, anew: bool = False) -> int:
        """Put a new version out, `anew` with all its files; answers its number, which its page carries."""
        self.number += 1
        if anew:
            self.rename()
        page, worker = self.folder / "index.html", self.folder / "sw.js"
        mark = f'<meta name="published" content="{self.number}">'
        bare = re.sub(r'<meta name="published" content="\d+">', "", page.read_text())
        page.write_text(bare.replace("</head>", f"{mark}</head>"))
        revision = f'"revision":"published-{self.number}","url":"index.html"'
        text, changed = re.subn(r'"revision":"[^"]+","url":"index.html"', revision, worker.read_text())
        assert changed == 1
        worker.write_text(text)
        return self.number


@pytest.fixture(scope="module")
def published(run_folder: Path) -> Published:
    """The app as this file's service serves it."""
    return Published(run_folder / "published")


@pytest.fixture(scope="module")
def shared_town(prepared_demo: Service, run_folder: Path, published: Published) -> Iterator[Service]:
    """A town of this file's own, with an app that has new versions."""
    service = prepared_demo.copy_to(run_folder / "faults", quick=True)
    service.environment["PIONEER_FRONTEND_DIR"] = str(published.folder)
    yield service
    service.remove()


@pytest.fixture(scope="module")
def kept_phone(chromium: Browser, shared_town: Service) -> Iterator[Phone]:
    """One phone for all cells: it lives through one version after the other."""
    shared_town.start()
    phone = Phone(chromium, shared_town.url, "worker")
    yield phone
    phone.close()


@pytest.fixture(scope="module")
def doors(shared_town: Service, kept_phone: Phone) -> Iterator[Home]:
    """Households of building 1, one for each cell."""
    return iter([*list_homes(shared_town, "1", "1"), *list_homes(shared_town, "1", "2")])


@pytest.fixture
def phone(town: Service, kept_phone: Phone) -> Phone:
    """The phone in hand: network, signed in, nothing waits."""
    kept_phone.context.unroute_all()
    kept_phone.restore_network()
    if kept_phone.page.is_closed():
        kept_phone.page = kept_phone._new_page()
    kept_phone.page.goto("/")
    expect(kept_phone.get("login").or_(kept_phone.get("tab-today"))).to_be_visible()
    if kept_phone.get("login").is_visible():
        kept_phone.sign_in("demo-worker")
    expect(kept_phone.get("stair").first).to_be_visible()
    # the worker is registered a second after the first page, and the page must be its own
    kept_phone.wait_until("navigator.serviceWorker.controller !== null")
    kept_phone.expect_confirmed()
    return kept_phone


def record(phone: Phone, home: Home) -> None:
    """All well at a door; within the window to take it back it waits."""
    phone.open_door(home.stair_title, home.room)
    phone.tap("all-well")
    phone.expect_waiting(1)


def offered(phone: Phone, published: Published, anew: bool = False) -> int:
    """A new version comes out and is offered; answers its number."""
    number = published.publish(anew)
    phone.go("today")
    phone.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update()).then(() => true)")
    expect(phone.get("take-offer")).to_be_visible()
    return number


def expect_version(phone: Phone, number: int) -> None:
    """This version of the app is running."""
    expect(phone.page.locator(f'meta[name="published"][content="{number}"]')).to_be_attached()


def visits(town: Service, home: Home) -> int:
    """How often the household was visited, as the database has it."""
    return town.count("SELECT count(*) FROM door_visit WHERE household_id = %s", home.id)


def age_tokens(town: Service, phone: Phone) -> None:
    """Access tokens used until now and the refresh token have reached their end."""
    key = (town.folder / "data" / "secret.key").read_text().strip()
    began = int(time.time())

    def send(route: Route) -> None:
        headers = route.request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if bearer:
            claims: dict[str, Any] = jwt.get_unverified_claims(bearer)
            if int(claims["iat"]) <= began:
                headers["authorization"] = f"Bearer {jwt.encode(claims | {'exp': began - 1}, key, algorithm='HS256')}"
        route.continue_(headers=headers)

    phone.context.route("**/api/v1/**", send)
    town.change("UPDATE refresh_token SET expires_at = now() - interval '1 second'")


def hand_over(committee: Client, to: str) -> None:
    """The committee gives building 1 to somebody else."""
    areas = committee.get("/responsibility-areas", community_code="990101001001")["items"]
    accounts = committee.get("/accounts", community_code="990101001001")["items"]
    account = next(one["id"] for one in accounts if one["login"] == to)
    area = next(one for one in areas if one["holder"] and one["holder"]["id"] != account)
    committee.post(f"/responsibility-areas/{area['id']}/assign", {"account_id": account})


def revoke(town: Service, committee: Client) -> None:
    """The committee revokes the worker's phone."""
    (device,) = town.rows(
        "SELECT d.id, d.account_id FROM device d JOIN account a ON a.id = d.account_id WHERE a.login = 'demo-worker' "
        "AND d.revoked_at IS NULL"
    )
    committee.post(f"/accounts/{device['account_id']}/devices/{device['id']}/revoke")


def test_migrating_tab_killed(town: Service, phone: Phone, doors: Iterator[Home]) -> None:
    """The upgrade had begun: what the older app left is there unharmed, and the next start brings it to its form."""
    home = next(doors)
    phone.cut_network()
    record(phone, home)
    phone.close_tab()
    phone.restore_network()
    beside = phone.context.new_page()
    beside.goto("/icon-192.png")
    beside.evaluate(_AGE)

    dying = phone.context.new_page()
    dying.add_init_script(f"({_NEVER_DONE})()")
    dying.goto("/today", wait_until="commit")
    wait_until(dying, "window.isUpgrading === true")
    assert visits(town, home) == 0
    dying.close()
    assert beside.evaluate(_VERSION) == 1

    phone.cut_network()
    phone.open_tab("/today")
    assert beside.evaluate(_VERSION) == 2
    phone.expect_waiting(1)
    beside.close()
    phone.restore_network()
    phone.expect_confirmed()
    assert visits(town, home) == 1


def test_a_tab_of_before(phone: Phone, published: Published) -> None:
    """A tab that was open before an update goes on, with a network or without, until it is opened anew."""
    taken, tab = phone.page, phone._new_page()
    tab.goto("/today")
    expect(tab.get_by_test_id("stair").first).to_be_visible()
    number = offered(phone, published, anew=True)
    phone.tap("take-offer")
    expect_version(phone, number)
    # the browser's own cache might have what the app has not kept
    phone.context.new_cdp_session(tab).send("Network.clearBrowserCache")

    phone.page = tab
    phone.cut_network()
    phone.go("posts")
    expect(tab.get_by_role("heading", level=1)).to_have_text("岗位")
    phone.restore_network()
    phone.go("me")
    phone.tap("walk-sheet")  # no phone keeps this one
    expect(tab.get_by_test_id("print-sheet")).to_be_visible()
    assert not tab.locator(f'meta[name="published"][content="{number}"]').count()

    tab.close()
    phone.page = taken
    phone.open("/today")
    expect_version(phone, number)
    phone.wait_until(
        "number => caches.keys()"
        ".then((names) => Promise.all(names.map(async (name) => (await caches.open(name)).keys())))"
        ".then((kept) => kept.flat().every(({ url }) => !url.includes('/assets/') || url.includes(`.v${number}.`)))",
        number,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_updating(town: Service, phone: Phone, published: Published, doors: Iterator[Home], fault: str) -> None:
    home = next(doors)
    # the record waits through all of it: sending begins only with the new version
    phone.context.route("**/api/v1/sync/commands", lambda route: route.abort())
    number = offered(phone, published)
    record(phone, home)
    expect(phone.get("take-offer")).to_be_hidden()  # nobody is asked in the middle of a door
    phone.go("today")
    with signed_in(town, "demo-committee") as committee:
        befall: dict[str, Callable[[], None]] = {
            "network_cut": phone.cut_network,
            "server_killed": town.kill,
            "database_restarted": lambda: restart_database(town.folder / "data"),
            "token_expired": lambda: age_tokens(town, phone),
            "area_reassigned": lambda: hand_over(committee, "demo-worker2"),
            "device_revoked": lambda: revoke(town, committee),
        }
        if fault in befall:
            befall[fault]()
        assert visits(town, home) == 0
        phone.tap("take-offer")
        if fault == "tab_killed":
            phone.close_tab()
            phone.open_tab("/today")
        expect_version(phone, number)
        if fault in ("network_cut", "server_killed"):
            expect(phone.get("sync-line")).to_contain_text("离线 · 1 条待上传")
            phone.restore_network()
            if town.process is None:
                town.start()
        phone.context.unroute("**/api/v1/sync/commands")
        phone.page.evaluate("dispatchEvent(new Event('online'))")
        if fault == "token_expired":
            expect(phone.get("sync-line")).to_contain_text("登录已过期")
            phone.tap(phone.get("sync-line").get_by_role("button"))
            phone.get("login").fill("demo-worker")
            phone.get("password").fill("pioneer-demo")
            phone.get("sign-in").click()
            expect(phone.get("login")).to_be_hidden()
        if fault == "device_revoked":
            expect(phone.get("login")).to_be_visible()
        else:
            phone.open("/me")
            phone.tap("sync-now")
            expect(phone.get("waiting")).to_contain_text("0")
            expect(phone.get("needs-you")).to_contain_text("0")
            expect_version(phone, number)
        if fault == "area_reassigned":
            phone.open("/today")
            expect(phone.get("stair")).to_have_count(0)
            hand_over(committee, "demo-worker")
    assert visits(town, home) == 1
