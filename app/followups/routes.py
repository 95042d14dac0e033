"""HTTP of follow-ups, for the desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.followups import service
from app.followups.schemas import CloseFollowUp, FollowUpPage, FollowUpRead, TakeFollowUp
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["follow-ups"], responses=COMMON_PROBLEMS)


@router.get("/follow-ups")
async def list_follow_ups(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    is_open: Annotated[bool | None, Query(description="Only those to be seen to, or only those closed.")] = None,
    household_id: UUID | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> FollowUpPage:
    """People with fever, symptoms or contacts, newest first."""
    items, more = await service.list_follow_ups(
        session, actor, community_code, is_open=is_open, household_id=household_id, limit=limit, cursor=cursor
    )
    return FollowUpPage(items=items, next_cursor=more)


@router.post("/follow-ups/{follow_up_id}/take")
async def take_follow_up(actor: DeskActor, session: Session, follow_up_id: UUID, body: TakeFollowUp) -> FollowUpRead:
    """See to it oneself, or give it to somebody who works in the community."""
    return await service.take_follow_up(session, actor, follow_up_id, body.account_id)


@router.post("/follow-ups/{follow_up_id}/close")
async def close_follow_up(actor: DeskActor, session: Session, follow_up_id: UUID, body: CloseFollowUp) -> FollowUpRead:
    """Say what it came to."""
    return await service.close_follow_up(session, actor, follow_up_id, body)


@router.post("/follow-ups/{follow_up_id}/reopen")
async def reopen_follow_up(actor: DeskActor, session: Session, follow_up_id: UUID) -> FollowUpRead:
    """Take the closing back."""
    return await service.reopen_follow_up(session, actor, follow_up_id)
