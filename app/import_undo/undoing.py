"""Taking an import back, community by community: each is one transaction under its clock, wholly done or untouched.

A worker that dies leaves each community done or waiting, and the job goes on with the first that waits.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.core import jobs
from app.core.area_code import prefix_of
from app.core.clock import now
from app.core.db import EVERYWHERE, Database, Scope
from app.core.logging import get_logger
from app.duplicates import finding as duplicates
from app.import_export.loading import lift_bounds
from app.import_export.models import ImportJob, UndoStatus
from app.import_export.running import DIFFERENCES_KEPT_FOR
from app.import_undo.evidence import KEPT_APART, forget_written
from app.import_undo.finding import LEFT, NEW_DOORS, NEW_HOMES, NEW_PEOPLE, OLD_ROWS, Reach, is_stirred, params_of
from app.import_undo.models import ImportWritten
from app.people import service as people
from app.people.registry import CHANGING
from app.posts import service as posts
from app.screening import service as screening
from app.taken_out import service as taken_out

log = get_logger()

_ATTEMPTS = 3
# what a community's undo works on, in the order in which each needs those before it
_TABLES = {
    "left_as_is": ("dwelling_id uuid, household_id uuid, reason text, at timestamptz, who text", LEFT),
    "new_homes": ("id uuid, dwelling_id uuid", NEW_HOMES),
    "new_people": ("id uuid, household_id uuid", NEW_PEOPLE),
    "new_doors": ("id uuid, is_vacant boolean", NEW_DOORS),
    "old_rows": ("id uuid, kind text, facts text[], is_vacant boolean, was_vacant boolean", OLD_ROWS),
}
_TOTALS = text("""
    SELECT (SELECT count(*) FROM new_doors) AS doors, (SELECT count(*) FROM new_homes) AS households,
        (SELECT count(*) FROM new_people) AS persons,
        (SELECT coalesce(sum(cardinality(facts)), 0) FROM old_rows) AS facts,
        (SELECT count(*) FROM left_as_is) AS kept, (SELECT count(*) FROM old_rows) AS rows,
        (SELECT count(*) FROM new_doors WHERE is_vacant) AS vacant,
        (SELECT coalesce(sum(was_vacant::int - is_vacant::int), 0) FROM old_rows WHERE was_vacant IS NOT NULL)
            AS emptied
""")
# areas in which something changes for a phone, and whether a household goes out of one, of which no version tells
_AREAS = text("""
    WITH homes AS (
        SELECT household_id AS id FROM new_people UNION SELECT id FROM old_rows WHERE kind = 'household'
        UNION SELECT r.household_id FROM old_rows o JOIN resident r ON r.community_code = :c AND r.id = o.id
            WHERE o.kind = 'resident'
    ), doors AS (
        SELECT h.dwelling_id AS id, false AS goes
        FROM homes JOIN household h ON h.community_code = :c AND h.id = homes.id
        UNION ALL SELECT id, false FROM old_rows WHERE kind = 'dwelling'
        UNION ALL SELECT dwelling_id, true FROM new_homes
    )
    SELECT d.responsibility_area_id AS area, bool_or(goes) AS goes, min(d.id::text) FILTER (WHERE goes) AS door
    FROM doors JOIN dwelling d ON d.community_code = :c AND d.id = doors.id
    WHERE d.responsibility_area_id IS NOT NULL GROUP BY 1
""")
_TAKE_OUT = (
    "DELETE FROM field_change f USING (SELECT id FROM new_people UNION ALL SELECT id FROM new_homes) g "
    "WHERE f.community_code = :c AND f.subject_id = g.id",
    "DELETE FROM resident r USING new_people g WHERE r.community_code = :c AND r.id = g.id",
    "DELETE FROM household h USING new_homes g WHERE h.community_code = :c AND h.id = g.id",
    "DELETE FROM dwelling d USING new_doors g WHERE d.community_code = :c AND d.id = g.id",
    "UPDATE household h SET resident_count = h.resident_count - g.n, version = :version, updated_at = now() "
    "FROM (SELECT household_id, count(*) AS n FROM new_people GROUP BY 1) g "
    "WHERE h.community_code = :c AND h.id = g.household_id",
)
_FACTS_BACK = (
    "DELETE FROM field_change f USING old_rows o "
    "JOIN import_before b ON b.community_code = :c AND b.import_id = :id AND b.subject_id = o.id "
    "CROSS JOIN LATERAL jsonb_object_keys(b.changes) AS k(field) "
    "WHERE f.community_code = :c AND f.subject_id = o.id AND f.field = k.field",
    "INSERT INTO field_change (community_code, subject_id, field, version, actor_id, actor_name, changed_at) "
    "SELECT :c, o.id, e.key, (e.value ->> 'version')::bigint, (e.value ->> 'actor_id')::uuid, "
    "e.value ->> 'actor_name', (e.value ->> 'changed_at')::timestamptz FROM old_rows o "
    "JOIN import_before b ON b.community_code = :c AND b.import_id = :id AND b.subject_id = o.id "
    "CROSS JOIN LATERAL jsonb_each(b.changes) e WHERE jsonb_typeof(e.value) <> 'null'",
)


def _put_back(kind: str) -> str:
    """The statement that gives rows of a table the values they had: of sealed ones from where they are kept."""
    kept = KEPT_APART[kind]
    values = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY(b.columns) THEN b.{kept[name]} ELSE t.{name} END"
        if name in kept
        else f"{name} = p.{name}"
        for name in CHANGING[kind]
        if name != "resident_count"
    )
    return (
        f"UPDATE {kind} t SET {values}, version = :version, updated_at = now() FROM old_rows o "
        "JOIN import_before b ON b.community_code = :c AND b.import_id = :id AND b.subject_id = o.id "
        f"JOIN {kind} n ON n.community_code = :c AND n.id = o.id "
        "CROSS JOIN LATERAL jsonb_populate_record(n, b.before) p "
        f"WHERE o.kind = '{kind}' AND t.community_code = :c AND t.id = o.id"
    )


async def take_back(session: AsyncSession, doer: audit.Doer, community: str, import_id: UUID) -> None:
    """Take out what an import made in a community and put back what it changed there, but for what somebody has
    touched since; in the session's transaction. Done already, it does nothing."""
    await lift_bounds(session)
    await areas.lock_clock(session, community)
    statement = select(ImportWritten).where(
        col(ImportWritten.community_code) == community, col(ImportWritten.import_id) == import_id
    )
    written = (await session.scalars(statement.with_for_update())).one_or_none()
    if written is None or written.undone_version:
        return
    params = params_of(written)
    stirred = await is_stirred(session, written)
    for name, (columns, query) in _TABLES.items():
        await session.execute(text(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS"))
        if name == "left_as_is" and not stirred:
            continue  # looking everywhere for what cannot be there takes longer than taking back
        await session.execute(text(f"INSERT INTO {name} {query}"), params)
        await session.execute(text(f"ANALYZE {name}"))
    totals = (await session.execute(_TOTALS)).one()
    reach = Reach(totals.doors, totals.households, totals.persons, totals.facts, totals.kept)
    version = written.version
    if totals.rows or reach.doors or reach.households or reach.persons:
        version = await areas.advance_clock(
            session, community, dwellings=-reach.doors, unassigned=-reach.doors,
            vacant=totals.emptied - totals.vacant, households=-reach.households, residents=-reach.persons,
        )  # fmt: skip
        # as the import's own entry, which names no new person either: who is gone has no log to read it in
        named = " UNION ALL ".join(f"SELECT id FROM {name}" for name in ("new_homes", "new_doors", "old_rows"))
        subjects = list(await session.scalars(text(named)))
        await _write(session, params | {"version": version})
    else:
        subjects = []
    await _finish_part(session, params, written, version, reach)
    await audit.append_entry(session, doer, community, "take_back_import", [import_id, *subjects], vars_of(reach))


def vars_of(reach: Reach) -> dict[str, int]:
    """The numbers of what was done."""
    return {name: getattr(reach, name) for name in Reach.__slots__}


async def _write(session: AsyncSession, params: dict[str, Any]) -> None:
    """Take out and put back, and tell phones and the rooms that go by the rows."""
    community, version = params["c"], params["version"]
    touched = (await session.execute(_AREAS, params)).all()
    shrunk = list(await session.scalars(text("SELECT household_id FROM new_people EXCEPT SELECT id FROM new_homes")))
    await taken_out.keep(session, community)
    for statement in (*_TAKE_OUT, *_FACTS_BACK, *(_put_back(kind) for kind in CHANGING)):
        await session.execute(text(statement), params)
    if shrunk:
        await screening.complete_households(session, community, shrunk, params["v"], version)
    await people.touch_areas(session, community, [row.area for row in touched], version)
    reloaded = [UUID(row.door) for row in touched if row.goes]
    if reloaded:
        await posts.reload_areas(session, community, reloaded, version)
    await duplicates.forget_gone(session, community, "SELECT id FROM new_people UNION ALL SELECT id FROM new_homes")


async def _finish_part(
    session: AsyncSession, params: dict[str, Any], written: ImportWritten, version: int, reach: Reach
) -> None:
    """Keep what was left and how much was done; let go of what stood there before."""
    await session.execute(
        text("""
        INSERT INTO import_left (community_code, id, import_id, dwelling_id, household_id, reason, touched_at,
            touched_by_name)
        SELECT :c, gen_random_uuid(), :id, dwelling_id, household_id, reason, at, coalesce(who, '') FROM left_as_is
    """),
        params,
    )
    await session.execute(text("DELETE FROM import_before WHERE community_code = :c AND import_id = :id"), params)
    written.undone_version = version
    written.door_count, written.household_count, written.person_count = reach.doors, reach.households, reach.persons
    written.fact_count, written.kept_count = reach.facts, reach.kept
    await session.flush()


async def list_waiting(session: AsyncSession, import_id: UUID) -> list[str]:
    """The communities of an import that are not taken back yet, in code order."""
    statement = select(col(ImportWritten.community_code)).where(
        col(ImportWritten.import_id) == import_id, col(ImportWritten.undone_version) == 0
    )
    return list((await session.scalars(statement.order_by(col(ImportWritten.community_code)))).all())


@jobs.queue.task(name="import_undo.run_undo", retry=RetryStrategy(max_attempts=_ATTEMPTS, wait=2), pass_context=True)
async def run_undo(context: JobContext, import_id: str) -> None:
    """Undo an import; what is done already stays done."""
    database = jobs.database_of(context)
    job = await _start(database, UUID(import_id))
    if job is None:
        return
    try:
        await _run(database, job)
    except Exception:
        log.exception("run_undo.failed", import_id=import_id, attempts=context.job.attempts)
        if context.job.attempts >= _ATTEMPTS:
            await _settle(database, job.id, undo_status=UndoStatus.FAILED)
        raise


async def _start(database: Database, import_id: UUID) -> ImportJob | None:
    """Mark it as running; None when it is over already, as after an answer that was lost."""
    async with database.session(EVERYWHERE) as session:
        statement = select(ImportJob).where(col(ImportJob.id) == import_id).with_for_update()
        job = (await session.scalars(statement)).one_or_none()
        if job is None or job.undo_status not in (UndoStatus.QUEUED, UndoStatus.RUNNING):
            return None
        job.undo_status = UndoStatus.RUNNING
        return job


async def _run(database: Database, job: ImportJob) -> None:
    scope = Scope((prefix_of(str(job.community_code)),))
    doer = audit.Doer(job.undone_by, job.undone_by_name)
    async with database.session(scope) as session:
        waiting = await list_waiting(session, job.id)
    for community in waiting:
        async with database.session(scope) as session:
            await take_back(session, doer, community, job.id)
    await _settle(database, job.id, undo_status=UndoStatus.DONE, undone_at=now())
    async with database.session(EVERYWHERE) as session:
        await duplicates.start_search(session)


async def _settle(database: Database, import_id: UUID, **values: Any) -> None:
    async with database.session(EVERYWHERE) as session:
        await session.execute(update(ImportJob).where(col(ImportJob.id) == import_id).values(values))


@jobs.queue.periodic(cron="* * * * *")
@jobs.queue.task(name="import_undo.forget_expired", queueing_lock="forget_expired", pass_context=True)
async def forget_expired(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - given by the queue
    """Forget what imports wrote whose hour is over, every minute."""
    await forget_over(jobs.database_of(context))


_OVER = text("""
    SELECT w.community_code, w.import_id FROM import_written w JOIN import_job j ON j.id = w.import_id
    WHERE (w.undone_version > 0 AND j.created_at < :old)
        OR (w.undone_version = 0 AND coalesce(j.undo_status, '') NOT IN ('queued', 'running')
            AND (j.undo_until <= :now OR (j.undo_until IS NULL AND j.status NOT IN ('queued', 'running'))))
    ORDER BY 1, 2
""")


async def forget_over(database: Database) -> int:
    """Delete what is kept of imports that cannot be undone any more; answers how many communities' parts. One that is
    being undone keeps it until that has ended; what undos have left is listed as long as differences are."""
    async with database.session(EVERYWHERE) as session:
        due: Sequence[Any] = (await session.execute(_OVER, {"now": now(), "old": now() - DIFFERENCES_KEPT_FOR})).all()
    for row in due:
        async with database.session(EVERYWHERE) as session:
            await lift_bounds(session)
            await forget_written(session, row.community_code, row.import_id)
    return len(due)
