"""What merging people and households, and parting them again, does to care: visits follow those who stand for both,
and what is promised follows from the visits. Under the community's clock, which the caller holds."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_RESTATE = text("SELECT care_restate_households(:c, :version, :households)")


async def follow_merge(
    session: AsyncSession,
    community: str,
    version: int,
    residents: Mapping[UUID, UUID],
    homes: Mapping[UUID, UUID],
    concerned: Sequence[UUID],
) -> None:
    """Put care visits to the people and households that stand for those they were about; who lives behind another
    door now is cared for there."""
    for gone, kept in residents.items():
        await session.execute(
            text("""
            UPDATE care_visit v SET resident_id = :kept, version = :version,
                given_resident_id = coalesce(v.given_resident_id, v.resident_id), household_id = r.household_id,
                given_household_id = CASE WHEN v.household_id = r.household_id THEN v.given_household_id
                    ELSE coalesce(v.given_household_id, v.household_id) END
            FROM resident r
            WHERE v.community_code = :c AND v.resident_id = :gone AND r.community_code = :c AND r.id = :kept
        """),
            {"c": community, "version": version, "gone": gone, "kept": kept},
        )
    for gone, kept in homes.items():
        await session.execute(
            text("""
            UPDATE care_visit SET household_id = :kept, version = :version,
                given_household_id = coalesce(given_household_id, household_id)
            WHERE community_code = :c AND household_id = :gone
        """),
            {"c": community, "version": version, "gone": gone, "kept": kept},
        )
    await session.execute(_RESTATE, {"c": community, "version": version, "households": list(concerned)})


async def undo_merge(
    session: AsyncSession,
    community: str,
    version: int,
    residents: Mapping[UUID, UUID],
    homes: Mapping[UUID, UUID],
    given: Mapping[UUID, Sequence[UUID]],
    concerned: Sequence[UUID],
) -> None:
    """Put care visits back to those they were given for; `merged_into_id` is cleared already."""
    for gone, kept in residents.items():
        await session.execute(
            text("""
            UPDATE care_visit v SET resident_id = :gone, version = :version,
                given_resident_id = nullif(v.given_resident_id, :gone),
                household_id = CASE WHEN v.given_household_id IS NULL THEN v.household_id
                    ELSE household_root(v.community_code, v.given_household_id) END,
                given_household_id = CASE
                    WHEN household_root(v.community_code, v.given_household_id) <> v.given_household_id
                    THEN v.given_household_id END
            WHERE v.community_code = :c AND v.resident_id = :kept AND v.given_resident_id = ANY(:given)
        """),
            {"c": community, "version": version, "gone": gone, "kept": kept, "given": list(given[gone])},
        )
    for gone, kept in homes.items():
        await session.execute(
            text("""
            UPDATE care_visit SET household_id = :gone, version = :version,
                given_household_id = nullif(given_household_id, :gone)
            WHERE community_code = :c AND household_id = :kept AND given_household_id = ANY(:given)
        """),
            {"c": community, "version": version, "gone": gone, "kept": kept, "given": list(given[gone])},
        )
    await session.execute(_RESTATE, {"c": community, "version": version, "households": list(concerned)})
