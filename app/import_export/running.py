"""The job of an import: open its file, read it, load it, say how far it is and how it went.

A roster is read wholly before anything is written: what it holds for each community is staged, sealed. Then each
community is one transaction, with what was wrong and what differed there; the last one also says how all of it went. A
worker that dies leaves each community done or untouched, and the job goes on with the first that is not done
(docs/decisions/0011).
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableSequence, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
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
from app.duplicates import finding as duplicates
from app.import_export.apart import WORKERS, die_with_parent, in_workers, run_apart
from app.import_export.differences import forget_differences, forget_old_differences, write_differences
from app.import_export.divisions import read_divisions
from app.import_export.loading import (
    PREVIEW_DOORS,
    Sorter,
    add_counts,
    columns_of,
    conflict_problem,
    known_codes,
    lift_bounds,
    load_divisions,
    preview_doors,
    put_part,
)
from app.import_export.models import ImportFile, ImportJob, ImportKind, ImportProblem, ImportStatus
from app.import_export.readings import DwellingRow, RowProblem, UnreadableFile
from app.import_export.roster import RosterReader, Share, ShareRead
from app.import_export.schemas import ImportCounts
from app.import_export.staging import (
    count_parts,
    counts_of_parts,
    forget_doors,
    lock_part,
    part_compared,
    part_done,
    stage_doors,
    staged_communities,
    staged_doors,
)
from app.people.registry import PutCounts, vars_of

log = get_logger()

CONTENT = "import_file.content"
PREVIEW = "import_job.preview_sealed"
KEPT_FOR = timedelta(days=7)
"""How long a file and its preview are kept."""
DIFFERENCES_KEPT_FOR = timedelta(days=30)
"""How long a committee can look through what a file and its registry gave differently."""
UNDO_WITHIN = timedelta(hours=1)
"""How long after it was done an import can be undone."""
_ATTEMPTS = 3
_PROGRESS_SECONDS = 0.4
_DOORS_AT_ONCE = 2_000
LARGE_BYTES = 1 << 20
"""Larger rosters are worked on in a process of their own."""
T = TypeVar("T")
_CHUNK = 10_000

# import_undo puts here: (session, job, community, what was put), in the transaction that writes it.
part_written_hooks: list[Callable[[AsyncSession, ImportJob, str, PutCounts], Awaitable[None]]] = []


class Progress:
    """How far an import is: written by the reading thread and the loading, taken down from time to time."""

    def __init__(self, done: int = 0, total: int = 0) -> None:
        self.done = done
        self.total = total

    def read(self, done: int, total: int) -> None:
        """So many rows are read; each counts half until it is loaded too."""
        self.done, self.total = done // 2, total

    def loader(self, count: int, part: int = 0, parts: int = 1) -> "Loader":
        """Count the loading of `count` things, a roster's doors, as one of the `parts` of the second half."""
        return Loader(self, count, part, parts)


class Loader:
    """Called with how many of `count` are loaded."""

    def __init__(self, progress: Progress, count: int, part: int, parts: int) -> None:
        self.progress = progress
        self.count = max(count, 1)
        self.part = part
        self.parts = max(parts, 1)

    def __call__(self, done: int) -> None:
        """So many are loaded."""
        first = self.progress.total // 2
        half = self.progress.total - first
        share = (self.part + min(done, self.count) / self.count) / self.parts
        self.progress.done = first + int(half * share)


@jobs.queue.task(
    name="import_export.run_import", retry=RetryStrategy(max_attempts=_ATTEMPTS, wait=2), pass_context=True
)
async def run_import(context: JobContext, import_id: str) -> None:
    """Do what was asked with an import; a file that cannot be read is an answer, not a failure of the job."""
    database = jobs.database_of(context)
    job = await _start(database, UUID(import_id))
    if job is None:
        return
    try:
        if context.job.attempts > _ATTEMPTS:
            raise _gave_up()  # its worker died each time
        await _run(database, job)
        if job.kind == ImportKind.ROSTER and not job.is_dry_run:
            async with database.session(EVERYWHERE) as session:
                await duplicates.start_search(session)
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
    due = due.where(col(ImportJob.status).not_in((ImportStatus.QUEUED, ImportStatus.RUNNING)))
    by_community: dict[str, list[UUID]] = {}
    for job in (await session.scalars(due.with_for_update(skip_locked=True))).all():
        by_community.setdefault(job.community_code or NOWHERE, []).append(job.id)
    ids = [one for group in by_community.values() for one in group]
    await session.execute(delete(ImportFile).where(col(ImportFile.import_id).in_(ids)))
    gone: dict[str, Any] = {"preview_sealed": None, "sheets": [], "staged_at": None}
    await session.execute(update(ImportJob).where(col(ImportJob.id).in_(ids)).values(gone))
    for one in ids:
        await forget_doors(session, one)
    await forget_old_differences(session, now() - DIFFERENCES_KEPT_FOR)
    for community, group in sorted(by_community.items()):
        await audit.append_entry(session, audit.SYSTEM, community, "expire_files", group)
    return len(ids)


def _gave_up() -> UnreadableFile:
    return UnreadableFile(
        "import_failed",
        "服务器多次尝试后仍未能完成导入。每个村居要么全部写入，要么没有写入。请稍后重新导入，已写入的不会重复。",
        "The service could not finish this import after several attempts. Each community is written wholly or not at "
        "all. Import it again later; what is written already does not double.",
    )


async def _start(database: Database, import_id: UUID) -> ImportJob | None:
    """Mark it as running; None when it is over already, as after an answer that was lost."""
    async with database.session(EVERYWHERE) as session:
        statement = select(ImportJob).where(col(ImportJob.id) == import_id).with_for_update()
        job = (await session.scalars(statement)).one_or_none()
        if job is None or job.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING):
            return None
        job.status = ImportStatus.RUNNING
        return job


async def file_of(session: AsyncSession, import_id: UUID) -> bytes:
    """The file somebody brought; raises UnreadableFile (`import_file_gone`) when its days are over."""
    statement = select(col(ImportFile.content_sealed)).where(col(ImportFile.import_id) == import_id)
    pieces = (await session.scalars(statement.order_by(col(ImportFile.seq)))).all()
    if not pieces:
        raise file_gone()
    return b"".join(crypto.key_ring().open(piece, CONTENT) for piece in pieces)


def file_gone() -> UnreadableFile:
    """The file is no longer there."""
    return UnreadableFile(
        "import_file_gone",
        "文件已过保存期限并删除，请重新上传。",
        "The file was kept for its days and is deleted; please upload it again.",
    )


async def _run(database: Database, job: ImportJob) -> None:
    if job.kind == ImportKind.ROSTER and await _is_large(database, job.id):
        await run_apart(database.url, job.id)
        return
    progress = Progress(job.progress_done, job.progress_total)
    async with _telling(database, job.id, progress):
        if job.kind == ImportKind.DIVISIONS:
            await _run_divisions(database, job, progress)
            return
        if job.staged_at is None:
            await _stage(database, job, progress)
        await _prepare_parts(database, job)
        await _work_parts(database, job, progress)


async def _is_large(database: Database, import_id: UUID) -> bool:
    statement = text("SELECT coalesce(sum(octet_length(content_sealed)), 0) FROM import_file WHERE import_id = :id")
    async with database.session(EVERYWHERE) as session:
        return int((await session.execute(statement, {"id": import_id})).scalar_one()) > LARGE_BYTES


def work_alone(url: str, import_id: UUID) -> None:
    """Work on a large roster in this process, which is there for nothing else."""
    die_with_parent()
    gc.set_threshold(100_000, 50, 100)
    asyncio.run(_work_alone(url, import_id))


async def _work_alone(url: str, import_id: UUID) -> None:
    database = Database(url, pool_size=2)
    try:
        async with database.session(EVERYWHERE) as session:
            job = await session.get(ImportJob, import_id)
        if job is None or job.status != ImportStatus.RUNNING:
            return
        progress = Progress(job.progress_done, job.progress_total)
        async with _telling(database, import_id, progress):
            if job.staged_at is None:
                await _stage(database, job, progress, WORKERS)
            await _prepare_parts(database, job)
            # connections are not shared with the processes that are forked now
            await database.engine.dispose()
            await _work_side_by_side(database, job, progress)
            async with database.session(_scope(job)) as session:
                await _finish(session, job, progress, await _sum_of_parts(session, job))
    except UnreadableFile as error:
        await _fail(database, import_id, error)
    finally:
        await database.engine.dispose()


async def _work_side_by_side(database: Database, job: ImportJob, progress: Progress) -> None:
    async with database.session(_scope(job)) as session:
        parts = await count_parts(session, job.id)
        waiting = len(await staged_communities(session, job.id))
    await database.engine.dispose()

    def work(number: int, done: MutableSequence[float]) -> None:
        asyncio.run(_work_share(database.url, job, number, done))

    def heard(done: float) -> None:
        progress.loader(max(parts, 1))(int(parts - waiting + done))

    await in_workers(min(WORKERS, max(waiting, 1)), work, heard)


async def _work_share(url: str, job: ImportJob, number: int, done: MutableSequence[float]) -> None:
    """One of `WORKERS`: every so many-th community."""
    database = Database(url, pool_size=1)
    try:
        async with database.session(_scope(job)) as session:
            waiting = await staged_communities(session, job.id)
        for community in waiting[number::WORKERS]:
            async with database.session(_scope(job)) as session:
                await _work_part(session, job, community)
            done[number] += 1
    finally:
        await database.engine.dispose()


async def _run_divisions(database: Database, job: ImportJob, progress: Progress) -> None:
    code = str(job.community_code)
    prefix = prefix_of(code)
    doer = audit.Doer(job.run_by, job.run_by_name)
    async with database.session(Scope((prefix,))) as session:
        content = await file_of(session, job.id)
        known = await known_codes(session, prefix)
    listed = await anyio.to_thread.run_sync(
        partial(read_divisions, content, job.file_name, under=prefix, known=known), abandon_on_cancel=True
    )
    progress.read(listed.row_count, listed.row_count)
    async with database.session(Scope((prefix,))) as session:
        loaded = await load_divisions(
            session, doer, code, listed, is_dry_run=job.is_dry_run, on_progress=progress.loader(len(listed.rows))
        )
        await session.execute(delete(ImportProblem).where(col(ImportProblem.import_id) == job.id))
        await _write_problems(session, job.id, loaded.problems)
        await _finish(session, job, progress, loaded.counts)


def _scope(job: ImportJob) -> Scope:
    return Scope((prefix_of(str(job.community_code)),))


async def _stage(database: Database, job: ImportJob, progress: Progress, workers: int = 1) -> None:
    """Read the file and keep what it holds, community by community, with what is wrong with the file itself; where
    the rows of one community depend on no other's, in several processes at once."""
    async with database.session(_scope(job)) as session:
        await forget_doors(session, job.id)
        content = await file_of(session, job.id)
    reader = await _in_thread(
        partial(RosterReader, content, job.file_name, mapping=job.mapping, today=today(), on_progress=progress.read)
    )
    del content
    sheets = [asdict(sheet) for sheet in reader.sheets]
    order = {sheet.name: at for at, sheet in enumerate(reader.sheets)}
    async with database.session(_scope(job)) as session:
        sorter = await Sorter.of(session, str(job.community_code), columns_of(sheets))
    stager = Stager(database, job, sorter)
    shares = await _in_thread(partial(reader.shares, workers))
    if shares:
        found = await _stage_shares(database, job, reader, shares, sorter, progress)
        for one in found:
            stager.add(one)
        await stager.stage(iter([reader.join([one.read for one in found])]))
    else:
        await stager.stage(reader.doors())
    first = sorted(stager.first, key=lambda door: (order[door.sheet], door.row))[:PREVIEW_DOORS]
    problems = reader.problems + sorter.problems
    problems.sort(key=lambda one: (order.get(one.sheet, 0), one.row))
    preview = orjson.dumps([door.model_dump() for door in preview_doors(first)])
    counts = ImportCounts(rows=reader.counts["rows"], rejected=reader.counts["rejected"] + sorter.refused)
    job.staged_at, job.counts, job.sheets = now(), counts.model_dump(), sheets
    async with database.session(_scope(job)) as session:
        await lift_bounds(session)
        await session.execute(delete(ImportProblem).where(col(ImportProblem.import_id) == job.id))
        await _write_problems(session, job.id, problems)
        values = {
            "staged_at": job.staged_at,
            "counts": job.counts,
            "sheets": job.sheets,
            "preview_sealed": crypto.key_ring().seal(preview, PREVIEW),
            "progress_done": progress.done,
            "progress_total": progress.total,
        }
        await session.execute(update(ImportJob).where(col(ImportJob.id) == job.id).values(values))


@dataclass(frozen=True, slots=True)
class StagedShare:
    """What a process that has read and staged a share tells of it."""

    read: ShareRead
    first: list[DwellingRow]
    problems: list[RowProblem]
    refused: int


class Stager:
    """Keeps doors for their communities as they are read, and remembers the first of them for the preview."""

    def __init__(self, database: Database, job: ImportJob, sorter: Sorter) -> None:
        self.first: list[DwellingRow] = []
        self._database = database
        self._job = job
        self._sorter = sorter

    async def stage(self, doors: Iterator[list[DwellingRow]]) -> None:
        """Keep all of them."""
        while (batch := await _in_thread(partial(_next_doors, doors))) is not None:
            async with self._database.session(_scope(self._job)) as session:
                for community, its in sorted((await self._sorter.sort(session, batch)).items()):
                    await stage_doors(session, community, self._job.id, its)
                    self.first += its[:PREVIEW_DOORS]
            self.first = sorted(self.first, key=lambda door: door.row)[: 4 * PREVIEW_DOORS]

    def add(self, share: StagedShare) -> None:
        """Take what another process has told."""
        self.first += share.first
        self._sorter.problems += share.problems
        self._sorter.refused += share.refused


async def _stage_shares(
    database: Database,
    job: ImportJob,
    reader: RosterReader,
    shares: Sequence[Share],
    sorter: Sorter,
    progress: Progress,
) -> list[StagedShare]:
    # connections are not shared with the processes that are forked now
    await database.engine.dispose()

    def work(number: int, done: MutableSequence[float]) -> StagedShare:
        return asyncio.run(_stage_share(database.url, job, reader, shares[number], sorter, number, done))

    return await in_workers(len(shares), work, lambda done: progress.read(int(done), reader.total))


async def _stage_share(
    url: str,
    job: ImportJob,
    reader: RosterReader,
    share: Share,
    sorter: Sorter,
    number: int,
    done: MutableSequence[float],
) -> StagedShare:
    def told(rows: int, _total: int) -> None:
        done[number] = rows

    database = Database(url, pool_size=1)
    try:
        stager = Stager(database, job, sorter)
        await stager.stage(reader.share_doors(share, told))
        return StagedShare(reader.share_read(), stager.first, sorter.problems, sorter.refused)
    finally:
        await database.engine.dispose()


async def _in_thread(work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


def _next_doors(doors: Iterator[list[DwellingRow]]) -> list[DwellingRow] | None:
    """The next communities' doors, about `_DOORS_AT_ONCE` of them; None at the end."""
    batch: list[DwellingRow] = []
    for its in doors:
        batch += its
        if len(batch) >= _DOORS_AT_ONCE:
            return batch
    return batch or None


async def _prepare_parts(database: Database, job: ImportJob) -> None:
    """A comparison begins anew; what is written stays."""
    if job.is_dry_run:
        async with database.session(_scope(job)) as session:
            await forget_comparison(session, job.id)


async def _work_parts(database: Database, job: ImportJob, progress: Progress) -> None:
    """Put each community's doors into its registry, or compare them with it, one after the other. The transaction of
    the last one also says how all of it went."""
    async with database.session(_scope(job)) as session:
        waiting = await staged_communities(session, job.id)
        parts = await count_parts(session, job.id)
        if not waiting:
            await _finish(session, job, progress, await _sum_of_parts(session, job))
    for at, community in enumerate(waiting, parts - len(waiting)):
        async with database.session(_scope(job)) as session:
            await _work_part(session, job, community, lambda count, at=at: progress.loader(count, at, parts))  # type: ignore[misc]
            if community == waiting[-1]:
                await _finish(session, job, progress, await _sum_of_parts(session, job))


async def _work_part(
    session: AsyncSession, job: ImportJob, community: str, loader: Callable[[int], Loader] | None = None
) -> None:
    """One community, in the session's transaction."""
    await lift_bounds(session)
    if not await lock_part(session, community, job.id):
        return  # another worker was here, which was taken for dead
    doors = await staged_doors(session, community, job.id)
    put = await put_part(
        session, audit.Doer(job.run_by, job.run_by_name), community, doors, is_dry_run=job.is_dry_run,
        as_of=job.as_of, on_progress=loader(len(doors)) if loader else None,
    )  # fmt: skip
    await write_differences(session, community, job.id, put.differences)
    columns = columns_of(job.sheets)
    problems = [conflict_problem(conflict, columns) for conflict in put.conflicts]
    await _write_problems(session, job.id, problems, is_of_registry=True)
    if job.is_dry_run:
        await part_compared(session, community, job.id, vars_of(put))
    else:
        await part_done(session, community, job.id, vars_of(put), put.version)
        for hook in part_written_hooks:
            await hook(session, job, community, put)
        if put.created or put.updated:
            await duplicates.want_search(session, community, community)


async def _sum_of_parts(session: AsyncSession, job: ImportJob) -> ImportCounts:
    counts = ImportCounts(rows=job.counts["rows"], rejected=job.counts["rejected"])
    for part in await counts_of_parts(session, job.id):
        add_counts(counts, part)
    return counts


async def forget_comparison(session: AsyncSession, import_id: UUID) -> None:
    """Take away what was found when the file was compared with the registry before."""
    await forget_differences(session, import_id)
    is_its = col(ImportProblem.import_id) == import_id
    await session.execute(delete(ImportProblem).where(is_its, col(ImportProblem.is_of_registry)))


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


async def _finish(session: AsyncSession, job: ImportJob, progress: Progress, counts: ImportCounts) -> None:
    """Write down how it went, in the transaction of the last part of the work."""
    await _order_problems(session, job)
    at = now()
    is_written = job.kind == ImportKind.ROSTER and not job.is_dry_run
    await session.execute(
        update(ImportJob)
        .where(col(ImportJob.id) == job.id)
        .values(
            status=ImportStatus.PREVIEWED if job.is_dry_run else ImportStatus.DONE,
            progress_done=progress.total,
            progress_total=progress.total,
            counts=counts.model_dump(),
            error_code=None,
            error_zh=None,
            error_en=None,
            finished_at=at,
            undo_until=at + UNDO_WITHIN if is_written else None,
        )
    )


async def _order_problems(session: AsyncSession, job: ImportJob) -> None:
    """Number the problems as their rows stand in the file; those of the registry came behind the others."""
    params = {"id": job.id, "sheets": [sheet["name"] for sheet in job.sheets]}
    statement = text("""
        WITH ordered AS (
            SELECT seq, row_number() OVER (ORDER BY array_position(cast(:sheets AS text[]), sheet), row, seq) AS at
            FROM import_problem WHERE import_id = :id AND EXISTS (
                SELECT FROM import_problem WHERE import_id = :id AND is_of_registry)
        )
        UPDATE import_problem p SET seq = -o.at FROM ordered o WHERE p.import_id = :id AND p.seq = o.seq
    """)
    await session.execute(statement, params)
    await session.execute(
        text("UPDATE import_problem SET seq = -seq WHERE import_id = :id AND seq < 0"), {"id": job.id}
    )


async def _write_problems(
    session: AsyncSession, import_id: UUID, problems: list[RowProblem], *, is_of_registry: bool = False
) -> None:
    if not problems:
        return
    # one worker after the other, for the numbers go on where the last one's end
    await session.execute(text("SELECT FROM import_job WHERE id = :id FOR NO KEY UPDATE"), {"id": import_id})
    last = text("SELECT coalesce(max(seq), 0) FROM import_problem WHERE import_id = :id")
    before = (await session.execute(last, {"id": import_id})).scalar_one()
    statement = text("""
        INSERT INTO import_problem (import_id, seq, sheet, row, "column", code, severity, is_of_registry, message_zh,
            message_en)
        SELECT :id, :start + ordinality, sheet, row, "column", code, severity, :registry, message_zh, message_en
        FROM ROWS FROM (jsonb_to_recordset(cast(:rows AS jsonb)) AS (sheet text, row int, "column" text, code text,
            severity text, message_zh text, message_en text)) WITH ORDINALITY
    """)
    for start in range(0, len(problems), _CHUNK):
        rows = orjson.dumps([asdict(found) for found in problems[start : start + _CHUNK]]).decode()
        params = {"id": import_id, "start": before + start, "rows": rows, "registry": is_of_registry}
        await session.execute(statement, params)


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
                staged_at=None,
                preview_sealed=None,
                finished_at=now(),
            )
        )
