"""HTTP of flagged edits, as the desk reads and judges them; phones record through their commands."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.flagged_edits import service
from app.flagged_edits.schemas import FlaggedEditPage, FlaggedEditRead
from app.posts.verdicts import JudgeIn
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["people"], responses=COMMON_PROBLEMS)


@router.get("/flagged-edits")
async def list_flagged_edits(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    is_flagged: Annotated[
        bool | None, Query(description="Only those somebody has to look at, or only the others.")
    ] = None,
    is_judged: Annotated[
        bool | None, Query(description="Only those confirmed or set aside, or only the others.")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> FlaggedEditPage:
    """Edits of the registry that phones made in a community, credited and flagged; newest first."""
    wanted = service.EditFilter(is_flagged, is_judged)
    items, more = await service.list_flagged_edits(session, actor, community_code, wanted, limit, cursor)
    return FlaggedEditPage(items=items, next_cursor=more)


@router.post("/flagged-edits/{flagged_edit_id}/judge")
async def judge_flagged_edit(
    actor: DeskActor, session: Session, flagged_edit_id: UUID, body: JudgeIn
) -> FlaggedEditRead:
    """Say that a flagged edit was right, or that it was not; the registry stays as it is, to be corrected there."""
    return await service.judge_flagged_edit(session, actor, flagged_edit_id, body.verdict, body.reason)


@router.post("/flagged-edits/{flagged_edit_id}/reopen")
async def reopen_flagged_edit(actor: DeskActor, session: Session, flagged_edit_id: UUID) -> FlaggedEditRead:
    """Take a verdict back: the edit waits for somebody to look."""
    return await service.judge_flagged_edit(session, actor, flagged_edit_id, None)
