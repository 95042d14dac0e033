"""Writing the trail, reading it, and walking its chains."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit.models import AuditEntry
from app.core.db import EVERYWHERE, Database
from app.core.paging import decode_cursor, encode_cursor

_APPEND = text(
    "SELECT append_audit(:community, :actor, :actor_name, :device, :action, cast(:subjects AS jsonb), "
    ":payload, :request)"
)


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts: an account on a device, or the service itself (no id)."""

    id: UUID | None
    name: str
    device_id: UUID | None = None


SYSTEM = Doer(None, "system")


async def append_entry(
    session: AsyncSession,
    doer: Doer,
    community_code: str,
    action: str,
    subjects: Iterable[UUID | str],
    payload: Any = None,
) -> None:
    """Add one entry for this transaction's work in a community.

    `subjects`: ids of what was touched. `payload`: only its SHA-256 is kept, so the trail itself holds
    no personal data.
    """
    await session.execute(
        _APPEND,
        {
            "community": community_code,
            "actor": doer.id,
            "actor_name": doer.name,
            "device": doer.device_id,
            "action": action,
            "subjects": orjson.dumps([str(s) for s in subjects]).decode(),
            "payload": None
            if payload is None
            else orjson.dumps(payload, default=str, option=orjson.OPT_SORT_KEYS).decode(),
            "request": session.info.get("request_id"),
        },
    )


async def list_entries(
    session: AsyncSession, community_code: str, limit: int, cursor: str | None
) -> tuple[list[AuditEntry], str | None]:
    """A community's entries, newest first, and the next cursor."""
    statement = select(AuditEntry).where(col(AuditEntry.community_code) == community_code)
    if cursor:
        (seq,) = decode_cursor(cursor, int)
        statement = statement.where(col(AuditEntry.seq) < seq)
    statement = statement.order_by(col(AuditEntry.seq).desc()).limit(limit + 1)
    rows = list((await session.scalars(statement)).all())
    more = encode_cursor(rows[limit - 1].seq) if len(rows) > limit else None
    return rows[:limit], more


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """Where a chain does not hold: the community, the entry, and what is wrong with it."""

    community_code: str
    seq: int
    reason: str


# Each entry is hashed again from its own columns and the hash stored before it.
_VERIFY = text("""
    WITH linked AS (
        SELECT e.*, lag(hash) OVER w AS previous, lag(seq) OVER w AS previous_seq
        FROM audit_entry e WINDOW w AS (PARTITION BY community_code ORDER BY seq)
    ), judged AS (
        SELECT community_code, seq, CASE
            WHEN seq <> coalesce(previous_seq, 0) + 1 THEN 'entries_missing'
            WHEN hash IS DISTINCT FROM audit_hash(previous, community_code, seq, at, actor_id, actor_name,
                device_id, action, subjects, digest, request_id) THEN 'entry_changed'
        END AS reason FROM linked
    )
    SELECT community_code, seq, reason FROM judged WHERE reason IS NOT NULL
    UNION ALL
    SELECT c.community_code, c.seq, 'head_differs' FROM audit_chain c
    LEFT JOIN audit_entry e ON e.community_code = c.community_code AND e.seq = c.seq
    WHERE c.seq > 0 AND e.hash IS DISTINCT FROM c.hash
    UNION ALL
    SELECT e.community_code, max(e.seq), 'head_missing' FROM audit_entry e
    LEFT JOIN audit_chain c USING (community_code) WHERE c.community_code IS NULL OR e.seq > c.seq
    GROUP BY e.community_code
    ORDER BY 1, 2 LIMIT 1000
""")


async def verify_chains(database: Database) -> tuple[int, list[BrokenLink]]:
    """Walk every chain: how many entries there are, and each link that does not hold (at most 1,000)."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        count = (await session.execute(text("SELECT count(*) FROM audit_entry"))).scalar_one()
        rows = (await session.execute(_VERIFY)).all()
    return count, [BrokenLink(r.community_code, r.seq, r.reason) for r in rows]
