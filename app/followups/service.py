"""Reading follow-ups, taking them on, closing them with an outcome, opening them again.

They are made and made void in SQL, where visits are recorded and judged (`follow_up_findings`, `follow_up_restate`).
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth import service as auth
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict, NotFound
from app.core.paging import decode_id_cursor, encode_cursor
from app.followups.models import FollowUp
from app.followups.schemas import CloseFollowUp, FollowUpOwner, FollowUpRead
from app.people import service as people
from app.rules import service as rules
from app.screening import service as screening

NOTE = "follow_up.note"
RULE = screening.RULE
"""Findings end with what else was learnt at the door."""


class FollowUpClosed(Conflict):
    """It has an outcome already."""

    def __init__(self) -> None:
        super().__init__("follow_up_closed", "这条随访已经办结。", "This follow-up is closed already.")


class FollowUpOpen(Conflict):
    """There is nothing to open again, or another is open for the same person."""

    def __init__(self) -> None:
        super().__init__("follow_up_open", "此人已有未办结的随访。", "This person has an open follow-up.")


# The newest finding that counts stands for all; what a desk set aside does not.
_READ = """
    SELECT u.community_code, u.id, u.household_id, u.resident_id, u.round_id, u.opened_at, u.owner_id, u.owner_name,
        u.taken_at, u.outcome, u.note_sealed, u.closed_at, u.closed_by_name, r.name AS resident_name,
        k.found_at, k.found_by, k.source, k.reasons, k.temperature_c, k.symptoms, k.risk_area, k.finding_count,
        k.is_self_reported
    FROM follow_up u
    JOIN resident r ON r.community_code = u.community_code AND r.id = u.resident_id
    CROSS JOIN LATERAL (
        SELECT k.recorded_at AS found_at, k.found_by, k.source, k.reasons, k.temperature_c, k.symptoms, k.risk_area,
            count(*) OVER () AS finding_count, bool_and(k.source = 'self_report') OVER () AS is_self_reported
        FROM finding k
        LEFT JOIN door_visit d ON d.community_code = k.community_code AND d.id = k.source_id
        WHERE k.community_code = u.community_code AND k.follow_up_id = u.id AND d.verdict IS DISTINCT FROM 'set_aside'
        ORDER BY k.recorded_at DESC, k.source_id DESC
        LIMIT 1
    ) k
    WHERE u.community_code = :c AND NOT u.is_void
"""


async def list_follow_ups(
    session: AsyncSession,
    actor: Actor,
    community_code: str,
    *,
    is_open: bool | None,
    household_id: UUID | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[FollowUpRead], str | None]:
    """Follow-ups of a community for its desk, newest first."""
    actor.demand(community_code, DESK)
    where, params = "", {"c": community_code, "limit": limit + 1}
    if is_open is not None:
        where += f" AND u.closed_at IS {'' if is_open else 'NOT '}NULL"
    if household_id:
        where, params = where + " AND u.household_id = :household", params | {"household": household_id}
    if cursor:
        where, params = where + " AND u.id < :after", params | {"after": decode_id_cursor(cursor)}
    rows = (await session.execute(text(f"{_READ}{where} ORDER BY u.id DESC LIMIT :limit"), params)).mappings().all()
    items = await _read(session, community_code, list(rows[:limit]))
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def _read(session: AsyncSession, community: str, rows: list[Any]) -> list[FollowUpRead]:
    homes = await people.name_households(session, community, [row["household_id"] for row in rows])
    committee = (await areas.name_divisions(session, [community])).get(community, "") if rows else ""
    items = []
    for row in rows:
        fields = {key: row[key] for key in FollowUpRead.model_fields if key in row}
        is_taken = row["owner_id"] is not None
        owner = FollowUpOwner(
            kind="person" if is_taken else "committee",
            id=row["owner_id"],
            name=row["owner_name"] if is_taken else committee,
        )
        fields |= {
            "owner": owner,
            "note": crypto.open_text(row["note_sealed"], NOTE),
            "closed_by_name": row["closed_by_name"] or None,
        }
        items.append(FollowUpRead(**fields, **homes[row["household_id"]].model_dump()))
    return items


async def _hold(session: AsyncSession, actor: Actor, follow_up_id: UUID) -> FollowUp:
    """The follow-up, under its community's clock and carrying the version to come; raises NotFound."""
    own = (
        (col(FollowUp.id) == follow_up_id)
        & in_scope(col(FollowUp.community_code), actor, DESK)
        & col(FollowUp.is_void).is_(False)
    )
    community = await session.scalar(select(col(FollowUp.community_code)).where(own))
    if community is None:
        raise NotFound
    version = await areas.advance_clock(session, community)
    found = (await session.scalars(select(FollowUp).where(own, col(FollowUp.community_code) == community))).one()
    found.version = version
    return found


async def _done(session: AsyncSession, actor: Actor, found: FollowUp, action: str, payload: Any) -> FollowUpRead:
    await session.flush()
    subjects = (found.id, found.household_id, found.resident_id)
    await audit.append_entry(session, actor.doer, found.community_code, action, subjects, payload)
    params = {"c": found.community_code, "id": found.id}
    rows = (await session.execute(text(f"{_READ} AND u.id = :id"), params)).mappings().all()
    return (await _read(session, found.community_code, list(rows)))[0]


async def take_follow_up(
    session: AsyncSession, actor: Actor, follow_up_id: UUID, account_id: UUID | None
) -> FollowUpRead:
    """Give a follow-up an owner: whoever asks, or another who works in the community.

    Raises NotFound, FollowUpClosed, and Invalid (`account_not_here`).
    """
    found = await _hold(session, actor, follow_up_id)
    if found.closed_at is not None:
        raise FollowUpClosed
    if account_id is None or account_id == actor.id:
        found.owner_id, found.owner_name = actor.id, actor.name
    else:
        owner = await auth.get_worker(session, account_id, found.community_code)
        found.owner_id, found.owner_name = owner.id, owner.name
    found.taken_at = now()
    return await _done(session, actor, found, "take_follow_up", {"owner": found.owner_id})


async def close_follow_up(
    session: AsyncSession, actor: Actor, follow_up_id: UUID, closing: CloseFollowUp
) -> FollowUpRead:
    """Say what it came to; who closes one that nobody took owns it. Raises NotFound and FollowUpClosed."""
    found = await _hold(session, actor, follow_up_id)
    if found.closed_at is not None:
        raise FollowUpClosed
    found.outcome = closing.outcome.value
    found.note_sealed = crypto.seal_text(closing.note or None, NOTE)
    found.delete_by = (await rules.read_rules(session)).day_after(RULE, today())
    found.closed_at, found.closed_by, found.closed_by_name = now(), actor.id, actor.name
    if found.owner_id is None:
        found.owner_id, found.owner_name, found.taken_at = actor.id, actor.name, found.closed_at
    return await _done(session, actor, found, "close_follow_up", {"outcome": found.outcome})


async def reopen_follow_up(session: AsyncSession, actor: Actor, follow_up_id: UUID) -> FollowUpRead:
    """Take the closing back; its outcome and note go. Raises NotFound and FollowUpOpen."""
    found = await _hold(session, actor, follow_up_id)
    standing = select(col(FollowUp.id)).where(
        col(FollowUp.community_code) == found.community_code,
        col(FollowUp.resident_id) == found.resident_id,
        col(FollowUp.closed_at).is_(None),
    )
    if found.closed_at is None or await session.scalar(standing) is not None:
        raise FollowUpOpen
    found.outcome, found.note_sealed, found.delete_by = None, None, None
    found.closed_at, found.closed_by, found.closed_by_name = None, None, ""
    return await _done(session, actor, found, "reopen_follow_up", None)


DUE_FINDINGS = "finding WHERE delete_by <= :on AND (reasons <> '{}' OR temperature_c IS NOT NULL OR symptoms <> '{}')"
DUE_NOTES = "follow_up WHERE delete_by <= :on AND note_sealed IS NOT NULL"
"""Which rows hold something that has to go by the day `:on`."""


async def delete_due_findings(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty findings whose day has come, `limit` at most; that somebody was followed up stays, and to what end."""
    result = await session.execute(
        text(f"""
        WITH due AS (
            SELECT source_id, resident_id FROM {DUE_FINDINGS} AND community_code = :c
            ORDER BY source_id, resident_id LIMIT :limit
        ), emptied AS (
            UPDATE finding k SET reasons = '{{}}', temperature_c = NULL, symptoms = '{{}}', risk_area = NULL,
                version = :version
            FROM due
            WHERE k.community_code = :c AND k.source_id = due.source_id AND k.resident_id = due.resident_id
            RETURNING 1
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())


async def delete_due_notes(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty what was noted when follow-ups were closed, where its day has come, `limit` at most."""
    result = await session.execute(
        text(f"""
        WITH due AS (SELECT id FROM {DUE_NOTES} AND community_code = :c ORDER BY id LIMIT :limit), emptied AS (
            UPDATE follow_up u SET note_sealed = NULL, version = :version FROM due
            WHERE u.community_code = :c AND u.id = due.id RETURNING 1
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())
