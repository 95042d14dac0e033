"""Door notices: which are due, printing them, leaving them. That one is due or over follows from the visits, in SQL
(`not_home_settle`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.audit.service import Doer
from app.auth.service import DESK, Actor
from app.core.clock import now
from app.core.errors import NotFound
from app.core.paging import decode_cursor, encode_cursor
from app.not_home import codes
from app.not_home.schemas import DoorNoticeRead, PrintDoorNotices, PrintedNotice, PrintedNotices
from app.people import service as people

_LIST = """
    SELECT n.household_id, n.round_id, q.title AS round_title, n.due_at, n.printed_at, n.printed_by_name, n.left_at,
        n.left_by_name, s.attempts, s.missed_parts, s.last_at, a.holder_name
    FROM door_notice n
    JOIN screening_round q ON q.id = n.round_id AND q.status = 'open'
    JOIN household_screening s ON s.community_code = n.community_code AND s.round_id = n.round_id
        AND s.household_id = n.household_id
    JOIN household h ON h.community_code = n.community_code AND h.id = n.household_id AND NOT h.is_closed
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    LEFT JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
    WHERE n.community_code = :c AND n.closed_at IS NULL
        AND (q.target = 'all' OR EXISTS (SELECT FROM round_target g WHERE g.community_code = n.community_code
            AND g.round_id = coalesce(q.parent_id, q.id) AND g.household_id = n.household_id))
"""


async def list_door_notices(
    session: AsyncSession, actor: Actor, community_code: str, is_left: bool | None, limit: int, cursor: str | None
) -> tuple[list[DoorNoticeRead], str | None]:
    """Notices that are due or hang at a door where still nobody has answered, for the desk."""
    actor.demand(community_code, DESK)
    where, params = "", {"c": community_code, "limit": limit + 1}
    if is_left is not None:
        where += f" AND n.left_at IS {'NOT ' if is_left else ''}NULL"
    if cursor:
        home, round_id = decode_cursor(cursor, str, str)
        where += " AND (n.household_id, n.round_id) > (cast(:home AS uuid), cast(:round AS uuid))"
        params |= {"home": home, "round": round_id}
    statement = text(f"{_LIST}{where} ORDER BY n.household_id, n.round_id LIMIT :limit")
    rows = (await session.execute(statement, params)).mappings().all()
    page = rows[:limit]
    homes = await people.name_households(session, community_code, [row["household_id"] for row in page])
    items = [
        DoorNoticeRead(
            **{
                **row,
                "missed_parts": [part for part in range(3) if row["missed_parts"] & (1 << part)],
                "printed_by_name": row["printed_by_name"] or None,
                "left_by_name": row["left_by_name"] or None,
            },
            **homes[row["household_id"]].model_dump(),
        )
        for row in page
    ]
    if len(rows) <= limit:
        return items, None
    return items, encode_cursor(str(items[-1].household_id), str(items[-1].round_id))


async def print_door_notices(
    session: AsyncSession, actor: Actor, wanted: PrintDoorNotices, base_url: str
) -> PrintedNotices:
    """What stands on notices that are due, each with its household's code; written into the trail.

    Raises NotFound when one of them is not due in that round.
    """
    community = wanted.community_code
    actor.demand(community, DESK)
    version = await areas.advance_clock(session, community)
    at = now()
    params = {
        "c": community, "round": wanted.round_id, "ids": wanted.household_ids, "at": at, "name": actor.name,
        "version": version,
    }  # fmt: skip
    rows = await session.execute(
        text("""
        UPDATE door_notice n SET printed_at = :at, printed_by_name = :name, version = :version
        FROM household_screening s
        WHERE n.community_code = :c AND n.round_id = :round AND n.household_id = ANY(:ids) AND n.closed_at IS NULL
            AND s.community_code = n.community_code AND s.round_id = n.round_id AND s.household_id = n.household_id
        RETURNING n.household_id, s.attempts
    """),
        params,
    )
    attempts = {row.household_id: row.attempts for row in rows}
    if set(attempts) != set(wanted.household_ids):
        raise NotFound
    round_ = (
        await session.execute(
            text("SELECT title, ends_on FROM screening_round WHERE id = :id"), {"id": wanted.round_id}
        )
    ).one()
    ids = list(dict.fromkeys(wanted.household_ids))
    tokens = await codes.issue_codes(session, community, ids, version)
    homes = await people.name_households(session, community, ids)
    await audit.append_entry(session, actor.doer, community, "print_door_notices", ids)
    items = []
    for household_id in ids:
        url = f"{base_url}/h/{tokens[household_id]}"
        items.append(
            PrintedNotice(
                household_id=household_id,
                address=homes[household_id].address,
                attempts=attempts[household_id],
                url=url,
                qr_svg=codes.qr_of(url),
            )
        )
    return PrintedNotices(
        community_name=(await areas.name_divisions(session, [community])).get(community, ""),
        round_title=round_.title,
        ends_on=round_.ends_on.isoformat(),
        printed_at=at,
        items=items,
    )


async def replace_household_code(session: AsyncSession, actor: Actor, household_id: UUID) -> None:
    """End a household's code: what hangs at its door opens nothing any more, the next notice has a new one."""
    household, _ = await people.get_household(session, actor, household_id, DESK)
    community = household.community_code
    version = await areas.advance_clock(session, community)
    ended = await codes.revoke_code(session, community, household_id, version)
    subjects = [household_id, *([ended] if ended else [])]
    await audit.append_entry(session, actor.doer, community, "replace_household_code", subjects)


@dataclass(frozen=True, slots=True)
class LeftNotice:
    """A notice that a worker left at a door; the id is the command's."""

    id: UUID
    household_id: UUID
    round_id: UUID
    left_at: datetime


async def leave_door_notices(
    session: AsyncSession, doer: Doer, community_code: str, left: Sequence[LeftNotice]
) -> dict[UUID, str | None]:
    """Note that notices hang at doors, due or not; answers each command's code, None when in order.

    The first to leave one stands. Call it under the community's clock.
    """
    version = await areas.advance_clock(session, community_code)
    verdicts: dict[UUID, str | None] = {}
    for one in left:
        params = {
            "c": community_code, "round": one.round_id, "home": one.household_id, "at": one.left_at,
            "name": doer.name, "version": version,
        }  # fmt: skip
        known = (
            await session.execute(
                text("""
                SELECT EXISTS (SELECT FROM household WHERE community_code = :c AND id = :home) AS home,
                    EXISTS (SELECT FROM screening_round q WHERE q.id = :round
                        AND cast(:c AS text) LIKE q.division_prefix || '%') AS round
            """),
                params,
            )
        ).one()
        if not (known.home and known.round):
            verdicts[one.id] = "round_not_found" if known.home else "household_not_found"
            continue
        await session.execute(
            text("""
            INSERT INTO door_notice AS n (community_code, round_id, household_id, due_at, left_at, left_by_name,
                closed_at, version)
            SELECT :c, :round, :home, :at, :at, :name,
                CASE WHEN s.outcome IS DISTINCT FROM 'no_answer' AND s.outcome IS NOT NULL THEN now() END, :version
            FROM (SELECT 1) one LEFT JOIN household_screening s
                ON s.community_code = :c AND s.round_id = :round AND s.household_id = :home
            ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
                left_at = coalesce(n.left_at, excluded.left_at),
                left_by_name = CASE WHEN n.left_at IS NULL THEN excluded.left_by_name ELSE n.left_by_name END,
                version = excluded.version
        """),
            params,
        )
        verdicts[one.id] = None
    ids = [one.household_id for one in left]
    await session.execute(
        text("SELECT touch_households(:c, :version, :ids)"), {"c": community_code, "version": version, "ids": ids}
    )
    return verdicts
