"""Judging knocks that were taken and flagged: confirmed, set aside, or waiting again."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope
from app.core.errors import NotFound
from app.posts.verdicts import Verdict, write_verdict
from app.screening.models import DoorVisit
from app.screening.schemas import DoorVisitRead
from app.screening.service import REASON, read_door_visits

_RESTATE = text("SELECT screening_restate_visits(:c, :version, :visits)")


async def judge_door_visit(
    session: AsyncSession, actor: Actor, visit_id: UUID, verdict: Verdict | None, reason: str = ""
) -> DoorVisitRead:
    """Say whether a flagged knock counts; with no verdict it waits for somebody again, and counts.

    Where the household stands, who was answered for and the tallies follow in the same transaction. The same verdict
    again changes nothing. Raises NotFound, RecordNotFlagged, and RecordEmptied.
    """
    own = (col(DoorVisit.id) == visit_id) & in_scope(col(DoorVisit.community_code), actor, DESK)
    community = (await session.scalars(select(col(DoorVisit.community_code)).where(own))).first()
    if community is None:
        raise NotFound
    version = await areas.advance_clock(session, community)
    visit = (await session.scalars(select(DoorVisit).where(own, col(DoorVisit.community_code) == community))).one()
    moves = write_verdict(visit, verdict, reason, by=actor.id, name=actor.name, context=REASON)
    if moves is not None:
        visit.version = version
        await session.flush()
        if moves:
            await session.execute(_RESTATE, {"c": community, "version": version, "visits": [visit.id]})
        action = "judge_door_visit" if verdict else "reopen_door_visit"
        subjects = (visit.id, visit.household_id)
        await audit.append_entry(session, actor.doer, community, action, subjects, {"verdict": verdict})
    (read,) = await read_door_visits(session, actor, community, [visit])
    return read
