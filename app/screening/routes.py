"""HTTP of visits as the desk reads and enters them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.posts.verdicts import JudgeIn
from app.screening import judging, service
from app.screening.schemas import DoorVisitCreate, DoorVisitPage, DoorVisitRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase

router = APIRouter(tags=["screening"], responses=COMMON_PROBLEMS)


@router.get("/door-visits")
async def list_door_visits(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    household_id: UUID | None = None,
    round: Annotated[UUID | None, Query(description="A round's id.")] = None,
    is_flagged: Annotated[
        bool | None, Query(description="Only those somebody has to look at, or only the others.")
    ] = None,
    is_judged: Annotated[
        bool | None, Query(description="Only those confirmed or set aside, or only the others.")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DoorVisitPage:
    """Knocks at a community's doors, newest first."""
    wanted = service.VisitFilter(household_id, round, is_flagged, is_judged)
    items, more = await service.list_door_visits(session, actor, community_code, wanted, limit, cursor)
    return DoorVisitPage(items=items, next_cursor=more)


@router.post("/door-visits", status_code=201)
async def record_door_visit(
    actor: DeskActor, database: OpenDatabase, session: Session, body: DoorVisitCreate
) -> DoorVisitRead:
    """Enter a knock at the desk, as from a walk sheet; asking twice on a day needs a reason."""
    return await service.record_door_visit(database, session, actor, body)


@router.post("/door-visits/{visit_id}/judge")
async def judge_door_visit(actor: DeskActor, session: Session, visit_id: UUID, body: JudgeIn) -> DoorVisitRead:
    """Confirm a flagged visit, or set it aside so that it counts no longer."""
    return await judging.judge_door_visit(session, actor, visit_id, body.verdict, body.reason)


@router.post("/door-visits/{visit_id}/reopen")
async def reopen_door_visit(actor: DeskActor, session: Session, visit_id: UUID) -> DoorVisitRead:
    """Take a verdict back: the visit counts, and waits for somebody to look."""
    return await judging.judge_door_visit(session, actor, visit_id, None)
