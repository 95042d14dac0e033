"""Whether an import can be undone, what that would do, asking for it, and what it left as it was."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope, name_divisions
from app.core.clock import now
from app.core.errors import Conflict, NotFound
from app.core.jobs import deferrer_on
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.import_export.models import ImportJob, ImportKind, ImportStatus, UndoStatus
from app.import_export.schemas import ImportProgress
from app.import_undo.finding import LEFT, Reach, find_stirred, measure, params_of
from app.import_undo.models import ImportWritten
from app.import_undo.schemas import ImportLeftRead, ImportUndoRead, State, TouchReason
from app.import_undo.undoing import run_undo
from app.people.service import address_of


class UndoOver(Conflict):
    """The hour is over."""

    def __init__(self) -> None:
        super().__init__(
            "import_undo_over",
            "导入完成已过一小时，不能再撤销。请改好文件重新导入，或在登记中更正。",
            "The hour after this import is over; it can no longer be undone. Import a corrected file or correct the "
            "registry.",
        )


class ImportUndone(Conflict):
    """An import is undone once."""

    def __init__(self) -> None:
        super().__init__("import_undone", "这次导入已经撤销过了。", "This import has been undone already.")


class UndoRunning(Conflict):
    """Somebody has asked for it a moment ago."""

    def __init__(self) -> None:
        super().__init__(
            "import_undo_running", "这次导入正在撤销，请稍候。", "This import is being undone; please wait."
        )


class UndoNotLast(Conflict):
    """A later import was written to the same community."""

    def __init__(self) -> None:
        super().__init__(
            "import_undo_not_last",
            "此后又有一次导入写入了同一村居，请先撤销较晚的那次。",
            "A later import was written to one of its communities; undo that one first.",
        )


class NothingToUndo(Conflict):
    """Not a roster that was written, or one that changed nothing."""

    def __init__(self) -> None:
        super().__init__(
            "import_undo_nothing",
            "只能撤销已经导入、并且有改动的居民花名册。",
            "Only a household roster that was imported and has changed something can be undone.",
        )


_REFUSED: dict[State, type[Conflict]] = {
    "over": UndoOver, "failed": UndoOver, "undone": ImportUndone, "queued": UndoRunning, "running": UndoRunning,
    "not_last": UndoNotLast, "nothing": NothingToUndo, "only_rosters": NothingToUndo, "not_done": NothingToUndo,
}  # fmt: skip

_IS_NOT_LAST = text("""
    SELECT EXISTS (
        SELECT FROM import_written w JOIN import_written later
            ON later.community_code = w.community_code AND later.version > w.version AND later.undone_version = 0
        WHERE w.import_id = :id AND w.undone_version = 0)
""")


async def _get_job(session: AsyncSession, actor: Actor, import_id: UUID, *, lock: bool = False) -> ImportJob:
    """An import all of which is for the actor's desk; NotFound otherwise."""
    statement = select(ImportJob).where(
        col(ImportJob.id) == import_id, in_scope(col(ImportJob.community_code), actor, DESK)
    )
    job = (await session.scalars(statement.with_for_update() if lock else statement)).one_or_none()
    if job is None:
        raise NotFound
    return job


async def _list_written(session: AsyncSession, import_id: UUID) -> list[ImportWritten]:
    statement = select(ImportWritten).where(col(ImportWritten.import_id) == import_id)
    return list((await session.scalars(statement.order_by(col(ImportWritten.community_code)))).all())


async def _state(session: AsyncSession, job: ImportJob, written: Sequence[ImportWritten]) -> State:
    if job.undo_status is not None:
        states: dict[str, State] = {"queued": "queued", "running": "running", "failed": "failed", "done": "undone"}
        return states[job.undo_status]
    if job.kind != ImportKind.ROSTER:
        return "only_rosters"
    if job.status != ImportStatus.DONE:
        return "not_done"
    if _time_left(job) <= timedelta(0):
        return "over"
    if not written:
        return "nothing"
    is_not_last = (await session.execute(_IS_NOT_LAST, {"id": job.id})).scalar_one()
    return "not_last" if is_not_last else "possible"


def _time_left(job: ImportJob) -> timedelta:
    return job.undo_until - now() if job.undo_until else timedelta(0)


async def get_import_undo(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportUndoRead:
    """Whether an import can be undone, and what that would do now, or has done."""
    job = await _get_job(session, actor, import_id)
    written = await _list_written(session, import_id)
    state = await _state(session, job, written)
    stirred = set(await find_stirred(session, import_id)) if state in ("possible", "failed", "not_last") else set()
    reach = Reach()
    for part in written:
        if part.community_code in stirred:
            found = await measure(session, part)
        else:
            found = Reach(part.door_count, part.household_count, part.person_count, part.fact_count, part.kept_count)
        reach.add(found.doors, found.households, found.persons, found.facts, found.kept)
    return ImportUndoRead(
        state=state,
        until=job.undo_until,
        seconds_left=max(0, int(_time_left(job).total_seconds())),
        doors=reach.doors,
        households=reach.households,
        persons=reach.persons,
        facts=reach.facts,
        kept=reach.kept,
        progress=ImportProgress(done=sum(part.undone_version > 0 for part in written), total=len(written)),
        by_name=job.undone_by_name,
        undone_at=job.undone_at,
    )


async def undo_import(session: AsyncSession, actor: Actor, import_id: UUID) -> None:
    """Have an import undone; raises Conflict (`import_undo_over`, `import_undo_not_last`, `import_undo_running`,
    `import_undone`, `import_undo_nothing`)."""
    job = await _get_job(session, actor, import_id, lock=True)
    state = await _state(session, job, await _list_written(session, import_id))
    if state != "possible" and not (state == "failed" and _time_left(job) > timedelta(0)):
        raise _REFUSED[state]
    job.undo_status, job.undone_by, job.undone_by_name = UndoStatus.QUEUED, actor.id, actor.name
    await session.flush()
    code = str(job.community_code)
    await audit.append_entry(session, actor.doer, code, "undo_import", [job.id])
    # beside an import into the same place it would be a race for who is later
    deferrer = await deferrer_on(session, run_undo, lock=f"import {code}")
    await deferrer.defer_async(import_id=str(job.id))


_LEFT_THEN = """
    SELECT dwelling_id, household_id, reason, touched_at AS at, touched_by_name AS who FROM import_left
    WHERE community_code = :c AND import_id = :id
"""
_PAGE = """
    SELECT l.*, coalesce(d.sort_key, '') AS sort_key, coalesce(h.head_name, '') AS head_name, d.compound, d.building,
        d.stair, d.room, d.address, d.id IS NULL AS is_gone
    FROM ({left}) l
    LEFT JOIN dwelling d ON d.community_code = :c AND d.id = l.dwelling_id
    LEFT JOIN household h ON h.community_code = :c AND h.id = l.household_id
    WHERE (coalesce(d.sort_key, ''), coalesce(l.household_id, l.dwelling_id)) > (:sort_key, cast(:after AS uuid))
    ORDER BY 6, coalesce(l.household_id, l.dwelling_id) LIMIT :limit
"""
_FIRST = UUID(int=0)


async def list_import_left(
    session: AsyncSession, actor: Actor, import_id: UUID, limit: int, cursor: str | None
) -> tuple[list[ImportLeftRead], str | None]:
    """What an undo would leave as it is now, or has left, in the order of communities and doors."""
    await _get_job(session, actor, import_id)
    place, sort_key, after = decode_cursor(cursor, str, str, str) if cursor else ("", "", str(_FIRST))
    stirred = set(await find_stirred(session, import_id))
    rows: list[tuple[str, Any]] = []
    for part in await _list_written(session, import_id):
        code = part.community_code
        if code < place or len(rows) > limit or not (part.undone_version or code in stirred):
            continue
        start = (
            {"sort_key": sort_key, "after": cursor_uuid(after)} if code == place else {"sort_key": "", "after": _FIRST}
        )
        statement = text(_PAGE.format(left=_LEFT_THEN if part.undone_version else LEFT))
        found = await session.execute(statement, params_of(part) | start | {"limit": limit + 1 - len(rows)})
        rows += [(code, row) for row in found]
    shown = rows[:limit]
    names = await name_divisions(session, [code for code, _ in shown])
    items = [_left_read(code, names.get(code, code), row) for code, row in shown]
    if len(rows) <= limit:
        return items, None
    code, last = shown[-1]
    return items, encode_cursor(code, last.sort_key, str(last.household_id or last.dwelling_id))


def _left_read(code: str, name: str, row: Any) -> ImportLeftRead:
    return ImportLeftRead(
        community_code=code,
        community_name=name,
        dwelling_id=row.dwelling_id,
        household_id=row.household_id,
        address="" if row.is_gone else address_of(row),
        head_name=row.head_name,
        reason=TouchReason(row.reason),
        touched_at=row.at,
        touched_by_name=row.who or "",
    )
