"""HTTP of rounds, their templates and the counts of their answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import CurrentActor, DeskActor, Session
from app.core.area_code import Code, Level
from app.questions.schemas import AnswerCountPage, FormEstimate
from app.rounds import asklist, service, templates
from app.rounds.schemas import (
    PublishIn,
    RoundCreate,
    RoundDetail,
    RoundEstimateIn,
    RoundHouseholdPage,
    RoundListChange,
    RoundListRead,
    RoundPage,
    RoundRead,
    RoundTemplateCreate,
    RoundTemplatePage,
    RoundTemplateRead,
    RoundUpdate,
)
from app.screening.models import RoundStatus
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase

router = APIRouter(tags=["rounds"], responses=COMMON_PROBLEMS)


@router.get("/rounds")
async def list_rounds(
    actor: CurrentActor,
    session: Session,
    area: Annotated[Code | None, Query(description="Rounds that cover or lie under this division.")] = None,
    status: RoundStatus | None = None,
    days_of: Annotated[UUID | None, Query(description="A daily round, whose days are meant.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RoundPage:
    """Screening rounds, newest first."""
    items, more = await service.list_rounds(session, actor, area, status, days_of, limit, cursor)
    return RoundPage(items=items, next_cursor=more)


@router.post("/rounds", status_code=201)
async def create_round(actor: DeskActor, session: Session, body: RoundCreate) -> RoundRead:
    """Open a round for a part of the tree, or write the draft of one."""
    return await service.create_round(session, actor, body)


@router.post("/rounds/estimate")
async def estimate_round(actor: DeskActor, session: Session, body: RoundEstimateIn) -> FormEstimate:
    """Worker minutes that a round would cost, while it is being written."""
    return await service.estimate_round(session, actor, body)


@router.get("/rounds/{round_id}")
async def get_round(actor: DeskActor, session: Session, round_id: UUID) -> RoundDetail:
    """A round with its questions, its versions and what it costs."""
    return await service.get_round(session, actor, round_id)


@router.put("/rounds/{round_id}")
async def update_round(actor: DeskActor, session: Session, round_id: UUID, body: RoundUpdate) -> RoundDetail:
    """Write a draft anew, or correct a running round; changed questions are a new version."""
    return await service.update_round(session, actor, round_id, body)


@router.post("/rounds/{round_id}/publish")
async def publish_round(actor: DeskActor, session: Session, round_id: UUID, body: PublishIn) -> RoundRead:
    """Open a draft, having seen what it costs."""
    return await service.publish_round(session, actor, round_id, body.minutes)


@router.post("/rounds/{round_id}/close")
async def close_round(actor: DeskActor, session: Session, round_id: UUID) -> RoundRead:
    """Close a round."""
    return await service.close_round(session, actor, round_id)


@router.delete("/rounds/{round_id}", status_code=204)
async def delete_round(actor: DeskActor, session: Session, round_id: UUID) -> None:
    """Throw a draft away."""
    await service.delete_round(session, actor, round_id)


@router.get("/rounds/{round_id}/households")
async def list_round_households(
    actor: DeskActor,
    session: Session,
    round_id: UUID,
    community_code: Code,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RoundHouseholdPage:
    """A community's households that a round is for by name or by tag."""
    items, more = await asklist.list_round_households(session, actor, round_id, community_code, limit, cursor)
    return RoundHouseholdPage(items=items, next_cursor=more)


@router.post("/rounds/{round_id}/households")
async def change_round_list(actor: DeskActor, session: Session, round_id: UUID, body: RoundListChange) -> RoundListRead:
    """Put households on the ask-list of a draft or of a running round, or take them off it."""
    return await asklist.change_round_list(session, actor, round_id, body)


@router.get("/rounds/{round_id}/answers")
async def list_answer_counts(
    actor: CurrentActor,
    database: OpenDatabase,
    round_id: UUID,
    area: Annotated[Code | None, Query(description="The division; by default all of the round's.")] = None,
    level: Annotated[Level | None, Query(description="By which level; by default the next below.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> AnswerCountPage:
    """How often each answer to a round's own questions stands, by division. A page ends between divisions."""
    items, more = await service.list_answer_counts(database, actor, round_id, area, level, limit, cursor)
    return AnswerCountPage(items=items, next_cursor=more)


@router.get("/round-templates")
async def list_round_templates(
    actor: DeskActor,
    session: Session,
    area: Annotated[Code, Query(description="The division a round would be opened for.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RoundTemplatePage:
    """Templates of a division and of the levels above it, newest first."""
    items, more = await templates.list_round_templates(session, actor, area, limit, cursor)
    return RoundTemplatePage(items=items, next_cursor=more)


@router.post("/round-templates", status_code=201)
async def save_round_template(actor: DeskActor, session: Session, body: RoundTemplateCreate) -> RoundTemplateRead:
    """Keep what a round asks as a template; the same name at the same level replaces."""
    return await templates.save_round_template(session, actor, body)


@router.delete("/round-templates/{template_id}", status_code=204)
async def delete_round_template(actor: DeskActor, session: Session, template_id: UUID) -> None:
    """Take a template away."""
    await templates.delete_round_template(session, actor, template_id)
