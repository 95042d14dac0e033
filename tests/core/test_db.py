"""The pools: what a database that was restarted leaves in them costs nobody a failed try."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import text

from app.core.db import EVERYWHERE, Database

HOLD = "SELECT pg_backend_pid(), pg_advisory_xact_lock_shared(77)"
"""Waits as long as the gate is shut."""


@asynccontextmanager
async def gate(url: str, waiting: int) -> AsyncIterator[None]:
    """Shut while begun, and opened when so many wait before it: each on a connection of its own."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute("SELECT pg_advisory_lock(77)")
        yield
        count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted"
        async with asyncio.timeout(30):
            while await (await owner.execute(count)).fetchone() != (waiting,):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def fill(database: Database) -> None:
    """Let every connection of both pools be used at once, and go back."""

    async def ask() -> None:
        async with database.session(EVERYWHERE) as session:
            await session.execute(text(HOLD))

    calls = [database.call(EVERYWHERE, HOLD, {}) for _ in range(4)]
    async with gate(database.url, 8):
        filling = asyncio.gather(*calls, *(ask() for _ in range(4)))
    await filling


async def restart(url: str) -> int:
    """End all connections but this one, as a restart does; answers how many there were."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        ended = await owner.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        row = await ended.fetchone()
        assert row is not None
        return int(row[0])


async def test_after_a_restart_the_first_tries_succeed(database: Database, database_url: str) -> None:
    await fill(database)
    assert await restart(database_url) == 8
    for _ in range(5):
        assert await database.call(EVERYWHERE, "SELECT 1", {}) == [(1,)]
        assert await database.read(EVERYWHERE, ["SELECT 1", "SELECT 2"], {}) == [[(1,)], [(2,)]]
        async with database.session(EVERYWHERE) as session:
            assert await session.scalar(text("SELECT 1")) == 1
    await fill(database)


async def test_a_call_that_was_under_way_is_not_tried_again(database: Database, database_url: str) -> None:
    under_way = asyncio.create_task(database.call(EVERYWHERE, "SELECT pg_sleep(20)", {}))
    begun = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner, asyncio.timeout(30):
        while await (await owner.execute(begun)).fetchone() != (1,):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await restart(database_url)
    with pytest.raises(psycopg.OperationalError):
        await under_way


async def test_what_the_server_says_unasked_ends_no_connection(database: Database, database_url: str) -> None:
    async def pids() -> set[int]:
        async with gate(database_url, 4):
            asked = asyncio.gather(*(database.call(EVERYWHERE, HOLD, {}) for _ in range(4)))
        return {pid for ((pid, _),) in await asked}

    before = await pids()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        try:
            # reported to every connection, whatever it is doing
            await owner.execute("ALTER SYSTEM SET intervalstyle = 'iso_8601'")
            await owner.execute("SELECT pg_reload_conf()")
            await asyncio.sleep(0.3)
            assert await pids() == before
        finally:
            await owner.execute("ALTER SYSTEM RESET intervalstyle")
            await owner.execute("SELECT pg_reload_conf()")
