"""Full numbers for a purpose, and who saw whose data."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import DESK, PEOPLE, Actor, list_held_areas
from app.core import crypto
from app.core.clock import now
from app.core.db import Scope, set_scope
from app.core.errors import Forbidden, NotFound, Problem
from app.core.paging import decode_cursor, decode_id_cursor, encode_cursor
from app.people import service as people
from app.people.models import IdKind, Resident
from app.privacy.models import AccessKind, AccessRecord
from app.privacy.places import find_whereabouts
from app.privacy.schemas import AccessRead, RevealField, RevealItem, RevealRead
from app.residence import service as residence

PURPOSE = "access_record.purpose"

NEAR = frozenset({Role.COMMITTEE, Role.STREET})
"""Desks whose task a single person's number is: they know the people and answer to them. A district or a city
works with figures and asks the street; who carries the door may ring, and needs no ID number for it."""

PER_HOUR = 60
PER_DAY = 300
"""Reveals of one account. A desk that checks a list by hand stays below; reading out a registry does not."""


class TooManyReveals(Problem):
    """This account has read too many full numbers lately."""

    def __init__(self) -> None:
        super().__init__(
            "too_many_reveals",
            "近一小时查看原文的次数过多，请稍后再试。",
            "Too many full numbers read lately; try again later.",
            429,
            headers={"Retry-After": "600"},
        )


async def reveal_resident(
    session: AsyncSession, actor: Actor, resident_id: UUID, fields: list[RevealField], purpose: str
) -> RevealRead:
    """A resident's full ID number or phone, for a purpose that is written down with who asked.

    For the committee and the street; for who holds the door's responsibility area the phone alone. Raises
    Forbidden for others, TooManyReveals past `PER_HOUR` or `PER_DAY`.
    """
    resident = await people.get_resident(session, actor, resident_id, PEOPLE)
    if not actor.may(resident.community_code, NEAR) and not (
        set(fields) == {"phone"} and await _holds_door(session, actor, resident)
    ):
        raise Forbidden
    await _bound_reveals(session, actor)
    record = await note_access(session, actor, resident, AccessKind.REVEAL, sorted(set(fields)), purpose)
    return RevealRead(
        id=record.id,
        resident_id=resident_id,
        id_kind=IdKind(resident.id_kind) if "id_number" in fields else None,
        id_number=crypto.open_text(resident.id_sealed, people.RESIDENT_ID) if "id_number" in fields else None,
        phone=crypto.open_text(resident.phone_sealed, people.RESIDENT_PHONE) if "phone" in fields else None,
        at=record.at,
    )


async def _holds_door(session: AsyncSession, actor: Actor, resident: Resident) -> bool:
    _, dwelling = await people.get_household(session, actor, resident.household_id, PEOPLE)
    held = {area.id for area in await list_held_areas(session, actor)}
    return dwelling.responsibility_area_id in held


async def _bound_reveals(session: AsyncSession, actor: Actor) -> None:
    """Count the account's reveals, one request of it at a time, so that many at once do not all come through."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:actor, 0))"), {"actor": str(actor.id)})
    at = col(AccessRecord.at)
    counts = await session.execute(
        select(func.count().filter(at > now() - timedelta(hours=1)), func.count()).where(
            col(AccessRecord.actor_id) == actor.id,
            col(AccessRecord.kind) == AccessKind.REVEAL,
            at > now() - timedelta(days=1),
        )
    )
    in_hour, in_day = counts.one()
    if in_hour >= PER_HOUR or in_day >= PER_DAY:
        raise TooManyReveals


async def _write_record(
    session: AsyncSession, actor: Actor, resident: Resident, kind: AccessKind, fields: list[Any], purpose: str
) -> AccessRecord:
    record = AccessRecord(
        community_code=resident.community_code,
        kind=kind,
        resident_id=resident.id,
        household_id=resident.household_id,
        fields=[str(field) for field in fields],
        purpose_sealed=crypto.seal_text(purpose, PURPOSE),
        actor_id=actor.id,
        actor_name=actor.name,
        device_id=actor.device_id,
        at=now(),
    )
    session.add(record)
    await session.flush()
    return record


async def note_access(
    session: AsyncSession, actor: Actor, resident: Resident, kind: AccessKind, fields: list[Any], purpose: str
) -> AccessRecord:
    """Keep that somebody read a person's full data; the trail's entry names the record, and its digest holds the
    record to what it said."""
    record = await _write_record(session, actor, resident, kind, fields, purpose)
    payload = {"fields": record.fields, "purpose": purpose}
    subjects = [resident.id, record.id]
    await audit.append_entry(session, actor.doer, resident.community_code, f"{kind.value}_resident", subjects, payload)
    return record


async def find_subject(session: AsyncSession, actor: Actor, resident_id: UUID) -> Resident:
    """Whose data it is, living here or gone, for the near desk; who was merged away stands under another id."""
    resident = await residence.find_person(session, actor, resident_id)
    if resident.merged_into_id is not None:
        raise NotFound
    actor.demand(resident.community_code, NEAR)
    return resident


async def note_correction(
    session: AsyncSession, actor: Actor, resident: Resident, fields: list[str], reason: str
) -> None:
    """Keep why a resident's facts were corrected; the room below calls it when a reason is given."""
    await _write_record(session, actor, resident, AccessKind.CORRECTION, fields, reason)


async def list_reveals(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None
) -> tuple[list[RevealItem], str | None]:
    """Who read whose full numbers in a community, when and why, newest first."""
    actor.demand(community_code, DESK)
    same = (col(Resident.community_code) == col(AccessRecord.community_code)) & (
        col(Resident.id) == col(AccessRecord.resident_id)
    )
    statement = (
        select(AccessRecord, col(Resident.name))
        .join(Resident, same)
        .where(
            col(AccessRecord.community_code) == community_code,
            col(AccessRecord.kind).in_([AccessKind.REVEAL, AccessKind.COPY]),
        )
    )
    if cursor:
        statement = statement.where(col(AccessRecord.id) < decode_id_cursor(cursor))
    rows = (await session.execute(statement.order_by(col(AccessRecord.id).desc()).limit(limit + 1))).all()
    is_near = actor.may(community_code, NEAR)
    items = [
        RevealItem(
            id=record.id,
            kind=AccessKind(record.kind),
            at=record.at,
            actor_id=record.actor_id,
            actor_name=record.actor_name,
            resident_id=record.resident_id,
            household_id=record.household_id,
            resident_name=name if is_near else crypto.mask_name(name),
            fields=record.fields,
            purpose=crypto.open_text(record.purpose_sealed, PURPOSE) or "",
        )
        for record, name in rows[:limit]
    ]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


# Reading and carrying, changing and asking, each with its own time; the newest first. The trail's entries of
# reveals and copies stand here once, as their records. What a phone carried is told by who held the door's area.
_ACCESS = text("""
    WITH span AS MATERIALIZED (
        SELECT household_id, since, until FROM jsonb_to_recordset(cast(:spans AS jsonb))
            AS s(household_id uuid, since timestamptz, until timestamptz)
    ), subject AS MATERIALIZED (
        SELECT jsonb_build_array(household_id) AS one, since, until FROM span
        UNION ALL SELECT jsonb_build_array(id), '-infinity', 'infinity' FROM unnest(cast(:residents AS uuid[])) AS r(id)
    ), log AS (
        SELECT r.id::text AS key, r.at, r.kind, r.actor_name, r.fields, r.purpose_sealed, NULL::timestamptz AS until
        FROM access_record r WHERE r.community_code = :c AND r.resident_id = ANY(:residents)
        UNION ALL
        SELECT 'entry-' || e.seq, e.at, e.action, e.actor_name, '{}', NULL, NULL
        FROM audit_entry e
        WHERE e.community_code = ANY(:codes) AND e.action NOT IN ('reveal_resident', 'copy_resident')
            AND EXISTS (SELECT FROM subject s WHERE e.subjects @> s.one AND e.at >= s.since AND e.at < s.until)
        UNION ALL
        SELECT v.id::text, v.received_at, 'record_door_visit', v.actor_name, '{}', NULL, NULL
        FROM door_visit v WHERE v.community_code = :c AND v.household_id = ANY(:households) AND (
            v.persons @> ANY (cast(:named AS jsonb[])) OR EXISTS (SELECT FROM span s
                WHERE s.household_id = v.household_id AND v.recorded_at >= s.since AND v.recorded_at < s.until))
        UNION ALL
        SELECT v.id::text, v.received_at, 'record_visit', v.actor_name, '{}', NULL, NULL
        FROM care_visit v WHERE v.community_code = :c AND v.household_id = ANY(:households) AND (
            v.resident_id = ANY(:residents) OR EXISTS (SELECT FROM span s
                WHERE s.household_id = v.household_id AND v.recorded_at >= s.since AND v.recorded_at < s.until))
        UNION ALL
        SELECT a.id || '-' || h.id, greatest(a.started_at, s.since), 'carried', p.name, '{}', NULL,
            CASE WHEN a.ended_at IS NOT NULL OR s.until < now() THEN least(a.ended_at, s.until) END
        FROM span s
        JOIN household h ON h.community_code = :c AND h.id = s.household_id
        JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
        JOIN assignment a ON a.community_code = d.community_code AND a.area_id = d.responsibility_area_id
            AND a.started_at < s.until AND coalesce(a.ended_at, 'infinity') > s.since
        JOIN account p ON p.id = a.account_id
    )
    SELECT key, at, kind, actor_name, fields, purpose_sealed, until FROM log
    WHERE cast(:before AS timestamptz) IS NULL OR (at, key) < (cast(:before AS timestamptz), :before_key)
    ORDER BY at DESC, key DESC LIMIT :limit
""")


async def list_access_log(
    session: AsyncSession, actor: Actor, resident_id: UUID, limit: int, cursor: str | None
) -> tuple[list[AccessRead], str | None]:
    """Who saw, changed, visited or carried a person's data, newest first; for the desk when the person asks.

    What was done under an id that was merged into theirs belongs to it, and what concerned a household while they lived
    in it. A door is told as carried by who held the area that it lies in today. Asking is itself in the trail.
    """
    resident = await find_subject(session, actor, resident_id)
    where = await find_whereabouts(session, resident)
    before, before_key = decode_cursor(cursor, str, str) if cursor else (None, "")
    # the trails of codes that this community or its doors had before: they end where the codes ended
    earlier = await areas.list_earlier_codes(session, resident.community_code)
    await set_scope(session, Scope((*actor.scope.prefixes, *earlier)))
    rows = (
        await session.execute(
            _ACCESS,
            {
                "c": resident.community_code,
                "codes": [resident.community_code, *earlier],
                "residents": where.ids,
                "households": where.households,
                "spans": orjson.dumps(where.spans).decode(),
                "named": [f'[{{"resident_id": "{one}"}}]' for one in where.ids],
                "before": before,
                "before_key": before_key,
                "limit": limit + 1,
            },
        )
    ).all()
    items = [
        AccessRead(
            at=row.at,
            action=row.kind,
            actor_name=row.actor_name or "",
            fields=row.fields,
            purpose=crypto.open_text(row.purpose_sealed, PURPOSE),
            until=row.until,
        )
        for row in rows[:limit]
    ]
    if cursor is None:
        await audit.append_entry(session, actor.doer, resident.community_code, "list_access_log", [resident.id])
    return items, encode_cursor(rows[limit - 1].at.isoformat(), rows[limit - 1].key) if len(rows) > limit else None
