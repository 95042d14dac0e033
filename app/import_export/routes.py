"""HTTP of imports."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.import_export import service
from app.import_export.differences import Outcome
from app.import_export.models import ImportKind
from app.import_export.schemas import (
    ImportAccepted,
    ImportApply,
    ImportDifferencePage,
    ImportFieldPage,
    ImportPage,
    ImportPartPage,
    ImportPreview,
    ImportRead,
)
from app.web import (
    COMMON_PROBLEMS,
    DEFAULT_PAGE,
    Cursor,
    Limit,
    OpenDatabase,
    problem_responses,
    speaks_english,
)

_MAX_BODY = service.MAX_BYTES + (1 << 20)
"""The file and the fields around it."""


class BoundedRoute(APIRoute):
    """A route that stops taking a body in as soon as it is too long, whatever its header says."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The ordinary handler behind a counting receive."""
        handler = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            taken = 0

            async def receive() -> Message:
                nonlocal taken
                message = await request.receive()
                taken += len(message.get("body", b""))
                if taken > _MAX_BODY:
                    raise HTTPException(413)
                return message

            stated = request.headers.get("content-length", "")
            if stated.isascii() and stated.isdigit() and int(stated) > _MAX_BODY:
                raise service.FileTooLarge
            try:
                return await handler(Request(request.scope, receive))
            except HTTPException as error:
                if error.status_code == 413:
                    raise service.FileTooLarge from None
                raise

        return bounded


class WorkbookResponse(Response):
    """An `.xlsx`."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


router = APIRouter(tags=["imports"], responses=COMMON_PROBLEMS, route_class=BoundedRoute)


@router.post("/imports", status_code=202, responses=problem_responses(413))
async def create_import(
    actor: DeskActor,
    session: Session,
    file: Annotated[UploadFile, File(description="`.xlsx` or `.csv`, at most 256 MB.")],
    kind: Annotated[ImportKind, Form()],
    community_code: Annotated[
        Code | None, Form(description="The community of a roster, or the division to split it in.")
    ] = None,
    dry_run: Annotated[bool, Form(description="Read and compare only; nothing is written.")] = True,
    mapping: Annotated[
        str | None, Form(max_length=20_000, description="JSON object: column letter to field or null.")
    ] = None,
    as_of: Annotated[
        str | None,
        Form(max_length=40, description="Of when the file is: a day, or an instant with its zone; by default now."),
    ] = None,
) -> ImportAccepted:
    """Bring a file; it is read in the background."""
    job = await service.create_import(
        session,
        actor,
        kind=kind,
        file_name=file.filename or "",
        content=_pieces_of(file),
        community_code=community_code,
        dry_run=dry_run,
        mapping=service.parse_mapping(mapping),
        as_of=service.parse_as_of(as_of),
    )
    return ImportAccepted(id=job.id)


async def _pieces_of(file: UploadFile) -> AsyncIterator[bytes]:
    """A file as it lies on the disk, and one empty piece of an empty one."""
    piece = await file.read(service.PIECE)
    yield piece
    while piece:
        piece = await file.read(service.PIECE)
        if piece:
            yield piece


@router.get("/imports")
async def list_imports(
    request: Request,
    actor: DeskActor,
    session: Session,
    community_code: Code | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ImportPage:
    """Imports below a division, newest first."""
    items, more = await service.list_imports(
        session, actor, community_code, limit, cursor, english=speaks_english(request)
    )
    return ImportPage(items=items, next_cursor=more)


@router.get("/imports/fields")
async def list_import_fields(request: Request, _actor: DeskActor) -> ImportFieldPage:
    """What a column of a roster may hold, for a mapping by hand."""
    return ImportFieldPage(items=service.list_fields(english=speaks_english(request)), next_cursor=None)


@router.get("/imports/{import_id}")
async def get_import(
    request: Request,
    import_id: UUID,
    actor: DeskActor,
    session: Session,
    code: Annotated[str | None, Query(max_length=60, description="Problems of this code only.")] = None,
    cursor: Cursor = None,
) -> ImportRead:
    """How far an import is, how its file was understood, what it did or would do, and what was wrong."""
    return await service.get_import(session, actor, import_id, cursor, english=speaks_english(request), code=code)


@router.post("/imports/{import_id}/apply", status_code=202)
async def apply_import(
    import_id: UUID, actor: DeskActor, session: Session, body: ImportApply | None = None
) -> ImportAccepted:
    """Run a previewed import for real, without another upload."""
    job = await service.apply_import(
        session, actor, import_id, body.mapping if body else None, body.as_of if body else None
    )
    return ImportAccepted(id=job.id)


@router.post("/imports/{import_id}/preview", status_code=202)
async def preview_import(import_id: UUID, body: ImportPreview, actor: DeskActor, session: Session) -> ImportAccepted:
    """Read the same file again with another mapping, or compare it as of another day."""
    job = await service.preview_import(session, actor, import_id, body.mapping, body.as_of)
    return ImportAccepted(id=job.id)


@router.get("/imports/{import_id}/errors.xlsx", response_class=WorkbookResponse)
async def get_import_errors(import_id: UUID, actor: DeskActor, database: OpenDatabase) -> WorkbookResponse:
    """Their own file with the reason beside each bad row."""
    name, book = await service.get_import_errors(database, actor, import_id)
    return _workbook(name, "errors.xlsx", book)


@router.get("/imports/{import_id}/communities")
async def list_import_communities(
    import_id: UUID, actor: DeskActor, session: Session, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> ImportPartPage:
    """What an import did, or would do, in each of one's communities."""
    items, more = await service.list_import_communities(session, actor, import_id, limit, cursor)
    return ImportPartPage(items=items, next_cursor=more)


@router.get("/imports/{import_id}/differences")
async def list_import_differences(
    import_id: UUID,
    actor: DeskActor,
    session: Session,
    outcome: Outcome | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ImportDifferencePage:
    """Facts that the file and the registry give differently: what stands against the file, what was taken from it."""
    items, more = await service.list_import_differences(session, actor, import_id, outcome, limit, cursor)
    return ImportDifferencePage(items=items, next_cursor=more)


@router.get("/imports/{import_id}/differences.xlsx", response_class=WorkbookResponse)
async def get_import_differences(
    request: Request, import_id: UUID, actor: DeskActor, database: OpenDatabase
) -> WorkbookResponse:
    """The differences as a workbook, at most 100,000."""
    name, book = await service.get_import_differences(database, actor, import_id, english=speaks_english(request))
    return _workbook(name, "differences.xlsx", book)


def _workbook(name: str, plain_name: str, book: bytes) -> WorkbookResponse:
    disposition = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return WorkbookResponse(book, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})
