"""HTTP of undoing imports."""

from uuid import UUID

from fastapi import APIRouter

from app.auth.guards import DeskActor, Session
from app.import_export.schemas import ImportAccepted
from app.import_undo import service
from app.import_undo.schemas import ImportLeftPage, ImportUndoRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["imports"], responses=COMMON_PROBLEMS)


@router.get("/imports/{import_id}/undo")
async def get_import_undo(import_id: UUID, actor: DeskActor, session: Session) -> ImportUndoRead:
    """Whether an import can be undone, for an hour after it was done, and what that would do now, or has done."""
    return await service.get_import_undo(session, actor, import_id)


@router.post("/imports/{import_id}/undo", status_code=202)
async def undo_import(import_id: UUID, actor: DeskActor, session: Session) -> ImportAccepted:
    """Take out and put back what an import has written, but for what somebody has touched since."""
    await service.undo_import(session, actor, import_id)
    return ImportAccepted(id=import_id)


@router.get("/imports/{import_id}/left")
async def list_import_left(
    import_id: UUID, actor: DeskActor, session: Session, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> ImportLeftPage:
    """Households and doors that undoing leaves, or has left, as they are, because somebody has touched them since."""
    items, more = await service.list_import_left(session, actor, import_id, limit, cursor)
    return ImportLeftPage(items=items, next_cursor=more)
