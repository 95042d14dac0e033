"""The fault matrix: at each stage of a record's way each fault befalls the phone. Nothing is lost, nothing is doubled,
and what the screen shows is the truth, while the fault lasts and afterwards.

| at this stage | the fault befalls when |
|---|---|
| before_send | the push has left the phone's hand and nothing of it has left the phone |
| before_commit | the service has the push and its transaction waits for the community's clock |
| before_answer | the records are committed and the phone has heard nothing |
| pulling | the phone has half of an area's answer, to the byte |
| migrating | a newer app opens the database an older one has left, and waits for a tab of then to let go |
| updating | a new version of the app takes over: see `tests/e2e/test_faults.py`, a service worker needs a browser |

| fault | what it is |
|---|---|
| tab_killed | the app dies where it stands, its connections close, and it is opened again |
| network_cut | every connection breaks, and no new one comes about until it is mended |
| server_killed | SIGKILL; the service is started again later |
| database_restarted | PostgreSQL stops as at a crash and recovers, under a running service |
| token_expired | access token and refresh token have both reached their end: the person signs in again |
| device_revoked | the committee revokes the phone |
| area_reassigned | the committee gives the area to somebody else |

Every cell makes sense; of two it is said here what they can show. `migrating` touches no network, so that what befalls
the service meanwhile must make no difference, and these cells hold that it does not. `migrating` × `tab_killed` is in
the browser too: only there does an upgrade break off with the tab. The phones are the real engine, each behind a line
of its own (`tests/sync/line.py`), in a community of its own; the service is `pioneer serve`, killed once and started
again once for all stages, and so is the database: each fault's cells stand at their stages at the same time.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.audit import service as audit
from app.auth.models import Account, Device, Role, RoleGrant
from app.cli.database import migrate_to_head
from app.core.config import get_settings
from app.core.db import EVERYWHERE, Database, start_embedded
from app.people import service as people
from app.screening import service as screening
from tests.conftest import copy_of
from tests.e2e.service import Service, restart_database
from tests.makers import Home, make_homes, make_round, stair_of
from tests.personas import DISTRICT, PASSWORD, PERSONAS, Caller, Persona, seed
from tests.sync.line import Line
from tests.sync.phones import Phones

STAGES = ("before_send", "before_commit", "before_answer", "pulling", "migrating")
FAULTS = (
    "tab_killed", "network_cut", "server_killed", "database_restarted", "token_expired", "device_revoked",
    "area_reassigned",
)  # fmt: skip
CELLS = [(stage, fault) for stage in STAGES for fault in FAULTS if (stage, fault) != ("migrating", "tab_killed")]
STREET = "990101009000"
OUT_OF_REACH = ("network_cut", "server_killed")
STAGE_SECONDS = 60


@dataclass(slots=True)
class Ground:
    """What all cells share: the service, its database, the phones, the round."""

    service: Service
    data_dir: Path
    database: Database
    phones: Phones
    call: Caller
    round_id: str

    async def rows(self, statement: str, **params: Any) -> list[Any]:
        """Rows of the database itself, past the service."""
        async with self.database.session(EVERYWHERE) as session:
            return list((await session.execute(text(statement), params)).all())

    async def kill_service(self) -> None:
        """SIGKILL."""
        self.service.kill()

    async def start_service(self) -> None:
        """Start it again, if it does not run."""
        if self.service.process is None:
            await asyncio.to_thread(self.service.start)

    async def restart_database(self) -> None:
        """Stop PostgreSQL as at a crash, start it again."""
        await asyncio.to_thread(restart_database, self.data_dir)
        await self.database.close()
        self.database = Database(self.database.url, 4)
        await self.database.open()


@dataclass(slots=True)
class Cell:
    """One stage and one fault: a phone, its line, a community of four households."""

    ground: Ground
    stage: str
    fault: str
    number: int
    homes: list[Home] = field(default_factory=list)
    area_id: str = ""
    line: Line = field(init=False)
    made: dict[str, str] = field(default_factory=dict)
    """Id of each record → what it says."""
    hand_over: asyncio.Task[httpx.Response] | None = None
    lock: psycopg.AsyncConnection[Any] | None = None

    @property
    def community(self) -> str:
        return f"990101009{self.number:03d}"

    @property
    def phone(self) -> str:
        return f"{self.stage}.{self.fault}"

    def persona(self, which: int) -> Persona:
        """The area's holder (0), and who gets it when it is re-assigned (1)."""
        number = 5000 + 2 * self.number + which
        return Persona(f"fault-{number}", number, ((Role.GRID_WORKER, self.community),))

    async def do(self, doing: str, **words: Any) -> dict[str, Any]:
        """One line to this cell's phone."""
        return await self.ground.phones.do(self.phone, doing, **words)

    async def at_desk(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """What the street's desk does meanwhile."""
        answer = await self.ground.call("fault-street", method, path, json=body)
        assert answer.is_success, answer.text
        return answer

    # The way to the stage.

    async def begin(self) -> None:
        """Four households in an area, a phone that carries it, and three records that wait."""
        body = {
            "community_code": self.community, "name": "一单元", "is_open": False,
            "dwelling_ids": [str(home.dwelling_id) for home in self.homes],
            "assign_to": str(self.persona(0).id),
        }  # fmt: skip
        self.area_id = (await self.at_desk("POST", "/responsibility-areas", body)).json()["id"]
        self.line = Line(self.ground.service.port)
        await self.do("set", server=await self.line.open())
        await self.do("sign_in", username=self.persona(0).name, password=PASSWORD)
        await self.do("sync")
        await self.visit(0, "answered_all")
        await self.visit(1, "no_answer")
        made = await self.do("record_care_visit", household_id=str(self.homes[2].id), condition="well")
        self.made[made["id"]] = "care"

    async def visit(self, at: int, outcome: str) -> None:
        """A knock at the door of one of the four."""
        door = {"household_id": str(self.homes[at].id), "round_id": self.ground.round_id, "outcome": outcome}
        self.made[(await self.do("record_door_visit", **door))["id"]] = outcome

    async def reach(self) -> None:
        """Go on until this stage is reached, and stand there."""
        await self.begin()
        if self.stage == "migrating":
            await self.do("age")
            await self.do("open_begin")
            return
        if self.stage == "before_commit":
            await self._hold_clock()
        elif self.stage == "pulling":
            self.line.hold("/sync/areas/", "half")
        else:
            self.line.hold("/sync/commands", "request" if self.stage == "before_send" else "answer")
        await self.do("sync_begin")
        if self.stage == "before_commit":
            await self._wait_for_push()
        else:
            await asyncio.wait_for(self.line.reached.wait(), STAGE_SECONDS)
        stored = await self.ground.rows("SELECT id FROM sync_command WHERE community_code = :c", c=self.community)
        assert bool(stored) == (self.stage in ("before_answer", "pulling"))

    async def _hold_clock(self) -> None:
        self.lock = await psycopg.AsyncConnection.connect(self.ground.database.url)
        await self.lock.execute("SELECT FROM community_clock WHERE community_code = %s FOR UPDATE", (self.community,))

    async def _wait_for_push(self) -> None:
        assert self.lock is not None
        waits = "SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))"
        async with asyncio.timeout(STAGE_SECONDS):
            while (await self.ground.rows(waits, pid=self.lock.info.backend_pid))[0][0] == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    # The fault.

    async def befall(self) -> None:
        """The fault, as far as it befalls this phone alone."""
        if self.fault == "tab_killed":
            await self.do("kill")
            self.line.drop()
        elif self.fault == "network_cut":
            self.line.cut()
        elif self.fault == "server_killed":
            self.line.drop()
        elif self.fault == "token_expired":
            self.line.expire()
            async with self.ground.database.session(EVERYWHERE) as session:
                ended = "UPDATE refresh_token SET expires_at = now() - interval '1 second' WHERE account_id = :a"
                await session.execute(text(ended), {"a": self.persona(0).id})
        elif self.fault == "device_revoked":
            (device,) = await self.ground.rows("SELECT id FROM device WHERE account_id = :a", a=self.persona(0).id)
            await self.at_desk("POST", f"/accounts/{self.persona(0).id}/devices/{device.id}/revoke")
        elif self.fault == "area_reassigned":
            body = {"account_id": str(self.persona(1).id)}
            self.hand_over = asyncio.create_task(
                self.at_desk("POST", f"/responsibility-areas/{self.area_id}/assign", body)
            )
            if self.stage != "before_commit":  # there it waits for the clock, behind the push
                await self.hand_over

    async def endure(self) -> None:
        """What was held goes on into the fault; the worker goes on working, and the phone tries once more."""
        if self.stage == "migrating":
            opened = await self.do("open_end")
            assert opened["version"] == 2
            assert opened["status"]["storageProblem"] is None
            assert opened["status"]["waiting"] == 3
        if self.lock is not None:
            await self.lock.close()
        if self.hand_over is not None:
            await self.hand_over
        await self.visit(3, "refused")
        self.line.release()
        if self.stage != "migrating":
            ended = await self.do("sync_end")
            assert ended["killed"] == (self.fault == "tab_killed")
        await self.do("sync")
        await self.check_truth()

    async def check_truth(self) -> None:
        """While the fault lasts: each record is on the phone or confirmed, and the phone says of each which."""
        shown = await self.do("dump")
        status = shown["status"]
        known = await self.ground.rows(
            "SELECT id::text AS id, status FROM sync_command WHERE community_code = :c", c=self.community
        )
        assert {row.status for row in known} <= {"accepted", "flagged"}
        if shown["session"] is None:
            # a revoked phone that was rid of everything has wiped itself
            assert self.fault == "device_revoked"
            assert {row.id for row in known} == set(self.made)
            return
        waiting = {item["id"] for item in shown["outbox"]}
        confirmed = {receipt["id"] for receipt in shown["receipts"]}
        assert waiting | confirmed == set(self.made)
        assert not waiting & confirmed
        assert confirmed <= {row.id for row in known}
        assert (status["waiting"], status["needsYou"]) == (len(waiting), 0)
        assert status["online"] == (self.fault not in OUT_OF_REACH)
        assert status["signInNeeded"] == (self.fault == "token_expired")
        assert not status["syncing"]
        if self.fault in OUT_OF_REACH:
            assert len(waiting) == (1 if self.stage == "pulling" else 4)
        for door in shown["doors"]:
            mine = {item["id"] for item in shown["outbox"] if item["payload"]["household_id"] == door["id"]}
            assert set(door["pending"]) == mine

    # Afterwards.

    async def recover(self) -> None:
        """All is well again; the person signs in where they must, and the phone syncs of itself."""
        self.line.mend()
        if self.fault == "token_expired":
            await self.do("sign_in", username=self.persona(0).name, password=PASSWORD)
        for _ in range(3):
            await self.do("sync")

    async def check(self) -> None:
        """Every record once, in every place where it counts, and the phones show what the service holds."""
        await self.check_service()
        shown = await self.do("dump")
        status = shown["status"]
        assert (status["waiting"], status["needsYou"]) == (0, 0)
        assert status["online"]
        assert not status["signInNeeded"]
        assert shown["outbox"] == []
        if self.fault == "device_revoked":
            assert (shown["session"], shown["areas"], shown["doors"]) == (None, [], [])
            assert status["refusal"] == "device_revoked"
            return
        flagged = {self._last()} if self.fault == "area_reassigned" else set()
        assert {r["id"]: r["status"] for r in shown["receipts"]} == {
            id_: "flagged" if id_ in flagged else "accepted" for id_ in self.made
        }
        if self.fault == "area_reassigned":
            assert (shown["areas"], shown["doors"]) == ([], [])
            await self.do_next("set", server=f"http://127.0.0.1:{self.ground.service.port}")
            await self.do_next("sign_in", username=self.persona(1).name, password=PASSWORD)
            await self.do_next("sync")
            shown = await self.do_next("dump")
        self.check_doors(shown["doors"])

    async def do_next(self, doing: str, **words: Any) -> dict[str, Any]:
        """One line to the phone of whoever has the area now."""
        return await self.ground.phones.do(f"{self.phone}.next", doing, **words)

    def _last(self) -> str:
        return list(self.made)[-1]

    def check_doors(self, doors: list[dict[str, Any]]) -> None:
        """The four doors as a phone shows them."""
        assert len(doors) == 4
        by_id = {door["id"]: door for door in doors}
        states = [by_id[str(home.id)]["states"] for home in self.homes]
        assert [[state["outcome"] for state in one] for one in states] == [
            ["answered_all"], ["no_answer"], [], ["refused"],
        ]  # fmt: skip
        care = [(by_id[str(home.id)]["care"] or {}).get("condition") for home in self.homes]
        assert care == [None, None, "well", None]
        assert all(door["pending"] == [] and "truth" not in door for door in doors)

    async def check_service(self) -> None:
        """Rows, answers, trail, the day's count and the tallies: each record once."""
        place = {"c": self.community}
        rows = self.ground.rows
        visits = await rows("SELECT id::text, outcome FROM door_visit WHERE community_code = :c", **place)
        cares = await rows("SELECT id::text FROM care_visit WHERE community_code = :c", **place)
        assert dict(tuple(v) for v in visits) | {one.id: "care" for one in cares} == self.made
        answers = await rows("SELECT id::text, status FROM sync_command WHERE community_code = :c", **place)
        assert sorted(answer.id for answer in answers) == sorted(self.made)
        assert len(answers) == 4
        counted = await rows("SELECT sum(confirmed_count) FROM confirmed_day WHERE community_code = :c", **place)
        assert counted[0][0] == 4
        tally = await rows("SELECT visit_count FROM screening_tally WHERE community_code = :c", **place)
        assert [row.visit_count for row in tally] == [3]
        trail = await rows(
            "SELECT subjects FROM audit_entry WHERE community_code = :c "
            "AND action IN ('screening.record_door_visit', 'care.record_visit')",
            **place,
        )
        assert Counter(subject for entry in trail for subject in entry.subjects) == Counter(list(self.made))


async def prepare(database: Database, cells: list[Cell]) -> dict[str, Persona]:
    """A street with a community, two workers and four households for each cell, and who sits at its desk."""
    desk = Persona("fault-street", 4999, ((Role.STREET, STREET),))
    people_of = {desk.name: desk} | {p.name: p for cell in cells for p in (cell.persona(0), cell.persona(1))}
    entries = [DivisionEntry(STREET, "故障街道", "town", DISTRICT)]
    entries += [DivisionEntry(cell.community, f"{cell.number}社区", "community", STREET) for cell in cells]
    async with database.session(EVERYWHERE) as session:
        await areas.put_divisions(session, entries, date(2020, 1, 1))
        hashed = await session.scalar(select(col(Account.password_hash)).where(col(Account.login) == "worker"))
        session.add_all(
            Account(id=p.id, kind="person", login=p.name, name=p.name, password_hash=hashed) for p in people_of.values()
        )
        await session.flush()
        session.add(Device(account_id=desk.id, id=desk.device_id, name="desk"))
        session.add_all(
            RoleGrant(account_id=p.id, role=role, division_prefix=code.rstrip("0") if role is Role.STREET else code)
            for p in people_of.values()
            for role, code in p.grants
        )
    for cell in cells:
        cell.homes = await make_homes(database, cell.community, stair_of("1", "1", ["101", "102", "201", "202"]))
    return people_of


async def befall_all(ground: Ground, fault: str, cells: list[Cell]) -> dict[tuple[str, str], BaseException | None]:
    """Bring a fault's cells to their stages, let it befall them all, and see what came of each."""
    came: dict[tuple[str, str], BaseException | None] = {(cell.stage, fault): None for cell in cells}

    async def each(doing: str) -> None:
        standing = [cell for cell in cells if came[cell.stage, fault] is None]
        done = await asyncio.gather(*(getattr(cell, doing)() for cell in standing), return_exceptions=True)
        for cell, error in zip(standing, done, strict=True):
            came[cell.stage, fault] = error

    await each("reach")
    if fault == "server_killed":
        await ground.kill_service()
    if fault == "database_restarted":
        await ground.restart_database()
    await each("befall")
    await each("endure")
    await ground.start_service()
    await each("recover")
    await each("check")
    return came


async def run(service: Service, data_dir: Path, url: str, cells: list[Cell]) -> dict[tuple[str, str], Any]:
    """All cells, a fault at a time; answers what each raised."""
    database = Database(url, 4)
    await database.open()
    personas = await prepare(database, cells)
    async with (
        httpx.AsyncClient(base_url=service.url, timeout=60, trust_env=False) as http,
        Phones(service.url) as phones,
    ):
        call = Caller(http, PERSONAS | personas)
        ground = Ground(service, data_dir, database, phones, call, await make_round(call))
        came: dict[tuple[str, str], Any] = {}
        for cell in cells:
            cell.ground = ground
        for fault in FAULTS:
            if mine := [cell for cell in cells if cell.fault == fault]:
                came |= await befall_all(ground, fault, mine)
        for cell in cells:
            await cell.line.close()
        async with ground.database.session(EVERYWHERE) as session:
            came["all", "tallies"] = await screening.find_tally_drift(session) + await people.find_tally_drift(session)
        came["all", "trail"] = (await audit.verify_chains(ground.database))[1]
        await ground.database.close()
    return came


@pytest.fixture(scope="module")
def own_server(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A database in a PostgreSQL that may be restarted: this run's own, else one made for it."""
    if "PIONEER_TEST_DATABASE_URL" not in os.environ:
        with copy_of(server_url, template) as url:
            yield get_settings().data_dir, url
        return
    folder = tmp_path_factory.mktemp("own")
    url = start_embedded(folder)
    migrate_to_head(url)

    async def fill() -> None:
        database = Database(url, 2)
        await database.open()
        await seed(database)
        await database.close()

    asyncio.run(fill())
    yield folder, url


@pytest.fixture(scope="module")
def came(
    request: pytest.FixtureRequest, own_server: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Any]]:
    """What came of each cell that is asked for: the error it raised, or nothing."""
    data_dir, url = own_server
    service = Service(tmp_path_factory.mktemp("service"), quick=True)
    service.environment |= {
        "PIONEER_DATABASE_URL": url,
        "PIONEER_DATA_DIR": str(get_settings().data_dir),
        "PIONEER_SECRET_KEY": get_settings().token_key,
    }
    asked = {
        (item.callspec.params["stage"], item.callspec.params["fault"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    }
    cells = [Cell(None, *cell, number) for number, cell in enumerate(CELLS, 1) if cell in asked]  # type: ignore[arg-type]
    service.start()
    try:
        yield asyncio.run(run(service, data_dir, url, cells))
    finally:
        service.stop()


@pytest.mark.parametrize(("stage", "fault"), CELLS)
def test_nothing_is_lost_nothing_doubled_and_the_screen_tells_the_truth(
    came: dict[tuple[str, str], Any], stage: str, fault: str
) -> None:
    if came[stage, fault] is not None:
        raise came[stage, fault]


def test_tallies_and_trail_hold_after_all_faults(came: dict[tuple[str, str], Any]) -> None:
    assert came["all", "tallies"] == []
    assert came["all", "trail"] == []


def test_every_cell_is_there() -> None:
    """Six stages by seven faults: these, and those of the browser."""
    from tests.e2e.test_faults import BROWSER_CELLS  # noqa: PLC0415 - it needs a browser library only here

    assert len({*CELLS, *BROWSER_CELLS}) == 42
