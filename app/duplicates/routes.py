"""HTTP of duplicates, for desks."""

from uuid import UUID

from fastapi import APIRouter

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.duplicates import reading, service
from app.duplicates.models import DuplicateStatus
from app.duplicates.schemas import (
    CountsRead,
    DismissIn,
    DuplicatePage,
    DuplicateRead,
    MergeIn,
    SearchIn,
    SearchRead,
    SettleIn,
)
from app.merges.models import RegistryMerge
from app.merges.schemas import MergeRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["duplicates"], responses=COMMON_PROBLEMS)


@router.get("/duplicates")
async def list_duplicates(
    actor: DeskActor,
    session: Session,
    area: Code,
    status: DuplicateStatus = DuplicateStatus.OPEN,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DuplicatePage:
    """What may be registered twice below a division."""
    items, more = await reading.list_duplicates(session, actor, area, status, limit, cursor)
    return DuplicatePage(items=items, next_cursor=more)


@router.get("/duplicates/counts")
async def count_duplicates(actor: DeskActor, session: Session, area: Code) -> CountsRead:
    """How many pairs wait for somebody below a division."""
    return await reading.count_duplicates(session, actor, area)


@router.get("/duplicates/search")
async def get_duplicate_search(actor: DeskActor, session: Session, area: Code) -> SearchRead:
    """How far a division has been searched."""
    return await service.get_search(session, actor, area)


@router.post("/duplicates/search", status_code=202)
async def search_duplicates(actor: DeskActor, session: Session, body: SearchIn) -> SearchRead:
    """Search a division now; it is searched every night by itself, and after an import."""
    return await service.search_duplicates(session, actor, body.area)


@router.get("/duplicates/{duplicate_id}")
async def get_duplicate(actor: DeskActor, session: Session, duplicate_id: UUID) -> DuplicateRead:
    """One pair."""
    return await reading.get_duplicate(session, actor, duplicate_id)


@router.post("/duplicates/{duplicate_id}/merge")
async def merge_duplicate(actor: DeskActor, session: Session, duplicate_id: UUID, body: MergeIn) -> MergeRead:
    """Make one of two: both histories stay, and it can be undone."""
    return _merge_read(await service.merge_duplicate(session, actor, duplicate_id, body))


@router.post("/duplicates/{duplicate_id}/dismiss")
async def dismiss_duplicate(actor: DeskActor, session: Session, duplicate_id: UUID, body: DismissIn) -> DuplicateRead:
    """Say that the two are not the same; the pair never comes back."""
    return await service.dismiss_duplicate(session, actor, duplicate_id, body.reason)


@router.post("/duplicates/{duplicate_id}/reopen")
async def reopen_duplicate(actor: DeskActor, session: Session, duplicate_id: UUID) -> DuplicateRead:
    """Take back that two are not the same, or this side's answer."""
    return await service.reopen_duplicate(session, actor, duplicate_id)


@router.post("/duplicates/{duplicate_id}/settle")
async def settle_duplicate(actor: DeskActor, session: Session, duplicate_id: UUID, body: SettleIn) -> DuplicateRead:
    """Say of a person who stands in two communities whether they live here."""
    return await service.settle_duplicate(session, actor, duplicate_id, body.answers)


@router.post("/merges/{merge_id}/undo")
async def undo_merge(actor: DeskActor, session: Session, merge_id: UUID) -> MergeRead:
    """Part what was merged: the same rows stand there again, and later changes stay."""
    return _merge_read(await service.undo_merge(session, actor, merge_id))


def _merge_read(record: RegistryMerge) -> MergeRead:
    fields = {"id", "community_code", "kind", "kept_id", "gone_id", "merged_at", "merged_by_name", "undone_at"}
    return MergeRead(**record.model_dump(include=fields), undone_by_name=record.undone_by_name or None)
