"""HTTP of the phones."""

import base64
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from app.auth.guards import PersonActor, PushingActor, Session
from app.core import sealed_files
from app.core.clock import now, today
from app.sync import pull, push, unsent
from app.sync.schemas import (
    MAX_SEALED_BYTES,
    AreaPull,
    FileKey,
    PushIn,
    PushOut,
    SyncAreaRead,
    SyncRound,
    SyncStatus,
    UnsentFile,
    UnsentOut,
)
from app.web import COMMON_PROBLEMS, OpenDatabase, problem_responses, request_id

router = APIRouter(tags=["sync"], responses=COMMON_PROBLEMS)


_SEALED: dict[str, Any] = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/sync/areas")
async def list_sync_areas(actor: PersonActor, session: Session) -> list[SyncAreaRead]:
    """The responsibility areas one holds, with the open rounds of their communities."""
    return await pull.list_sync_areas(session, actor)


@router.get("/sync/areas/{area_id}", response_model=AreaPull)
async def pull_area(
    request: Request,
    actor: PersonActor,
    database: OpenDatabase,
    area_id: UUID,
    since: Annotated[int, Query(ge=0, le=2**62, description="The version one holds; 0 for everything.")] = 0,
) -> Response:
    """One area in columns: everything, or what changed since a version."""
    bundle = await pull.pull_area(database, actor, area_id, since)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(bundle, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    return Response(pull.unpack(bundle), media_type="application/json", headers=headers)


@router.get("/sync/rounds/{round_id}")
async def get_sync_round(
    actor: PersonActor,
    session: Session,
    round_id: UUID,
    area_id: Annotated[UUID, Query(description="The area whose doors are meant.")],
) -> SyncRound:
    """A round's own questions and, where it is not for all doors, which of the area's it is for."""
    return await pull.get_sync_round(session, actor, round_id, area_id)


@router.post("/sync/commands", response_model=PushOut)
async def push_commands(request: Request, actor: PushingActor, database: OpenDatabase, body: PushIn) -> Response:
    """Commands up: one answer for each id, and the same answer whenever it comes again."""
    answer = await push.take_push(database, actor, body, request_id(request))
    return Response(orjson.dumps(answer, option=orjson.OPT_UTC_Z), media_type="application/json")


@router.post("/sync/unsent-files")
async def take_unsent_file(request: Request, actor: PersonActor, database: OpenDatabase, body: UnsentFile) -> UnsentOut:
    """Records that a phone exported because it does not get through any more, brought by the committee.

    They are credited to the account that recorded them, and the phone is answered `duplicate` when it comes back.
    """
    return await unsent.take_unsent(database, actor, body, request_id(request))


@router.post(
    "/sync/unsent-files/sealed",
    openapi_extra={"requestBody": _SEALED | {"required": True}},
    responses=problem_responses(413),
)
async def take_sealed_file(request: Request, actor: PersonActor, database: OpenDatabase) -> UnsentOut:
    """The same in the sealed file that phones export, which this service alone can open; whole, at most 64 MB."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_SEALED_BYTES:
            raise unsent.SealedFileTooLarge
    return await unsent.take_sealed(database, actor, bytes(content), request_id(request))


@router.get("/sync/status")
async def get_sync_status(
    actor: PersonActor,
    database: OpenDatabase,
    app_version: Annotated[str | None, Query(max_length=40)] = None,
    keeps_storage: Annotated[bool | None, Query()] = None,
    oldest_unsent_at: Annotated[AwareDatetime | None, Query()] = None,
) -> SyncStatus:
    """What the server counts for this account today, and the public key to seal a file of unsent records for.

    A phone that has nothing to send says here (`app_version`) what it would say of itself with a push.
    """
    if app_version is not None and actor.device_id is not None:
        await push.note_contact(database, actor, actor.device_id, app_version, keeps_storage, oldest_unsent_at)
    name, point = sealed_files.public_key()
    return SyncStatus(
        server_time=now(),
        day=today(),
        confirmed_today=await push.count_confirmed(database, actor),
        file_key=FileKey(id=name, key=base64.b64encode(point).decode()),
    )
