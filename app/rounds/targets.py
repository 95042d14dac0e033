"""Whose doors a round is for, and how many those are."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.area_code import prefix_of
from app.screening.models import Target

_TAGGED = """
    FROM household h WHERE h.community_code LIKE :below AND NOT h.is_closed AND (h.tags && cast(:tags AS text[])
        OR EXISTS (SELECT FROM resident r WHERE r.community_code = h.community_code AND r.household_id = h.id
            AND NOT r.is_gone AND r.tags && cast(:tags AS text[])))
"""
_COUNTS = {
    Target.ALL: text("""
        SELECT coalesce(sum(household_count), 0)::int, coalesce(sum(resident_count), 0)::int
        FROM community_clock WHERE community_code LIKE :below
    """),
    Target.TAGS: text(f"SELECT count(*)::int, coalesce(sum(h.resident_count), 0)::int {_TAGGED}"),
    Target.LIST: text("""
        SELECT count(*)::int, coalesce(sum(h.resident_count), 0)::int FROM round_target g
        JOIN household h ON h.community_code = g.community_code AND h.id = g.household_id AND NOT h.is_closed
        WHERE g.round_id = :round AND g.community_code LIKE :below
    """),
}


async def count_targets(
    session: AsyncSession, code: str, target: str, tags: Sequence[str], round_id: UUID | None
) -> tuple[int, int]:
    """Households and persons that a round in a division would be for."""
    params = {"below": f"{prefix_of(code)}%", "tags": list(tags), "round": round_id}
    statement = _COUNTS[Target(target)]
    wanted = {name: params[name] for name in statement.compile().params}
    row = (await session.execute(statement, wanted)).one()
    return int(row[0]), int(row[1])


async def put_listed(session: AsyncSession, code: str, round_id: UUID, household_ids: Sequence[UUID]) -> int:
    """Put households of a division on a round's ask-list in place of those that are; answers how many are known."""
    await session.execute(text("DELETE FROM round_target WHERE round_id = :round"), {"round": round_id})
    result = await session.execute(
        text("""
        INSERT INTO round_target (community_code, round_id, household_id)
        SELECT h.community_code, :round, h.id FROM household h
        WHERE h.id = ANY(:ids) AND h.community_code LIKE :below AND NOT h.is_closed ON CONFLICT DO NOTHING
    """),
        {"round": round_id, "ids": list(household_ids), "below": f"{prefix_of(code)}%"},
    )
    return int(getattr(result, "rowcount", 0))


async def put_tagged(session: AsyncSession, code: str, round_id: UUID, tags: Sequence[str]) -> int:
    """Put the households of a division that have one of these tags, or somebody with one, on a round's target; those
    that are on it stay. Answers how many came."""
    result = await session.execute(
        text(f"""
        INSERT INTO round_target (community_code, round_id, household_id)
        SELECT h.community_code, :round, h.id {_TAGGED}
        ON CONFLICT DO NOTHING
    """),
        {"round": round_id, "tags": list(tags), "below": f"{prefix_of(code)}%"},
    )
    return int(getattr(result, "rowcount", 0))
