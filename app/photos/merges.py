"""What merging households, and parting them again, does to photos: they stand with the household that stands for both.
Under the community's clock, which the caller holds."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_MOVE = text("""
    UPDATE visit_photo SET household_id = :kept, version = :version
    WHERE community_code = :c AND household_id = :gone RETURNING id
""")
_PUT_BACK = text("""
    UPDATE visit_photo p SET household_id = :gone, version = :version
    WHERE p.community_code = :c AND p.household_id = :kept AND (p.id = ANY(:ids) OR EXISTS (
        SELECT FROM door_visit v WHERE v.community_code = :c AND v.id = p.visit_id AND v.household_id = :gone))
""")


async def follow_merge(session: AsyncSession, community: str, version: int, homes: Mapping[UUID, UUID]) -> list[str]:
    """Put photos to the households that stand for theirs; answers which, for `undo_merge`."""
    moved: list[str] = []
    for gone, kept in homes.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept}
        moved += [str(one) for one in await session.scalars(_MOVE, params)]
    return moved


async def undo_merge(
    session: AsyncSession, community: str, version: int, homes: Mapping[UUID, UUID], moved: Sequence[str]
) -> None:
    """Put photos back, and those taken since with their visits; after `screening.undo_merge`."""
    ids = [UUID(one) for one in moved]
    for gone, kept in homes.items():
        params = {"c": community, "version": version, "gone": gone, "kept": kept, "ids": ids}
        await session.execute(_PUT_BACK, params)
