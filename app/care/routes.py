"""HTTP of care, as the desk reads it; phones record through their commands."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.care import judging, service
from app.care.schemas import CareHouseholdPage, CareVisitPage, CareVisitRead
from app.core.area_code import Code
from app.posts.verdicts import JudgeIn
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["care"], responses=COMMON_PROBLEMS)


@router.get("/care-visits")
async def list_care_visits(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    household_id: UUID | None = None,
    is_flagged: Annotated[
        bool | None, Query(description="Only those somebody has to look at, or only the others.")
    ] = None,
    is_judged: Annotated[
        bool | None, Query(description="Only those confirmed or set aside, or only the others.")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> CareVisitPage:
    """Care visits in a community, newest first."""
    wanted = service.VisitFilter(household_id, is_flagged, is_judged)
    items, more = await service.list_care_visits(session, actor, community_code, wanted, limit, cursor)
    return CareVisitPage(items=items, next_cursor=more)


@router.post("/care-visits/{care_visit_id}/judge")
async def judge_care_visit(actor: DeskActor, session: Session, care_visit_id: UUID, body: JudgeIn) -> CareVisitRead:
    """Confirm a flagged visit, or set it aside so that it counts no longer."""
    return await judging.judge_care_visit(session, actor, care_visit_id, body.verdict, body.reason)


@router.post("/care-visits/{care_visit_id}/reopen")
async def reopen_care_visit(actor: DeskActor, session: Session, care_visit_id: UUID) -> CareVisitRead:
    """Take a verdict back: the visit counts, and waits for somebody to look."""
    return await judging.judge_care_visit(session, actor, care_visit_id, None)


@router.get("/care-households")
async def list_care_households(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> CareHouseholdPage:
    """Households that are looked after in a community, overdue promises first."""
    items, more = await service.list_care_households(session, actor, community_code, limit, cursor)
    return CareHouseholdPage(items=items, next_cursor=more)
