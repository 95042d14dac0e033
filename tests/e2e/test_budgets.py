"""Budgets that are exact whatever the machine: bytes of a first sync, nodes of a long list, taps of a household."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response, expect

from tests.e2e.phone import Phone
from tests.e2e.service import Service
from tests.e2e.town import bring_thousand

FIRST_SYNC_BYTES = 80_000
LIST_NODES = 400
TAPS = 4


@pytest.fixture(scope="module")
def large_town(prepared_demo: Service, run_folder: Path) -> Iterator[Service]:
    """The demo town with an area of 1,000 households."""
    service = prepared_demo.copy_to(run_folder / "large", quick=True)
    service.start()
    bring_thousand(service)
    yield service
    service.remove()


def test_a_thousand_households(large_town: Service, open_phone: Callable[..., Phone]) -> None:
    phone = open_phone(large_town, "worker2")
    answers: list[Response] = []
    phone.page.on("response", lambda answer: answers.append(answer))
    phone.sign_in("demo-worker2")
    expect(phone.get("ring")).to_contain_text("1000", timeout=60_000)
    pulls = [answer.request.sizes() for answer in answers if "/api/v1/sync/" in answer.url]
    assert len(pulls) >= 2
    assert sum(one["responseBodySize"] + one["responseHeadersSize"] for one in pulls) <= FIRST_SYNC_BYTES

    phone.go("doors")
    expect(phone.text("1,000 户").first).to_be_visible()
    expect(phone.page.locator(".door-row").first).to_be_visible()
    for y in (0, 20_000, 50_000):
        phone.page.evaluate("y => scrollTo(0, y)", y)
        expect(phone.page.locator(".door-row").first).to_be_visible()
        nodes = phone.page.evaluate("document.querySelectorAll('*').length")
        assert nodes <= LIST_NODES
    phone.page.evaluate("scrollTo(0, 0)")

    phone.taps = 0
    phone.tap(phone.page.locator(".door-row").first)
    phone.tap("all-well")
    phone.expect_strip()
    assert phone.taps <= TAPS
