"""Rounds, recording door visits, reading them back, and recounting the tallies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.area_code import prefix_of
from app.core.clock import SHANGHAI, day_of, day_start, now, today
from app.core.db import Database
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.paging import decode_id_cursor, encode_cursor
from app.people import service as people
from app.posts import service as posts
from app.posts.verdicts import JudgedRead, is_open, judged_read
from app.questions import service as questions
from app.questions.answers import Judged
from app.residence.schemas import EventPerson
from app.residence.service import Moved
from app.residence.timeline import Event
from app.rules import service as rules
from app.rules.service import RuleBook
from app.screening.findings import Threshold
from app.screening.models import DoorVisit, Outcome, PaperEntry, Rhythm, RoundStatus, ScreeningRound
from app.screening.schemas import DoorVisitCreate, DoorVisitPayload, DoorVisitRead

NOTE = "door_visit.note"
REASON = "door_visit.reason"
DAYS_AHEAD = timedelta(days=3)
"""How long before it begins a phone is given a round, or a day of a daily one: it may be out of reach that morning."""
CURRENT = "status = 'open' AND rhythm = 'once' AND starts_on <= (now() AT TIME ZONE interval '8 hours')::date"
"""SQL: of the table of rounds those that are worked on now: open, and begun; of a daily one its days."""
RULE = "retention.screening"
"""How long what was learnt at a door is kept: PIPL art. 19, the shortest time the purpose needs."""
NEAR = frozenset({Role.COMMITTEE, Role.STREET})
"""Who reads what was said in words."""
ASKED = frozenset({Outcome.ANSWERED_ALL.value, Outcome.ANSWERED_PART.value})
"""Outcomes of a knock at which people were asked."""


@dataclass(frozen=True, slots=True)
class DoorVisitInput:
    """One knock to record: the command's id and time, the assignment it was made under, what was said."""

    id: UUID
    recorded_at: datetime
    epoch: int | None
    payload: DoorVisitPayload
    # the self-report that this visit confirms
    self_report_id: UUID | None = None
    # what it answered to the questions of its round
    judged: Judged | None = None


def as_rows(visits: Sequence[DoorVisitInput], book: RuleBook) -> list[dict[str, Any]]:
    """Visits as SQL reads them: notes sealed, findings above threshold named, the delete-by date of health data set.

    That date counts from the day a visit comes in, because a phone's clock may be wrong by years. What is a finding
    is asked of the rules of the day it was recorded on, which are those that its phone has shown; of today's where the
    clock was wrong.
    """
    came_on = today()
    midnight = day_start(came_on)
    delete_by = book.day_after(RULE, came_on).isoformat()
    limits: dict[date, Threshold] = {}
    asked: dict[tuple[UUID, UUID], list[datetime]] = {}
    rows = []
    for visit in visits:
        payload = visit.payload
        # written out: of fifty visits model_dump takes as long as all the rest here
        row: dict[str, Any] = {
            "id": visit.id,
            "household_id": payload.household_id,
            "round_id": payload.round_id,
            "outcome": payload.outcome,
            "recorded_at": visit.recorded_at,
            "epoch": visit.epoch,
            "persons": [vars(person) for person in payload.persons],
            "note": crypto.seal_base64(payload.note, NOTE),
            "delete_by": delete_by,
        }
        if payload.outcome in ASKED:
            if payload.again_reason:
                row["again_reason"] = payload.again_reason
            else:
                earlier = asked.setdefault((payload.household_id, payload.round_id), [])
                is_second = bool(earlier) and day_of(visit.recorded_at) in map(day_of, earlier)
                row["asks"] = "second" if is_second else "first"
                if payload.outcome == Outcome.ANSWERED_ALL:
                    earlier.append(visit.recorded_at)
        # a phone's own command confirms none
        if source := getattr(visit, "self_report_id", None):
            row["self_report_id"] = source
        if payload.persons:
            is_todays = visit.recorded_at >= midnight or getattr(visit, "is_off", False)
            on = came_on if is_todays else day_of(visit.recorded_at)
            if on not in limits:
                limits[on] = Threshold.of(book, on)
            if findings := limits[on].find(payload.persons):
                row["findings"] = findings
        if visit.judged is not None:
            row |= visit.judged.as_row()
        rows.append(row)
    return rows


_RECORD = text(
    "SELECT visit_id, verdict, reason FROM screening_record_door_visits("
    "cast(:communities AS bpchar[]), :versions, :actors, :names, :devices, :are_desks, cast(:visits AS jsonb))"
)


async def write_door_visits(
    session: AsyncSession, doer: audit.Doer, is_desk: bool, community_code: str, visits: Sequence[DoorVisitInput]
) -> dict[UUID, tuple[str, str | None]]:
    """As `record_door_visits`, for a caller that writes the trail itself."""
    version = await areas.advance_clock(session, community_code)
    book = await rules.read_rules(session)
    rows = await session.execute(
        _RECORD,
        {
            "communities": [community_code],
            "versions": [version],
            "actors": [doer.id],
            "names": [doer.name],
            "devices": [doer.device_id],
            "are_desks": [is_desk],
            "visits": orjson.dumps([row | {"g": 1} for row in as_rows(visits, book)]).decode(),
        },
    )
    return {row.visit_id: (row.verdict, row.reason) for row in rows}


async def record_door_visits(
    session: AsyncSession, actor: Actor, community_code: str, visits: Sequence[DoorVisitInput]
) -> dict[UUID, tuple[str, str | None]]:
    """Record knocks in one community; answers each id's verdict (accepted, flagged, rejected) and its code.

    A phone's push calls the same SQL function inside `take_commands`, in one round trip.
    """
    verdicts = await write_door_visits(session, actor.doer, actor.may(community_code, DESK), community_code, visits)
    await audit.append_entry(session, actor.doer, community_code, "record_door_visits", verdicts)
    return verdicts


class AskedAgain(Conflict):
    """All of the household was answered for on this day already."""

    def __init__(self) -> None:
        zh = "这一户当天已经全部问过。再问请说明原因。"
        super().__init__("asked_again", zh, "All of this household was asked on this day; say why to ask again.")


async def record_door_visit(
    database: Database, session: AsyncSession, actor: Actor, new: DoorVisitCreate
) -> DoorVisitRead:
    """Record one knock at a desk; the same id again answers what stands.

    Raises AskedAgain without a reason for a second asking, NotFound (`household_not_found`, `round_not_found`,
    `resident_not_found`), Conflict (`id_taken`) and Forbidden.
    """
    community = new.community_code
    actor.demand(community, DESK)
    visit_id = new.id or new_id()
    await areas.lock_clock(session, community)
    own = (col(DoorVisit.community_code) == community) & (col(DoorVisit.id) == visit_id)
    found = (await session.scalars(select(DoorVisit).where(own))).first()
    if found is None:
        payload = DoorVisitPayload(**new.model_dump(exclude={"id", "community_code", "recorded_at"}))
        judged = (await questions.judge_visits(database, [(visit_id, payload)])).get(visit_id)
        visit = DoorVisitInput(visit_id, new.recorded_at or now(), None, payload, judged=judged)
        _, code = (await record_door_visits(session, actor, community, [visit]))[visit_id]
        if code == "asked_again":
            raise AskedAgain
        if code in _NOT_FOUND:
            raise NotFound(code, *_NOT_FOUND[code])
        found = (await session.scalars(select(DoorVisit).where(own))).one()
    elif (found.household_id, found.round_id, found.outcome) != (new.household_id, new.round_id, new.outcome):
        raise Conflict("id_taken", "这个编号已被占用。", "This id is taken.")
    (read,) = await read_door_visits(session, actor, community, [found])
    return read


_NOT_FOUND = {
    "household_not_found": ("没有这一户。", "There is no such household."),
    "round_not_found": ("没有这一轮排查。", "There is no such round here."),
    "resident_not_found": ("有人不在这一户。", "Somebody does not belong to this household."),
}


async def reopen_households(
    session: AsyncSession, community_code: str, household_ids: Sequence[UUID], version: int
) -> None:
    """Households that have more people now than were answered for are done in part only, in every open round."""
    await session.execute(
        text("""
        WITH short AS (
            UPDATE household_screening s SET outcome = 'answered_part', version = :version
            FROM household h, screening_round q
            WHERE s.community_code = :c AND s.household_id = ANY(:ids) AND s.outcome = 'answered_all'
                AND h.community_code = s.community_code AND h.id = s.household_id
                AND q.id = s.round_id AND q.status = 'open'
                AND h.resident_count > (
                    SELECT count(*) FROM person_check k
                    WHERE k.community_code = s.community_code AND k.round_id = s.round_id
                        AND k.household_id = s.household_id AND NOT k.has_left)
            RETURNING s.round_id
        ), moved AS (SELECT round_id, count(*) AS n FROM short GROUP BY 1)
        UPDATE screening_tally t SET answered_all = t.answered_all - n, answered_part = t.answered_part + n
        FROM moved WHERE t.community_code = :c AND t.round_id = moved.round_id
    """),
        {"c": community_code, "ids": list(household_ids), "version": version},
    )


async def complete_households(
    session: AsyncSession, community_code: str, household_ids: Sequence[UUID], since: int, version: int
) -> None:
    """Take back what `reopen_households` did at version `since`: the people for whom it did are there no more, and
    nothing has come in for these households meanwhile. Rounds that are closed stay as they are."""
    await session.execute(
        text("""
        WITH whole AS (
            UPDATE household_screening s SET outcome = 'answered_all', version = :version
            FROM screening_round q
            WHERE s.community_code = :c AND s.household_id = ANY(:ids) AND s.outcome = 'answered_part'
                AND s.version = :since AND q.id = s.round_id AND q.status = 'open'
            RETURNING s.round_id
        ), moved AS (SELECT round_id, count(*) AS n FROM whole GROUP BY 1)
        UPDATE screening_tally t SET answered_all = t.answered_all + n, answered_part = t.answered_part - n
        FROM moved WHERE t.community_code = :c AND t.round_id = moved.round_id
    """),
        {"c": community_code, "ids": list(household_ids), "since": since, "version": version},
    )


async def follow_people(session: AsyncSession, community_code: str, moved: Moved, version: int) -> None:
    """People have changed places: in open rounds their answers count where they live, or no longer."""
    await session.execute(
        text("SELECT screening_follow_people(:c, :version, :residents, :households)"),
        {"c": community_code, "version": version, "residents": moved.residents, "households": moved.households},
    )


async def list_events(
    session: AsyncSession, community_code: str, household_id: UUID, until: datetime, limit: int
) -> list[Event]:
    """Knocks at a household's door up to an instant, newest first, with whom each answered for."""
    statement = (
        select(DoorVisit)
        .where(
            col(DoorVisit.community_code) == community_code,
            col(DoorVisit.household_id) == household_id,
            col(DoorVisit.recorded_at) <= until,
        )
        .order_by(col(DoorVisit.recorded_at).desc(), col(DoorVisit.id).desc())
        .limit(limit)
    )
    visits = list((await session.scalars(statement)).all())
    named = {UUID(person["resident_id"]) for visit in visits for person in visit.persons}
    names = await people.name_residents(session, community_code, sorted(named))
    return [
        Event(
            id=visit.id, event="door_visit", on=visit.recorded_at.astimezone(SHANGHAI).date(), at=visit.recorded_at,
            by_name=visit.actor_name, outcome=visit.outcome,
            persons=[
                EventPerson(resident_id=one["resident_id"], name=names[UUID(one["resident_id"])], status=one["status"])
                for one in visit.persons if UUID(one["resident_id"]) in names
            ],
        )
        for visit in visits
    ]  # fmt: skip


def covering(code: str) -> list[str]:
    """Prefixes of the divisions that cover `code`, itself included."""
    prefix = prefix_of(code)
    return [prefix[:n] for n in (4, 6, 9, 12) if n <= len(prefix)]


async def list_open_rounds(session: AsyncSession, codes: Sequence[str]) -> dict[str, list[ScreeningRound]]:
    """Rounds that phones are given in each community, oldest first: those that are worked on, and those that will be
    within the days a phone may be out of reach for."""
    prefixes = sorted({p for code in codes for p in covering(code)})
    statement = select(ScreeningRound).where(
        col(ScreeningRound.status) == RoundStatus.OPEN,
        col(ScreeningRound.rhythm) == Rhythm.ONCE,
        col(ScreeningRound.division_prefix).in_(prefixes),
        col(ScreeningRound.starts_on) <= today() + DAYS_AHEAD,
    )
    rounds = (await session.scalars(statement.order_by(col(ScreeningRound.id)))).all()
    return {code: [r for r in rounds if code.startswith(r.division_prefix)] for code in codes}


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which knocks of a community are meant; None is any."""

    household_id: UUID | None = None
    round_id: UUID | None = None
    is_flagged: bool | None = None
    is_judged: bool | None = None


async def list_door_visits(
    session: AsyncSession, actor: Actor, community_code: str, wanted: VisitFilter, limit: int, cursor: str | None
) -> tuple[list[DoorVisitRead], str | None]:
    """Visits in a community, newest first, for its desk."""
    actor.demand(community_code, DESK)
    statement = select(DoorVisit).where(col(DoorVisit.community_code) == community_code)
    if wanted.household_id:
        statement = statement.where(col(DoorVisit.household_id) == wanted.household_id)
    if wanted.round_id:
        statement = statement.where(col(DoorVisit.round_id) == wanted.round_id)
    if wanted.is_flagged is not None:
        statement = statement.where(is_open(DoorVisit) == wanted.is_flagged)
    if wanted.is_judged is not None:
        statement = statement.where(col(DoorVisit.verdict).is_not(None) == wanted.is_judged)
    if cursor:
        statement = statement.where(col(DoorVisit.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(DoorVisit.id).desc()).limit(limit + 1))).all())
    items = await read_door_visits(session, actor, community_code, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


_COLUMNS = set(DoorVisitRead.model_fields) - {
    "is_flagged",
    "note",
    "answers",
    "entered_by_name",
    *JudgedRead.model_fields,
}


async def read_door_visits(
    session: AsyncSession, actor: Actor, community_code: str, visits: Sequence[DoorVisit]
) -> list[DoorVisitRead]:
    """Visits of a community as its desk reads them; what was answered in words for the committee and the street."""
    is_near = actor.may(community_code, NEAR)
    ids = [v.id for v in visits]
    answers = await questions.read_answers(session, community_code, ids, with_texts=is_near)
    names = await people.name_households(session, community_code, [v.household_id for v in visits])
    on_paper = select(PaperEntry).where(
        col(PaperEntry.community_code) == community_code, col(PaperEntry.visit_id).in_([v.id for v in visits])
    )
    typed = {one.visit_id: one.entered_by_name for one in (await session.scalars(on_paper)).all()}
    return [
        DoorVisitRead(
            **v.model_dump(include=_COLUMNS),
            **names[v.household_id].model_dump(),
            **judged_read(v, REASON),
            is_flagged=v.flag_code is not None and v.verdict is None,
            entered_by_name=typed.get(v.id),
            note=crypto.open_text(v.note_sealed, NOTE),
            answers=answers.get(v.id, []),
        )
        for v in visits
    ]


@dataclass(frozen=True, slots=True)
class TallyDrift:
    """A tally that differs from its recount."""

    community_code: str
    name: str
    tally: int
    recount: int


_RECOUNT = text("""
    WITH households AS (
        SELECT community_code, round_id,
            count(*) FILTER (WHERE outcome = 'answered_all') AS answered_all,
            count(*) FILTER (WHERE outcome = 'answered_part') AS answered_part,
            count(*) FILTER (WHERE outcome = 'no_answer') AS no_answer,
            count(*) FILTER (WHERE outcome = 'refused') AS refused,
            count(*) FILTER (WHERE outcome = 'vacant') AS vacant,
            count(*) FILTER (WHERE outcome = 'wrong_address') AS wrong_address,
            count(*) FILTER (WHERE outcome = 'unsafe') AS unsafe
        FROM household_screening GROUP BY 1, 2
    ), persons AS (
        SELECT community_code, round_id, count(*) FILTER (WHERE NOT has_left) AS persons_done,
            count(*) FILTER (WHERE status = 'symptoms') AS persons_symptoms
        FROM person_check GROUP BY 1, 2
    ), visits AS (
        SELECT community_code, round_id, count(*) AS visit_count FROM door_visit
        WHERE verdict IS DISTINCT FROM 'set_aside' GROUP BY 1, 2
    ), compared AS (
        SELECT coalesce(t.community_code, h.community_code) AS community_code, f.*
        FROM screening_tally t
        FULL JOIN households h USING (community_code, round_id)
        LEFT JOIN persons p USING (community_code, round_id)
        LEFT JOIN visits v USING (community_code, round_id)
        CROSS JOIN LATERAL (VALUES
            ('answered_all', t.answered_all, h.answered_all), ('answered_part', t.answered_part, h.answered_part),
            ('no_answer', t.no_answer, h.no_answer), ('refused', t.refused, h.refused),
            ('vacant', t.vacant, h.vacant), ('wrong_address', t.wrong_address, h.wrong_address),
            ('unsafe', t.unsafe, h.unsafe), ('persons_done', t.persons_done, p.persons_done),
            ('persons_symptoms', t.persons_symptoms - t.persons_symptoms_deleted, p.persons_symptoms),
            ('visit_count', t.visit_count, v.visit_count)
        ) AS f(name, tally, recount)
    )
    SELECT community_code, name, coalesce(tally, 0) AS tally, coalesce(recount, 0) AS recount FROM compared
    WHERE coalesce(tally, 0) <> coalesce(recount, 0) ORDER BY 1, 2 LIMIT 1000
""")


async def find_tally_drift(session: AsyncSession) -> list[TallyDrift]:
    """Round tallies that differ from a recount of the rows in the session's scope (at most 1,000)."""
    return [TallyDrift(*row) for row in await session.execute(_RECOUNT)]


DUE_VISITS = (
    "door_visit WHERE delete_by <= :on AND (persons <> '[]' OR note_sealed IS NOT NULL OR reason_sealed IS NOT NULL)"
)
DUE_CHECKS = "person_check WHERE delete_by <= :on AND status <> 'answered'"
"""Which rows hold something that has to go by the day `:on`."""


async def delete_due_visits(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty what was said at doors where its day has come, `limit` visits at most; that one knocked stays."""
    result = await session.execute(
        text(f"""
        WITH due AS (
            SELECT id FROM {DUE_VISITS} AND community_code = :c ORDER BY id LIMIT :limit
        ), emptied AS (
            UPDATE door_visit v SET persons = '[]', note_sealed = NULL, reason_sealed = NULL, version = :version
            FROM due
            WHERE v.community_code = :c AND v.id = due.id RETURNING 1
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())


async def delete_due_checks(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty what was learnt of people's health where its day has come, `limit` people at most.

    That somebody was answered for stays, as `answered`. How many had symptoms stays in the round's tally, which
    keeps apart how many of them can no longer be counted from the rows. Phones load
    their areas anew: of rounds that are closed they hold what no later pull would mention.
    """
    rows = await session.execute(
        text(f"""
        WITH due AS (
            SELECT round_id, resident_id, household_id, status FROM {DUE_CHECKS} AND community_code = :c
            ORDER BY round_id, resident_id LIMIT :limit
        ), emptied AS (
            UPDATE person_check k SET status = 'answered', temperature_c = NULL, symptoms = '{{}}', risk_area = NULL,
                version = :version
            FROM due
            WHERE k.community_code = :c AND k.round_id = due.round_id AND k.resident_id = due.resident_id
            RETURNING k.round_id, k.household_id, due.status
        ), kept AS (
            UPDATE screening_tally t SET persons_symptoms_deleted = t.persons_symptoms_deleted + e.symptoms
            FROM (SELECT round_id, count(*) FILTER (WHERE status = 'symptoms') AS symptoms FROM emptied GROUP BY 1) e
            WHERE t.community_code = :c AND t.round_id = e.round_id AND e.symptoms > 0
        ), doors AS (
            UPDATE household_screening s SET version = :version
            FROM (SELECT DISTINCT round_id, household_id FROM emptied) e
            WHERE s.community_code = :c AND s.round_id = e.round_id AND s.household_id = e.household_id
        )
        SELECT h.dwelling_id, count(*) AS emptied FROM emptied e
        JOIN household h ON h.community_code = :c AND h.id = e.household_id GROUP BY 1
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    found = rows.all()
    await posts.reload_areas(session, community_code, [row.dwelling_id for row in found], version)
    return sum(row.emptied for row in found)
