"""One embedded PostgreSQL for the run; migrated and peopled once into a template, copied for each test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.folders import make_run_folder

_RUN = make_run_folder("pioneer-test-")
os.environ.setdefault("PIONEER_DATA_DIR", str(_RUN / "data"))
os.environ["PIONEER_SECRET_KEY"] = "tests-only-tests-only-tests-only-tests-only"

from fastapi import FastAPI  # noqa: E402
from hypothesis import settings  # noqa: E402
from psycopg.conninfo import make_conninfo  # noqa: E402

from app.cli.database import migrate_to_head  # noqa: E402
from app.core import jobs  # noqa: E402
from app.core.db import Database, start_embedded  # noqa: E402
from app.core.memory import settle  # noqa: E402
from app.hooks import install_hooks  # noqa: E402
from app.main import create_app  # noqa: E402
from tests.personas import PERSONAS, Caller, seed  # noqa: E402

# What hypothesis draws is the same every time where CI is set, its own profile; at a desk it differs, and this
# one draws ten times as much: `pytest --hypothesis-profile=long tests/sync/test_convergence.py`.
settings.register_profile("long", max_examples=1000, deadline=None, print_blob=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server_url() -> str:
    """The owner's URL of a running server: `PIONEER_TEST_DATABASE_URL`, else an embedded one of this run."""
    given = os.environ.get("PIONEER_TEST_DATABASE_URL")
    return given or _hurried(start_embedded(_RUN / "data"))


def _hurried(url: str) -> str:
    """Spare a server that nobody will need after a power cut the waiting for its disk.

    Commits, locks and snapshots stay what they are; only what is there after the machine has died is not
    promised any more. Without that, making and dropping a database for each test is half of the run.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "full_page_writes = off", "autovacuum = off", "checkpoint_timeout = '1h'"):
            connection.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")
    return url


def _url_of(server_url: str, name: str) -> str:
    return (
        server_url.replace("/postgres?", f"/{name}?", 1)
        if "/postgres?" in server_url
        else make_conninfo(server_url, dbname=name)
    )


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """A migrated database with the personas in it."""
    name = f"pioneer_template_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    url = _url_of(server_url, name)
    migrate_to_head(url)
    install_hooks()

    async def fill() -> None:
        database = Database(url, 2)
        await database.open()
        await seed(database)
        await database.close()

    asyncio.run(fill())
    _do_periodic_jobs(url)
    return name


def _do_periodic_jobs(url: str) -> None:
    """Have the jobs of every minute done for the hours of this run, as where another service does them.

    The first thing a service does is what was due in the last minute: for each test two jobs that find nothing.
    """
    every_minute = [task for task in jobs.queue.periodic_registry.periodic_tasks.values() if task.cron == "* * * * *"]
    with psycopg.connect(url, autocommit=True) as connection:
        for one in every_minute:
            connection.execute(
                "INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp) "
                "SELECT %s, %s, extract(epoch FROM minute)::bigint FROM generate_series(date_trunc('minute', now()) "
                "- interval '1 minute', now() + interval '2 hours', '1 minute') minute",
                (one.task.name, one.periodic_id),
            )


_counter = iter(range(1_000_000))


@contextmanager
def copy_of(server_url: str, template: str) -> Iterator[str]:
    """The owner's URL of a fresh copy of the template, dropped at the end."""
    name = f"pioneer_{os.getpid()}_{next(_counter)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # type: ignore[arg-type]
    yield _url_of(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A database of this test's own."""
    with copy_of(server_url, template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database as the service opens it."""
    opened = Database(database_url, 4)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def built_app() -> FastAPI:
    """The service, not running; reading its routes takes longer than most tests do."""
    app = create_app()
    settle()
    return app


@pytest.fixture
async def app(built_app: FastAPI, database_url: str) -> AsyncIterator[FastAPI]:
    """The running service, over a database of this test's own."""
    built_app.state.database_url = database_url
    async with built_app.router.lifespan_context(built_app):
        yield built_app


@pytest.fixture
async def call(app: FastAPI) -> AsyncIterator[Caller]:
    """Calls the service as a persona: `await call("committee", "GET", "/households", params=…)`."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    caller = Caller(httpx.AsyncClient(transport=transport, base_url="http://test"), PERSONAS)
    yield caller
    await caller.close()
