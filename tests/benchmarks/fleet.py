"""A city's phones that come back: who holds which doors, what each has recorded, and what became of it.

Each phone is that of one area's holder, one of a community as long as there are communities, and has visited its own
households, round by round: no household twice in a round, everybody well. It pushes what it has in batches of 50,
asks which areas it holds and pulls what has changed since the version it had; every twentieth hangs up on its first
batch without an answer and sends it again.
"""

import asyncio
import gzip
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import orjson
import psycopg

from app.auth import sessions
from app.auth.models import Account, Device, Role
from app.auth.service import Actor
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.people import service as people
from app.rounds import service as rounds
from app.rounds.schemas import RoundCreate
from app.screening import service as screening
from tests.benchmarks.__main__ import OUR_PORT
from tests.benchmarks.load import read_answer, request

BATCH = 50
HELD = (50, 400)
"""Records a phone comes back with, at least and at most."""
HANGS_UP = 20
"""Of so many phones one loses the answer to its first batch."""
MOST_TRIES = 20
PATIENCE = 60.0
"""Seconds after which a phone takes an answer for lost."""
SAMPLE = 20
_PROGRESS_SECONDS = 30

_AREAS = """
    SELECT a.community_code, a.id, a.holder_id, a.version, a.epoch FROM (
        SELECT *, row_number() OVER (PARTITION BY community_code ORDER BY id) AS nth FROM responsibility_area
        WHERE holder_id IS NOT NULL AND NOT is_removed AND household_count BETWEEN 90 AND 200
    ) a ORDER BY a.nth, a.id LIMIT %s
"""
_HOMES = """
    SELECT d.responsibility_area_id, h.id::text, array_agg(r.id::text)
    FROM unnest(%s::char(12)[], %s::uuid[]) AS a(community_code, id)
    JOIN dwelling d ON d.community_code = a.community_code AND d.responsibility_area_id = a.id
    JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
    JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id AND NOT r.is_gone
    GROUP BY 1, 2
"""


@dataclass(slots=True)
class Phone:
    """Whose it is, what it carries and since which version, and the ids of what it has sent."""

    number: int
    community: str
    area_id: UUID
    holder_id: UUID
    version: int
    epoch: int
    device_id: UUID = field(default_factory=new_id)
    homes: list[tuple[str, list[str]]] = field(default_factory=list)
    sent: list[UUID] = field(default_factory=list)

    @property
    def held(self) -> int:
        """How many records it comes back with."""
        return random.Random(self.number).randint(*HELD)

    def token(self) -> str:
        """An access token of its holder."""
        account = Account(id=self.holder_id, login="", name="", session_epoch=0)
        return sessions.issue_access_token(account, self.device_id)


@dataclass(slots=True)
class Came:
    """What came of it: latencies in seconds, answers by status, tries that failed, how many are back."""

    pushes: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    pulls: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    back: int = 0
    not_pulled: int = 0
    bytes_pulled: int = 0


def make_phones(url: str, wanted: int) -> list[Phone]:
    """Phones of as many areas' holders, fewer where the city has fewer."""
    with psycopg.connect(url) as connection:
        connection.execute("SET jit = off")
        found = connection.execute(_AREAS, (wanted,)).fetchall()
        phones = {row[1]: Phone(number, *row) for number, row in enumerate(found)}
        codes = [phone.community for phone in phones.values()]
        with connection.cursor(name="homes") as homes:
            homes.itersize = 20_000
            for area_id, household, residents in homes.execute(_HOMES, (codes, list(phones))):
                phones[area_id].homes.append((household, residents))
    return list(phones.values())


async def make_rounds(database: Database, city: str, count: int) -> list[UUID]:
    """So many rounds over the city, of the last days, all open."""
    actor = Actor(new_id(), "基准", "person", None, ((Role.CITY, city[:4]),))
    made = []
    async with database.session(EVERYWHERE) as session:
        for n in range(count):
            on = today() - timedelta(days=count - n)
            content = RoundCreate(
                division_code=city, title=f"基准{n}", starts_on=on, ends_on=today(), is_draft=True
            )  # fmt: skip
            draft = await rounds.create_round(session, actor, content)
            cost = (await rounds.get_round(session, actor, draft.id)).estimate
            await rounds.publish_round(session, actor, draft.id, cost.minutes)
            made.append(draft.id)
    return made


def _commands(phone: Phone, round_ids: list[UUID], start: int, end: int) -> list[dict[str, object]]:
    """What a phone has recorded, from one record to another: everybody of a household is well."""
    made = []
    for at in range(start, end):
        times, place = divmod(at, len(phone.homes))
        household, residents = phone.homes[place]
        on = now() - timedelta(days=len(round_ids) - times) + timedelta(seconds=place * 90)
        phone.sent.append(new_id())
        made.append({
            "id": phone.sent[-1], "name": "screening.record_door_visit", "recorded_at": on, "epoch": phone.epoch,
            "community_code": phone.community,
            "payload": {
                "household_id": household, "round_id": round_ids[times], "outcome": "answered_all",
                "persons": [{"resident_id": r, "status": "well", "temperature_c": 36.5} for r in residents],
            },
        })  # fmt: skip
    return made


class Line:
    """A phone's connection: kept open between requests, opened again and tried again when something fails."""

    def __init__(self, came: Came) -> None:
        self._came = came
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._ends is None:
            self._ends = await asyncio.open_connection("127.0.0.1", OUR_PORT, limit=1 << 20)
        return self._ends

    def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None

    async def send(self, message: bytes) -> None:
        """Send a request whole and hang up on its answer."""
        _, writer = await self._open()
        writer.write(message)
        await writer.drain()
        self.close()

    async def ask(self, message: bytes, took: list[float]) -> bytes:
        """The answer to a request; the last try's seconds are noted. Raises RuntimeError after `MOST_TRIES`."""
        for _ in range(MOST_TRIES):
            started = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    reader, writer = await self._open()
                    writer.write(message)
                    status, body = await read_answer(reader)
                if status == 200:
                    took.append(time.perf_counter() - started)
                    return body
                reason = str(status)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                reason = type(error).__name__
                self.close()
            self._came.errors[reason] = self._came.errors.get(reason, 0) + 1
            await asyncio.sleep(random.uniform(1, 2))
        raise RuntimeError("the service does not answer")


async def _come_back(phone: Phone, round_ids: list[UUID], after: float, came: Came) -> None:
    """One phone comes back after so many seconds, pushes all it has, and pulls."""
    await asyncio.sleep(after)
    came.begun += 1
    line, token = Line(came), phone.token()
    for start in range(0, phone.held, BATCH):
        made = _commands(phone, round_ids, start, min(start + BATCH, phone.held))
        push = {
            "device_id": phone.device_id, "sent_at": now(), "oldest_unsent_at": made[0]["recorded_at"],
            "commands": made,
        }  # fmt: skip
        message = request("POST", "/api/v1/sync/commands", token, orjson.dumps(push))
        if start == 0 and phone.number % HANGS_UP == 0:
            await line.send(message)
        results = orjson.loads(await line.ask(message, came.pushes))["results"]
        for result in results:
            came.statuses[result["status"]] = came.statuses.get(result["status"], 0) + 1
    await line.ask(request("GET", "/api/v1/sync/areas", token), came.lists)
    path = f"/api/v1/sync/areas/{phone.area_id}?since={phone.version}"
    body = await line.ask(request("GET", path, token, b"", "Accept-Encoding: gzip\r\n"), came.pulls)
    line.close()
    came.bytes_pulled += len(body)
    pulled = orjson.loads(gzip.decompress(body))
    own = {str(round_id) for round_id in round_ids}
    states = sum(round_id in own for round_id in pulled["upserts"]["states"]["q"])
    came.not_pulled += phone.held if pulled["reset"] else phone.held - states
    came.back += 1


async def _check_versions(phones: list[Phone]) -> None:
    """That what was read from the table is what a whole pull would have left with these phones."""
    line, took = Line(Came()), list[float]()
    for phone in phones:
        path = f"/api/v1/sync/areas/{phone.area_id}"
        body = await line.ask(request("GET", path, phone.token(), b"", "Accept-Encoding: gzip\r\n"), took)
        pulled = orjson.loads(gzip.decompress(body))
        assert (pulled["version"], pulled["reset"]) == (phone.version, True), (pulled["version"], phone)
    line.close()


async def _tell(came: Came, began: float) -> None:
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        print(
            f"  {time.perf_counter() - began:>5.0f} s: {came.begun} have come, {came.back} are through, "
            f"{sum(came.statuses.values()):,} records answered, {sum(came.errors.values())} tries failed; "
            f"the last 100 pushes {_spread(came.pushes[-100:])}",
            flush=True,
        )


async def _reconnect(phones: list[Phone], round_ids: list[UUID], seconds: float) -> tuple[Came, float]:
    came, chance = Came(), random.Random(1)
    began = time.perf_counter()
    teller = asyncio.create_task(_tell(came, began))
    await asyncio.gather(*(_come_back(phone, round_ids, chance.uniform(0, seconds), came) for phone in phones))
    teller.cancel()
    return came, time.perf_counter() - began


async def _prepare(url: str, phones: list[Phone]) -> list[UUID]:
    database = Database(url, 4)
    await database.open()
    count = max(-(-phone.held // len(phone.homes)) for phone in phones)
    round_ids = await make_rounds(database, phones[0].community[:4].ljust(12, "0"), count)
    async with database.session(EVERYWHERE) as session:
        session.add_all(Device(account_id=phone.holder_id, id=phone.device_id) for phone in phones)
    await database.close()
    return round_ids


async def _drift(url: str) -> list[object]:
    database = Database(url, 2)
    await database.open()
    async with database.session(EVERYWHERE) as session:
        connection = await session.connection()
        await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        found = [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)]
    await database.close()
    return found


_WRITTEN = {
    "visits": "SELECT id FROM door_visit WHERE round_id = ANY (%s)",
    "answers kept": "SELECT id FROM sync_command WHERE name = 'screening.record_door_visit' AND received_at >= %s",
}
_PERSONS = "SELECT count(*) FROM person_check WHERE round_id = ANY (%s)"
_DOUBLED = """
    SELECT count(*) FROM (
        SELECT FROM door_visit WHERE round_id = ANY (%s) GROUP BY round_id, household_id HAVING count(*) > 1) d
"""


def count_rows(url: str, phones: list[Phone], round_ids: list[UUID], since: datetime) -> None:
    """Each id that a phone holds against the ids in the database, and how often each household was visited."""
    held = {one for phone in phones for one in phone.sent}
    persons = sum(
        len(phone.homes[at % len(phone.homes)][1]) for phone in phones for at in range(phone.held)
    )  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute("SET jit = off")
        for what, query in _WRITTEN.items():
            rows = connection.execute(query.encode(), (round_ids if what == "visits" else since,)).fetchall()
            ids = {row[0] for row in rows}
            print(f"  {what}: {len(rows):,} of {len(held):,}; lost {len(held - ids)}, doubled {len(rows) - len(ids)}, "
                  f"of nobody {len(ids - held)}")  # fmt: skip
            assert (ids, len(rows)) == (held, len(held))
        doubled: Any = connection.execute(_DOUBLED, (round_ids,)).fetchone()
        answered: Any = connection.execute(_PERSONS, (round_ids,)).fetchone()
    print(f"  people answered for: {answered[0]:,} of {persons:,}; households visited twice in a round: {doubled[0]}")
    assert (doubled[0], answered[0]) == (0, persons)


def bench_reconnect(
    url: str, wanted: int, minutes: float, served: Callable[[str], AbstractContextManager["Popen[bytes]"]]
) -> None:
    """Phones come back over the minutes, and everything is counted. A city with fewer areas than phones are wanted
    has as many phones, which come in their share of the time."""
    phones = make_phones(url, wanted)
    seconds = minutes * 60 * len(phones) / wanted
    round_ids = asyncio.run(_prepare(url, phones))
    since, held = now(), sum(phone.held for phone in phones)
    print(
        f"{len(phones):,} phones of {len({phone.community for phone in phones}):,} communities come back within "
        f"{seconds:.0f} s with {held:,} records, {len(round_ids)} rounds open for them",
        flush=True,
    )
    with served(url) as server:
        asyncio.run(_check_versions(phones[:: max(1, len(phones) // SAMPLE)]))
        came, took = asyncio.run(_reconnect(phones, round_ids, seconds))
        memory = next(line for line in _status(server.pid) if line.startswith("VmHWM")).split()[1]
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(f"done after {took:.0f} s: {took - seconds:.1f} s after the last could come, {held / took:,.0f} records/s")
    print(f"  pushes {_spread(came.pushes)}; lists of areas {_spread(came.lists)}; pulls {_spread(came.pulls)}")
    print(f"  answers {came.statuses}; tries that failed: {came.errors or 'none'}; records not in the pull after them: "
          f"{came.not_pulled}; {came.bytes_pulled / 1e6:.1f} MB pulled")  # fmt: skip
    print(f"  the service held {int(memory) // 1024} MB at most; the phones took {own.ru_utime + own.ru_stime:.0f} s")
    count_rows(url, phones, round_ids, since)
    drift = asyncio.run(_drift(url))
    print(f"  tallies that differ from a recount of the whole city: {len(drift)}")
    assert (drift, came.not_pulled) == ([], 0)


def _status(pid: int) -> Iterator[str]:
    return iter(Path(f"/proc/{pid}/status").read_text().splitlines())


def _spread(took: list[float]) -> str:
    if not took:
        return "none"
    ranked = sorted(took)
    return (
        f"p50 {statistics.median(ranked) * 1000:.0f} ms, p99 {ranked[int(len(ranked) * 0.99)] * 1000:.0f}, "
        f"slowest {ranked[-1] * 1000:.0f}"
    )
