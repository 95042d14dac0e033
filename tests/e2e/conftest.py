"""One Chromium for all, a demo town prepared once and copied, phones and desks as people hold them.

Nothing is mocked: the service is a process, the database is PostgreSQL, the network is cut for real. What a
failed test's browsers saw is kept in `tests/e2e/artifacts`.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.desk import Desk
from tests.e2e.phone import Phone
from tests.e2e.screen import CHROMIUM_ARGUMENTS, PATIENCE, ROOT, Screen, find_chromium
from tests.e2e.service import Service
from tests.folders import make_run_folder

ARTIFACTS = Path(__file__).parent / "artifacts"

expect.set_options(timeout=PATIENCE)


# What checks a password is told by its hash how dear to be; these tests sign in a hundred times. In a process of its
# own, with which the database stops.
_CHEAPEN = """
import sys, pathlib, argon2, psycopg
from app.core.db import start_embedded
cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("pioneer-demo")
with psycopg.connect(start_embedded(pathlib.Path(sys.argv[1]))) as connection:
    changed = connection.execute("UPDATE account SET password_hash = %s WHERE password_hash IS NOT NULL", [cheap])
    assert changed.rowcount
"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; closed with the last of these tests, since nothing asynchronous runs beside Playwright."""
    assert (ROOT / "frontend" / "dist" / "index.html").exists(), "build the frontend first: make frontend"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def run_folder() -> Path:
    """Where this run's services live."""
    return make_run_folder("pioneer-e2e-")


@pytest.fixture(scope="package")
def prepared_demo(run_folder: Path) -> Service:
    """The demo town, loaded once; not running."""
    folder = run_folder / "prepared"
    folder.mkdir()
    folder.chmod(0o755)
    service = Service(folder)
    service.must("demo")
    subprocess.run([sys.executable, "-c", _CHEAPEN, folder / "data"], cwd=ROOT, check=True)
    service.stop()
    return service


@pytest.fixture(scope="package")
def shared_town(prepared_demo: Service, run_folder: Path) -> Iterator[Service]:
    """A service over the demo town, for all tests that leave each other's doors alone."""
    service = prepared_demo.copy_to(run_folder / "town")
    yield service
    service.remove()


@pytest.fixture(scope="package")
def field_town(prepared_demo: Service, run_folder: Path) -> Iterator[Service]:
    """A town of their own for those who walk whole stairs and areas: its day begins with doors nobody has been to."""
    service = prepared_demo.copy_to(run_folder / "field", quick=True)
    yield service
    service.remove()


@pytest.fixture
def town(shared_town: Service) -> Service:
    """The demo town, running, whatever the test before did to it."""
    if shared_town.process is None:
        shared_town.start()
    return shared_town


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remember whether the test failed, for those who clear up after it."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def screens(request: pytest.FixtureRequest) -> Iterator[list[Screen]]:
    """The browsers opened in a test; closed after it, and what they saw kept if it failed."""
    opened: list[Screen] = []
    yield opened
    failed = request.node.stash.get(FAILED, True)
    name = re.sub(r"[^\w-]+", "-", request.node.name)
    for number, screen in enumerate(opened):
        if failed:
            ARTIFACTS.mkdir(exist_ok=True)
            screen.keep(ARTIFACTS, f"{name}-{number}-{screen.name}")
        screen.close()


@pytest.fixture
def open_phone(chromium: Browser, screens: list[Screen]) -> Callable[..., Phone]:
    """Take a new phone in hand: `open_phone(town, "甲")`."""

    def take(service: Service, name: str = "phone", **options: Any) -> Phone:
        phone = Phone(chromium, service.url, name, **options)
        screens.append(phone)
        return phone

    return take


@pytest.fixture
def open_desk(chromium: Browser, screens: list[Screen]) -> Callable[..., Desk]:
    """Sit down at a new desk: `open_desk(town, "committee")`."""

    def sit(service: Service, name: str = "desk", **options: Any) -> Desk:
        desk = Desk(chromium, service.url, name, **options)
        screens.append(desk)
        return desk

    return sit
