"""What a phone feels: offline start to a list of 1,000 households, the first sync, a day of 300 households without
network and their way up, Lighthouse. Part of `make bench`.

A real Chromium, slowed six times for a cheap phone's processor, on the real service; medians of `RUNS` runs.
"""

import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.e2e.phone import Phone
from tests.e2e.screen import CHROMIUM_ARGUMENTS, ROOT, find_chromium
from tests.e2e.service import Service
from tests.e2e.town import bring_thousand

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SLOWED = 6
OFFLINE_DAY = int(os.environ.get("BENCH_DAY", "300"))
THIN_LINE = {
    "offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8,
}  # fmt: skip
"""3G as browsers' own tools simulate it: ms and bytes a second."""
LIGHTHOUSE = ROOT / "frontend" / "node_modules" / "lighthouse" / "cli" / "index.js"
NODE = ROOT / ".venv" / "bin" / "node"

_LIST_SHOWN = """() => new Promise((done) => {
  const look = () => {
    if (document.querySelectorAll('.door-row').length > 5) done(performance.now())
    else requestAnimationFrame(look)
  }
  look()
})"""


def start_offline(phone: Phone, slowed: int) -> float:
    """ms from opening the app without a network to a list of its households on screen."""
    page = phone.context.new_page()
    session = phone.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto("/doors?show=all", wait_until="commit")
    shown: float = page.evaluate(_LIST_SHOWN)
    page.close()
    return shown


def bench_phone(browser: Browser, service: Service) -> None:
    """First sync and offline start."""
    phone = Phone(browser, service.url, "bench")
    answers: list[Any] = []
    phone.page.on("response", lambda answer: answers.append(answer))
    phone.sign_in("demo-worker2")
    expect(phone.get("ring")).to_contain_text("1000", timeout=120_000)
    sizes = [answer.request.sizes() for answer in answers if "/api/v1/sync/" in answer.url]
    sent = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
    print(f"\nphone: first sync of 1,000 households {sent / 1000:.1f} kB (budget 80)")
    phone.open("/doors?show=all")
    expect(phone.page.locator(".door-row").first).to_be_visible()
    nodes = phone.page.evaluate("document.querySelectorAll('*').length")
    print(f"phone: list of 1,000 households {nodes} nodes (budget 400)")
    phone.close_tab()
    phone.cut_network()
    start_offline(phone, 1)
    for slowed in (1, SLOWED):
        took = [start_offline(phone, slowed) for _ in range(RUNS)]
        budget = " (budget 1000)" if slowed == SLOWED else ""
        print(
            f"phone: offline start to a list of 1,000 households, CPU ×{slowed}: "
            f"median {statistics.median(took):.0f} ms{budget}, {min(took):.0f} to {max(took):.0f} of {RUNS}"
        )
    phone.close()


def bench_offline_day(browser: Browser, service: Service) -> None:
    """Households worked one after the other without network, then the way up over a thin line."""
    phone = Phone(browser, service.url, "day")
    phone.sign_in("demo-worker2")
    expect(phone.get("ring")).to_contain_text("1000", timeout=120_000)
    session = phone.context.new_cdp_session(phone.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    phone.cut_network()
    phone.go("doors")
    phone.taps = 0
    phone.tap(phone.page.locator(".door-row").first)
    took = []
    for number in range(1, OFFLINE_DAY + 1):
        started = time.perf_counter()
        phone.tap("all-well")
        phone.expect_waiting(number)
        took.append((time.perf_counter() - started) * 1000)
    print(
        f"phone: {OFFLINE_DAY} households offline in one session, CPU ×{SLOWED}, {phone.taps} taps: from tap to kept "
        f"median {statistics.median(took):.0f} ms, the last fifty {statistics.median(took[-50:]):.0f} ms"
    )
    phone.page.wait_for_timeout(6_000)  # the last may be taken back for five seconds
    session.send("Network.enable")
    phone.restore_network()
    session.send("Network.emulateNetworkConditions", THIN_LINE)
    started = time.perf_counter()
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.get("sync-line")).not_to_contain_text("条", timeout=180_000)
    print(f"phone: their way up at 3G: {time.perf_counter() - started:.1f} s (budget 10)")
    kept = service.count(
        "SELECT count(*) FROM door_visit v JOIN account a ON a.id = v.actor_id WHERE a.login = 'demo-worker2'"
    )
    assert kept == OFFLINE_DAY
    phone.close()


def lighthouse(url: str, port: int) -> dict[str, float]:
    """Scores of one run in the browser that listens on `port`, as it is signed in."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [str(NODE), str(LIGHTHOUSE), url, f"--port={port}", "--disable-storage-reset", "--quiet"]
        wanted = ["--only-categories=performance,accessibility", "--no-enable-error-reporting"]
        subprocess.run([*command, *wanted, "--output=json", f"--output-path={out.name}"], check=True, timeout=180)
        categories = json.loads(Path(out.name).read_text())["categories"]
    return {name: round(100 * category["score"]) for name, category in categories.items()}


def bench_lighthouse(playwright: Playwright, service: Service, folder: Path) -> None:
    """Lighthouse's mobile scores of the sign-in page and of Today."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    context: BrowserContext = playwright.chromium.launch_persistent_context(
        str(folder / "profile"),
        executable_path=find_chromium(),
        args=[*CHROMIUM_ARGUMENTS, f"--remote-debugging-port={port}"],
    )
    page: Page = context.pages[0]
    for path in ("/sign-in", "/today"):
        if path == "/today":
            page.goto(service.url)
            page.get_by_test_id("login").fill("demo-worker")
            page.get_by_test_id("password").fill("pioneer-demo")
            page.get_by_test_id("sign-in").click()
            expect(page.get_by_test_id("ring")).to_be_visible(timeout=60_000)
            page.goto("about:blank")
        scores = [lighthouse(service.url + path, port) for _ in range(RUNS)]
        for category, budget in (("performance", 98), ("accessibility", 100)):
            taken = [one[category] for one in scores]
            print(f"lighthouse {path}: {category} median {statistics.median(taken):.0f} of {taken} (budget {budget})")
    context.close()


def main() -> None:
    """Prepare, measure, print."""
    with tempfile.TemporaryDirectory(prefix="pioneer-bench-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        service = Service(folder)
        service.must("demo")
        service.start()
        try:
            bring_thousand(service)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
                bench_phone(browser, service)
                bench_offline_day(browser, service)
                browser.close()
                bench_lighthouse(playwright, service, folder)
        finally:
            service.stop()


if __name__ == "__main__":
    main()
