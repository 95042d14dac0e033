"""HTTP of photos: up from phones, down to the desk."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from app.auth.guards import DeskActor, PushingActor, Session
from app.core.area_code import Code
from app.photos import service
from app.photos.schemas import PhotoPage, PhotoRead
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase, request_id

router = APIRouter(tags=["photos"], responses=COMMON_PROBLEMS)

_JPEG: dict[str, Any] = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}


@router.put("/photos/{photo_id}", openapi_extra={"requestBody": _JPEG | {"required": True}})
async def take_photo(
    request: Request,
    actor: PushingActor,
    database: OpenDatabase,
    photo_id: UUID,
    household_id: UUID,
    taken_at: Annotated[AwareDatetime, Query(description="When it was taken, as the phone's clock said.")],
    visit_id: Annotated[UUID | None, Query(description="The visit it was taken at, which may come later.")] = None,
) -> PhotoRead:
    """A JPEG of at most 1 MB; the same again under its id changes nothing. All but the picture is left out of it."""
    content = bytearray()
    # no more is read than could be kept, whatever the caller announces
    async for chunk in request.stream():
        content += chunk
        if len(content) > service.MAX_BYTES:
            raise service.PhotoTooLarge
    new = service.NewPhoto(photo_id, household_id, visit_id, taken_at, bytes(content))
    # not before all of it is here: a slow phone must not keep a connection
    async with database.session(actor.scope) as session:
        session.info["request_id"] = request_id(request)
        return (await service.take_photo(session, actor, new))[0]


@router.get("/photos")
async def list_photos(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    household_id: UUID | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> PhotoPage:
    """Photos of a community or of one of its households, newest first; without the pictures."""
    items, more = await service.list_photos(session, actor, community_code, household_id, limit, cursor)
    return PhotoPage(items=items, next_cursor=more)


@router.get("/photos/{photo_id}", response_class=Response, responses={200: _JPEG})
async def show_photo(actor: DeskActor, session: Session, photo_id: UUID) -> Response:
    """The picture; showing it is in the trail."""
    picture = await service.show_photo(session, actor, photo_id)
    headers = {"Cache-Control": "no-store", "Content-Disposition": "inline", "X-Content-Type-Options": "nosniff"}
    return Response(picture, media_type="image/jpeg", headers=headers)
