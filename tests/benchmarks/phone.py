"""What a phone feels: offline start to a list of 1,000 households, the first sync, a day of 300 households without
network and their way up, Lighthouse. Part of `make bench`.

A real Chromium, slowed six times for a cheap phone's processor, on the real service; medians of `RUNS` runs. With
`BENCH_BESIDE=DIR` another build of the frontend (an earlier `frontend/dist`) is measured in turns with this one, so
that what else the machine does befalls both; `BENCH_PARTS` names some of `start`, `day`, `lighthouse`.
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
PARTS = os.environ.get("BENCH_PARTS", "start,day,lighthouse").split(",")
BESIDE = os.environ.get("BENCH_BESIDE")
SLOWED = 6
OFFLINE_DAY = int(os.environ.get("BENCH_DAY", "300"))
THIN_LINE = {
    "offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8,
}  # fmt: skip
"""3G as browsers' own tools simulate it: ms and bytes a second."""
LIGHTHOUSE = Path(__file__).with_name("lighthouse") / "node_modules" / "lighthouse" / "cli" / "index.js"
NODE = ROOT / ".venv" / "bin" / "node"

_LIST_SHOWN = """() => new Promise((done) => {
  const look = () => {
    if (document.querySelectorAll('.door-row').length <= 5) return requestAnimationFrame(look)
    const listed = performance.now()
    // the task after the next frame: what that frame was to draw has been laid out and drawn
    requestAnimationFrame(() => setTimeout(() => done([listed, performance.now()])))
  }
  look()
})"""
# For each touch of "all well", from the instant of the touch, ms: `kept`, the line under the title counts the record;
# `next`, another door can be read; `answer`, the browser's own time to the first paint after it.
_WATCH_TAPS = """() => {
  const room = () => document.querySelector('.door-card__address')?.textContent
  const line = () => document.querySelector('[data-testid=sync-line]').textContent
  const waiting = () => Number(/(\\d+) 条/.exec(line())?.[1] ?? 0)
  const done = []
  let isDone
  window.tapped = () => new Promise((resolve) => {
    isDone = () => done.length && resolve(done.shift())
    isDone()
  })
  const answers = []
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name === 'click') answers.push(one.duration)
  }).observe({ type: 'event', durationThreshold: 16 })
  window.answers = answers
  addEventListener('click', (event) => {
    if (!event.target.closest('[data-testid=all-well]')) return
    const before = { room: room(), waiting: waiting() }
    const took = {}
    const look = () => {
      const now = performance.now() - event.timeStamp
      if (waiting() > before.waiting) took.kept ??= now
      if (room() && room() !== before.room) took.next ??= now
      if (took.kept === undefined || took.next === undefined) return
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => {
        done.push(took)
        isDone?.()
      }))
    }
    const watch = new MutationObserver(look)
    watch.observe(document.body, { subtree: true, childList: true, characterData: true })
  }, true)
}"""


def start_offline(phone: Phone, slowed: int) -> tuple[float, float, float]:
    """Opening the app without a network until a list of its households is there, and until it is drawn.

    Answers ms of both, and the ms in which the page's own thread was at work.
    """
    page = phone.context.new_page()
    session = phone.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto("/doors?show=all", wait_until="commit")
    listed, drawn = page.evaluate(_LIST_SHOWN)
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    page.close()
    return listed, drawn, metrics["ThreadTime"] * 1000


def ready_phone(browser: Browser, service: Service, name: str) -> Phone:
    """A phone that carries the thousand households."""
    phone = Phone(browser, service.url, name)
    phone.sign_in("demo-worker2")
    expect(phone.get("ring")).to_contain_text("1000", timeout=120_000)
    phone.wait_until_kept()
    return phone


def middle(taken: list[float]) -> str:
    """Median and range."""
    return f"median {statistics.median(taken):.0f} ms, {min(taken):.0f} to {max(taken):.0f} of {len(taken)}"


def bench_first_sync(browser: Browser, service: Service) -> None:
    """What comes down at first, and how much of a long list is in the page."""
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
    phone.close()


def bench_start(browser: Browser, builds: dict[str, Service]) -> None:
    """Offline start, the builds in turns."""
    phones = {label: ready_phone(browser, service, "start") for label, service in builds.items()}
    for phone in phones.values():
        phone.close_tab()
        phone.cut_network()
        start_offline(phone, 1)
    for slowed in (1, SLOWED):
        took: dict[str, list[tuple[float, float, float]]] = {label: [] for label in phones}
        for _ in range(RUNS):
            for label, phone in phones.items():
                took[label].append(start_offline(phone, slowed))
        for label, taken in took.items():
            budget = " (budget 1000)" if slowed == SLOWED else ""
            busy = "" if slowed > 1 else f"; its thread at work {statistics.median(one[2] for one in taken):.0f} ms"
            print(
                f"phone{label}: offline start to a list of 1,000 households, CPU ×{slowed}: "
                f"{middle([one[0] for one in taken])}{budget}; drawn {middle([one[1] for one in taken])}{busy}"
            )
    for phone in phones.values():
        phone.close()


def bench_offline_day(browser: Browser, builds: dict[str, Service]) -> None:
    """Households worked one after the other without network, the builds in turns; then the way up over a thin line."""
    phones = {label: ready_phone(browser, service, "day") for label, service in builds.items()}
    took: dict[str, list[dict[str, float]]] = {label: [] for label in phones}
    sessions = {}
    for label, phone in phones.items():
        sessions[label] = phone.context.new_cdp_session(phone.page)
        sessions[label].send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        phone.cut_network()
        phone.go("doors")
        phone.taps = 0
        phone.tap(phone.page.locator(".door-row").first)
        expect(phone.get("all-well")).to_be_visible()
        phone.page.evaluate(_WATCH_TAPS)
    for _ in range(OFFLINE_DAY):
        for label, phone in phones.items():
            # where the thumb rests; Playwright's own waiting would be measured with it
            place = phone.get("all-well").bounding_box(timeout=60_000)
            assert place
            phone.page.touchscreen.tap(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
            phone.taps += 1
            took[label].append(phone.page.evaluate("tapped()"))
    tenth = max(1, OFFLINE_DAY // 10)
    for label, phone in phones.items():
        phone.expect_waiting(OFFLINE_DAY)
        print(f"phone{label}: {OFFLINE_DAY} households offline in one session, CPU ×{SLOWED}, {phone.taps} taps")
        for what, words in (("kept", "from tap to kept"), ("next", "to the next door")):
            taken = [one[what] for one in took[label]]
            first, last = statistics.median(taken[:tenth]), statistics.median(taken[-tenth:])
            print(f"phone{label}:   {words} {middle(taken)}; the first tenth {first:.0f}, the last {last:.0f}")
        answers = phone.page.evaluate("answers")
        print(f"phone{label}:   to the first paint after the tap {middle(answers)}")
    for label, phone in phones.items():
        phone.page.wait_for_timeout(6_000)  # the last may be taken back for five seconds
        sessions[label].send("Network.enable")
        phone.restore_network()
        sessions[label].send("Network.emulateNetworkConditions", THIN_LINE)
        started = time.perf_counter()
        phone.page.evaluate("dispatchEvent(new Event('online'))")
        expect(phone.get("sync-line")).not_to_contain_text("条", timeout=180_000)
        print(f"phone{label}:   their way up at 3G: {time.perf_counter() - started:.1f} s (budget 10)")
        kept = builds[label].count(
            "SELECT count(*) FROM door_visit v JOIN account a ON a.id = v.actor_id WHERE a.login = 'demo-worker2'"
        )
        assert kept == OFFLINE_DAY, kept
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
        builds = {"": service}
        service.must("demo")
        service.start()
        try:
            bring_thousand(service)
            if BESIDE:
                service.stop()
                beside = service.copy_to(folder / "beside")
                beside.environment["PIONEER_FRONTEND_DIR"] = str(Path(BESIDE).resolve())
                builds[" (beside)"] = beside
                service.start()
                beside.start()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
                if "start" in PARTS:
                    bench_first_sync(browser, service)
                    bench_start(browser, builds)
                if "day" in PARTS:
                    bench_offline_day(browser, builds)
                browser.close()
                if "lighthouse" in PARTS:
                    bench_lighthouse(playwright, service, folder)
        finally:
            for one in builds.values():
                one.stop()


if __name__ == "__main__":
    main()
