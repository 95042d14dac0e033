"""Many phones at once: `python -m tests.benchmarks.phones`. Part of `make bench`.

Prints commands a second and p99 in batches of 50 at 32 connections; then `BENCH_PHONES` (5,000) phones come back within
`BENCH_MINUTES` (10), each with 50 to 400 records of its own, push them in batches, pull their area, and what the
database holds is counted: no error, nothing lost, nothing doubled, every tally right; and 200 downloads are cut
half-way and a normal pull is timed. A tenth of the phones in a tenth of the time is the same load: `BENCH_PHONES=500
BENCH_MINUTES=1`.
"""

import asyncio
import os
import random
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from app.auth import sessions
from app.auth.models import Account, Device, Role
from app.auth.service import Actor
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.people import service as people
from app.rounds import service as rounds
from app.rounds.schemas import RoundCreate
from app.screening import service as screening
from tests.benchmarks.__main__ import (
    CITY,
    OUR_PORT,
    Worked,
    bench_batched,
    command,
    create_bench,
    prepare,
    start_server,
)
from tests.benchmarks.load import cut_downloads, read_answer, request

PHONES = int(os.environ.get("BENCH_PHONES", "5000"))
MINUTES = float(os.environ.get("BENCH_MINUTES", "10"))
CUT = 200
MOST_TRIES = 20


@dataclass(slots=True)
class Came:
    """What came of it: latencies in seconds, answers by status, failures that were tried again."""

    pushes: list[float] = field(default_factory=list)
    pulls: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    errors: int = 0


async def make_phones(database: Database, worked: list[Worked], count: int) -> list[tuple[Worked, UUID, UUID]]:
    """Phones of the communities' workers, those of one community with rounds apart: whose, which, for which round."""
    per_community = -(-count // len(worked))
    actor = Actor(new_id(), "基准", "person", None, ((Role.CITY, CITY[:4]),))
    async with database.session(EVERYWHERE) as session:
        round_ids = [
            (
                await rounds.create_round(
                    session,
                    actor,
                    RoundCreate(division_code=CITY, title=f"基准{n}", starts_on=today(), ends_on=today()),
                )
            ).id
            for n in range(per_community)
        ]
        phones = [(worked[n % len(worked)], new_id(), round_ids[n // len(worked)]) for n in range(count)]
        session.add_all(Device(account_id=mine.account_id, id=device) for mine, device, _ in phones)
    return phones


async def _exchange(message: bytes, came: Came) -> tuple[bytes, float]:
    """One request on a connection of its own, tried again as a phone does; the answer, and the last try's seconds."""
    for _ in range(MOST_TRIES):
        started = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", OUR_PORT)
            writer.write(message)
            status, body = await read_answer(reader)
            writer.close()
            if status == 200:
                return body, time.perf_counter() - started
        except (OSError, asyncio.IncompleteReadError):
            pass
        came.errors += 1
        await asyncio.sleep(random.uniform(1, 2))
    raise RuntimeError("the service does not answer")


async def _come_back(mine: Worked, device: UUID, round_id: UUID, number: int, after: float, came: Came) -> int:
    """One phone: it comes back after so many seconds, pushes all it has, and pulls. Answers how much it had."""
    chance = random.Random(number)
    held = chance.randint(50, 400)
    await asyncio.sleep(after)
    token = sessions.issue_access_token(Account(id=mine.account_id, login="", name="", session_epoch=0), device)
    for start in range(0, held, 50):
        made = [command(mine, round_id, at, number % 500) for at in range(start, min(start + 50, held))]
        body = orjson.dumps({"device_id": device, "commands": made})
        answer, took = await _exchange(request("POST", "/api/v1/sync/commands", token, body), came)
        came.pushes.append(took)
        for result in orjson.loads(answer)["results"]:
            came.statuses[result["status"]] = came.statuses.get(result["status"], 0) + 1
    _, took = await _exchange(request("GET", f"/api/v1/sync/areas/{mine.area_id}", token, b"", _GZIP), came)
    came.pulls.append(took)
    return held


_GZIP = "Accept-Encoding: gzip\r\n"


async def bench_reconnect(url: str, worked: list[Worked]) -> None:
    """Phones come back over the minutes, and everything is counted."""
    database = Database(url, 4)
    await database.open()
    phones = await make_phones(database, worked, PHONES)
    before = await _count(database)
    came = Came()
    chance = random.Random(1)
    began = time.perf_counter()
    held = await asyncio.gather(
        *(
            _come_back(mine, device, round_id, 1000 + number, chance.uniform(0, MINUTES * 60), came)
            for number, (mine, device, round_id) in enumerate(phones)
        )
    )
    took = time.perf_counter() - began
    after = await _count(database)
    async with database.session(EVERYWHERE) as session:
        drift = await screening.find_tally_drift(session) + await people.find_tally_drift(session)
    await database.close()
    print(f"\n{PHONES} phones back within {MINUTES:g} minutes with {sum(held)} records: done after {took:.0f} s")
    print(f"  pushes {_spread(came.pushes)}; pulls {_spread(came.pulls)}; tries that failed: {came.errors}")
    print(f"  answers {came.statuses}; rows written {after[0] - before[0]}, answers kept {after[1] - before[1]}")
    print(f"  lost or doubled rows: {sum(held) - (after[0] - before[0])}; tallies that differ: {len(drift)}")
    assert sum(held) == after[0] - before[0] == after[1] - before[1]
    assert drift == []


async def _count(database: Database) -> tuple[int, int]:
    async with database.session(EVERYWHERE) as session:
        raw = await session.connection()
        row = await raw.exec_driver_sql("SELECT (SELECT count(*) FROM door_visit), (SELECT count(*) FROM sync_command)")
        counts: Any = row.one()
    return counts[0], counts[1]


def _spread(took: list[float]) -> str:
    took = sorted(took)
    return f"p50 {statistics.median(took) * 1000:.0f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms"


async def bench_cut(large: Worked) -> None:
    """Downloads cut half-way, then a normal pull."""
    message = request("GET", f"/api/v1/sync/areas/{large.area_id}", large.token)
    hung = await cut_downloads(OUR_PORT, message, CUT)
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", OUR_PORT)
    writer.write(message)
    status, body = await read_answer(reader)
    took = time.perf_counter() - started
    writer.close()
    for phone in hung:
        phone.close()
    print(f"\n{CUT} downloads cut half-way, {len(hung)} of them neither read nor hung up; then a normal pull of")
    print(f"  {len(body)} bytes: {status} after {took * 1000:.0f} ms (aim 1,000)")


def main() -> None:
    """Prepare, measure, print."""
    url = create_bench()
    print("preparing: a city of 5,758 communities …", flush=True)
    worked, large, round_id, _ = asyncio.run(prepare(url))
    # of a phone that hangs up on what it has asked for uvicorn writes a page
    server = start_server("tests.benchmarks.served:app", OUR_PORT, url, subprocess.DEVNULL)
    try:
        bench_batched(worked, round_id, (32,))
        asyncio.run(bench_cut(large))
        asyncio.run(bench_reconnect(url, worked))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
