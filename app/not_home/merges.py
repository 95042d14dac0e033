"""What merging households, and parting them again, does to self-reports: they stand with the household that stands for
both, and go on speaking of those they were made for. Under the community's clock, which the caller holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_MOVE = text("""
    UPDATE self_report SET household_id = :kept, version = :version
    WHERE community_code = :c AND household_id = :gone RETURNING id
""")
# Of what came in since, that is theirs again which speaks of nobody else.
_PUT_BACK = text("""
    UPDATE self_report s SET household_id = :gone, version = :version
    WHERE s.community_code = :c AND s.household_id = :kept AND (s.id = ANY(:ids) OR (
        s.reported_at > :since AND s.persons <> '[]' AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(s.persons) AS p(resident_id uuid)
            WHERE p.resident_id <> ALL(:theirs))))
""")


async def follow_merge(session: AsyncSession, community: str, version: int, homes: Mapping[UUID, UUID]) -> list[str]:
    """Put self-reports to the households that stand for theirs; answers which, for `undo_merge`."""
    moved: list[str] = []
    for gone, kept in homes.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept}
        moved += [str(one) for one in await session.scalars(_MOVE, params)]
    return moved


async def undo_merge(
    session: AsyncSession,
    community: str,
    version: int,
    homes: Mapping[UUID, UUID],
    theirs: Sequence[UUID],
    moved: Sequence[str],
    merged_at: datetime,
) -> None:
    """Put self-reports back, and those made since by who goes back (`theirs`) alone."""
    ids = [UUID(one) for one in moved]
    for gone, kept in homes.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept, "ids": ids}
        await session.execute(_PUT_BACK, params | {"theirs": list(theirs), "since": merged_at})
