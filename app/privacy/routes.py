"""HTTP of privacy."""

from uuid import UUID

from fastapi import APIRouter, Request

from app.auth.guards import DeskActor, PersonActor, Session
from app.core.area_code import Code
from app.privacy import copying, retention, service
from app.privacy.schemas import (
    AccessPage,
    CopyRead,
    DeletionPage,
    RetentionPage,
    RevealPage,
    RevealRead,
    RevealRequest,
)
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


@router.post("/residents/{resident_id}/reveal")
async def reveal_resident(actor: PersonActor, session: Session, resident_id: UUID, body: RevealRequest) -> RevealRead:
    """A full ID number or phone, for a purpose that the committee and the person can read."""
    return await service.reveal_resident(session, actor, resident_id, body.fields, body.purpose)


@router.get("/residents/{resident_id}/access-log")
async def list_access_log(
    actor: DeskActor, session: Session, resident_id: UUID, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> AccessPage:
    """Who saw, changed, visited or carried a person's data, newest first."""
    items, more = await service.list_access_log(session, actor, resident_id, limit, cursor)
    return AccessPage(items=items, next_cursor=more)


@router.get("/residents/{resident_id}/copy")
async def copy_resident(actor: DeskActor, session: Session, resident_id: UUID) -> CopyRead:
    """What a community holds about a person, living in it or gone, to be printed for them; recorded like a reveal."""
    return await copying.copy_resident(session, actor, resident_id)


@router.get("/reveals")
async def list_reveals(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> RevealPage:
    """Who read whose full numbers in a community, when and why, newest first."""
    items, more = await service.list_reveals(session, actor, community_code, limit, cursor)
    return RevealPage(items=items, next_cursor=more)
