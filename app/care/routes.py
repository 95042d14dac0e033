"""HTTP of care, as the desk reads it; phones record through their commands."""

from uuid import UUID

from fastapi import APIRouter

from app.auth.guards import DeskActor, Session
from app.care import service
from app.care.schemas import CareHouseholdPage, CareVisitPage
from app.core.area_code import Code
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["care"], responses=COMMON_PROBLEMS)


@router.get("/care-visits")
async def list_care_visits(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    household_id: UUID | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> CareVisitPage:
    """Care visits in a community, newest first."""
    items, more = await service.list_care_visits(session, actor, community_code, household_id, limit, cursor)
    return CareVisitPage(items=items, next_cursor=more)


@router.get("/care-households")
async def list_care_households(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> CareHouseholdPage:
    """Households that are looked after in a community, overdue promises first."""
    items, more = await service.list_care_households(session, actor, community_code, limit, cursor)
    return CareHouseholdPage(items=items, next_cursor=more)
