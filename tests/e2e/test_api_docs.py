"""The API's documentation, as somebody of another system opens it, in a network that leads nowhere else."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.e2e.desk import Desk
from tests.e2e.service import Service


def test_docs_need_no_other_host(town: Service, open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(town)
    hosts: set[str] = set()
    desk.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    desk.page.goto("/docs")
    expect(desk.text("/api/v1/headcounts").first).to_be_visible()
    assert hosts == {urlsplit(town.url).netloc}
    assert desk.errors == []
