"""What is kept of an import for the hour: which rows it made, told by a span of ids, and what the rows it changed said
before. Written in the transaction that writes the import's part of a community, deleted by the undo or after the hour.
"""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core import crypto
from app.import_export.models import ImportJob
from app.people.registry import FACTS, Before, PutCounts

DOOR_FACTS: dict[str, tuple[str, ...]] = {
    "address": ("compound", "building", "stair", "floor", "room", "address", "sort_key"),
    "is_vacant": ("is_vacant",),
}
"""The facts of a door, each with the columns that hold it."""
KEPT_APART: dict[str, dict[str, str]] = {
    "dwelling": {},
    "household": {"phone_sealed": "home_phone_sealed", "phone_index": "home_phone_index", "note_sealed": "note_sealed"},
    "resident": {
        "id_sealed": "id_sealed", "id_index": "id_index", "phone_sealed": "phone_sealed", "phone_index": "phone_index",
    },
}  # fmt: skip
"""Columns whose values are kept apart, sealed as they are, and where."""
_CHUNK = 5_000

_WRITTEN = text("""
    INSERT INTO import_written (community_code, import_id, version, as_of, low_id, high_id, door_count,
        household_count, person_count, fact_count)
    VALUES (:c, :id, :version, :as_of, :low, :high, :doors, :households, :persons, :facts)
""")
_BEFORE = text("""
    INSERT INTO import_before (community_code, import_id, subject_id, kind, facts, columns, before, changes, id_sealed,
        id_index, phone_sealed, phone_index, home_phone_sealed, home_phone_index, note_sealed)
    SELECT :c, :id, subject_id, kind, facts, columns, before, changes, decode(id_sealed, 'base64'),
        decode(id_index, 'base64'), decode(phone_sealed, 'base64'), decode(phone_index, 'base64'),
        decode(home_phone_sealed, 'base64'), decode(home_phone_index, 'base64'), decode(note_sealed, 'base64')
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r(subject_id uuid, kind text, facts text[], columns text[],
        before jsonb, changes jsonb, id_sealed text, id_index text, phone_sealed text, phone_index text,
        home_phone_sealed text, home_phone_index text, note_sealed text)
""")


async def keep_written(session: AsyncSession, job: ImportJob, community: str, put: PutCounts) -> None:
    """Keep what an import has just written in a community, so that it can be undone."""
    if not put.version:
        return
    rows = [_row(before) for before in put.before]
    low, high = put.span or (None, None)
    await session.execute(
        _WRITTEN,
        {
            "c": community, "id": job.id, "version": put.version, "as_of": job.as_of, "low": low, "high": high,
            "doors": put.made["dwelling"], "households": put.made["household"], "persons": put.made["resident"],
            "facts": sum(len(row["facts"]) for row in rows),
        },
    )  # fmt: skip
    for start in range(0, len(rows), _CHUNK):
        chunk = [crypto.bytes_to_base64(row) for row in rows[start : start + _CHUNK]]
        await session.execute(_BEFORE, {"c": community, "id": job.id, "rows": orjson.dumps(chunk).decode()})


def _row(before: Before) -> dict[str, Any]:
    """A row of `import_before`: plain values together, sealed ones in their columns."""
    facts = DOOR_FACTS if before.kind == "dwelling" else FACTS[before.kind]
    sealed = KEPT_APART[before.kind]
    return {
        "subject_id": before.id,
        "kind": before.kind,
        "facts": [name for name, columns in facts.items() if any(one in before.values for one in columns)],
        "columns": sorted(before.values),
        "before": {name: value for name, value in before.values.items() if name not in sealed},
        "changes": before.changes,
        **{kept: before.values.get(name) for name, kept in sealed.items()},
    }


async def forget_written(session: AsyncSession, community: str, import_id: UUID) -> None:
    """Take away all that is kept of an import in a community."""
    for table in ("import_before", "import_left", "import_written"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE community_code = :c AND import_id = :id"),
            {"c": community, "id": import_id},
        )
