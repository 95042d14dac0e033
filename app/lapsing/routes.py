"""HTTP of what lapses, for desks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.lapsing import service
from app.lapsing.schemas import LapsingPage, LapsingRead, SayAgain
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["people"], responses=COMMON_PROBLEMS)


@router.get("/lapsing")
async def list_lapsing(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    household_id: Annotated[UUID | None, Query(description="Only this household, however far its last day is.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> LapsingPage:
    """Households whose tags or note are deleted within sixty days unless somebody says that they still hold."""
    items, more = await service.list_lapsing(session, actor, community_code, household_id, limit, cursor)
    return LapsingPage(items=items, next_cursor=more)


@router.post("/households/{household_id}/say-again")
async def say_again(actor: DeskActor, session: Session, household_id: UUID, body: SayAgain) -> LapsingRead | None:
    """Say that tags or note of a household still hold: their time begins anew. null: there is nothing that lapses."""
    return await service.say_again(session, actor, household_id, body.facts)
