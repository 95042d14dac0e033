"""Judging care visits that were taken and flagged: confirmed, set aside, or waiting again."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope
from app.care.models import CareVisit
from app.care.schemas import CareVisitRead
from app.care.service import REASON, read_care_visits
from app.core.errors import NotFound
from app.posts.verdicts import Verdict, write_verdict

_RESTATE = text("SELECT care_restate_households(:c, :version, :households)")


async def judge_care_visit(
    session: AsyncSession, actor: Actor, visit_id: UUID, verdict: Verdict | None, reason: str = ""
) -> CareVisitRead:
    """Say whether a flagged visit counts; with no verdict it waits for somebody again, and counts.

    What is promised to the household follows in the same transaction. The same verdict again changes nothing.
    Raises NotFound, RecordNotFlagged, and RecordEmptied.
    """
    own = (col(CareVisit.id) == visit_id) & in_scope(col(CareVisit.community_code), actor, DESK)
    community = (await session.scalars(select(col(CareVisit.community_code)).where(own))).first()
    if community is None:
        raise NotFound
    version = await areas.advance_clock(session, community)
    visit = (await session.scalars(select(CareVisit).where(own, col(CareVisit.community_code) == community))).one()
    moves = write_verdict(visit, verdict, reason, by=actor.id, name=actor.name, context=REASON)
    if moves is not None:
        visit.version = version
        await session.flush()
        if moves:
            params = {"c": community, "version": version, "households": [visit.household_id]}
            await session.execute(_RESTATE, params)
        action = "judge_care_visit" if verdict else "reopen_care_visit"
        subjects = (visit.id, visit.household_id)
        await audit.append_entry(session, actor.doer, community, action, subjects, {"verdict": verdict})
    (read,) = await read_care_visits(session, community, [visit])
    return read
