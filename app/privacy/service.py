"""Full numbers for a purpose, who saw whose data, and all that is held about a person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import DESK, PEOPLE, Actor, list_held_areas
from app.care import service as care
from app.care.models import CareVisit
from app.core import crypto
from app.core.clock import now
from app.core.db import Scope, set_scope
from app.core.errors import Forbidden, Problem
from app.core.paging import decode_cursor, decode_id_cursor, encode_cursor
from app.people import service as people
from app.people.models import Dwelling, Household, IdKind, Resident
from app.privacy.models import AccessKind, AccessRecord
from app.privacy.schemas import (
    AccessRead,
    CopyCareVisit,
    CopyDoorVisit,
    CopyRead,
    RevealField,
    RevealItem,
    RevealRead,
)
from app.questions import service as questions
from app.questions.schemas import AnswerRead
from app.screening import service as screening
from app.screening.models import DoorVisit

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
    record = await _write_record(session, actor, resident, AccessKind.REVEAL, sorted(set(fields)), purpose)
    await _audit(session, actor, resident, "reveal_resident", record, purpose)
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


async def _audit(
    session: AsyncSession, actor: Actor, resident: Resident, action: str, record: AccessRecord, purpose: str
) -> None:
    """The trail's entry names the record, and its digest holds the record to what it said."""
    payload = {"fields": record.fields, "purpose": purpose}
    await audit.append_entry(session, actor.doer, resident.community_code, action, [resident.id, record.id], payload)


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
    WITH log AS (
        SELECT r.id::text AS key, r.at, r.kind, r.actor_name, r.fields, r.purpose_sealed, NULL::timestamptz AS until
        FROM access_record r WHERE r.community_code = :c AND r.resident_id = ANY(:residents)
        UNION ALL
        SELECT 'entry-' || e.seq, e.at, e.action, e.actor_name, '{}', NULL, NULL
        FROM audit_entry e
        WHERE e.community_code = ANY(:codes) AND e.action NOT IN ('reveal_resident', 'copy_resident')
            AND EXISTS (SELECT FROM unnest(cast(:subjects AS jsonb[])) AS s(one) WHERE e.subjects @> s.one)
        UNION ALL
        SELECT v.id::text, v.received_at, 'record_door_visit', v.actor_name, '{}', NULL, NULL
        FROM door_visit v WHERE v.community_code = :c AND v.household_id = ANY(:households)
        UNION ALL
        SELECT v.id::text, v.received_at, 'record_visit', v.actor_name, '{}', NULL, NULL
        FROM care_visit v WHERE v.community_code = :c AND v.household_id = ANY(:households)
        UNION ALL
        SELECT a.id::text, a.started_at, 'carried', p.name, '{}', NULL, a.ended_at
        FROM household h
        JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
        JOIN assignment a ON a.community_code = d.community_code AND a.area_id = d.responsibility_area_id
        JOIN account p ON p.id = a.account_id
        WHERE h.community_code = :c AND h.id = ANY(:households)
    )
    SELECT key, at, kind, actor_name, fields, purpose_sealed, until FROM log
    WHERE cast(:before AS timestamptz) IS NULL OR (at, key) < (cast(:before AS timestamptz), :before_key)
    ORDER BY at DESC, key DESC LIMIT :limit
""")


async def list_access_log(
    session: AsyncSession, actor: Actor, resident_id: UUID, limit: int, cursor: str | None
) -> tuple[list[AccessRead], str | None]:
    """Who saw, changed, visited or carried a person's data, newest first; for the desk when the person asks.

    What was done under an id that was merged into theirs, and behind the door it stood at, belongs to it. Asking is
    itself in the trail.
    """
    resident = await people.get_resident(session, actor, resident_id, NEAR)
    residents, households = await _also_known_as(session, resident)
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
                "residents": residents,
                "households": households,
                "subjects": [f'["{one}"]' for one in (*residents, *households)],
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


async def _also_known_as(session: AsyncSession, resident: Resident) -> tuple[list[UUID], list[UUID]]:
    """All ids under which a person has stood in the registry, and the households they stood in under them."""
    ids = await people.list_merged_into(session, resident.community_code, resident.id)
    statement = select(col(Resident.household_id)).where(
        col(Resident.community_code) == resident.community_code, col(Resident.id).in_(ids)
    )
    homes = {resident.household_id, *await session.scalars(statement)}
    homes |= {one for home in homes for one in await people.list_merged_into(session, resident.community_code, home)}
    return ids, sorted(homes)


async def copy_resident(session: AsyncSession, actor: Actor, resident_id: UUID) -> CopyRead:
    """All that is held about one person, whole, to be printed for them; it is recorded like a reveal."""
    resident = await people.get_resident(session, actor, resident_id, NEAR)
    household, dwelling = await people.get_household(session, actor, resident.household_id, NEAR)
    known_as, households = await _also_known_as(session, resident)
    visits = (
        await session.scalars(
            select(DoorVisit)
            .where(
                col(DoorVisit.community_code) == resident.community_code,
                col(DoorVisit.household_id).in_(households),
            )
            .order_by(col(DoorVisit.recorded_at).desc())
            .limit(1000)
        )
    ).all()
    cared = (
        await session.scalars(
            select(CareVisit)
            .where(
                col(CareVisit.community_code) == resident.community_code,
                col(CareVisit.household_id).in_(households),
                (col(CareVisit.resident_id) == resident_id) | col(CareVisit.resident_id).is_(None),
            )
            .order_by(col(CareVisit.recorded_at).desc())
            .limit(1000)
        )
    ).all()
    ids = [visit.id for visit in visits]
    answers = await questions.read_answers(session, resident.community_code, ids, with_texts=True)
    purpose = "居民本人申请查阅、复制"
    record = await _write_record(session, actor, resident, AccessKind.COPY, ["copy"], purpose)
    await _audit(session, actor, resident, "copy_resident", record, purpose)
    return CopyRead(
        at=record.at,
        actor_name=actor.name,
        **_person(resident, household, dwelling),
        # behind a door they were registered at under another id, what was said of them and nothing else
        door_visits=[
            _door_visit(
                visit, resident_id, [a for a in answers.get(visit.id, []) if a.resident_id in (None, *known_as)]
            )
            for visit in visits
            if visit.household_id == resident.household_id or _names(visit, resident_id)
        ],
        care_visits=[
            _care_visit(visit)
            for visit in cared
            if visit.household_id == resident.household_id or visit.resident_id == resident_id
        ],
    )


def _person(resident: Resident, household: Household, dwelling: Dwelling) -> dict[str, Any]:
    read = people.household_read(household, dwelling)
    return {
        "resident_id": resident.id,
        "community_code": resident.community_code,
        "name": resident.name,
        "sex": resident.sex,
        "birth_on": resident.birth_on,
        "relation": resident.relation,
        "workplace": resident.workplace,
        "id_kind": IdKind(resident.id_kind),
        "id_number": crypto.open_text(resident.id_sealed, people.RESIDENT_ID),
        "phone": crypto.open_text(resident.phone_sealed, people.RESIDENT_PHONE),
        "tags": resident.tags,
        "needs_id_check": resident.needs_id_check,
        "updated_at": resident.updated_at,
        "compound": read.compound,
        "building": read.building,
        "stair": read.stair,
        "room": read.room,
        "address": read.address,
        "head_name": read.head_name,
        "household_phone": crypto.open_text(household.phone_sealed, people.HOUSEHOLD_PHONE),
        "household_tags": read.tags,
        "household_note": read.note,
    }


def _names(visit: DoorVisit, resident_id: UUID) -> bool:
    return any(person.get("resident_id") == str(resident_id) for person in visit.persons)


def _door_visit(visit: DoorVisit, resident_id: UUID, answers: list[AnswerRead]) -> CopyDoorVisit:
    """A knock with what was said of this person alone: of the others nothing is handed out. Where two ids of theirs
    were named, that of the two which says that they were ill."""
    said = [p for p in visit.persons if p.get("resident_id") == str(resident_id)]
    own: dict[str, Any] = min(said, key=lambda p: p.get("status") != "symptoms", default={})
    return CopyDoorVisit(
        recorded_at=visit.recorded_at,
        actor_name=visit.actor_name,
        outcome=visit.outcome,
        status=own.get("status"),
        temperature_c=own.get("temperature_c"),
        symptoms=own.get("symptoms") or [],
        risk_area=own.get("risk_area"),
        note=crypto.open_text(visit.note_sealed, screening.NOTE),
        answers=answers,
        delete_by=visit.delete_by,
    )


def _care_visit(visit: CareVisit) -> CopyCareVisit:
    return CopyCareVisit(
        recorded_at=visit.recorded_at,
        actor_name=visit.actor_name,
        condition=visit.condition,
        needs=visit.needs,
        note=crypto.open_text(visit.note_sealed, care.NOTE),
        next_on=visit.next_on,
        delete_by=visit.delete_by,
    )
