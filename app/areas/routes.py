"""HTTP of the division tree."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.areas import service
from app.areas.schemas import DivisionPage, DivisionWithAncestors
from app.auth.guards import CurrentActor, Session
from app.core.area_code import Code
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["areas"], responses=COMMON_PROBLEMS)


@router.get("/areas")
async def list_divisions(
    actor: CurrentActor,
    session: Session,
    parent: Annotated[Code | None, Query(description="A division code; none: the tops of one's grants.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DivisionPage:
    """Divisions right below one."""
    items, more = await service.list_divisions(session, actor, parent, limit, cursor)
    return DivisionPage(items=items, next_cursor=more)


@router.get("/areas/{code}")
async def get_division(actor: CurrentActor, session: Session, code: Annotated[Code, Path()]) -> DivisionWithAncestors:
    """One division and the path to it."""
    return await service.get_division(session, actor, code)
