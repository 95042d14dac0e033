"""Unsent records of a phone that will not get through any more, brought by its committee in the file it exported.

They are taken as the phone would have sent them: by the account that recorded them, with the ids the phone gave
them. When the phone comes back after all, its own push is answered `duplicate` and nothing counts twice. Photos that
waited beside the records come along in the same way.

The file is sealed on the phone for this service (`core.sealed_files`): whoever carries it cannot read it, the desk that
brings it neither. Phones of before, and those that have no means to seal, write it plainly.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import anyio.to_thread
from pydantic import ValidationError

from app.audit import service as audit
from app.auth import service as auth
from app.auth.service import DESK, Actor
from app.core import sealed_files
from app.core.db import NOWHERE, Database
from app.core.errors import Forbidden, Problem
from app.photos import service as photos
from app.sync import push
from app.sync.schemas import (
    MAX_COMMANDS,
    CommandIn,
    PushIn,
    SealedContent,
    UnsentFile,
    UnsentOut,
    UnsentPhoto,
    UnsentPhotoResult,
    UnsentResult,
)


class SealedFileTooLarge(Problem):
    """More bytes than a phone puts into a file."""

    def __init__(self) -> None:
        super().__init__("sealed_file_too_large", "文件太大。", "The file is too large.", 413)


async def take_sealed(database: Database, actor: Actor, sealed: bytes, request_id: str) -> UnsentOut:
    """Open a sealed file and take it as `take_unsent` does, whatever its length.

    Raises FileUnreadable, FileKeyGone and what `take_unsent` raises.
    """
    if not actor.has(DESK):
        raise Forbidden
    # some megabytes to decrypt and to read: not on the loop
    return await take_unsent(database, actor, await anyio.to_thread.run_sync(_open, sealed), request_id)


def _open(sealed: bytes) -> SealedContent:
    content = sealed_files.open_file(sealed)
    try:
        return SealedContent.model_validate_json(content)
    except ValidationError:
        raise sealed_files.FileUnreadable from None


async def take_unsent(database: Database, actor: Actor, file: UnsentFile, request_id: str) -> UnsentOut:
    """Take an exported file in pushes of the usual size; bringing it again changes nothing.

    The account must be one the actor manages, active or not. Raises Invalid (`account_not_here`). A record that
    is none is counted as unreadable and keeps nobody else's back.
    """
    if not actor.has(DESK):
        raise Forbidden
    async with database.session(actor.scope) as session:
        worker = await auth.act_for(session, actor, file.account)
    commands: list[CommandIn] = []
    numbers: dict[UUID, int] = {}
    results: list[UnsentResult] = []
    for number, given in enumerate(file.commands, 1):
        try:
            command = CommandIn.model_validate(given)
            commands.append(command)
            numbers.setdefault(command.id, number)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            results.append(
                UnsentResult(number=number, id=None, name=None, status="unreadable", code=None, detail=where)
            )
    for start in range(0, len(commands), MAX_COMMANDS):
        batch = commands[start : start + MAX_COMMANDS]
        answer = await push.take_push(
            database, worker, PushIn(device_id=file.device_id, commands=batch), request_id, is_heard=False
        )
        results += [
            UnsentResult(
                number=numbers[given.id],
                id=given.id,
                name=given.name,
                status=one.status,
                code=one.code,
                detail=one.detail,
            )
            for given, one in zip(batch, answer.results, strict=True)
        ]
    worker = replace(worker, device_id=file.device_id)
    taken, photos_left = await _take_photos(database, worker, file.photos, request_id)
    where = worker.scope.only_community or NOWHERE
    async with database.session(actor.scope) as session:
        session.info["request_id"] = request_id
        await audit.append_entry(
            session,
            actor.doer,
            where,
            "import_unsent",
            [worker.id, *numbers, *taken],
            [(one.number, one.status) for one in results],
        )
    counts = Counter(one.status for one in results)
    photo_counts = Counter((*taken.values(), *(one.status for one in photos_left)))
    return UnsentOut(
        account_id=worker.id,
        account_name=worker.name,
        exported_at=file.exported_at,
        counts={status: counts[status] for status in ("accepted", "duplicate", "flagged", "rejected", "unreadable")},
        left=sorted(
            (one for one in results if one.status in ("flagged", "rejected", "unreadable")), key=lambda one: one.number
        ),
        photo_counts={status: photo_counts[status] for status in ("accepted", "duplicate", "rejected", "unreadable")},
        photos_left=photos_left,
    )


async def _take_photos(
    database: Database, worker: Actor, given: Sequence[dict[str, Any]], request_id: str
) -> tuple[dict[UUID, str], list[UnsentPhotoResult]]:
    """Keep photos as the worker's own, each for itself; answers which were taken (or known) and which were not."""
    taken: dict[UUID, str] = {}
    left: list[UnsentPhotoResult] = []
    for number, one in enumerate(given, 1):
        try:
            photo = UnsentPhoto.model_validate(one)
        except ValidationError:
            left.append(UnsentPhotoResult(number=number, id=None, status="unreadable", code=None))
            continue
        new = photos.NewPhoto(photo.id, photo.household_id, photo.visit_id, photo.taken_at, photo.content)
        try:
            async with database.session(worker.scope) as session:
                session.info["request_id"] = request_id
                _, is_new = await photos.take_photo(session, worker, new)
            taken[photo.id] = "accepted" if is_new else "duplicate"
        except Problem as problem:
            left.append(UnsentPhotoResult(number=number, id=photo.id, status="rejected", code=problem.code))
    return taken, left
