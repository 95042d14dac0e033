"""HTTP of walk sheets, for who walks and for the desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from app.auth.guards import PersonActor, Session
from app.core.area_code import Code
from app.core.config import get_settings
from app.walk_sheets import entry, service
from app.walk_sheets.schemas import WalkEntries, WalkEntriesOut, WalkSheetCreate, WalkSheetPage, WalkSheetRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase, request_id

router = APIRouter(tags=["walk sheets"], responses=COMMON_PROBLEMS)


def _base(request: Request) -> str:
    return (get_settings().public_url or str(request.base_url)).rstrip("/")


@router.get("/walk-sheets")
async def list_walk_sheets(
    actor: PersonActor,
    session: Session,
    community_code: Code,
    code: Annotated[str | None, Query(max_length=20, description="The code printed on the sheet.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> WalkSheetPage:
    """Sheets of a community, newest first: a desk sees all, a worker their own."""
    items, more = await service.list_walk_sheets(session, actor, community_code, code, limit, cursor)
    return WalkSheetPage(items=items, next_cursor=more)


@router.post("/walk-sheets", status_code=201)
async def print_walk_sheet(
    request: Request, actor: PersonActor, session: Session, body: WalkSheetCreate
) -> WalkSheetRead:
    """A sheet of an area's doors that are not done, in walking order; printing is in the trail."""
    return await service.print_walk_sheet(session, actor, body, _base(request))


@router.get("/walk-sheets/{walk_sheet_id}")
async def get_walk_sheet(request: Request, actor: PersonActor, session: Session, walk_sheet_id: UUID) -> WalkSheetRead:
    """A sheet with its doors as they stand now."""
    return await service.read_walk_sheet(session, actor, walk_sheet_id, _base(request))


@router.post("/walk-sheets/{walk_sheet_id}/entries")
async def enter_walk_sheet(
    request: Request, actor: PersonActor, database: OpenDatabase, walk_sheet_id: UUID, body: WalkEntries
) -> WalkEntriesOut:
    """What was written on a sheet, credited to who walked: each row once, however often it is sent."""
    return await entry.enter_walk_sheet(database, actor, walk_sheet_id, body.entries, request_id(request))
