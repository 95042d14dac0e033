"""Making a workbook out of a list's pages, and keeping that it was made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth.service import DESK, Actor, name_divisions
from app.core import crypto
from app.core.area_code import prefix_of
from app.core.clock import SHANGHAI, now
from app.core.db import NOWHERE, Database
from app.core.errors import Invalid
from app.core.paging import decode_id_cursor, encode_cursor
from app.exports import workbook
from app.exports.columns import Column, List
from app.exports.lists import LISTS
from app.exports.models import ExportRecord
from app.exports.schemas import ExportRead
from app.exports.workbook import BookWriter, Cell, Heading, Look

FILTER = "export_record.filter"
PAGE = 500
"""Items asked for at once; a page is all of a list that is ever in memory."""

FetchPage = Callable[[str | None], Awaitable[tuple[Sequence[Any], str | None]]]
"""From a cursor to a page's items and the next cursor."""

_LOOK: dict[str, Look] = {"words": "text", "text": "text", "number": "number", "day": "day", "instant": "instant"}


class ExportTooLarge(Invalid):
    """More rows than a sheet of Excel holds."""

    def __init__(self) -> None:
        super().__init__(
            "export_too_large",
            f"结果超过 Excel 一张表的 {workbook.MAX_ROWS:,} 行，请选择下级区划或缩小筛选范围后再导出。",
            f"More than the {workbook.MAX_ROWS:,} rows of an Excel sheet; choose a part or narrow the filter.",
        )


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be taken away: the list by its name, the division it is about, its filter as it was asked for."""

    what: str
    division_code: str | None
    filter: Mapping[str, str]
    english: bool

    @property
    def about(self) -> List:
        """The list's title and columns."""
        return LISTS[self.what]

    @property
    def title(self) -> str:
        """The list's title in the reader's language."""
        return self.about.en if self.english else self.about.zh


async def make_workbook(database: Database, actor: Actor, export: Export, fetch: FetchPage, path: Path) -> str:
    """Write a list into the file at `path`, page by page, and the record that it was taken away; answers a name for it.

    No connection is held but while a page is read. Raises what the list itself raises, and ExportTooLarge.
    """
    columns = export.about.columns
    headings = [Heading(c.en if export.english else c.zh, _LOOK[c.kind], c.width) for c in columns]
    writer = BookWriter(path, export.title, headings)
    try:
        cursor: str | None = None
        while True:
            items, cursor = await fetch(cursor)
            if writer.row_count + len(items) >= workbook.MAX_ROWS:
                raise ExportTooLarge
            await anyio.to_thread.run_sync(_write_page, writer, columns, items, export.english)
            if cursor is None:
                break
        record = ExportRecord(
            community_code=export.division_code or NOWHERE,
            what=export.what,
            filter_sealed=crypto.key_ring().seal(orjson.dumps(dict(export.filter)), FILTER),
            row_count=writer.row_count,
            actor_id=actor.id,
            actor_name=actor.name,
            device_id=actor.device_id,
            at=now(),
        )
        async with database.session(actor.scope.with_nowhere()) as session:
            names = await name_divisions(session, [record.community_code])
        place = names.get(record.community_code, "")
        await anyio.to_thread.run_sync(
            writer.close, _about(export, record, place), "About" if export.english else "说明"
        )
    except BaseException:
        writer.abandon()
        raise
    async with database.session(actor.scope.with_nowhere()) as session:
        session.add(record)
        await session.flush()
        payload = {"filter": dict(export.filter), "rows": record.row_count}
        await audit.append_entry(
            session, actor.doer, record.community_code, export_name(export.what), [record.id], payload
        )
    day = record.at.astimezone(SHANGHAI).strftime("%Y%m%d")
    return "-".join(part for part in (export.title, place, day) if part) + ".xlsx"


def export_name(what: str) -> str:
    """The name of a list's export: of its route, in the trail."""
    return LISTS[what].name or "export_" + what.split("_", 1)[1]


def _about(export: Export, record: ExportRecord, place: str) -> list[tuple[str, str]]:
    """What stands on the second sheet: whose list it is, by which filter, and that it is masked."""
    at = record.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    asked = "\n".join(f"{name} = {value}" for name, value in export.filter.items())
    code = "" if record.community_code == NOWHERE else record.community_code
    if export.english:
        masks = "Numbers are masked as on screen. Personal data: keep it no longer than the work needs."
        words = ("List", "Division", "Filter", "Rows", "Taken by", "At", "Please note")
    else:
        masks = "号码与页面上一样脱敏显示。含个人信息，请按规定保管，用完及时删除。"
        words = ("名单", "区划", "筛选", "行数", "导出人", "导出时间", "注意")
    said = (export.title, f"{place} {code}".strip(), asked, str(record.row_count), record.actor_name, at, masks)
    return list(zip(words, said, strict=True))


def _write_page(writer: BookWriter, columns: Sequence[Column], items: Sequence[Any], english: bool) -> None:
    writer.write([[cell_of(item, column, english=english) for column in columns] for item in items])


def cell_of(item: Any, column: Column, *, english: bool) -> Cell:
    """What stands in a list's item for a column, as a workbook shows it."""
    found = item
    for step in column.path.split("."):
        if found is None:
            return None
        found = found.get(step) if isinstance(found, dict) else getattr(found, step)
    if column.value is not None:
        return column.value(found)
    if found is None or found == "":
        return None
    if column.kind == "words":
        several = found if isinstance(found, (list, tuple)) else [found]
        known = column.words or {}
        return (", " if english else "、").join(known.get(str(v), (str(v), str(v)))[english] for v in several)
    if column.kind == "day":
        return date.fromisoformat(found) if isinstance(found, str) else found
    if column.kind == "instant":
        at = datetime.fromisoformat(found) if isinstance(found, str) else found
        return at.astimezone(SHANGHAI)
    if column.kind == "number":
        return found if isinstance(found, (int, float)) else None
    return str(found)


async def list_exports(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None, *, english: bool
) -> tuple[list[ExportRead], str | None]:
    """What was taken away of a division or below it, newest first, for its desk."""
    actor.demand(community_code, DESK)
    statement = select(ExportRecord).where(col(ExportRecord.community_code).like(f"{prefix_of(community_code)}%"))
    if cursor:
        statement = statement.where(col(ExportRecord.id) < decode_id_cursor(cursor))
    rows = (await session.scalars(statement.order_by(col(ExportRecord.id).desc()).limit(limit + 1))).all()
    page = rows[:limit]
    names = await name_divisions(session, sorted({row.community_code for row in page}))
    items = [
        ExportRead(
            **row.model_dump(include={"id", "what", "row_count", "actor_id", "actor_name", "at"}),
            division_code=row.community_code,
            division_name=names.get(row.community_code, ""),
            title=_title(row.what, english),
            filter=_filter(row),
        )
        for row in page
    ]
    return items, encode_cursor(str(page[-1].id)) if len(rows) > limit else None


def _title(what: str, english: bool) -> str:
    known = LISTS.get(what)
    return what if known is None else known.en if english else known.zh


def _filter(row: ExportRecord) -> dict[str, str]:
    if row.filter_sealed is None:
        return {}
    found: dict[str, str] = orjson.loads(crypto.key_ring().open(row.filter_sealed, FILTER))
    return found
