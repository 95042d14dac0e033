"""Reading and loading the division tree; moving a community's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import orjson
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas.models import Division, DivisionChange
from app.areas.schemas import DivisionBrief, DivisionChangeRead, DivisionRead, DivisionWithAncestors
from app.auth.service import OVERSEERS, Actor
from app.core.area_code import Level, ancestors_of, code_of, level_of, prefix_of
from app.core.errors import Invalid, NotFound
from app.core.paging import decode_cursor, decode_id_cursor, encode_cursor


@dataclass(frozen=True, slots=True)
class DivisionEntry:
    """One line of a division list."""

    code: str
    name: str
    level: Level
    parent_code: str | None


_CHILDREN = """
    SELECT d.code, d.name, d.level, d.parent_code,
        (SELECT count(*) FROM division c WHERE c.parent_code = d.code AND c.valid_to IS NULL) AS child_count
    FROM division d
"""


async def list_divisions(
    session: AsyncSession, actor: Actor, parent: str | None, limit: int, cursor: str | None
) -> tuple[list[DivisionRead], str | None]:
    """Divisions right below `parent`, or the tops of the actor's grants; by code."""
    (after,) = decode_cursor(cursor, str) if cursor else ("",)
    params: dict[str, object]
    if parent is None:
        params = {"tops": [code_of(p) for p in actor.scope.prefixes]}
        where = "d.code = ANY(:tops)"
    else:
        if not actor.scope.covers(prefix_of(parent)):
            raise NotFound
        where = "d.parent_code = :parent AND d.valid_to IS NULL"
        params = {"parent": parent}
    statement = text(f"{_CHILDREN} WHERE {where} AND d.code > :after ORDER BY d.code LIMIT :limit")
    rows = (await session.execute(statement, {**params, "after": after, "limit": limit + 1})).mappings().all()
    items = [DivisionRead(**row) for row in rows[:limit]]
    return items, encode_cursor(items[-1].code) if len(rows) > limit else None


async def get_division(session: AsyncSession, actor: Actor, code: str) -> DivisionWithAncestors:
    """A division in the actor's scope, with the path to it."""
    if not actor.scope.covers(prefix_of(code)):
        raise NotFound
    row = (await session.execute(text(f"{_CHILDREN} WHERE d.code = :code"), {"code": code})).mappings().first()
    if row is None:
        raise NotFound
    return DivisionWithAncestors(**row, ancestors=await list_ancestors(session, code))


async def list_ancestors(session: AsyncSession, code: str) -> list[DivisionBrief]:
    """Divisions above `code`, from the top."""
    found = await name_divisions(session, ancestors_of(code))
    return [DivisionBrief(code=c, name=found[c], level=level_of(c)) for c in ancestors_of(code) if c in found]


async def name_divisions(session: AsyncSession, codes: Sequence[str]) -> dict[str, str]:
    """Names by code; codes nobody knows are left out."""
    rows = await session.execute(
        select(col(Division.code), col(Division.name)).where(col(Division.code).in_(list(codes)))
    )
    return {row.code: row.name for row in rows}


async def list_division_changes(
    session: AsyncSession, actor: Actor, area: str, limit: int, cursor: str | None
) -> tuple[list[DivisionChangeRead], str | None]:
    """Changes of codes that lie, or lay, at or below a division, newest first."""
    actor.demand(area, OVERSEERS)
    below = f"{prefix_of(area)}%"
    old, new = col(DivisionChange.old_code), col(DivisionChange.new_code)
    statement = select(DivisionChange).where(or_(old.like(below), new.like(below)))
    if cursor:
        statement = statement.where(col(DivisionChange.id) < decode_id_cursor(cursor))
    rows = (await session.scalars(statement.order_by(col(DivisionChange.id).desc()).limit(limit + 1))).all()
    items = [DivisionChangeRead(**row.model_dump(exclude={"parts", "carried_at"})) for row in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def list_earlier_codes(session: AsyncSession, code: str) -> list[str]:
    """Codes under which what stands under a community's code stood before, itself left out."""
    rows = await session.scalars(
        text("""
        WITH RECURSIVE earlier AS (
            SELECT old_code FROM division_change WHERE new_code = :code AND kind IN ('moved', 'merged', 'split')
            UNION
            SELECT c.old_code FROM division_change c JOIN earlier e ON c.new_code = e.old_code
            WHERE c.kind IN ('moved', 'merged', 'split')
        )
        SELECT old_code FROM earlier WHERE old_code <> :code
    """),
        {"code": code},
    )
    return list(rows.all())


async def get_community_name(session: AsyncSession, code: str) -> str:
    """The name of a known community; raises Invalid (`community_unknown`)."""
    row = await session.get(Division, code)
    if row is None or row.level != "community":
        raise Invalid("community_unknown", "没有这个村居代码。", "There is no such community.", "community_code")
    return row.name


async def is_known(session: AsyncSession, code: str) -> bool:
    """Whether there is such a division."""
    return await session.get(Division, code) is not None


async def put_divisions(session: AsyncSession, entries: Sequence[DivisionEntry], on: date) -> dict[str, int]:
    """Load a division list: new codes are added, known ones renamed. Answers created, updated, unchanged.

    Communities get their clock row, so that figures know them before anything is registered.
    """
    rows = orjson.dumps(
        [{"code": e.code, "name": e.name, "level": e.level, "parent_code": e.parent_code} for e in entries]
    ).decode()
    counts = (
        await session.execute(
            text("""
            WITH listed AS (
                SELECT * FROM jsonb_to_recordset(cast(:rows AS jsonb))
                    AS d(code char(12), name text, level text, parent_code char(12))
            ), known AS (
                SELECT l.code, l.name = d.name AND l.parent_code IS NOT DISTINCT FROM d.parent_code AS is_same
                FROM listed l JOIN division d USING (code)
            ), put AS (
                INSERT INTO division (code, name, level, parent_code, valid_from)
                SELECT code, name, level, parent_code, :on FROM listed
                ON CONFLICT (code) DO UPDATE SET name = excluded.name, parent_code = excluded.parent_code
                WHERE (division.name, division.parent_code) IS DISTINCT FROM (excluded.name, excluded.parent_code)
            ), clocks AS (
                INSERT INTO community_clock (community_code, changed_xid)
                SELECT code, pg_current_xact_id()::text::bigint FROM listed WHERE level = 'community'
                ON CONFLICT DO NOTHING
            )
            SELECT (SELECT count(*) FROM listed) - (SELECT count(*) FROM known),
                (SELECT count(*) FROM known WHERE NOT is_same), (SELECT count(*) FROM known WHERE is_same)
        """),
            {"rows": rows, "on": on},
        )
    ).one()
    return {"created": counts[0], "updated": counts[1], "unchanged": counts[2]}


async def lock_clock(session: AsyncSession, community_code: str) -> None:
    """Take a community's clock row without moving it: to compare first and advance only for a change."""
    await session.execute(
        text(
            "INSERT INTO community_clock (community_code) SELECT :c "
            "WHERE NOT EXISTS (SELECT FROM division WHERE code = :c AND valid_to IS NOT NULL) ON CONFLICT DO NOTHING"
        ),
        {"c": community_code},
    )
    await session.execute(
        text("SELECT version FROM community_clock WHERE community_code = :c FOR UPDATE"), {"c": community_code}
    )


async def advance_clock(
    session: AsyncSession,
    community_code: str,
    *,
    dwellings: int = 0,
    vacant: int = 0,
    households: int = 0,
    residents: int = 0,
    unassigned: int = 0,
) -> int:
    """Take the community's clock row, move its tallies by the given differences; answers the new version.

    Call it first in a writing transaction: the row lock is what makes commit order version order. Called
    again in the same transaction it moves on once more, which is harmless.
    """
    return int(
        (
            await session.execute(
                text("SELECT advance_clock(:c, :d, :v, :h, :r, :u)"),
                {
                    "c": community_code,
                    "d": dwellings,
                    "v": vacant,
                    "h": households,
                    "r": residents,
                    "u": unassigned,
                },
            )
        ).scalar_one()
    )
