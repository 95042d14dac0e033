"""`make bench`: one run, side by side on this machine. Ratios travel, figures do not.

Prints: a single door visit through POST /sync/commands against a bare insert at concurrency 1, 8 and 32; the
same in batches of 50; the first pull of a 1,000-household area and an empty pull; coverage of a city of 5,758
communities.
"""

import asyncio
import gzip
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any
from uuid import UUID

# a process that this one starts imports this anew and must find the same keys
RUN = Path(
    os.environ.get("BENCH_CITY") or os.environ.get("BENCH_RUN") or tempfile.mkdtemp(prefix="pioneer-bench-", dir="/tmp")
)
os.environ["BENCH_RUN"] = str(RUN)
RUN.chmod(0o755)
os.environ["PIONEER_DATA_DIR"] = str(RUN)
os.environ["PIONEER_SECRET_KEY"] = "benchmarks-only-benchmarks-only-benchmarks-only"

import httpx  # noqa: E402
import orjson  # noqa: E402
import psycopg  # noqa: E402

from app.areas import service as areas  # noqa: E402
from app.audit.service import SYSTEM  # noqa: E402
from app.auth import sessions  # noqa: E402
from app.auth.models import Account, Device, Role, RoleGrant  # noqa: E402
from app.auth.service import Actor  # noqa: E402
from app.cli.database import migrate_to_head  # noqa: E402
from app.core.clock import SHANGHAI, today  # noqa: E402
from app.core.db import EVERYWHERE, Database, start_embedded  # noqa: E402
from app.core.ids import new_id  # noqa: E402
from app.demo import Inventor  # noqa: E402
from app.hooks import install_hooks  # noqa: E402
from app.people import registry  # noqa: E402
from app.posts import service as posts  # noqa: E402
from app.posts.schemas import ResponsibilityAreaCreate  # noqa: E402
from app.rounds import service as rounds  # noqa: E402
from app.rounds.schemas import RoundCreate  # noqa: E402
from app.simulation.plan import invented_tree  # noqa: E402
from tests.benchmarks.load import Load, first_result, request, run  # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
OUR_PORT, BARE_PORT = 18431, 18432
CITY, CITY_COMMUNITIES = "990100000000", 5_758
FIRST_DAY = date(1930, 1, 1)
WORKED = 64
"""Communities that workers push to at once; XL has 5,758, and one row of each is what they queue for."""


@dataclass(slots=True)
class Worked:
    """A community at work: its worker's token and its households with their people."""

    token: str
    account_id: UUID
    device_id: UUID
    community: str
    area_id: UUID | None
    households: list[tuple[UUID, list[UUID]]]


async def prepare(url: str) -> tuple[list[Worked], Worked, UUID, str]:
    """Load the city, 64 communities of 400 households, one of 1,000, and a round over all."""
    install_hooks()
    database = Database(url, 4)
    await database.open()
    round_id, token = await _prepare_city(database)
    codes = sorted(e.code for e in invented_tree(CITY_COMMUNITIES) if e.level == "community")
    worked = [await _prepare_community(database, code, number, 100) for number, code in enumerate(codes[:WORKED])]
    large = await _prepare_community(database, codes[WORKED], WORKED, 250)
    await database.close()
    return worked, large, round_id, token


async def _account(database: Database, role: Role, prefix: str) -> tuple[Account, Device]:
    account = Account(id=new_id(), login=f"bench-{new_id()}", name="基准 员", session_epoch=0)
    device = Device(account_id=account.id, id=new_id())
    async with database.session(EVERYWHERE) as session:
        session.add(account)
        await session.flush()
        session.add(RoleGrant(account_id=account.id, role=role, division_prefix=prefix))
        session.add(device)
    return account, device


async def _prepare_city(database: Database) -> tuple[UUID, str]:
    account, device = await _account(database, Role.CITY, "9901")
    actor = Actor(account.id, account.name, "person", device.id, ((Role.CITY, "9901"),))
    async with database.session(EVERYWHERE) as session:
        await areas.put_divisions(session, invented_tree(CITY_COMMUNITIES), today())
        # nobody lives there yet: it costs nothing
        # from the first day that a visit says: one from before its round would be flagged
        first = RoundCreate(division_code=CITY, title="基准", starts_on=FIRST_DAY, ends_on=today(), minutes=0)
        opened = await rounds.create_round(session, actor, first)
    return opened.id, sessions.issue_access_token(account, device.id)


async def _prepare_community(database: Database, code: str, number: int, floors_of_four: int) -> Worked:
    """A community with `floors_of_four` × 4 households in one area, held by its worker."""
    account, device = await _account(database, Role.GRID_WORKER, code)
    committee = Actor(new_id(), "基准", "person", None, ((Role.COMMITTEE, code),))
    inventor = Inventor(number, today())
    buildings = max(1, floors_of_four // 10)
    doors = list(inventor.compound("基准园", buildings, 1, min(floors_of_four, 10), 4))
    for door in doors:
        door.is_vacant = False
        door.households = door.households or [inventor.household()]
    async with database.session(EVERYWHERE) as session:
        await registry.put_dwellings(session, SYSTEM, code, doors)
        raw = await session.connection()
        rows: Sequence[Any] = (
            await raw.exec_driver_sql(
                "SELECT h.id, h.dwelling_id, array_agg(r.id) FROM household h JOIN resident r "
                "ON r.community_code = h.community_code AND r.household_id = h.id "
                "WHERE h.community_code = %s GROUP BY 1, 2 ORDER BY 1",
                (code,),
            )
        ).all()
        area = await posts.create_responsibility_area(
            session,
            committee,
            ResponsibilityAreaCreate(
                community_code=code, name="基准", dwelling_ids=[r[1] for r in rows], is_open=False, assign_to=account.id
            ),
        )
    token = sessions.issue_access_token(account, device.id)
    return Worked(token, account.id, device.id, code, area.id, [(r[0], r[2]) for r in rows])


_streams = itertools.count()


def command(worked: Worked, round_id: UUID, at: int, stream: int) -> dict[str, object]:
    """A normal household: everybody well. Each time round is another day: asking twice on one day is flagged."""
    times, place = divmod(at, len(worked.households))
    household, residents = worked.households[place]
    on = datetime.combine(FIRST_DAY, clock(9), SHANGHAI) + timedelta(days=stream * 60 + times)
    return {
        "id": new_id(),
        "name": "screening.record_door_visit",
        "recorded_at": on,
        "epoch": 1,
        "community_code": worked.community,
        "payload": {
            "household_id": household,
            "round_id": round_id,
            "outcome": "answered_all",
            "persons": [{"resident_id": r, "status": "well", "temperature_c": 36.5} for r in residents],
        },
    }


def pushes(worked: list[Worked], round_id: UUID, size: int) -> Callable[[int], Iterator[bytes]]:
    """Streams of pushes of `size` commands, each connection a phone in a community of its own."""
    # counted here and not in the process that makes the load, which is another each time
    stream = next(_streams)

    def make(connection: int) -> Iterator[bytes]:
        mine = worked[connection % len(worked)]
        at = 0
        while True:
            made = [command(mine, round_id, at + i, stream) for i in range(size)]
            body = {"device_id": mine.device_id, "commands": made}
            at += size
            yield request("POST", "/api/v1/sync/commands", mine.token, orjson.dumps(body))

    return make


def bare_inserts(connection: int) -> Iterator[bytes]:
    """Streams of single inserts."""
    while True:
        body = {
            "id": new_id(), "household_id": new_id(), "round_id": new_id(), "outcome": "answered_all",
            "recorded_at": "2026-02-01T09:00:00+08:00",
        }  # fmt: skip
        yield request("POST", "/visits", None, orjson.dumps(body))


def start_server(module: str, port: int, url: str, errors: int | None = None) -> "subprocess.Popen[bytes]":
    """One uvicorn worker of an app, waited for; `errors`: where it writes what goes wrong."""
    arguments = ["-m", "uvicorn", module, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, *arguments], env={**os.environ, "BENCH_URL": url}, stderr=errors)
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False)
            return process
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"{module} did not start")


def bench_single(worked: list[Worked], round_id: UUID) -> None:
    """Single visits against bare inserts, in turns."""
    print("\nsingle door visit, requests/s (median of rounds in turns)")
    print(f"{'concurrency':>12} {'ours':>9} {'bare':>9} {'ratio':>7} {'p50 ms':>8} {'p99 ms':>8}")
    for concurrency in (1, 8, 32):
        ours, bare, p50, p99 = [], [], [], []
        for _ in range(ROUNDS):
            taken = run(Load(OUR_PORT, concurrency, SECONDS, pushes(worked, round_id, 1)))
            assert first_result(taken.body) == "accepted"
            ours.append(taken.per_second)
            p50.append(taken.p50_ms)
            p99.append(taken.p99_ms)
            bare.append(run(Load(BARE_PORT, concurrency, SECONDS, bare_inserts)).per_second)
        ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
        print(
            f"{concurrency:>12} {statistics.median(ours):>9.0f} {statistics.median(bare):>9.0f} {ratio:>7.2f} "
            f"{statistics.median(p50):>8.1f} {statistics.median(p99):>8.1f}"
        )


def bench_batched(worked: list[Worked], round_id: UUID, connections: tuple[int, ...] = (1, 8, 32)) -> None:
    """Visits in batches of 50."""
    print("\nbatches of 50, commands/s (median of rounds)")
    print(f"{'concurrency':>12} {'commands/s':>11} {'p50 ms':>8} {'p99 ms':>8}")
    for concurrency in connections:
        outcomes = [run(Load(OUR_PORT, concurrency, SECONDS, pushes(worked, round_id, 50))) for _ in range(ROUNDS)]
        rate = statistics.median(o.per_second * 50 for o in outcomes)
        p50 = statistics.median(o.p50_ms for o in outcomes)
        p99 = statistics.median(o.p99_ms for o in outcomes)
        print(f"{concurrency:>12} {rate:>11.0f} {p50:>8.1f} {p99:>8.1f}")


def _timed(client: httpx.Client, path: str, token: str, times: int) -> tuple[float, httpx.Response]:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        answer = client.get(path, headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"})
        took.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    return statistics.median(took), answer


def bench_pull(large: Worked) -> None:
    """The first pull of 1,000 households, built and kept, and an empty pull."""
    with httpx.Client(base_url=f"http://127.0.0.1:{OUR_PORT}/api/v1", trust_env=False) as client:
        path = f"/sync/areas/{large.area_id}"
        built, _ = _timed(client, path, large.token, 1)
        kept, answer = _timed(client, path, large.token, 20)
        body = answer.json()
        size = len(gzip.compress(answer.content, 6, mtime=0))
        sent = int(answer.headers["content-length"])
        empty, _ = _timed(client, f"{path}?since={body['version']}", large.token, 20)
    households = len(body["upserts"]["households"]["i"])
    residents = len(body["upserts"]["residents"]["i"])
    print(f"\nfirst pull of {households} households, {residents} residents")
    print(f"  built {built:.1f} ms, kept {kept:.1f} ms, {sent} bytes gzip (again: {size}); empty pull {empty:.1f} ms")


def bench_coverage(token: str) -> None:
    """Coverage of the city."""
    with httpx.Client(base_url=f"http://127.0.0.1:{OUR_PORT}/api/v1", trust_env=False) as client:
        for level in ("district", "town", "community"):
            took, answer = _timed(client, f"/coverage?area={CITY}&level={level}&limit=500", token, 20)
            count = len(answer.json()["items"])
            print(f"coverage of the city (5,758 communities) by {level}: {took:.1f} ms, {count} rows in the page")


def create_bench(server_url: str, name: str = "bench") -> str:
    """The URL of a new database, migrated."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    migrate_to_head(url)
    return url


def main() -> None:
    """Prepare, measure, print."""
    url = create_bench(start_embedded(RUN))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bare_visit (id uuid PRIMARY KEY, household_id uuid, round_id uuid, outcome text, "
            "recorded_at timestamptz)"
        )
    print("preparing: a city of 5,758 communities …", flush=True)
    worked, large, round_id, city_token = asyncio.run(prepare(url))
    servers = [
        start_server("tests.benchmarks.served:app", OUR_PORT, url),
        start_server("tests.benchmarks.bare:app", BARE_PORT, url),
    ]
    try:
        bench_single(worked, round_id)
        bench_batched(worked, round_id)
        bench_pull(large)
        bench_coverage(city_token)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
