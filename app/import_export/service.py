"""Bringing a file, looking at what it would do, running it for real, and its history."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

import anyio.to_thread
import orjson
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.areas.codes import read_current_codes
from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import DESK, Actor, in_scope, name_divisions
from app.core import crypto
from app.core.area_code import code_of, level_of, prefix_of
from app.core.clock import day_start, now
from app.core.db import Database
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from app.core.jobs import deferrer_on
from app.core.paging import decode_cursor, decode_id_cursor, encode_cursor
from app.import_export.difference_workbook import write_difference_workbook
from app.import_export.differences import (
    Outcome,
    count_differences,
    list_differences,
)
from app.import_export.error_workbook import write_error_workbook
from app.import_export.headers import FIELDS, PERSON_FIELDS, is_field
from app.import_export.loading import add_counts
from app.import_export.models import (
    ImportFile,
    ImportJob,
    ImportKind,
    ImportPart,
    ImportProblem,
    ImportStatus,
    PartStatus,
)
from app.import_export.readings import RowProblem, UnreadableFile, kind_of_problem
from app.import_export.running import CONTENT, PREVIEW, file_of, forget_comparison, run_import
from app.import_export.schemas import (
    ImportBrief,
    ImportCounts,
    ImportDifferenceRead,
    ImportFailure,
    ImportField,
    ImportPartRead,
    ImportProblemCount,
    ImportProblemRead,
    ImportProgress,
    ImportRead,
    PreviewDoor,
)
from app.import_export.schemas import Mapping as MappingShape

MAX_DIFFERENCES = 100_000
"""Rows of a workbook of differences."""
PIECE = 4 * 1024 * 1024
"""A file is kept in pieces of so many bytes."""
MAX_BYTES = 256 * 1024 * 1024
PROBLEMS_PAGE = 1000
_MAX_NAME = 200
_SUFFIXES = (".xlsx", ".csv")
_CITY = frozenset({Role.CITY})
_SETTLED = (ImportStatus.PREVIEWED, ImportStatus.DONE, ImportStatus.FAILED)
_mapping_shape: TypeAdapter[dict[str, str | None]] = TypeAdapter(MappingShape)
_as_of_shape: TypeAdapter[date | datetime] = TypeAdapter(date | AwareDatetime)
_preview_shape = TypeAdapter(list[PreviewDoor])


class FileTooLarge(Problem):
    """Past the bound for one upload."""

    def __init__(self) -> None:
        limit = MAX_BYTES >> 20
        super().__init__(
            "file_too_large",
            f"文件超过 {limit} MB。请删去图片等多余内容，或拆成几个文件。",
            f"The file is larger than {limit} MB. Remove pictures and the like, or split it.",
            413,
        )


class FileKind(Invalid):
    """Neither of the two kinds that are read."""

    def __init__(self) -> None:
        super().__init__(
            "file_kind",
            "只能导入 .xlsx 或 .csv。其他格式请用 Excel 或 WPS 另存为 .xlsx。",
            "Only .xlsx or .csv can be imported. Save other formats as .xlsx with Excel or WPS.",
            "file",
        )


class ImportNotFinished(Conflict):
    """It waits or runs."""

    def __init__(self) -> None:
        super().__init__(
            "import_running", "这次导入还在进行，请稍候。", "This import is still being worked on; please wait."
        )


class ImportAlreadyDone(Conflict):
    """It was run for real."""

    def __init__(self) -> None:
        super().__init__(
            "import_done",
            "这次导入已经完成；如需更正，请改好文件重新上传。",
            "This import is done already; correct the file and upload it again.",
        )


class ImportFileGone(NotFound):
    """Its file is deleted."""

    def __init__(self) -> None:
        super().__init__(
            "import_file_gone",
            "文件已过保存期限并删除，请重新上传。",
            "The file was kept for its days and is deleted; please upload it again.",
        )


class MappingInvalid(Invalid):
    """Not a mapping of column letters to fields."""

    def __init__(self, what: str = "") -> None:
        super().__init__(
            "mapping_invalid",
            f"列的对应关系有误{what and ':' + what}。",
            f"The mapping of columns is wrong{what and ': ' + what}.",
            "mapping",
        )


def parse_mapping(text: str | None) -> dict[str, str | None] | None:
    """The mapping a form brings as JSON; raises Invalid (`mapping_invalid`)."""
    if text is None or not text.strip():
        return None
    try:
        return _mapping_shape.validate_json(text)
    except ValidationError:
        raise MappingInvalid from None


async def create_import(
    session: AsyncSession,
    actor: Actor,
    *,
    kind: ImportKind,
    file_name: str,
    content: bytes | AsyncIterator[bytes],
    community_code: str | None,
    dry_run: bool,
    mapping: Mapping[str, str | None] | None,
    as_of: date | datetime | None = None,
) -> ImportJob:
    """Keep a file, sealed, and queue its reading. `as_of` is of when the file is, by default of now.

    Raises Invalid (`file_kind`, `community_needed`, `community_unknown`, `mapping_invalid`), `FileTooLarge`,
    and NotFound or Forbidden where the actor has no desk.
    """
    if community_code is not None:
        community_code = (await read_current_codes(session)).get(community_code, community_code)
    code = await _where(session, actor, kind, community_code)
    name = re.split(r"[\\/]", file_name)[-1].strip()[-_MAX_NAME:]
    if not name.lower().endswith(_SUFFIXES):
        raise FileKind
    job = ImportJob(
        kind=kind,
        is_dry_run=dry_run,
        community_code=code,
        file_name=name,
        mapping=_checked(kind, mapping),
        as_of=_instant(as_of),
        counts={},
        sheets=[],
        created_by=actor.id,
        created_by_name=actor.name,
        run_by=actor.id,
        run_by_name=actor.name,
    )
    session.add(job)
    await session.flush()
    await _keep_file(session, job.id, _pieces_of(content) if isinstance(content, bytes) else content)
    await _queue(session, actor, job, "create_import")
    return job


async def _pieces_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, max(len(content), 1), PIECE):
        yield content[start : start + PIECE]


async def _keep_file(session: AsyncSession, import_id: UUID, pieces: AsyncIterator[bytes]) -> None:
    """Keep a file piece by piece, sealed, so that the service never holds all of it."""
    size = seq = 0
    async for piece in pieces:
        size += len(piece)
        if size > MAX_BYTES:
            raise FileTooLarge
        sealed = crypto.key_ring().seal(piece, CONTENT)
        await session.execute(insert(ImportFile).values(import_id=import_id, seq=seq, content_sealed=sealed))
        seq += 1


def _instant(as_of: date | datetime | None) -> datetime:
    """Of when a file is: a day begins in Shanghai, so what was entered on that very day stands against the file."""
    if as_of is None:
        return now()
    return min(as_of if isinstance(as_of, datetime) else day_start(as_of), now())


def parse_as_of(text: str | None) -> date | datetime | None:
    """The day or instant a form brings; raises Invalid (`as_of_invalid`)."""
    if text is None or not text.strip():
        return None
    try:
        return _as_of_shape.validate_python(text.strip())
    except ValidationError:
        raise Invalid(
            "as_of_invalid",
            "文件日期应为 2020-02-05 这样的日期。",
            "The file's day should be like 2020-02-05.",
            "as_of",
        ) from None


async def _where(session: AsyncSession, actor: Actor, kind: ImportKind, code: str | None) -> str:
    """The community of a roster, or the division whose communities it is split among; the city whose list it is."""
    if kind == ImportKind.ROSTER:
        if code is None:
            raise Invalid("community_needed", "请选择村居或镇街。", "Say which community or town.", "community_code")
        actor.demand(code, DESK)
        if level_of(code) == "community":
            await areas.get_community_name(session, code)
        elif not await areas.is_known(session, code):
            raise Invalid("community_unknown", "没有这个区划代码。", "There is no such division.", "community_code")
        return code
    cities = actor.prefixes(_CITY)
    if not cities:
        raise Forbidden
    if code is not None:
        actor.demand(code, _CITY)
        cities = [prefix for prefix in cities if prefix == prefix_of(code)]
    if len(cities) != 1:
        raise Invalid("city_needed", "请选择城市。", "Say which city.", "community_code")
    return code_of(cities[0])


def _checked(kind: str, mapping: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    if mapping is None:
        return None
    if kind != ImportKind.ROSTER:
        raise MappingInvalid
    for letter, name in mapping.items():
        if name is not None and not is_field(name):
            raise MappingInvalid(f"{letter} → {name}")
    return dict(mapping)


async def _queue(session: AsyncSession, actor: Actor, job: ImportJob, action: str) -> None:
    code = str(job.community_code)
    await audit.append_entry(session, actor.doer, code, action, [job.id], {"kind": job.kind, "dry_run": job.is_dry_run})
    deferrer = await deferrer_on(session, run_import, lock=f"import {code}")
    await deferrer.defer_async(import_id=str(job.id))


async def _get_job(session: AsyncSession, actor: Actor, import_id: UUID, *, lock: bool = False) -> ImportJob:
    """An import where the actor works at a desk; NotFound otherwise."""
    statement = select(ImportJob).where(
        col(ImportJob.id) == import_id, in_scope(col(ImportJob.community_code), actor, DESK)
    )
    if lock:
        statement = statement.with_for_update()
    job = (await session.scalars(statement)).one_or_none()
    if job is None:
        raise NotFound
    return job


async def _get_visible(session: AsyncSession, actor: Actor, import_id: UUID) -> tuple[ImportJob, bool]:
    """An import where the actor works at a desk, or that was written to a community of theirs; whether all of it is
    theirs to see."""
    job = await session.get(ImportJob, import_id)
    if job is not None and actor.may(str(job.community_code), DESK):
        return job, True
    part = select(col(ImportPart.import_id)).where(
        col(ImportPart.import_id) == import_id, in_scope(col(ImportPart.community_code), actor, DESK)
    )
    if job is None or job.status != ImportStatus.DONE or (await session.scalars(part.limit(1))).first() is None:
        raise NotFound
    return job, False


async def _count_communities(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportProgress:
    is_done = func.count().filter(col(ImportPart.status) == PartStatus.DONE)
    statement = select(is_done, func.count()).where(
        col(ImportPart.import_id) == import_id, in_scope(col(ImportPart.community_code), actor, DESK)
    )
    done, total = (await session.execute(statement)).one()
    return ImportProgress(done=done, total=total)


async def list_import_communities(
    session: AsyncSession, actor: Actor, import_id: UUID, limit: int, cursor: str | None
) -> tuple[list[ImportPartRead], str | None]:
    """The actor's communities among those an import is split among, in code order."""
    await _get_visible(session, actor, import_id)
    statement = select(ImportPart).where(
        col(ImportPart.import_id) == import_id, in_scope(col(ImportPart.community_code), actor, DESK)
    )
    if cursor:
        (after,) = decode_cursor(cursor, str)
        statement = statement.where(col(ImportPart.community_code) > after)
    rows = (await session.scalars(statement.order_by(col(ImportPart.community_code)).limit(limit + 1))).all()
    names = await name_divisions(session, [part.community_code for part in rows])
    items = [
        ImportPartRead(
            community_code=part.community_code,
            community_name=names.get(part.community_code, part.community_code),
            status="done" if part.status == PartStatus.DONE else "staged",
            counts=ImportCounts(**part.counts),
        )
        for part in rows[:limit]
    ]
    return items, encode_cursor(items[-1].community_code) if len(rows) > limit else None


async def list_import_differences(
    session: AsyncSession, actor: Actor, import_id: UUID, outcome: Outcome | None, limit: int, cursor: str | None
) -> tuple[list[ImportDifferenceRead], str | None]:
    """What an import and the registries of the actor's communities give differently."""
    await _get_visible(session, actor, import_id)
    return await list_differences(session, actor, import_id, outcome, limit, cursor)


async def get_import_differences(
    database: Database, actor: Actor, import_id: UUID, *, english: bool
) -> tuple[str, bytes]:
    """The differences as `.xlsx`, and what to call it."""
    async with database.session(actor.scope) as session:
        job, _ = await _get_visible(session, actor, import_id)
        found, _ = await list_differences(session, actor, import_id, None, MAX_DIFFERENCES)
        await audit.append_entry(session, actor.doer, str(job.community_code), "get_import_differences", [import_id])
    book = await anyio.to_thread.run_sync(partial(write_difference_workbook, found, english=english))
    return f"{job.file_name.rsplit('.', 1)[0]}-{'differences' if english else '差异'}.xlsx", book


async def apply_import(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    mapping: Mapping[str, str | None] | None,
    as_of: date | datetime | None = None,
) -> ImportJob:
    """Run a previewed import for real, on the file that is there; raises Conflict (`import_running`,
    `import_done`, `import_failed`) and NotFound (`import_file_gone`)."""
    job = await _get_job(session, actor, import_id, lock=True)
    if job.status == ImportStatus.FAILED:
        raise Conflict(
            "import_unread", "文件没有读成，不能导入。", "The file could not be read, so there is nothing to import."
        )
    if as_of is not None:
        job.as_of = _instant(as_of)
    await _again(session, actor, job, mapping, is_dry_run=False)
    await forget_comparison(session, job.id)
    await _queue(session, actor, job, "apply_import")
    return job


async def preview_import(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    mapping: Mapping[str, str | None] | None,
    as_of: date | datetime | None = None,
) -> ImportJob:
    """Read the same file again with another mapping, or compare it as of another day; raises as `apply_import` does."""
    job = await _get_job(session, actor, import_id, lock=True)
    if as_of is not None:
        job.as_of = _instant(as_of)
    await _again(session, actor, job, mapping, is_dry_run=True)
    await _queue(session, actor, job, "preview_import")
    return job


async def _again(
    session: AsyncSession, actor: Actor, job: ImportJob, mapping: Mapping[str, str | None] | None, *, is_dry_run: bool
) -> None:
    if job.status not in _SETTLED:
        raise ImportNotFinished
    if job.status == ImportStatus.DONE:
        raise ImportAlreadyDone
    is_there = select(col(ImportFile.import_id)).where(col(ImportFile.import_id) == job.id).limit(1)
    if not await session.scalar(is_there):
        raise ImportFileGone
    if mapping is not None and _checked(job.kind, mapping) != job.mapping:
        job.mapping = _checked(job.kind, mapping)
        job.staged_at = None
    job.is_dry_run = is_dry_run
    job.status = ImportStatus.QUEUED
    job.run_by, job.run_by_name = actor.id, actor.name
    job.progress_done = job.progress_total = 0
    job.finished_at = None
    await session.flush()


async def list_imports(
    session: AsyncSession, actor: Actor, community_code: str | None, limit: int, cursor: str | None, *, english: bool
) -> tuple[list[ImportBrief], str | None]:
    """Imports below a division, or everywhere the actor has a desk; newest first."""
    is_own = in_scope(col(ImportJob.community_code), actor, DESK)
    part = select(col(ImportPart.import_id)).where(in_scope(col(ImportPart.community_code), actor, DESK))
    if community_code is not None:
        actor.demand(community_code, DESK)
        under = f"{prefix_of(community_code)}%"
        is_own &= col(ImportJob.community_code).like(under)
        part = part.where(col(ImportPart.community_code).like(under))
    # of a file that was split among many communities, those it was written to know too
    is_written = col(ImportJob.status) == ImportStatus.DONE
    statement = select(ImportJob, is_own.label("is_own")).where(is_own | (is_written & col(ImportJob.id).in_(part)))
    if cursor:
        statement = statement.where(col(ImportJob.id) < decode_id_cursor(cursor))
    rows = (await session.execute(statement.order_by(col(ImportJob.id).desc()).limit(limit + 1))).all()
    others = [job.id for job, is_own in rows[:limit] if not is_own]
    counts = await _counts_of_parts(session, actor, others, community_code)
    items = [_brief(job, english, None if is_own else counts[job.id]) for job, is_own in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def _counts_of_parts(
    session: AsyncSession, actor: Actor, ids: Sequence[UUID], under: str | None = None
) -> dict[UUID, ImportCounts]:
    """What imports did in those of their communities that are the actor's."""
    counts = {one: ImportCounts() for one in ids}
    if not ids:
        return counts
    statement = select(ImportPart).where(
        col(ImportPart.import_id).in_(ids), in_scope(col(ImportPart.community_code), actor, DESK)
    )
    if under is not None:
        statement = statement.where(col(ImportPart.community_code).like(f"{prefix_of(under)}%"))
    for part in (await session.scalars(statement)).all():
        add_counts(counts[part.import_id], part.counts)
    return counts


def list_fields(*, english: bool) -> list[ImportField]:
    """What a column of a roster may hold, in the order of `FIELDS`."""
    return [
        ImportField(field=name, label=labels[english], is_person=name in PERSON_FIELDS)
        for name, labels in FIELDS.items()
    ]


async def get_import(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    cursor: str | None,
    *,
    english: bool,
    code: str | None = None,
) -> ImportRead:
    """An import with its problems (of one `code`, if given), `PROBLEMS_PAGE` of them from `cursor` on."""
    job, is_whole = await _get_visible(session, actor, import_id)
    written = await _count_communities(session, actor, import_id)
    differences = await count_differences(session, actor, import_id)
    if not is_whole:
        counts = (await _counts_of_parts(session, actor, [import_id]))[import_id]
        return ImportRead(
            **dict(_brief(job, english, counts)), mapping=None, communities=written, differences=differences, sheets=[],
            preview=[], problem_counts=[], problems=[], next_cursor=None,
        )  # fmt: skip
    (after,) = decode_cursor(cursor, int) if cursor else (0,)
    problems = await _problems(session, import_id, code, after, PROBLEMS_PAGE + 1)
    more = problems[PROBLEMS_PAGE - 1].seq if len(problems) > PROBLEMS_PAGE else None
    sealed = job.preview_sealed
    return ImportRead(
        **dict(_brief(job, english)),
        mapping=job.mapping,
        communities=written,
        differences=differences,
        sheets=job.sheets,
        preview=_preview_shape.validate_python(orjson.loads(crypto.key_ring().open(sealed, PREVIEW))) if sealed else [],
        problem_counts=await _count_problems(session, import_id, english),
        problems=[
            ImportProblemRead(
                sheet=p.sheet,
                row=p.row,
                column=p.column,
                code=p.code,
                severity=p.severity,
                message=p.message_en if english else p.message_zh,
            )
            for p in problems[:PROBLEMS_PAGE]
        ],
        next_cursor=None if more is None else encode_cursor(more),
    )


async def _count_problems(session: AsyncSession, import_id: UUID, english: bool) -> list[ImportProblemCount]:
    """Problems by kind: what was not taken first, then the most frequent."""
    count = func.count().label("count")
    words = func.min(col(ImportProblem.message_en if english else ImportProblem.message_zh))
    statement = (
        select(col(ImportProblem.code), col(ImportProblem.severity), count, words)
        .where(col(ImportProblem.import_id) == import_id)
        .group_by(col(ImportProblem.code), col(ImportProblem.severity))
        .order_by(col(ImportProblem.severity) != "error", count.desc(), col(ImportProblem.code))
    )
    return [
        ImportProblemCount(
            code=code, severity=severity, count=number, message=kind_of_problem(code)[english] if number > 1 else said
        )
        for code, severity, number, said in (await session.execute(statement)).all()
    ]


async def _problems(
    session: AsyncSession, import_id: UUID, code: str | None = None, after: int = 0, limit: int | None = None
) -> list[ImportProblem]:
    statement = select(ImportProblem).where(col(ImportProblem.import_id) == import_id, col(ImportProblem.seq) > after)
    if code is not None:
        statement = statement.where(col(ImportProblem.code) == code)
    return list((await session.scalars(statement.order_by(col(ImportProblem.seq)).limit(limit))).all())


def _brief(job: ImportJob, english: bool, part: ImportCounts | None = None) -> ImportBrief:
    """An import in a list; `part` counts what it did where alone its reader may look."""
    message = job.error_en if english else job.error_zh
    return ImportBrief(
        id=job.id,
        kind=ImportKind(job.kind),
        status=ImportStatus(job.status),
        dry_run=job.is_dry_run,
        community_code=str(job.community_code),
        file_name=job.file_name,
        as_of=job.as_of,
        created_at=job.created_at,
        created_by_name=job.created_by_name,
        finished_at=job.finished_at,
        undone_at=job.undone_at,
        undone_by_name=job.undone_by_name if job.undone_at else "",
        progress=ImportProgress(done=job.progress_done, total=job.progress_total),
        counts=part or ImportCounts(**job.counts),
        is_part=part is not None,
        error=ImportFailure(code=job.error_code, message=message or "") if job.error_code else None,
    )


async def get_import_errors(database: Database, actor: Actor, import_id: UUID) -> tuple[str, bytes]:
    """The file with the reason beside each bad row, as `.xlsx`, and what to call it.

    No connection is held while it is written: a large one takes seconds.
    """
    async with database.session(actor.scope) as session:
        job = await _get_job(session, actor, import_id)
        if job.status not in _SETTLED:
            raise ImportNotFinished
        try:
            plain = await file_of(session, import_id)
        except UnreadableFile:
            raise ImportFileGone from None
        found = await _problems(session, import_id)
        await audit.append_entry(session, actor.doer, str(job.community_code), "get_import_errors", [import_id])
    problems = [
        RowProblem(p.sheet, p.row, p.column, p.code, "error" if p.severity == "error" else "warning", p.message_zh,
                   p.message_en)
        for p in found
    ]  # fmt: skip
    try:
        book = await anyio.to_thread.run_sync(write_error_workbook, plain, job.file_name, problems)
    except UnreadableFile as error:
        raise Conflict(error.code, error.zh, error.en) from None
    return f"{job.file_name.rsplit('.', 1)[0]}-问题.xlsx", book
