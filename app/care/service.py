"""Recording care visits and reading them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Date, Text, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.care.models import CareVisit
from app.care.schemas import CareHousehold, CareVisitPayload, CareVisitRead
from app.core import crypto
from app.core.clock import SHANGHAI, today
from app.core.paging import cursor_day, cursor_uuid, decode_cursor, decode_id_cursor, encode_cursor
from app.people import service as people
from app.posts.verdicts import JudgedRead, is_open, judged_read
from app.residence.schemas import EventPerson
from app.residence.service import Moved
from app.residence.timeline import Event
from app.rules import service as rules
from app.rules.service import RuleBook

NOTE = "care_visit.note"
REASON = "care_visit.reason"
RULE = "retention.care"
"""How long what a visitor noted is kept: care is a relation over months, but has an end."""


@dataclass(frozen=True, slots=True)
class CareVisitInput:
    """One visit to record: the command's id and time, and what was said."""

    id: UUID
    recorded_at: datetime
    epoch: int | None
    payload: CareVisitPayload


def as_rows(visits: Sequence[CareVisitInput], book: RuleBook) -> list[dict[str, Any]]:
    """Visits as SQL reads them: notes sealed, the delete-by date set, counted from the day they come in."""
    delete_by = book.day_after(RULE, today()).isoformat()
    rows = []
    for visit in visits:
        row = visit.payload.model_dump(exclude={"note"})
        note = crypto.seal_base64(visit.payload.note, NOTE)
        row.update(id=visit.id, recorded_at=visit.recorded_at, note=note, delete_by=delete_by)
        rows.append(row)
    return rows


_RECORD = text(
    "SELECT visit_id, verdict, reason FROM care_record_visits("
    "cast(:communities AS bpchar[]), :versions, :actors, :names, :devices, :are_desks, cast(:visits AS jsonb))"
)


async def record_visits(
    session: AsyncSession, actor: Actor, community_code: str, visits: Sequence[CareVisitInput]
) -> dict[UUID, tuple[str, str | None]]:
    """Record care visits in one community; answers each id's verdict and code, as a phone's push would."""
    version = await areas.advance_clock(session, community_code)
    book = await rules.read_rules(session)
    rows = await session.execute(
        _RECORD,
        {
            "communities": [community_code],
            "versions": [version],
            "actors": [actor.id],
            "names": [actor.name],
            "devices": [actor.device_id],
            "are_desks": [actor.may(community_code, DESK)],
            "visits": orjson.dumps([row | {"g": 1} for row in as_rows(visits, book)]).decode(),
        },
    )
    verdicts = {row.visit_id: (row.verdict, row.reason) for row in rows}
    await audit.append_entry(session, actor.doer, community_code, "record_visits", verdicts)
    return verdicts


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits of a community are meant; None is any."""

    household_id: UUID | None = None
    is_flagged: bool | None = None
    is_judged: bool | None = None


async def list_care_visits(
    session: AsyncSession, actor: Actor, community_code: str, wanted: VisitFilter, limit: int, cursor: str | None
) -> tuple[list[CareVisitRead], str | None]:
    """Care visits in a community, newest first, for its desk."""
    actor.demand(community_code, DESK)
    statement = select(CareVisit).where(col(CareVisit.community_code) == community_code)
    if wanted.household_id:
        statement = statement.where(col(CareVisit.household_id) == wanted.household_id)
    if wanted.is_flagged is not None:
        statement = statement.where(is_open(CareVisit) == wanted.is_flagged)
    if wanted.is_judged is not None:
        statement = statement.where(col(CareVisit.verdict).is_not(None) == wanted.is_judged)
    if cursor:
        statement = statement.where(col(CareVisit.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(CareVisit.id).desc()).limit(limit + 1))).all())
    items = await read_care_visits(session, community_code, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


_COLUMNS = set(CareVisitRead.model_fields) - {"is_flagged", "note", *JudgedRead.model_fields}


async def read_care_visits(
    session: AsyncSession, community_code: str, visits: Sequence[CareVisit]
) -> list[CareVisitRead]:
    """Visits of a community as its desk reads them."""
    names = await people.name_households(session, community_code, [v.household_id for v in visits])
    return [
        CareVisitRead(
            **v.model_dump(include=_COLUMNS),
            **names[v.household_id].model_dump(),
            **judged_read(v, REASON),
            is_flagged=v.flag_code is not None and v.verdict is None,
            note=crypto.open_text(v.note_sealed, NOTE),
        )
        for v in visits
    ]


async def follow_people(session: AsyncSession, community_code: str, moved: Moved, version: int) -> None:
    """Households have closed because their people went into others: what was promised to them goes along."""
    if moved.successors:
        closed = sorted(moved.successors)
        homes = [moved.successors[home] for home in closed]
        await session.execute(
            text("SELECT care_follow_people(:c, :version, :closed, :homes)"),
            {"c": community_code, "version": version, "closed": closed, "homes": homes},
        )


async def list_events(
    session: AsyncSession, community_code: str, household_id: UUID, until: datetime, limit: int
) -> list[Event]:
    """Care visits to a household up to an instant, newest first."""
    statement = (
        select(CareVisit)
        .where(
            col(CareVisit.community_code) == community_code,
            col(CareVisit.household_id) == household_id,
            col(CareVisit.recorded_at) <= until,
        )
        .order_by(col(CareVisit.recorded_at).desc(), col(CareVisit.id).desc())
        .limit(limit)
    )
    visits = list((await session.scalars(statement)).all())
    named = {visit.resident_id for visit in visits if visit.resident_id}
    names = await people.name_residents(session, community_code, sorted(named))
    return [
        Event(
            id=visit.id, event="care_visit", on=visit.recorded_at.astimezone(SHANGHAI).date(), at=visit.recorded_at,
            by_name=visit.actor_name, outcome=visit.condition,
            persons=[
                EventPerson(resident_id=one, name=names[one], status=None)
                for one in (visit.resident_id,) if one in names
            ],
        )
        for visit in visits
    ]  # fmt: skip


CARE_TAGS = ("living_alone_elder", "household_in_hardship")
"""Households that are looked after without anybody having asked for it; the phone goes by the same."""

_NEVER = date.max
# Overdue promises first, then who was never visited, then what is promised for later, then the rest.
_HOUSEHOLDS = text("""
    SELECT * FROM (
        SELECT h.id AS household_id, h.head_name, h.phone_sealed, h.tags, h.resident_count, p.condition,
            coalesce(p.needs, '{}') AS needs, p.last_at, v.actor_name AS last_by, p.next_on, a.holder_name,
            coalesce(p.next_on, CASE WHEN p.household_id IS NULL OR p.condition = 'not_reached' THEN :today
                ELSE :never END) AS due_on
        FROM household h
        JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
        LEFT JOIN care_plan p ON p.community_code = h.community_code AND p.household_id = h.id
        LEFT JOIN care_visit v ON v.community_code = p.community_code AND v.id = p.last_visit_id
        LEFT JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
        WHERE h.community_code = :c AND NOT h.is_closed AND (p.household_id IS NOT NULL OR h.tags && :tags)
    ) AS looked_after
    WHERE (due_on, household_id) > (:due_on, :after)
    ORDER BY due_on, household_id LIMIT :limit
""").bindparams(
    bindparam("tags", type_=ARRAY(Text)),
    bindparam("today", type_=Date),
    bindparam("never", type_=Date),
    bindparam("due_on", type_=Date),
)


async def list_care_households(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None
) -> tuple[list[CareHousehold], str | None]:
    """Households with a tag that asks for care or a visit behind them, in the order somebody should go."""
    actor.demand(community_code, DESK)
    due_on, after = decode_cursor(cursor, str, str) if cursor else (date.min.isoformat(), str(UUID(int=0)))
    params = {
        "c": community_code, "tags": list(CARE_TAGS), "today": today(), "never": _NEVER,
        "due_on": cursor_day(due_on), "after": cursor_uuid(after), "limit": limit + 1,
    }  # fmt: skip
    rows = (await session.execute(_HOUSEHOLDS, params)).mappings().all()
    page = rows[:limit]
    names = await people.name_households(session, community_code, [row["household_id"] for row in page])
    items = [
        CareHousehold(
            **{name: row[name] for name in CareHousehold.model_fields if name in row and name != "due_on"}
            | {"address": names[row["household_id"]].address},
            due_on=None if row["due_on"] == _NEVER else row["due_on"],
            phone_masked=crypto.mask_phone(crypto.open_text(row["phone_sealed"], people.HOUSEHOLD_PHONE)),
        )
        for row in page
    ]
    more = encode_cursor(page[-1]["due_on"].isoformat(), str(page[-1]["household_id"])) if len(rows) > limit else None
    return items, more


DUE_VISITS = (
    "care_visit WHERE delete_by <= :on AND (needs <> '{}' OR note_sealed IS NOT NULL OR reason_sealed IS NOT NULL)"
)
"""Which rows hold something that has to go by the day `:on`."""


async def delete_due_visits(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty what visitors noted where its day has come, `limit` visits at most; that somebody came stays."""
    result = await session.execute(
        text(f"""
        WITH due AS (
            SELECT id FROM {DUE_VISITS} AND community_code = :c ORDER BY id LIMIT :limit
        ), emptied AS (
            UPDATE care_visit v SET needs = '{{}}', note_sealed = NULL, reason_sealed = NULL, version = :version
            FROM due
            WHERE v.community_code = :c AND v.id = due.id RETURNING 1
        ), plans AS (
            UPDATE care_plan p SET needs = '{{}}', version = :version FROM due
            WHERE p.community_code = :c AND p.last_visit_id = due.id AND p.needs <> '{{}}'
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())
