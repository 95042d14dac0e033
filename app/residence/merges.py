"""What merging people and households, and parting them again, does to stays and tenures. Under the community's clock,
which the caller holds."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import service as audit
from app.core.clock import today

_END = text("""
    UPDATE residence SET ended_on = greatest(:on, coalesce(started_on, :on)), reason_out = 'merged',
        ended_by_name = :by, version = :version
    WHERE community_code = :c AND resident_id = ANY(:gone) AND ended_on IS NULL RETURNING id
""")
_MOVE = text("""
    UPDATE residence SET household_id = :kept, version = :version
    WHERE community_code = :c AND household_id = :gone RETURNING id
""")
_END_TENURE = text("""
    UPDATE tenure SET ended_on = greatest(:on, coalesce(started_on, :on)), version = :version
    WHERE community_code = :c AND household_id = :gone AND ended_on IS NULL RETURNING id
""")


async def follow_merge(
    session: AsyncSession,
    doer: audit.Doer,
    community: str,
    version: int,
    residents: Mapping[UUID, UUID],
    homes: Mapping[UUID, UUID],
) -> dict[str, Any]:
    """Who was merged away stays nowhere any more; what was lived in the household that went was lived in the one that
    stays. Answers which rows changed, for `undo_merge`."""
    params = {"c": community, "version": version, "on": today(), "by": doer.name}
    ended = list(await session.scalars(_END, params | {"gone": list(residents)}))
    moved: list[list[str]] = []
    tenures: list[str] = []
    for gone, kept in homes.items():
        rows = await session.scalars(_MOVE, {"c": community, "version": version, "gone": gone, "kept": kept})
        moved += [[str(row), str(gone), str(kept)] for row in rows]
        closed = await session.scalars(_END_TENURE, {"c": community, "version": version, "on": today(), "gone": gone})
        tenures += [str(row) for row in closed]
    return {"ended": [str(row) for row in ended], "moved": moved, "tenures": tenures}


async def undo_merge(session: AsyncSession, community: str, version: int, changed: dict[str, Any]) -> None:
    """Open again what the merge ended, and put stays back to the household they were in; what has ended otherwise
    since stays so."""
    await session.execute(
        text("""
        UPDATE residence SET ended_on = NULL, reason_out = NULL, ended_by_name = '', version = :version
        WHERE community_code = :c AND id = ANY(cast(:ids AS uuid[])) AND reason_out = 'merged'
    """),
        {"c": community, "version": version, "ids": changed["ended"]},
    )
    for row, gone, kept in changed["moved"]:
        await session.execute(
            text("""
            UPDATE residence SET household_id = :gone, version = :version
            WHERE community_code = :c AND id = :row AND household_id = :kept
        """),
            {"c": community, "version": version, "row": UUID(row), "gone": UUID(gone), "kept": UUID(kept)},
        )
    await session.execute(
        text("""
        UPDATE tenure SET ended_on = NULL, version = :version
        WHERE community_code = :c AND id = ANY(cast(:ids AS uuid[]))
    """),
        {"c": community, "version": version, "ids": changed["tenures"]},
    )
