"""What is awkward through HTTP: workers that die, jobs that run twice, progress, and the command line."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
from procrastinate import JobContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from app import cli
from app.auth.models import Role
from app.auth.service import Actor
from app.cli import running as command
from app.core import jobs
from app.core.db import EVERYWHERE, Database, set_scope
from app.import_export import running, service
from app.import_export.models import ImportKind
from app.import_export.schemas import ImportRead
from app.main import open_queue
from tests.conftest import _url_of
from tests.import_export.sheets import SAMPLES, csv_text, xlsx
from tests.import_export.test_routes import HEAD, roster
from tests.personas import PERSONAS, A

ACTOR = Actor(PERSONAS["committee"].id, "委员会", "person", None, ((Role.COMMITTEE, A),))
samples = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="the sample files are not beside this checkout"
)


async def bring(database: Database, content: bytes, *, dry_run: bool = False) -> UUID:
    """A queued import."""
    async with database.session(ACTOR.scope) as session:
        job = await service.create_import(
            session,
            ACTOR,
            kind=ImportKind.ROSTER,
            file_name="名册.xlsx",
            content=content,
            community_code=A,
            dry_run=dry_run,
            mapping=None,
        )
        return job.id


async def run(database: Database, import_id: UUID, attempts: int = 0) -> None:
    """Run its job, as a worker does."""
    context = SimpleNamespace(additional_context={jobs.DATABASE: database}, job=SimpleNamespace(attempts=attempts))
    await running.run_import(cast(JobContext, context), str(import_id))


async def seen(database: Database, import_id: UUID) -> ImportRead:
    async with database.session(ACTOR.scope) as session:
        return await service.get_import(session, ACTOR, import_id, None, english=False)


async def counted(database: Database, statement: str) -> int:
    async with database.session(EVERYWHERE) as session:
        return int((await session.execute(text(statement))).scalar_one())


class TestAWorkerThatDies:
    async def test_leaves_nothing_and_the_job_runs_again(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = await bring(database, roster())

        async def die(*_: Any) -> None:
            raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(running, "_finish", die)
            with pytest.raises(ConnectionError):
                await run(database, import_id)
        assert (await seen(database, import_id)).status == "running"
        for table in ("dwelling", "household", "resident", "import_problem"):
            assert await counted(database, f"SELECT count(*) FROM {table}") == 0
        assert await counted(database, "SELECT count(*) FROM audit_entry WHERE action = 'import_roster'") == 0

        await run(database, import_id, attempts=1)
        done = await seen(database, import_id)
        assert (done.status, done.counts.created) == ("done", 3)
        await run(database, import_id, attempts=2)
        assert (await seen(database, import_id)).model_dump() == done.model_dump()
        assert await counted(database, "SELECT count(*) FROM audit_entry WHERE action = 'import_roster'") == 1

    @pytest.mark.parametrize("attempts", [3, 4])
    async def test_again_and_again_is_said_at_last(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, attempts: int
    ) -> None:
        import_id = await bring(database, roster())

        def broken(*_: Any, **__: Any) -> None:
            raise MemoryError

        monkeypatch.setattr(running, "RosterReader", broken)
        try:
            await run(database, import_id, attempts=attempts)
        except MemoryError:
            assert attempts == 3
        failed = await seen(database, import_id)
        assert (failed.status, failed.error and failed.error.code) == ("failed", "import_failed")

    async def test_gives_its_job_back_to_the_queue(self, database: Database) -> None:
        import_id = await bring(database, roster())
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
        async with open_queue(database, run_worker=True):
            context = SimpleNamespace(app=jobs.queue)
            await jobs.requeue_stalled_jobs(cast(JobContext, context), 0)
            for _ in range(1_200):
                if (await seen(database, import_id)).status == "done":
                    break
                await asyncio.sleep(0.05)
        assert (await seen(database, import_id)).counts.created == 3

    async def test_never_queues_what_was_rolled_back(self, database: Database) -> None:
        async with AsyncSession(database.engine) as session:
            await set_scope(session, ACTOR.scope)
            await service.create_import(
                session, ACTOR, kind=ImportKind.ROSTER, file_name="a.csv", content=b"x", community_code=A,
                dry_run=True, mapping=None,
            )  # fmt: skip
            await session.rollback()
        assert await counted(database, "SELECT count(*) FROM import_job") == 0
        assert await counted(database, "SELECT count(*) FROM procrastinate_jobs") == 0


class TestProgress:
    async def test_rises_while_it_works_and_ends_at_the_total(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "_PROGRESS_SECONDS", 0.01)
        rows: list[list[object]] = [
            [str(n // 100), "1", str(1001 + n % 100), "", f"甲{n}", "户主", "男", "", "", ""] for n in range(3000)
        ]
        import_id = await bring(database, xlsx([HEAD, *rows]), dry_run=True)
        work = asyncio.create_task(run(database, import_id))
        told = []
        while not work.done():
            told.append((await seen(database, import_id)).progress)
            await asyncio.sleep(0.01)
        await work
        done = [progress.done for progress in told]
        assert done == sorted(done)
        assert any(0 < progress.done < progress.total for progress in told)
        last = (await seen(database, import_id)).progress
        assert (last.done, last.total) == (3001, 3001)


@pytest.fixture
def empty_url(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with nothing in it, not even tables; the command line's."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE pioneer_empty")
    url = _url_of(server_url, "pioneer_empty")
    monkeypatch.setattr(command, "open_url", lambda: url)
    yield url
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE pioneer_empty WITH (FORCE)")


def pioneer(*words: object) -> Result:
    """Run the command line."""
    return CliRunner().invoke(cli.app, [str(word) for word in words])


class TestCommandLine:
    @samples
    def test_loads_a_city_and_a_roster_into_an_empty_database(self, empty_url: str, tmp_path: Path) -> None:
        city = SAMPLES / "jinan-divisions.csv"
        first = pioneer("import", "divisions", city)
        assert first.exit_code == 0
        assert "13 districts, 164 towns, 5,758 communities" in first.stdout
        assert "5,936 created" in first.stdout
        assert "5,936 unchanged" in pioneer("import", "divisions", city).stdout

        words = ("import", "roster", SAMPLES / "rosters" / "huayuanlu.xlsx", "--community", "370102001002")
        errors = tmp_path / "errors.xlsx"
        preview = pioneer(*words, "--dry-run", "--errors", errors)
        assert "480 dwellings (30 vacant), 450 households, 1,295 persons" in preview.stdout
        assert "Would be: 1,325 created" in preview.stdout
        assert errors.read_bytes().startswith(b"PK")
        assert "id_from_number" in preview.stderr
        assert "1,325 created" in pioneer(*words).stdout
        assert "0 created, 0 updated, 1,325 unchanged" in pioneer(*words).stdout
        assert pioneer("audit", "verify").exit_code == 0
        assert pioneer("tally", "verify").exit_code == 0

    def test_reads_the_parents_of_a_split_list_beside_it(self, empty_url: str, tmp_path: Path) -> None:
        tables: dict[str, list[list[object]]] = {
            "villages": [
                ["code", "name", "streetCode", "provinceCode", "cityCode", "areaCode"],
                ["990101001001", "甲社区", "990101001", "99", "9901", "990101"],
                ["990101001002", "乙社区", "990101001", "99", "9901", "990101"],
            ],
            "streets": [["code", "name"], ["990101001", "花园街道"]],
            "areas": [["code", "name"], ["990101", "东区"]],
            "cities": [["code", "name"], ["9901", "示例市"]],
        }
        for name, rows in tables.items():
            (tmp_path / f"{name}.csv").write_text(csv_text(rows))
        loaded = pioneer("import", "divisions", tmp_path / "villages.csv")
        assert "1 city, 1 district, 1 town, 2 communities" in loaded.stdout
        assert "5 created" in loaded.stdout

    def test_says_what_is_wrong(self, empty_url: str, tmp_path: Path) -> None:
        empty = tmp_path / "a.csv"
        empty.write_text("")
        unknown = tmp_path / "b.csv"
        unknown.write_text("甲,乙\n1,2\n")
        for words, code, told in (
            (("divisions", empty), 2, "The file is empty"),
            (("divisions", unknown), 2, "Not a division list"),
            (("roster", empty, "--community", "370102001002"), 2, "The file is empty"),
            (("roster", unknown, "--community", "370102001002"), 2, "no such community"),
            (("roster", tmp_path / "c.csv", "--community", "370102001002"), 2, "Invalid value"),
        ):
            result = pioneer("import", *words)
            assert (result.exit_code, told in result.stderr) == (code, True), result.stderr
