"""Confirming self-reports: a worker's one tap, or the desk's at a door that nobody holds; each becomes a visit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.audit.service import Doer
from app.auth.service import Actor
from app.core.clock import now
from app.core.errors import Conflict
from app.core.ids import new_id
from app.not_home.models import SelfReport
from app.not_home.schemas import ConfirmedSelfReport, SelfReportRead
from app.not_home.self_reports import SelfReportSettled, find_waiting, read_self_report, standing
from app.people import service as people
from app.questions import service as questions
from app.questions.schemas import Answered
from app.screening import service as screening
from app.screening.schemas import DoorVisitPayload, PersonAnswer


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Somebody says that a self-report is right, and what was answered to the round's own questions; the id is the
    command's, and becomes the visit's."""

    id: UUID
    household_id: UUID
    self_report_id: UUID
    recorded_at: datetime
    epoch: int | None
    answered: Answered = field(default_factory=Answered)


async def confirm_self_reports(
    session: AsyncSession, doer: Doer, is_desk: bool, community_code: str, given: Sequence[Confirmation]
) -> dict[UUID, str | None]:
    """Make a visit of each self-report, with its answers and as its source; answers each command's code.

    What it answers to the round's own questions is judged as a visit's is; without any, a question that must be
    answered flags it all the same. One confirmed before is in order and makes no second visit. Call it under the
    community's clock.
    """
    verdicts: dict[UUID, str | None] = {}
    for one in given:
        report = await session.get(SelfReport, (community_code, one.self_report_id), with_for_update=True)
        if report is None or not await _is_of(session, community_code, report.household_id, one.household_id):
            verdicts[one.id] = "self_report_gone"
            continue
        if report.status == "confirmed":
            verdicts[one.id] = None
            continue
        if report.status != "waiting" or not report.persons:
            verdicts[one.id] = "self_report_gone"
            continue
        living = await session.scalar(
            text("SELECT resident_count FROM household WHERE community_code = :c AND id = :id"),
            {"c": community_code, "id": report.household_id},
        )
        payload = DoorVisitPayload(
            household_id=await _made_for(session, community_code, report),
            round_id=report.round_id,
            outcome="answered_all" if len(report.persons) >= (living or 0) else "answered_part",
            persons=[PersonAnswer.model_validate(person) for person in report.persons],
            again_reason="self_report",
            **one.answered.model_dump(include={"form_version", "answers"}),
        )
        judged = await questions.judge_confirmed(session, await _standing(session, community_code, payload))
        visit = screening.DoorVisitInput(one.id, one.recorded_at, one.epoch, payload, report.id, judged)
        written = await screening.write_door_visits(session, doer, is_desk, community_code, [visit])
        verdict, code = written[one.id]
        verdicts[one.id] = code
        if verdict != "rejected":
            report.status, report.settled_at, report.settled_by_name = "confirmed", now(), doer.name
            report.version = await areas.advance_clock(session, community_code)
            await session.flush()
            await session.execute(
                text("SELECT touch_households(:c, :version, ARRAY[cast(:home AS uuid)])"),
                {"c": community_code, "version": report.version, "home": report.household_id},
            )
    return verdicts


async def _made_for(session: AsyncSession, community: str, report: SelfReport) -> UUID:
    """The household a report was made for: the one that was merged away where it speaks of somebody who was, so that
    the visit it becomes goes back with them."""
    said = [UUID(one["resident_id"]) for one in report.persons]
    gone = text("SELECT household_id FROM resident WHERE community_code = :c AND id = ANY(:ids) AND "
                "merged_into_id IS NOT NULL LIMIT 1")  # fmt: skip
    return await session.scalar(gone, {"c": community, "ids": said}) or report.household_id


async def _is_of(session: AsyncSession, community: str, home: UUID, named: UUID) -> bool:
    """Whether a phone means the household a report stands with: itself, or one that was merged into it."""
    return named == home or (await people.find_roots(session, community, [named])).get(named) == home


async def _standing(session: AsyncSession, community: str, payload: DoorVisitPayload) -> DoorVisitPayload:
    """A visit whose people and answers are of who stands for each: a report and the phone that confirms it may be from
    before and after a merge."""
    named = {one.resident_id for one in payload.persons} | {one.resident_id for one in payload.answers}
    roots = await people.find_roots(session, community, [one for one in named if one])
    answers = [
        one.model_copy(update={"resident_id": one.resident_id and roots.get(one.resident_id, one.resident_id)})
        for one in payload.answers
    ]
    persons = [standing(one, roots) for one in payload.persons]
    return payload.model_copy(update={"persons": persons, "answers": answers})


class DoorHeld(Conflict):
    """Somebody goes to this door: they confirm, or ask."""

    def __init__(self, name: str) -> None:
        zh = f"这一户由{name}负责，请其在手机上核实。"
        super().__init__("door_held", zh, f"{name} holds this door and confirms on the phone.")


_HOLDER = text("""
    SELECT a.holder_name FROM household h
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
    WHERE h.community_code = :c AND h.id = :home AND a.holder_id IS NOT NULL
""")


async def confirm_self_report(
    session: AsyncSession, actor: Actor, self_report_id: UUID, given: ConfirmedSelfReport
) -> SelfReportRead:
    """Confirm, at the desk, the self-report of a door that nobody holds. Raises NotFound, SelfReportSettled and
    DoorHeld."""
    report, _ = await find_waiting(session, actor, self_report_id)
    community, household_id = report.community_code, report.household_id
    holder = (await session.execute(_HOLDER, {"c": community, "home": household_id})).scalar()
    if holder is not None:
        raise DoorHeld(holder)
    confirmation = Confirmation(new_id(), household_id, self_report_id, now(), None, given)
    code = (await confirm_self_reports(session, actor.doer, True, community, [confirmation]))[confirmation.id]
    if code == "self_report_gone":
        raise SelfReportSettled
    subjects = [self_report_id, household_id, confirmation.id]
    await audit.append_entry(session, actor.doer, community, "confirm_self_report", subjects)
    return await read_self_report(session, community, self_report_id)
