"""Searching for duplicates, community by community: each is one transaction, and what has not changed is passed over.

Inside a community people are compared by document, name, birth date and place; across communities by the blind index
of the document alone, and each side is told of the other community and of nothing else. Pairs that were decided are
known by their id and left alone, those that no longer hold are taken back.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from procrastinate import JobContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core import jobs
from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.core.logging import get_logger
from app.duplicates.evidence import Found, Person, judge_households, judge_people, pair_id

log = get_logger()

NOBODY = ["不详", "未知", "无名", "无名氏", "住户", "空户", "租户", "租客", "待核实", "不在家", "户主", "业主"]
"""Words that stand where a name should."""
MAX_PAIRS = 20_000
"""Pairs looked at in a community: beyond that a list is broken, and the surest come first."""
MAX_SAME = 8
"""Places in which one document may stand before it is taken for a filler."""

# Facts of everybody who shares a name with somebody, or a document. What two people cannot be one with is left out
# before it costs anything: another sex, and neither birth date, door nor telephone in common.
_PAIRS = text("""
    WITH everybody AS MATERIALIZED (
        SELECT r.id, r.household_id, h.dwelling_id, r.sex, r.birth_on, r.id_kind, r.id_index, r.id_sealed,
            r.phone_index, h.phone_index AS home_phone_index, h.kind = 'collective' AS is_collective,
            h.resident_count AS members, coalesce(d.search_key, d.address) AS address,
            regexp_replace(lower(normalize(r.name, NFKC)), '[\\s·•.]', '', 'g') AS name
        FROM resident r
        JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id AND NOT h.is_closed
        JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
        WHERE r.community_code = :c AND NOT r.is_gone
    ), pairs AS (
        SELECT a.id AS one, b.id AS other, 1 AS sure
        FROM everybody a JOIN everybody b ON a.name = b.name AND a.id < b.id
        WHERE a.name <> ALL(:nobody) AND length(a.name) > 1
            AND (a.sex NOT IN (1, 2) OR b.sex NOT IN (1, 2) OR a.sex = b.sex)
            AND (a.birth_on = b.birth_on OR a.dwelling_id = b.dwelling_id
                OR ((a.birth_on IS NULL OR b.birth_on IS NULL)
                    AND (a.phone_index IN (b.phone_index, b.home_phone_index)
                        OR a.home_phone_index IN (b.phone_index, b.home_phone_index))))
        UNION
        SELECT a.id, b.id, 0 FROM everybody a
        JOIN everybody b ON a.id_index = b.id_index AND a.id_kind = b.id_kind AND a.id < b.id
    ), chosen AS (SELECT one, other, min(sure) AS sure FROM pairs GROUP BY 1, 2 ORDER BY 3, 1, 2 LIMIT :limit)
    SELECT a.*, b.* FROM chosen c JOIN everybody a ON a.id = c.one JOIN everybody b ON b.id = c.other
""")
# One look at the index for each document, whatever the planner thinks of reading a whole city instead.
_ELSEWHERE = text("""
    SELECT a.id AS one, b.community_code AS place, b.id AS other
    FROM resident a
    CROSS JOIN LATERAL (
        SELECT r.id, r.community_code FROM resident r
        WHERE r.id_index = a.id_index AND r.id_kind = a.id_kind AND r.community_code <> a.community_code
            AND NOT r.is_gone
        OFFSET 0
    ) b
    WHERE a.community_code = :c AND NOT a.is_gone AND a.id_index IS NOT NULL
    ORDER BY a.id, b.community_code, b.id LIMIT :limit
""")
# What was said to be different stays so when one of the two has been merged into somebody since.
_KNOWN_DIFFERENT = text("""
    SELECT kind, other_community_code AS place,
        CASE WHEN kind = 'household' THEN household_root(community_code, subject_id)
            ELSE resident_root(community_code, subject_id) END AS one,
        CASE WHEN kind = 'household' THEN household_root(community_code, other_id)
            WHEN other_id IS NOT NULL THEN resident_root(community_code, other_id) END AS other
    FROM duplicate WHERE community_code = :c AND status IN ('dismissed', 'settled')
""")
_PUT = text("""
    INSERT INTO duplicate AS d (
        community_code, id, kind, subject_id, other_id, other_community_code, reasons, covered_by, rank)
    SELECT community_code, id, kind, subject_id, other_id, other_community_code, reasons, covered_by, rank
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r(
        community_code char(12), id uuid, kind text, subject_id uuid, other_id uuid, other_community_code char(12),
        reasons text[], covered_by uuid, rank smallint)
    ON CONFLICT (community_code, id) DO UPDATE SET reasons = excluded.reasons, rank = excluded.rank,
        covered_by = excluded.covered_by
    WHERE d.status = 'open'
        AND (d.reasons, d.rank, d.covered_by) IS DISTINCT FROM (excluded.reasons, excluded.rank, excluded.covered_by)
""")
# What no longer holds: open, on both sides; an answer that waited for the other side has nothing to wait for.
_TAKE_BACK = text("""
    WITH over AS (
        SELECT id FROM duplicate
        WHERE community_code = :c AND status IN ('open', 'answered') AND id <> ALL(cast(:found AS uuid[]))
    ), settled AS (
        UPDATE duplicate d SET status = 'settled' FROM over WHERE d.id = over.id AND d.status = 'answered'
    )
    DELETE FROM duplicate d USING over WHERE d.id = over.id AND d.status = 'open'
""")
_SEARCHED = text("""
    INSERT INTO duplicate_search AS s (community_code, searched_version, searched_at)
    VALUES (:c, :version, :at)
    ON CONFLICT (community_code) DO UPDATE SET searched_version = :version, searched_at = :at
""")


async def search_community(session: AsyncSession, community: str, *, full: bool = False) -> int | None:
    """Search one community; answers how many pairs stand open or would, None when nobody has changed since the last
    search. The session's scope must be everywhere: documents are looked for in all communities."""
    at = now()
    version = await session.scalar(
        text("SELECT version FROM community_clock WHERE community_code = :c"), {"c": community}
    )
    since = await session.scalar(
        text("SELECT searched_version FROM duplicate_search WHERE community_code = :c AND searched_at IS NOT NULL"),
        {"c": community},
    )
    found: int | None = None
    if full or since is None or await _has_changed(session, community, since):
        found = await _search(session, community)
    await session.execute(_SEARCHED, {"c": community, "version": version or 0, "at": at})
    return found


async def _has_changed(session: AsyncSession, community: str, since: int) -> bool:
    changed = text("SELECT EXISTS (SELECT FROM resident WHERE community_code = :c AND version > :since)")
    return bool(await session.scalar(changed, {"c": community, "since": since}))


async def _search(session: AsyncSession, community: str) -> int:
    pairs = []
    params = {"c": community, "nobody": NOBODY, "limit": MAX_PAIRS}
    for row in await session.execute(_PAIRS, params):
        one, other = _person(row[:14]), _person(row[14:])
        if found := judge_people(one, other):
            pairs.append((one, other, found))
    homes, covered = judge_households(pairs)
    rows = [_row(community, "household", found, None) for found in homes]
    rows += [_row(community, "person", found, covered.get(found.id)) for _, _, found in pairs]
    rows += await _elsewhere(session, community)
    different = {
        (row.kind, row.place, *sorted(str(one) for one in (row.one, row.other)))
        for row in await session.execute(_KNOWN_DIFFERENT, {"c": community})
    }
    # what was decided under the same id stays in the list of what was found: it is left alone, not taken back
    rows = [row for row in rows if row["community_code"] != community or _key(row) not in different]
    if rows:
        await session.execute(_PUT, {"rows": orjson.dumps(rows).decode()})
    own = [row["id"] for row in rows if row["community_code"] == community]
    await session.execute(_TAKE_BACK, {"c": community, "found": own})
    return len(own)


def _person(row: Sequence[Any]) -> Person:
    (one, home, door, _, birth_on, kind, index, number, phone, home_phone, is_collective, members, address, _) = row
    return Person(one, home, door, birth_on, kind, index, number, phone, home_phone, is_collective, members, address)


def _row(community: str, kind: str, found: Found, covered_by: UUID | None) -> dict[str, Any]:
    one, other = sorted((found.one, found.other))
    return {
        "community_code": community, "id": found.id, "kind": kind, "subject_id": one, "other_id": other,
        "other_community_code": None, "reasons": list(found.reasons), "covered_by": covered_by, "rank": found.rank,
    }  # fmt: skip


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["kind"], row["other_community_code"], *sorted(str(one) for one in (row["subject_id"], row["other_id"])),
    )  # fmt: skip


async def _elsewhere(session: AsyncSession, community: str) -> list[dict[str, Any]]:
    """A row for this side and one for the other: neither holds the other's person."""
    found = (await session.execute(_ELSEWHERE, {"c": community, "limit": MAX_PAIRS})).all()
    counts: dict[UUID, int] = {}
    for row in found:
        counts[row.one] = counts.get(row.one, 0) + 1
    rows: list[dict[str, Any]] = []
    for row in found:
        if counts[row.one] >= MAX_SAME:
            continue
        common = {
            "id": pair_id(row.one, row.other), "kind": "elsewhere", "other_id": None, "reasons": ["same_id"],
            "covered_by": None, "rank": 0,
        }  # fmt: skip
        rows.append(common | {"community_code": community, "subject_id": row.one, "other_community_code": row.place})
        rows.append(common | {"community_code": row.place, "subject_id": row.other, "other_community_code": community})
    return rows


async def search_all(database: Database, *, wanted_only: bool = False, full: bool = False) -> dict[str, int]:
    """Search every community, those first that somebody waits for; answers how many pairs each has, of those that
    were searched."""
    async with database.session(EVERYWHERE) as session:
        rows = await session.scalars(
            text("""
            SELECT c.community_code FROM community_clock c
            LEFT JOIN duplicate_search s USING (community_code)
            WHERE c.community_code <> '000000000000'
                AND (s.wanted_at IS NOT NULL AND s.wanted_at > coalesce(s.searched_at, '-infinity')
                    OR (NOT :wanted_only AND (:full OR c.version > coalesce(s.searched_version, -1))))
            ORDER BY s.wanted_at IS NULL, s.wanted_at, c.community_code
        """),
            {"wanted_only": wanted_only, "full": full},
        )
        communities = list(rows)
    done: dict[str, int] = {}
    for community in communities:
        async with database.session(EVERYWHERE) as session:
            found = await search_community(session, community, full=full)
        if found is not None:
            done[community] = found
    return done


@jobs.queue.periodic(cron="37 19 * * *")
@jobs.queue.task(name="duplicates.search_all", queueing_lock="search_duplicates", lock="duplicates", pass_context=True)
async def search_daily(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - given by the queue
    """Search what has changed, daily at 3:37 in Shanghai."""
    done = await search_all(jobs.database_of(context))
    log.info("duplicates.search_all", communities=len(done), count=sum(done.values()))


@jobs.queue.task(name="duplicates.search_wanted", lock="duplicates", pass_context=True)
async def search_wanted(context: JobContext) -> None:
    """Search where somebody has asked for it, or a list has just come in."""
    done = await search_all(jobs.database_of(context), wanted_only=True)
    log.info("duplicates.search_wanted", communities=len(done), count=sum(done.values()))


async def forget_gone(session: AsyncSession, community: str, gone: str) -> None:
    """People and households of a community, those whose ids the query `gone` answers, are there no more: what was open
    about them is over here, and the next search, which somebody waits for, looks at all of it anew, for other
    communities' sides too."""
    await session.execute(
        text(
            f"WITH gone(id) AS MATERIALIZED ({gone}) DELETE FROM duplicate WHERE community_code = :c "
            "AND status = 'open' AND (subject_id IN (SELECT id FROM gone) OR other_id IN (SELECT id FROM gone))"
        ),
        {"c": community},
    )
    await want_search(session, community, community)
    await session.execute(
        text("UPDATE duplicate_search SET searched_at = NULL WHERE community_code = :c"), {"c": community}
    )


async def want_search(session: AsyncSession, low: str, high: str) -> None:
    """Note that somebody waits for the communities between two codes, those in scope."""
    await session.execute(
        text("""
        INSERT INTO duplicate_search AS s (community_code, wanted_at)
        SELECT community_code, clock_timestamp() FROM community_clock
        WHERE community_code BETWEEN :low AND :high
        ON CONFLICT (community_code) DO UPDATE SET wanted_at = excluded.wanted_at
    """),
        {"low": low, "high": high},
    )


async def start_search(session: AsyncSession) -> None:
    """Have what is waited for searched, once the session's transaction is through."""
    await (await jobs.deferrer_on(session, search_wanted, lock="duplicates")).defer_async()
