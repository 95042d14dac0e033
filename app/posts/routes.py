"""HTTP of responsibility areas, posts and claims."""

from uuid import UUID

from fastapi import APIRouter

from app.auth.guards import CurrentActor, DeskActor, PersonActor, Session
from app.core.area_code import Code
from app.posts import claims, service
from app.posts.schemas import (
    Assignee,
    PostCreate,
    PostPage,
    PostRead,
    PostUpdate,
    ResponsibilityAreaCreate,
    ResponsibilityAreaPage,
    ResponsibilityAreaRead,
    ResponsibilityAreaUpdate,
)
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["posts"], responses=COMMON_PROBLEMS)


@router.get("/responsibility-areas")
async def list_responsibility_areas(
    actor: CurrentActor,
    session: Session,
    community_code: Code | None = None,
    is_open: bool | None = None,
    is_mine: bool | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ResponsibilityAreaPage:
    """Responsibility areas: a desk's all, a worker's own and the open ones."""
    items, more = await service.list_responsibility_areas(
        session, actor, community_code, is_open=is_open, is_mine=is_mine, limit=limit, cursor=cursor
    )
    return ResponsibilityAreaPage(items=items, next_cursor=more)


@router.post("/responsibility-areas", status_code=201)
async def create_responsibility_area(
    actor: DeskActor, session: Session, body: ResponsibilityAreaCreate
) -> ResponsibilityAreaRead:
    """Cut an area out of doors or whole stairs."""
    return await service.create_responsibility_area(session, actor, body)


@router.get("/responsibility-areas/{area_id}")
async def get_responsibility_area(actor: CurrentActor, session: Session, area_id: UUID) -> ResponsibilityAreaRead:
    """One area."""
    return await service.get_responsibility_area(session, actor, area_id)


@router.patch("/responsibility-areas/{area_id}")
async def update_responsibility_area(
    actor: DeskActor, session: Session, area_id: UUID, body: ResponsibilityAreaUpdate
) -> ResponsibilityAreaRead:
    """Rename, open, close or re-cut an area."""
    return await service.update_responsibility_area(session, actor, area_id, body)


@router.delete("/responsibility-areas/{area_id}", status_code=204)
async def delete_responsibility_area(actor: DeskActor, session: Session, area_id: UUID) -> None:
    """Dissolve an area; its doors have no owner again."""
    await service.delete_responsibility_area(session, actor, area_id)


@router.post("/responsibility-areas/{area_id}/assign")
async def assign_responsibility_area(
    actor: DeskActor, session: Session, area_id: UUID, body: Assignee
) -> ResponsibilityAreaRead:
    """Give an area to somebody."""
    return await service.assign_responsibility_area(session, actor, area_id, body.account_id)


@router.post("/responsibility-areas/{area_id}/claim")
async def claim_responsibility_area(actor: PersonActor, session: Session, area_id: UUID) -> ResponsibilityAreaRead:
    """Claim an open area; of many at once one gets it."""
    return await service.claim_responsibility_area(session, actor, area_id)


@router.post("/responsibility-areas/{area_id}/release")
async def release_responsibility_area(actor: PersonActor, session: Session, area_id: UUID) -> ResponsibilityAreaRead:
    """Give an area back."""
    return await service.release_responsibility_area(session, actor, area_id)


@router.get("/posts")
async def list_posts(
    actor: CurrentActor,
    session: Session,
    community_code: Code | None = None,
    is_mine: bool | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> PostPage:
    """Posts that are not over, the next to begin first."""
    items, more = await claims.list_posts(session, actor, community_code, is_mine, limit, cursor)
    return PostPage(items=items, next_cursor=more)


@router.post("/posts", status_code=201)
async def create_post(actor: DeskActor, session: Session, body: PostCreate) -> PostRead:
    """Make a post."""
    return await claims.create_post(session, actor, body)


@router.get("/posts/{post_id}")
async def get_post(actor: CurrentActor, session: Session, post_id: UUID) -> PostRead:
    """One post."""
    return await claims.get_post(session, actor, post_id)


@router.patch("/posts/{post_id}")
async def update_post(actor: DeskActor, session: Session, post_id: UUID, body: PostUpdate) -> PostRead:
    """Change or publish a post."""
    return await claims.update_post(session, actor, post_id, body)


@router.post("/posts/{post_id}/claim")
async def claim_post(actor: PersonActor, session: Session, post_id: UUID) -> PostRead:
    """Claim a place in a post; never more than are wanted."""
    return await claims.claim_post(session, actor, post_id)


@router.post("/posts/{post_id}/release")
async def release_post(actor: PersonActor, session: Session, post_id: UUID) -> PostRead:
    """Give one's place back."""
    return await claims.release_post(session, actor, post_id)
