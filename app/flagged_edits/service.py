"""Filing edits that somebody should look at, listing and judging them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.audit.service import Doer
from app.auth.service import DESK, Actor, in_scope
from app.core.clock import today
from app.core.errors import NotFound
from app.core.paging import decode_id_cursor, encode_cursor
from app.flagged_edits.models import FlaggedEdit
from app.flagged_edits.schemas import FlaggedEditRead
from app.people import edits as people_edits
from app.people import service as people
from app.posts.verdicts import JudgedRead, Verdict, is_open, judged_read, write_verdict
from app.rules import service as rules

REASON = "flagged_edit.reason"
RULE = people_edits.RULE

# Where the person lives, else the household as given: a phone may name one it no longer belongs to.
_FILE = text("""
    INSERT INTO flagged_edit (
        community_code, id, household_id, resident_id, command, fields, flag_code, actor_id, actor_name, device_id,
        recorded_at, clock_error_s, version)
    SELECT :c, e.id, h.id, e.resident_id, e.command, e.fields, e.flag_code, :actor, :actor_name, :device,
        e.recorded_at, e.clock_error_s, :version
    FROM jsonb_to_recordset(cast(:edits AS jsonb)) AS e(id uuid, household_id uuid, resident_id uuid, command text,
        fields text[], flag_code text, recorded_at timestamptz, clock_error_s int)
    LEFT JOIN resident r ON r.community_code = :c AND r.id = e.resident_id
    JOIN household h ON h.community_code = :c AND h.id = coalesce(r.household_id, e.household_id)
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class NewFlag:
    """An edit that was taken, and why somebody should look."""

    id: UUID
    household_id: UUID
    resident_id: UUID | None
    command: str
    fields: list[str]
    flag_code: str
    recorded_at: datetime
    clock_error_s: int | None


async def file_edits(session: AsyncSession, doer: Doer, community_code: str, edits: Sequence[NewFlag]) -> None:
    """Put edits of one community on its list. The caller has checked the scope and writes the trail."""
    if not edits:
        return
    version = await areas.advance_clock(session, community_code)
    await session.execute(
        _FILE,
        {
            "c": community_code, "actor": doer.id, "actor_name": doer.name, "device": doer.device_id,
            "version": version, "edits": orjson.dumps(edits).decode(),
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EditFilter:
    """Which edits of a community are meant; None is any."""

    is_flagged: bool | None = None
    is_judged: bool | None = None


async def list_flagged_edits(
    session: AsyncSession, actor: Actor, community_code: str, wanted: EditFilter, limit: int, cursor: str | None
) -> tuple[list[FlaggedEditRead], str | None]:
    """Flagged edits in a community, newest first, for its desk."""
    actor.demand(community_code, DESK)
    statement = select(FlaggedEdit).where(col(FlaggedEdit.community_code) == community_code)
    if wanted.is_flagged is not None:
        statement = statement.where(is_open(FlaggedEdit) == wanted.is_flagged)
    if wanted.is_judged is not None:
        statement = statement.where(col(FlaggedEdit.verdict).is_not(None) == wanted.is_judged)
    if cursor:
        statement = statement.where(col(FlaggedEdit.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(FlaggedEdit.id).desc()).limit(limit + 1))).all())
    items = await _read(session, community_code, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


_COLUMNS = set(FlaggedEditRead.model_fields) - {"is_flagged", "household_id", *JudgedRead.model_fields}


async def _read(session: AsyncSession, community: str, edits: Sequence[FlaggedEdit]) -> list[FlaggedEditRead]:
    # what has been merged away since is corrected at what stands for it
    roots = await people.find_roots(session, community, (e.household_id for e in edits))
    homes = {e.id: roots.get(e.household_id, e.household_id) for e in edits}
    names = await people.name_households(session, community, sorted(set(homes.values())))
    who = await people.name_residents(session, community, sorted({e.resident_id for e in edits if e.resident_id}))
    return [
        FlaggedEditRead(
            **e.model_dump(include=_COLUMNS),
            **names[homes[e.id]].model_dump(),
            **judged_read(e, REASON),
            household_id=homes[e.id],
            resident_name=who.get(e.resident_id) if e.resident_id else None,
            is_flagged=e.verdict is None,
        )
        for e in edits
    ]


async def judge_flagged_edit(
    session: AsyncSession, actor: Actor, edit_id: UUID, verdict: Verdict | None, reason: str = ""
) -> FlaggedEditRead:
    """Say whether a flagged edit was right; with no verdict it waits for somebody again.

    The registry stays as it is either way: what was wrong is corrected there, by a person. Raises NotFound.
    """
    own = (col(FlaggedEdit.id) == edit_id) & in_scope(col(FlaggedEdit.community_code), actor, DESK)
    community = (await session.scalars(select(col(FlaggedEdit.community_code)).where(own))).first()
    if community is None:
        raise NotFound
    version = await areas.advance_clock(session, community)
    edit = (await session.scalars(select(FlaggedEdit).where(own, col(FlaggedEdit.community_code) == community))).one()
    if write_verdict(edit, verdict, reason, by=actor.id, name=actor.name, context=REASON) is not None:
        edit.version = version
        edit.delete_by = (await rules.read_rules(session)).day_after(RULE, today()) if verdict else None
        await session.flush()
        action = "judge_flagged_edit" if verdict else "reopen_flagged_edit"
        subjects = (edit.id, edit.resident_id or edit.household_id)
        await audit.append_entry(session, actor.doer, community, action, subjects, {"verdict": verdict})
    (read,) = await _read(session, community, [edit])
    return read


DUE_EDITS = "flagged_edit WHERE delete_by <= :on"


async def delete_due_edits(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Delete edits that were judged and whose day has come, `limit` at most."""
    del version  # no phone holds them
    result = await session.execute(
        text(f"""
        WITH due AS (SELECT id FROM {DUE_EDITS} AND community_code = :c ORDER BY id LIMIT :limit), gone AS (
            DELETE FROM flagged_edit e USING due WHERE e.community_code = :c AND e.id = due.id RETURNING e.id
        ) SELECT count(*) FROM gone
    """),
        {"c": community_code, "on": on, "limit": limit},
    )
    return int(result.scalar_one())
