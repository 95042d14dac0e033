"""HTTP of risk areas, for desks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.risk_areas import service
from app.risk_areas.models import Knowledge
from app.risk_areas.schemas import (
    RiskAreaCountPage,
    RiskAreaCreate,
    RiskAreaHouseholdPage,
    RiskAreaPage,
    RiskAreaRead,
    RiskAreaRoundIn,
)
from app.rounds.schemas import RoundRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["risk areas"], responses=COMMON_PROBLEMS)

Part = Annotated[Code | None, Query(description="The division that is meant; by default one's own.")]


@router.get("/risk-areas")
async def list_risk_areas(
    actor: DeskActor,
    session: Session,
    area: Annotated[Code, Query(description="A division; those asked about above and below it are in the list.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RiskAreaPage:
    """Risk areas, newest first."""
    items, more = await service.list_risk_areas(session, actor, area, limit, cursor)
    return RiskAreaPage(items=items, next_cursor=more)


@router.post("/risk-areas", status_code=201)
async def create_risk_area(actor: DeskActor, session: Session, body: RiskAreaCreate) -> RiskAreaRead:
    """Ask about a place for a part of the tree."""
    return await service.create_risk_area(session, actor, body)


@router.get("/risk-areas/{risk_area_id}")
async def get_risk_area(actor: DeskActor, session: Session, risk_area_id: UUID, area: Part = None) -> RiskAreaRead:
    """A risk area as it concerns a division."""
    return await service.get_risk_area(session, actor, risk_area_id, area)


@router.get("/risk-areas/{risk_area_id}/communities")
async def list_risk_area_counts(
    actor: DeskActor, session: Session, risk_area_id: UUID, area: Part = None, limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RiskAreaCountPage:  # fmt: skip
    """How many households are known to have been there, not to have been, stale and unknown, by community."""
    items, more = await service.list_risk_area_counts(session, actor, risk_area_id, area, limit, cursor)
    return RiskAreaCountPage(items=items, next_cursor=more)


@router.get("/risk-areas/{risk_area_id}/households")
async def list_risk_area_households(
    actor: DeskActor,
    session: Session,
    risk_area_id: UUID,
    community_code: Code,
    knowledge: Knowledge | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RiskAreaHouseholdPage:
    """A community's households with what decides of each and how old that is, for its committee; names masked."""
    items, more = await service.list_risk_area_households(
        session, actor, risk_area_id, community_code, knowledge, limit, cursor
    )
    return RiskAreaHouseholdPage(items=items, next_cursor=more)


@router.post("/risk-areas/{risk_area_id}/round", status_code=201)
async def make_risk_area_round(
    actor: DeskActor, session: Session, risk_area_id: UUID, body: RiskAreaRoundIn
) -> RoundRead:
    """Make the small round that asks those of whom too little is known."""
    return await service.make_round(session, actor, risk_area_id, body)
