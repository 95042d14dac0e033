"""The job of an import: open its file, read it, load it, say how far it is and how it went.

What an import writes, its problems, counts and status are one transaction: a worker that dies leaves nothing
half done, and the job runs again from the start.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from uuid import UUID

import anyio.to_thread
import orjson
from procrastinate import JobContext, RetryStrategy
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.core import crypto, jobs
from app.core.area_code import prefix_of
from app.core.clock import now, today
from app.core.db import EVERYWHERE, NOWHERE, Database, Scope
from app.core.logging import get_logger
from app.import_export.divisions import read_divisions
from app.import_export.loading import Loaded, known_codes, load_divisions, load_roster
from app.import_export.models import ImportFile, ImportJob, ImportKind, ImportProblem, ImportStatus
from app.import_export.readings import RowProblem, SheetReading, UnreadableFile
from app.import_export.roster import read_roster

log = get_logger()

CONTENT = "import_file.content"
PREVIEW = "import_job.preview_sealed"
KEPT_FOR = timedelta(days=7)
"""How long a file and its preview are kept."""
_ATTEMPTS = 3
_PROGRESS_SECONDS = 0.4
_CHUNK = 10_000


class Progress:
    """How far an import is: written by the reading thread and the loading, taken down from time to time."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0

    def read(self, done: int, total: int) -> None:
        """So many rows are read; each counts half until it is loaded too."""
        self.done, self.total = done // 2, total

    def loader(self, count: int) -> "Loader":
        """Count the loading of `count` things, a roster's doors, as the second half."""
        return Loader(self, count)


class Loader:
    """Called with how many of `count` are loaded."""

    def __init__(self, progress: Progress, count: int) -> None:
        self.progress = progress
        self.count = max(count, 1)

    def __call__(self, done: int) -> None:
        """So many are loaded."""
        half = self.progress.total - self.progress.total // 2
        self.progress.done = self.progress.total // 2 + half * min(done, self.count) // self.count


@jobs.queue.task(
    name="import_export.run_import", retry=RetryStrategy(max_attempts=_ATTEMPTS, wait=2), pass_context=True
)
async def run_import(context: JobContext, import_id: str) -> None:
    """Do what was asked with an import; a file that cannot be read is an answer, not a failure of the job."""
    database = jobs.database_of(context)
    job, content = await _start(database, UUID(import_id))
    if job is None:
        return
    try:
        if context.job.attempts > _ATTEMPTS:
            raise _gave_up()  # its worker died each time
        await _run(database, job, content)
    except UnreadableFile as error:
        await _fail(database, job.id, error)
    except Exception:
        log.exception("run_import.failed", import_id=import_id, attempts=context.job.attempts)
        if context.job.attempts >= _ATTEMPTS:
            await _fail(database, job.id, _gave_up())
        raise


@jobs.queue.periodic(cron="17 18 * * *")
@jobs.queue.task(name="import_export.expire_files", queueing_lock="expire_files", pass_context=True)
async def expire_files(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - given by the queue
    """Forget the files and previews whose days are over, daily at 2:17 in Shanghai; the trail says so."""
    async with jobs.database_of(context).session(EVERYWHERE) as session:
        await forget_files(session)


async def forget_files(session: AsyncSession) -> int:
    """Delete the files, previews and samples of imports older than `KEPT_FOR`; answers how many imports."""
    old = col(ImportJob.created_at) < now() - KEPT_FOR
    due = select(ImportJob).where(old, col(ImportJob.id).in_(select(col(ImportFile.import_id))))
    by_community: dict[str, list[UUID]] = {}
    for job in (await session.scalars(due.with_for_update(skip_locked=True))).all():
        by_community.setdefault(job.community_code or NOWHERE, []).append(job.id)
    ids = [one for group in by_community.values() for one in group]
    await session.execute(delete(ImportFile).where(col(ImportFile.import_id).in_(ids)))
    await session.execute(update(ImportJob).where(col(ImportJob.id).in_(ids)).values(preview_sealed=None, sheets=[]))
    for community, group in sorted(by_community.items()):
        await audit.append_entry(session, audit.SYSTEM, community, "expire_files", group)
    return len(ids)


def _gave_up() -> UnreadableFile:
    return UnreadableFile(
        "import_failed",
        "服务器多次尝试后仍未能完成导入,没有写入任何数据。请稍后重试,或联系管理员。",
        "The service could not finish this import after several attempts; nothing was written. Try again later.",
    )


async def _start(database: Database, import_id: UUID) -> tuple[ImportJob | None, bytes]:
    """Mark it as running and open its file; None when it is over already, as after an answer that was lost."""
    async with database.session(EVERYWHERE) as session:
        statement = select(ImportJob).where(col(ImportJob.id) == import_id).with_for_update()
        job = (await session.scalars(statement)).one_or_none()
        if job is None or job.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
            return None, b""
        job.status = ImportStatus.RUNNING
        job.progress_done = job.progress_total = 0
        sealed = await session.scalar(
            select(col(ImportFile.content_sealed)).where(col(ImportFile.import_id) == import_id)
        )
    if sealed is None:
        await _fail(database, import_id, file_gone())
        return None, b""
    return job, crypto.key_ring().open(sealed, CONTENT)


def file_gone() -> UnreadableFile:
    """The file is no longer there."""
    return UnreadableFile(
        "import_file_gone",
        "文件已过保存期限并删除,请重新上传。",
        "The file was kept for its days and is deleted; please upload it again.",
    )


async def _run(database: Database, job: ImportJob, content: bytes) -> None:
    progress = Progress()
    doer = audit.Doer(job.run_by, job.run_by_name)
    code = str(job.community_code)
    sheets: list[SheetReading] = []
    async with _telling(database, job.id, progress):
        if job.kind == ImportKind.ROSTER:
            reading = await anyio.to_thread.run_sync(
                partial(
                    read_roster, content, job.file_name, mapping=job.mapping, today=today(), on_progress=progress.read
                ),
                abandon_on_cancel=True,
            )
            sheets = reading.sheets
            async with database.session(Scope((code,))) as session:
                loaded = await load_roster(
                    session, doer, code, reading,
                    is_dry_run=job.is_dry_run, on_progress=progress.loader(len(reading.dwellings)),
                )  # fmt: skip
                await _finish(session, job, progress, loaded, sheets)
            return
        prefix = prefix_of(code)
        async with database.session(Scope((prefix,))) as session:
            known = await known_codes(session, prefix)
        listed = await anyio.to_thread.run_sync(
            partial(read_divisions, content, job.file_name, under=prefix, known=known), abandon_on_cancel=True
        )
        progress.read(listed.row_count, listed.row_count)
        async with database.session(Scope((prefix,))) as session:
            loaded = await load_divisions(
                session, doer, code, listed, is_dry_run=job.is_dry_run, on_progress=progress.loader(len(listed.rows))
            )
            await _finish(session, job, progress, loaded, sheets)


@asynccontextmanager
async def _telling(database: Database, import_id: UUID, progress: Progress) -> AsyncIterator[None]:
    """Take the progress down while the work goes on, each time in a short transaction of its own."""

    async def tell() -> None:
        told = (0, 0)
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            seen = (progress.done, progress.total)
            if seen != told:
                async with database.session(EVERYWHERE) as session:
                    await session.execute(
                        update(ImportJob)
                        .where(col(ImportJob.id) == import_id, col(ImportJob.status) == ImportStatus.RUNNING)
                        .values(progress_done=seen[0], progress_total=seen[1])
                    )
                told = seen

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await teller


async def _finish(
    session: AsyncSession, job: ImportJob, progress: Progress, loaded: Loaded, sheets: list[SheetReading]
) -> None:
    """Write down how it went, in the transaction of the work itself."""
    await session.execute(delete(ImportProblem).where(col(ImportProblem.import_id) == job.id))
    await _write_problems(session, job.id, loaded.problems)
    preview = orjson.dumps([door.model_dump() for door in loaded.preview])
    await session.execute(
        update(ImportJob)
        .where(col(ImportJob.id) == job.id)
        .values(
            status=ImportStatus.PREVIEWED if job.is_dry_run else ImportStatus.DONE,
            progress_done=progress.total,
            progress_total=progress.total,
            counts=loaded.counts.model_dump(),
            sheets=[asdict(sheet) for sheet in sheets],
            preview_sealed=crypto.key_ring().seal(preview, PREVIEW),
            error_code=None,
            error_zh=None,
            error_en=None,
            finished_at=now(),
        )
    )


async def _write_problems(session: AsyncSession, import_id: UUID, problems: list[RowProblem]) -> None:
    statement = text("""
        INSERT INTO import_problem (import_id, seq, sheet, row, "column", code, severity, message_zh, message_en)
        SELECT :id, :start + ordinality, sheet, row, "column", code, severity, message_zh, message_en
        FROM ROWS FROM (jsonb_to_recordset(cast(:rows AS jsonb)) AS (sheet text, row int, "column" text, code text,
            severity text, message_zh text, message_en text)) WITH ORDINALITY
    """)
    for start in range(0, len(problems), _CHUNK):
        rows = orjson.dumps([asdict(found) for found in problems[start : start + _CHUNK]]).decode()
        await session.execute(statement, {"id": import_id, "start": start, "rows": rows})


async def _fail(database: Database, import_id: UUID, error: UnreadableFile) -> None:
    async with database.session(EVERYWHERE) as session:
        await session.execute(delete(ImportProblem).where(col(ImportProblem.import_id) == import_id))
        await session.execute(
            update(ImportJob)
            .where(col(ImportJob.id) == import_id)
            .values(
                status=ImportStatus.FAILED,
                error_code=error.code,
                error_zh=error.zh,
                error_en=error.en,
                counts={},
                sheets=[],
                preview_sealed=None,
                finished_at=now(),
            )
        )
