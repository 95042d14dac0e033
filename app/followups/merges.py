"""What merging people and households, and parting them again, does to follow-ups: they stand with who stands for both,
and a person has one that is open. Under the community's clock, which the caller holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.ids import new_id

# An open one has no closing note, so nothing here is anybody's health.
_FOLLOW_UPS = text("""
    SELECT id, household_id, resident_id, round_id, opened_at, is_void, owner_id, owner_name, taken_at, closed_at
    FROM follow_up
    WHERE community_code = :c AND (resident_id = ANY(:residents) OR household_id = ANY(:homes)) ORDER BY id
""")
_FINDINGS = text("""
    SELECT source_id, resident_id, follow_up_id, household_id FROM finding
    WHERE community_code = :c AND (resident_id = ANY(:residents) OR household_id = ANY(:homes))
    ORDER BY source_id, resident_id
""")
_JOIN = text("""
    UPDATE follow_up k SET version = :version, opened_at = least(k.opened_at, g.opened_at),
        owner_id = coalesce(k.owner_id, g.owner_id), taken_at = CASE WHEN k.owner_id IS NULL THEN g.taken_at
            ELSE k.taken_at END, owner_name = CASE WHEN k.owner_id IS NULL THEN g.owner_name ELSE k.owner_name END
    FROM follow_up g
    WHERE k.community_code = :c AND k.resident_id = :kept AND k.closed_at IS NULL
        AND g.community_code = :c AND g.resident_id = :gone AND g.closed_at IS NULL
    RETURNING k.id AS kept, g.id AS gone
""")
_PUT_BACK = text("""
    UPDATE follow_up SET resident_id = :resident_id, household_id = :household_id, opened_at = :opened_at,
        version = :version
    WHERE community_code = :c AND id = :id
""")
_BRING_BACK = text("""
    INSERT INTO follow_up (community_code, id, household_id, resident_id, round_id, opened_at, is_void, owner_id,
        owner_name, taken_at, version)
    VALUES (:c, :id, :household_id, :resident_id, :round_id, :opened_at, :is_void, :owner_id, :owner_name, :taken_at,
        :version)
    ON CONFLICT DO NOTHING
""")
_UNLEND = text("""
    UPDATE follow_up SET owner_id = NULL, owner_name = '', taken_at = NULL
    WHERE community_code = :c AND id = :kept AND closed_at IS NULL AND owner_id = :owner_id AND taken_at = :taken_at
""")
_FIND_BACK = text("""
    UPDATE finding k SET resident_id = :given, household_id = :home, version = :version, follow_up_id = coalesce(
        (SELECT u.id FROM follow_up u WHERE u.community_code = :c AND u.id = :follow_up),
        (SELECT u.id FROM follow_up u
         WHERE u.community_code = :c AND u.resident_id = :given AND u.closed_at IS NULL),
        k.follow_up_id)
    WHERE k.community_code = :c AND k.source_id = :source AND k.resident_id = :stands RETURNING 1
""")
_RESTATE = text("""
    UPDATE follow_up u SET is_void = NOT u.is_void, version = :version
    WHERE u.community_code = :c AND u.resident_id = ANY(:residents) AND u.is_void = EXISTS (
        SELECT FROM finding k LEFT JOIN door_visit d ON d.community_code = k.community_code AND d.id = k.source_id
        WHERE k.community_code = :c AND k.follow_up_id = u.id AND d.verdict IS DISTINCT FROM 'set_aside')
""")


async def follow_merge(
    session: AsyncSession, community: str, version: int, residents: Mapping[UUID, UUID], homes: Mapping[UUID, UUID]
) -> dict[str, Any]:
    """Put follow-ups and findings to the people and households that stand for those they were about; of two open ones
    one is left, with the findings of both and an owner if either had one. Answers what stood before, for `undo_merge`.
    """
    everybody = [*residents, *residents.values()]
    named = {"c": community, "residents": everybody, "homes": list(homes)}
    before: dict[str, list[Any]] = {
        "joined": [],
        "follow_ups": [dict(row) for row in (await session.execute(_FOLLOW_UPS, named)).mappings()],
        "findings": [dict(row) for row in (await session.execute(_FINDINGS, named)).mappings()],
    }
    for gone, kept in residents.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept}
        if pair := (await session.execute(_JOIN, params)).first():
            await _join(session, community, version, pair.gone, pair.kept)
            before["joined"].append([pair.gone, pair.kept])
        await session.execute(
            text("""
            UPDATE follow_up u SET resident_id = :kept, household_id = r.household_id, version = :version
            FROM resident r
            WHERE u.community_code = :c AND u.resident_id = :gone AND r.community_code = :c AND r.id = :kept
        """),
            params,
        )
        # where one visit found something of both, the other's stands there already
        await session.execute(
            text("""
            UPDATE finding k SET resident_id = :kept, version = :version
            WHERE k.community_code = :c AND k.resident_id = :gone AND NOT EXISTS (
                SELECT FROM finding o
                WHERE o.community_code = :c AND o.source_id = k.source_id AND o.resident_id = :kept)
        """),
            params,
        )
    for table in ("follow_up", "finding"):
        for gone, kept in homes.items():
            await session.execute(
                text(f"""
                UPDATE {table} SET household_id = :kept, version = :version
                WHERE community_code = :c AND household_id = :gone
            """),
                {"c": community, "version": version, "gone": gone, "kept": kept},
            )
    await session.execute(_RESTATE, {"c": community, "version": version, "residents": everybody})
    plain: dict[str, Any] = orjson.loads(orjson.dumps(before))
    return plain


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A follow-up as `before` has it, for the driver."""
    ids = {key: row[key] and UUID(row[key]) for key in ("id", "household_id", "resident_id", "round_id", "owner_id")}
    at = {key: row[key] and datetime.fromisoformat(row[key]) for key in ("opened_at", "taken_at")}
    return {**row, **ids, **at}


async def _join(session: AsyncSession, community: str, version: int, gone: UUID, kept: UUID) -> None:
    params = {"c": community, "version": version, "gone": gone, "kept": kept}
    await session.execute(
        text("""
        UPDATE finding SET follow_up_id = :kept, version = :version WHERE community_code = :c AND follow_up_id = :gone
    """),
        params,
    )
    await session.execute(text("DELETE FROM follow_up WHERE community_code = :c AND id = :gone"), params)


async def undo_merge(
    session: AsyncSession,
    community: str,
    version: int,
    residents: Mapping[UUID, UUID],
    homes: Mapping[UUID, UUID],
    moved: Sequence[UUID],
    before: Mapping[str, Any],
) -> None:
    """Put follow-ups and findings back; after `screening.undo_merge`, whose visits speak of those they were given for
    again. What was found since the merge goes with the id it was given for. A follow-up that was joined to another is
    open again, whatever became of the other: nobody is taken for seen to who may not have been."""
    # a merge of before follow-ups came along has none of these
    rows = {UUID(row["id"]): row for row in before.get("follow_ups", ())}
    joined = {UUID(gone): UUID(kept) for gone, kept in before.get("joined", ())}
    for follow_up, row in rows.items():
        if follow_up not in joined:
            await session.execute(_PUT_BACK, {"c": community, "version": version, **_typed(row)})
    for gone, kept in joined.items():
        # where another stands open for them by now, it takes the place of the one that would have come back
        await session.execute(_BRING_BACK, {"c": community, "version": version, **_typed(rows[gone])})
        if rows[kept]["owner_id"] is None:
            await session.execute(_UNLEND, {"c": community, "kept": kept, **_typed(rows[gone])})
    for finding in before.get("findings", ()):
        given = UUID(finding["resident_id"])
        params = {"c": community, "version": version, "given": given, "source": UUID(finding["source_id"])}
        params |= {"follow_up": UUID(finding["follow_up_id"]), "home": UUID(finding["household_id"])}
        # it stands under the id it was found for where one visit had found something of both
        for stands in (given, residents.get(given, given)):
            if (await session.execute(_FIND_BACK, params | {"stands": stands})).first() is not None:
                break
    for gone, kept in residents.items():
        await _part_since(session, community, version, gone, kept)
    # of those who had come along, what was found since
    await session.execute(
        text("""
        UPDATE follow_up u SET household_id = r.household_id, version = :version FROM resident r
        WHERE u.community_code = :c AND u.resident_id = ANY(:moved) AND u.household_id = ANY(:kept)
            AND u.id <> ALL(:known) AND r.community_code = :c AND r.id = u.resident_id
    """),
        {"c": community, "version": version, "moved": list(moved), "kept": list(homes.values()), "known": list(rows)},
    )
    await session.execute(
        text("""
        UPDATE finding k SET household_id = v.household_id, version = :version FROM (
            SELECT id, household_id FROM door_visit WHERE community_code = :c
            UNION ALL SELECT id, household_id FROM self_report WHERE community_code = :c) v
        WHERE k.community_code = :c AND k.resident_id = ANY(:moved) AND v.id = k.source_id
            AND k.household_id <> v.household_id
    """),
        {"c": community, "version": version, "moved": list(moved)},
    )
    everybody = [*residents, *residents.values()]
    await session.execute(_RESTATE, {"c": community, "version": version, "residents": everybody})


def _said_in(finding: str) -> str:
    """What was said where a finding comes from: the visit, or the self-report."""
    return f"""LATERAL (
            SELECT d.round_id, d.recorded_at, d.persons FROM door_visit d
            WHERE d.community_code = {finding}.community_code AND d.id = {finding}.source_id
            UNION ALL
            SELECT s.round_id, s.reported_at, s.persons FROM self_report s
            WHERE s.community_code = {finding}.community_code AND s.id = {finding}.source_id)"""


async def _part_since(session: AsyncSession, community: str, version: int, gone: UUID, kept: UUID) -> None:
    """What visits and self-reports found since of somebody who is another again goes to their open follow-up, or takes
    along the one that was made for it, or makes one."""
    said, of = (orjson.dumps([{"resident_id": one}]).decode() for one in (gone, kept))
    params: dict[str, Any] = {"c": community, "version": version, "gone": gone, "kept": kept, "said": said, "of": of}
    found = await session.execute(
        text(f"""
        SELECT k.source_id, k.follow_up_id, v.round_id, v.recorded_at, r.household_id, EXISTS (
                SELECT FROM finding o LEFT JOIN {_said_in("o")} w ON true
                WHERE o.community_code = :c AND o.follow_up_id = k.follow_up_id
                    AND (w.persons IS NULL OR NOT w.persons @> cast(:said AS jsonb))) AS is_shared
        FROM finding k JOIN {_said_in("k")} v ON true
        JOIN resident r ON r.community_code = k.community_code AND r.id = :gone
        WHERE k.community_code = :c AND k.resident_id = :kept AND v.persons @> cast(:said AS jsonb)
            AND NOT v.persons @> cast(:of AS jsonb)
        ORDER BY v.recorded_at, k.source_id
    """),
        params,
    )
    for row in found.all():
        one = params | {"source": row.source_id, "home": row.household_id, "follow_up": row.follow_up_id}
        standing = await session.scalar(
            text("SELECT id FROM follow_up WHERE community_code = :c AND resident_id = :gone AND closed_at IS NULL"),
            one,
        )
        if standing is not None:
            one["follow_up"] = standing
        elif row.is_shared:
            one |= {"follow_up": new_id(), "round": row.round_id, "at": row.recorded_at}
            await session.execute(
                text("""
                INSERT INTO follow_up (community_code, id, household_id, resident_id, round_id, opened_at, version)
                VALUES (:c, :follow_up, :home, :gone, :round, :at, :version)
            """),
                one,
            )
        else:
            await session.execute(
                text("""
                UPDATE follow_up SET resident_id = :gone, household_id = :home, version = :version
                WHERE community_code = :c AND id = :follow_up
            """),
                one,
            )
        await session.execute(
            text("""
            UPDATE finding SET resident_id = :gone, household_id = :home, follow_up_id = :follow_up, version = :version
            WHERE community_code = :c AND source_id = :source AND resident_id = :kept
        """),
            one,
        )
