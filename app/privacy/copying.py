"""A person's copy of what is held about them in a community, whole, and nothing about the others."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.auth.service import Actor
from app.care import service as care
from app.care.models import CareVisit
from app.core import crypto
from app.core.clock import SHANGHAI
from app.followups import service as followups
from app.followups.models import Finding, FollowUp
from app.not_home import self_reports
from app.not_home.models import SelfReport
from app.people import edits as people_edits
from app.people import service as people
from app.people.models import Dwelling, EditConflict, Household, IdKind, Resident
from app.photos.models import VisitPhoto
from app.privacy.models import AccessKind
from app.privacy.places import Whereabouts, find_whereabouts
from app.privacy.schemas import (
    CopyCareVisit,
    CopyConflict,
    CopyDoorVisit,
    CopyFinding,
    CopyFollowUp,
    CopyPhoto,
    CopyRead,
    CopySelfReport,
    CopyTenure,
)
from app.privacy.service import find_subject, note_access
from app.questions import service as questions
from app.questions.schemas import AnswerRead
from app.residence import service as residence
from app.residence import timeline
from app.residence.models import Tenure
from app.screening import service as screening
from app.screening.models import DoorVisit

MOST = 1000
"""Rows of a kind; more than this nobody has of anybody."""


async def copy_resident(session: AsyncSession, actor: Actor, resident_id: UUID) -> CopyRead:
    """What a community holds about one person, gone from it or not, to be printed for them; recorded like a reveal.

    Of the households they lived in what was said while they did, of any other what names them.
    """
    resident = await find_subject(session, actor, resident_id)
    household, dwelling = await residence.find_home(session, actor, resident.household_id)
    where = await find_whereabouts(session, resident)
    places, _ = await timeline.list_resident_residences(session, actor, resident_id, MOST, None)
    record = await note_access(session, actor, resident, AccessKind.COPY, ["copy"], "居民本人申请查阅、复制")
    return CopyRead(
        at=record.at,
        actor_name=actor.name,
        **_person(resident, household, dwelling),
        residences=places,
        tenures=await _tenures(session, where),
        door_visits=await _door_visits(session, where),
        care_visits=await _care_visits(session, where),
        follow_ups=await _follow_ups(session, where),
        self_reports=await _self_reports(session, where),
        photos=await _photos(session, where),
        conflicts=await _conflicts(session, where),
    )


def _person(resident: Resident, household: Household, dwelling: Dwelling) -> dict[str, Any]:
    read = people.household_read(household, dwelling)
    return {
        "resident_id": resident.id,
        "community_code": resident.community_code,
        "is_gone": resident.is_gone,
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
        # what a household is after somebody has left it is the others'
        "head_name": "" if resident.is_gone else read.head_name,
        "household_phone": (
            None if resident.is_gone else crypto.open_text(household.phone_sealed, people.HOUSEHOLD_PHONE)
        ),
        "household_tags": [] if resident.is_gone else read.tags,
        "household_note": None if resident.is_gone else read.note,
    }


async def _rows(session: AsyncSession, where: Whereabouts, table: Any, condition: Any, newest: Any) -> Sequence[Any]:
    statement = select(table).where(col(table.community_code) == where.community_code, condition)
    return (await session.scalars(statement.order_by(newest.desc()).limit(MOST))).all()


def _named(where: Whereabouts, persons: Any) -> Any:
    """The condition that a list of persons names this one."""
    return or_(*(persons.contains([{"resident_id": str(one)}]) for one in where.ids))


def _own(where: Whereabouts, persons: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What a list of persons says of this one: of two ids of theirs that one which says that they were ill."""
    known = {str(one) for one in where.ids}
    said = [p for p in persons if p.get("resident_id") in known]
    own: dict[str, Any] = min(said, key=lambda p: p.get("status") != "symptoms", default={})
    return {
        "status": own.get("status"),
        "temperature_c": own.get("temperature_c"),
        "symptoms": own.get("symptoms") or [],
        "risk_area": own.get("risk_area"),
    }


async def _door_visits(session: AsyncSession, where: Whereabouts) -> list[CopyDoorVisit]:
    at, home = col(DoorVisit.recorded_at), col(DoorVisit.household_id)
    theirs = where.while_there(home, at) | (home.in_(where.households) & _named(where, col(DoorVisit.persons)))
    visits = await _rows(session, where, DoorVisit, theirs, at)
    ids = [visit.id for visit in visits]
    answers = await questions.read_answers(session, where.community_code, ids, with_texts=True)
    return [
        CopyDoorVisit(
            recorded_at=visit.recorded_at,
            actor_name=visit.actor_name,
            outcome=visit.outcome,
            **_own(where, visit.persons),
            note=crypto.open_text(visit.note_sealed, screening.NOTE),
            answers=_answers(where, answers.get(visit.id, [])),
            delete_by=visit.delete_by,
        )
        for visit in visits
    ]


def _answers(where: Whereabouts, answers: Iterable[AnswerRead]) -> list[AnswerRead]:
    return [a for a in answers if a.resident_id is None or a.resident_id in where.ids]


async def _care_visits(session: AsyncSession, where: Whereabouts) -> list[CopyCareVisit]:
    at, home, who = col(CareVisit.recorded_at), col(CareVisit.household_id), col(CareVisit.resident_id)
    theirs = (who.is_(None) & where.while_there(home, at)) | (home.in_(where.households) & who.in_(where.ids))
    return [
        CopyCareVisit(
            **visit.model_dump(include={"recorded_at", "actor_name", "condition", "needs", "next_on", "delete_by"}),
            note=crypto.open_text(visit.note_sealed, care.NOTE),
        )
        for visit in await _rows(session, where, CareVisit, theirs, at)
    ]


async def _tenures(session: AsyncSession, where: Whereabouts) -> list[CopyTenure]:
    """Of each household they lived in while they did; the landlord's number is the landlord's."""
    rows = await _rows(session, where, Tenure, col(Tenure.household_id).in_(where.households), col(Tenure.recorded_at))
    met = []
    for row in rows:
        lived = [
            (s.since.astimezone(SHANGHAI).date(), s.until.date()) for s in where.spans
            if s.household_id == row.household_id
        ]  # fmt: skip
        if any(
            (row.started_on is None or row.started_on < until) and (row.ended_on is None or row.ended_on >= since)
            for since, until in lived
        ):
            met.append(row)
    return [CopyTenure(**row.model_dump(include=set(CopyTenure.model_fields))) for row in met]


async def _follow_ups(session: AsyncSession, where: Whereabouts) -> list[CopyFollowUp]:
    rows = await _rows(session, where, FollowUp, col(FollowUp.resident_id).in_(where.ids), col(FollowUp.opened_at))
    findings = await _rows(
        session, where, Finding, col(Finding.follow_up_id).in_([row.id for row in rows]), col(Finding.recorded_at)
    )
    return [
        CopyFollowUp(
            **row.model_dump(include={"opened_at", "outcome", "closed_at"}),
            owner_name=row.owner_name or None,
            closed_by_name=row.closed_by_name or None,
            note=crypto.open_text(row.note_sealed, followups.NOTE),
            findings=[
                CopyFinding(**one.model_dump(include=set(CopyFinding.model_fields)))
                for one in findings
                if one.follow_up_id == row.id
            ],
        )
        for row in rows
    ]


async def _self_reports(session: AsyncSession, where: Whereabouts) -> list[CopySelfReport]:
    at, home = col(SelfReport.reported_at), col(SelfReport.household_id)
    theirs = where.while_there(home, at) | (home.in_(where.households) & _named(where, col(SelfReport.persons)))
    return [
        CopySelfReport(
            reported_at=row.reported_at,
            settled=row.status,
            **_own(where, row.persons),
            note=crypto.open_text(row.note_sealed, self_reports.NOTE),
            delete_by=row.delete_by,
        )
        for row in await _rows(session, where, SelfReport, theirs, at)
    ]


async def _photos(session: AsyncSession, where: Whereabouts) -> list[CopyPhoto]:
    at, home = col(VisitPhoto.taken_at), col(VisitPhoto.household_id)
    return [
        CopyPhoto(
            **row.model_dump(include={"taken_at", "actor_name", "delete_by"}), is_deleted=row.content_sealed is None
        )
        for row in await _rows(session, where, VisitPhoto, where.while_there(home, at), at)
    ]


async def _conflicts(session: AsyncSession, where: Whereabouts) -> list[CopyConflict]:
    """Values that two people entered for the same fact, both kept until somebody decided and a time after."""
    at, home = col(EditConflict.recorded_at), col(EditConflict.household_id)
    theirs = col(EditConflict.subject_id).in_(where.ids) | (
        (col(EditConflict.subject) == "household") & where.while_there(home, at)
    )
    return [
        CopyConflict(
            **row.model_dump(include={"field", "recorded_at", "actor_name", "kept"}),
            server=_value(row.server_sealed, people_edits.SERVER_VALUE),
            phone=_value(row.phone_sealed, people_edits.PHONE_VALUE),
        )
        for row in await _rows(session, where, EditConflict, theirs, at)
    ]


def _value(sealed: bytes | None, context: str) -> str | None:
    value = orjson.loads(crypto.open_text(sealed, context) or "null")
    return "、".join(value) if isinstance(value, list) else value if value is None else str(value)
