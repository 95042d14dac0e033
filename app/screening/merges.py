"""What merging people and households, and parting them again, does to knocks and to who was answered for.

Visits are put to the person or household that stands for both and keep the id they were given for; nobody is counted
twice, and nobody who was answered for is lost. All of it under the community's clock, which the caller holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_STANDINGS = text("""
    SELECT s.round_id, s.household_id, s.outcome, q.status = 'closed' AS is_closed
    FROM household_screening s JOIN screening_round q ON q.id = s.round_id
    WHERE s.community_code = :c AND s.household_id = ANY(:homes)
""")
_CHECKS = text("""
    SELECT round_id, resident_id, household_id, has_left, visit_id, recorded_at, delete_by FROM person_check
    WHERE community_code = :c AND (resident_id = ANY(:residents) OR household_id = ANY(:homes))
    ORDER BY round_id, resident_id
""")


async def read_standing(
    session: AsyncSession, community: str, residents: Sequence[UUID], homes: Sequence[UUID]
) -> dict[str, Any]:
    """What stands of these people and households before a merge: which visit answered for whom, how each household
    stands in each round; nothing of what was said."""
    checks = await session.execute(_CHECKS, {"c": community, "residents": list(residents), "homes": list(homes)})
    standings = await session.execute(_STANDINGS, {"c": community, "homes": list(homes)})
    found = {
        "checks": [dict(row) for row in checks.mappings()],
        "standings": [dict(row) for row in standings.mappings()],
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(found))
    return plain


@dataclass(frozen=True, slots=True)
class Moves:
    """Who was merged into whom, and which household into which (none for people alone)."""

    residents: Mapping[UUID, UUID]
    homes: Mapping[UUID, UUID]


async def follow_merge(
    session: AsyncSession, community: str, version: int, moves: Moves, homes: Sequence[UUID], before: dict[str, Any]
) -> None:
    """Put the visits of merged people and households to those who stand for them; `homes` are all households
    concerned, `before` is what `read_standing` answered."""
    for gone, kept in moves.homes.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept}
        await session.execute(
            text("""
            UPDATE door_visit SET household_id = :kept, version = :version,
                given_household_id = coalesce(given_household_id, household_id)
            WHERE community_code = :c AND household_id = :gone
        """),
            params,
        )
        await session.execute(
            text("""
            UPDATE person_check SET household_id = :kept, version = :version
            WHERE community_code = :c AND household_id = :gone
        """),
            params,
        )
    if moves.residents:
        await session.execute(
            text("SELECT screening_merge_persons(:c, :version, :gone, :kept)"),
            {
                "c": community,
                "version": version,
                "gone": list(moves.residents),
                "kept": list(moves.residents.values()),
            },
        )
    await _follow_visits(session, community, homes, moves)
    await _restate(session, community, version, homes, _kept_outcomes(before))


def _kept_outcomes(before: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Rounds that are over in which all these doors were done: they stay done, whoever was registered since."""
    by_round: dict[str, list[dict[str, Any]]] = {}
    for row in before["standings"]:
        by_round.setdefault(row["round_id"], []).append(row)
    return {
        (row["round_id"], row["household_id"]): "answered_all"
        for rows in by_round.values()
        for row in rows
        if all(one["is_closed"] and one["outcome"] == "answered_all" for one in rows)
    }


async def undo_merge(
    session: AsyncSession,
    community: str,
    version: int,
    moves: Moves,
    given: Mapping[UUID, Sequence[UUID]],
    homes: Sequence[UUID],
    before: dict[str, Any],
    merged_at: datetime,
) -> None:
    """Put visits back to those they were given for. `given`: of each person and household that comes back, their id
    and those of all who had been merged into them before. What came in since the merge goes with the id it was given
    for; where what was said has been deleted meanwhile, that somebody answered stays."""
    for gone, kept in moves.homes.items():
        await session.execute(
            text("""
            UPDATE door_visit SET household_id = :gone, version = :version,
                given_household_id = nullif(given_household_id, :gone)
            WHERE community_code = :c AND household_id = :kept AND given_household_id = ANY(:given)
        """),
            {"c": community, "version": version, "gone": gone, "kept": kept, "given": list(given[gone])},
        )
    closure = [(one, gone, kept) for gone, kept in moves.residents.items() for one in given[gone]]
    named = {UUID(check["resident_id"]) for check in before["checks"]}
    named |= {*moves.residents, *moves.residents.values()}
    await session.execute(
        text("SELECT screening_part_persons(:c, :version, :given, :gone, :kept, :named, cast(:checks AS jsonb))"),
        {
            "c": community,
            "version": version,
            "given": [one for one, _, _ in closure],
            "gone": [gone for _, gone, _ in closure],
            "kept": [kept for _, _, kept in closure],
            "named": sorted(named),
            "checks": orjson.dumps(before["checks"]).decode(),
        },
    )
    await _follow_visits(session, community, homes, Moves({}, {}))
    since = await session.execute(
        text("""
        SELECT DISTINCT round_id::text, household_id::text FROM door_visit
        WHERE community_code = :c AND household_id = ANY(:homes)
            AND greatest(received_at, coalesce(judged_at, received_at)) > :merged_at
    """),
        {"c": community, "homes": list(homes), "merged_at": merged_at},
    )
    touched = {(row.round_id, row.household_id) for row in since}
    outcomes = {
        (row["round_id"], row["household_id"]): row["outcome"] for row in before["standings"] if row["is_closed"]
    }
    await _restate(
        session, community, version, homes, {key: value for key, value in outcomes.items() if key not in touched}
    )


async def _follow_visits(session: AsyncSession, community: str, homes: Sequence[UUID], moves: Moves) -> None:
    """Answers stand where their visits do; whoever stands for a household on a round's list is on it too."""
    await session.execute(
        text("""
        UPDATE door_answer a SET household_id = v.household_id FROM door_visit v
        WHERE a.community_code = :c AND a.household_id = ANY(:homes) AND v.community_code = :c AND v.id = a.visit_id
            AND v.household_id <> a.household_id
    """),
        {"c": community, "homes": list(homes)},
    )
    for gone, kept in moves.homes.items():
        await session.execute(
            text("""
            INSERT INTO round_target (community_code, round_id, household_id)
            SELECT community_code, round_id, :kept FROM round_target WHERE community_code = :c AND household_id = :gone
            ON CONFLICT DO NOTHING
        """),
            {"c": community, "gone": gone, "kept": kept},
        )


async def _restate(
    session: AsyncSession, community: str, version: int, homes: Sequence[UUID], outcomes: dict[tuple[str, str], str]
) -> None:
    """Work out anew where households stand in every round they were visited in."""
    rows = await session.execute(
        text("""
        SELECT DISTINCT v.round_id, h.id AS household_id
        FROM household h
        JOIN LATERAL (
            SELECT round_id FROM door_visit WHERE community_code = :c AND household_id = ANY(:homes)
            UNION SELECT round_id FROM household_screening WHERE community_code = :c AND household_id = ANY(:homes)
            UNION SELECT round_id FROM person_check WHERE community_code = :c AND household_id = ANY(:homes)
        ) v ON true
        WHERE h.community_code = :c AND h.id = ANY(:homes) ORDER BY 1, 2
    """),
        {"c": community, "homes": list(homes)},
    )
    pairs = [(row.round_id, row.household_id) for row in rows]
    if pairs:
        await session.execute(
            text("SELECT screening_restate_merged(:c, :version, :rounds, :homes, cast(:outcomes AS text[]))"),
            {
                "c": community,
                "version": version,
                "rounds": [one for one, _ in pairs],
                "homes": [home for _, home in pairs],
                "outcomes": [outcomes.get((str(one), str(home))) for one, home in pairs],
            },
        )
        await session.execute(
            text("SELECT not_home_settle(array[cast(:c AS bpchar)], array[:version], :groups, :rounds, :homes)"),
            {
                "c": community,
                "version": version,
                "groups": [1] * len(pairs),
                "rounds": [one for one, _ in pairs],
                "homes": [home for _, home in pairs],
            },
        )
