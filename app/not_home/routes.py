"""HTTP of door notices, for the desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.core.config import get_settings
from app.not_home import confirming, self_reports, service
from app.not_home.schemas import (
    ConfirmedSelfReport,
    DoorNoticePage,
    PrintDoorNotices,
    PrintedNotices,
    SelfReportPage,
    SelfReportRead,
)
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["not home"], responses=COMMON_PROBLEMS)


@router.get("/door-notices")
async def list_door_notices(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    is_left: Annotated[bool | None, Query(description="Only those that hang at a door, or only the others.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DoorNoticePage:
    """Notices due in open rounds, where still nobody has answered."""
    items, more = await service.list_door_notices(session, actor, community_code, is_left, limit, cursor)
    return DoorNoticePage(items=items, next_cursor=more)


@router.post("/door-notices/print")
async def print_door_notices(
    request: Request, actor: DeskActor, session: Session, body: PrintDoorNotices
) -> PrintedNotices:
    """What is to be printed, with each household's code; printing is in the trail."""
    base = (get_settings().public_url or str(request.base_url)).rstrip("/")
    return await service.print_door_notices(session, actor, body, base)


@router.post("/households/{household_id}/replace-code", status_code=204)
async def replace_household_code(actor: DeskActor, session: Session, household_id: UUID) -> None:
    """End a household's code, as when its notice is in the wrong hands."""
    await service.replace_household_code(session, actor, household_id)


@router.get("/self-reports")
async def list_self_reports(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    is_waiting: Annotated[
        bool | None, Query(description="Only those nobody has confirmed, or only the others.")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> SelfReportPage:
    """What households reported of themselves by their code, newest first."""
    items, more = await self_reports.list_self_reports(session, actor, community_code, is_waiting, limit, cursor)
    return SelfReportPage(items=items, next_cursor=more)


@router.post("/self-reports/{self_report_id}/set-aside")
async def set_self_report_aside(actor: DeskActor, session: Session, self_report_id: UUID) -> SelfReportRead:
    """Say that a self-report is not to be believed; phones that carry the door forget it."""
    return await self_reports.set_self_report_aside(session, actor, self_report_id)


@router.post("/self-reports/{self_report_id}/confirm")
async def confirm_self_report(
    actor: DeskActor, session: Session, self_report_id: UUID, body: ConfirmedSelfReport
) -> SelfReportRead:
    """Confirm a self-report where nobody holds the door; it becomes a visit of the desk's."""
    return await confirming.confirm_self_report(session, actor, self_report_id, body)
