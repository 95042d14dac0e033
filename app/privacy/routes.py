"""HTTP of privacy."""

from fastapi import APIRouter, Request

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.privacy import retention
from app.privacy.schemas import DeletionPage, RetentionPage
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, speaks_english

router = APIRouter(tags=["privacy"], responses=COMMON_PROBLEMS)


@router.get("/retention")
async def list_retention(request: Request, session: Session) -> RetentionPage:
    """How long what is learnt of people's health is kept, and what for."""
    items = await retention.list_retention(session, english=speaks_english(request))
    return RetentionPage(items=items, next_cursor=None)


@router.get("/deletions")
async def list_deletions(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> DeletionPage:
    """What was deleted in a community because its days were over, newest first."""
    items, more = await retention.list_deletions(session, actor, community_code, limit, cursor)
    return DeletionPage(items=items, next_cursor=more)
