"""The ask-list of a round: choosing a community's households by what one knows of them, and reading who is on it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core.area_code import code_of
from app.core.crypto import mask_name
from app.core.errors import Invalid, NotFound
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.people import service as people
from app.people.naming import address_text
from app.rounds.schemas import MAX_LISTED, RoundHousehold, RoundListChange, RoundListRead
from app.rounds.service import RoundAlreadyClosed, find_own, find_round, tell_phones
from app.rounds.targets import count_targets
from app.screening.models import RoundStatus, ScreeningRound, Target

# An address as people write it names its door with the compound before it or, where that says enough, without.
_AT = text("""
    SELECT t.n, d.id AS dwelling_id, h.id AS household_id
    FROM unnest(cast(:keys AS text[])) WITH ORDINALITY AS t(key, n)
    JOIN dwelling d ON d.community_code = :c
        AND (d.search_key = t.key OR d.search_key = lower(replace(d.compound, ' ', '')) || t.key)
    LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
""")
_PUT = text("""
    INSERT INTO round_target (community_code, round_id, household_id)
    SELECT h.community_code, :round, h.id FROM household h
    WHERE h.community_code = :c AND h.id = ANY(:ids) AND NOT h.is_closed ON CONFLICT DO NOTHING
""")
_TAKE = text("DELETE FROM round_target WHERE community_code = :c AND round_id = :round AND household_id = ANY(:ids)")
_LISTED = """
    SELECT g.community_code, g.household_id, h.head_name, h.resident_count, d.sort_key FROM round_target g
    JOIN household h ON h.community_code = g.community_code AND h.id = g.household_id AND NOT h.is_closed
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE g.round_id = :round AND g.community_code = :c
"""


async def list_round_households(
    session: AsyncSession, actor: Actor, round_id: UUID, community_code: str, limit: int, cursor: str | None
) -> tuple[list[RoundHousehold], str | None]:
    """A community's households that a round is for by name or by tag, in the order of their doors; names masked.
    Raises NotFound for a round that does not exist here."""
    actor.demand(community_code, DESK)
    found = await find_round(session, actor, round_id)
    if not community_code.startswith(found.division_prefix):
        raise NotFound
    where, params = "", {"round": found.parent_id or found.id, "c": community_code, "limit": limit + 1}
    if cursor:
        key, last = decode_cursor(cursor, str, str)
        where, params = " AND (d.sort_key, h.id) > (:key, :last)", params | {"key": key, "last": cursor_uuid(last)}
    statement = text(f"{_LISTED}{where} ORDER BY d.sort_key, h.id LIMIT :limit")
    rows = (await session.execute(statement, params)).all()
    homes = await people.name_households(session, community_code, [row.household_id for row in rows[:limit]])
    items = [
        RoundHousehold(
            community_code=row.community_code, household_id=row.household_id,
            address=homes[row.household_id].address, head_masked=mask_name(row.head_name) if row.head_name else "",
            resident_count=row.resident_count,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    last_row = rows[limit - 1] if len(rows) > limit else None
    return items, encode_cursor(last_row.sort_key, str(last_row.household_id)) if last_row else None


async def change_round_list(
    session: AsyncSession, actor: Actor, round_id: UUID, change: RoundListChange
) -> RoundListRead:
    """Put households of a community on an ask-list or take them off it: named ones, all that a filter means, and
    those at addresses as people write them; what names no door, or more than one, is told.

    The list of a running round changes too: phones have it with their next pull, what was answered behind a door that
    leaves stays as it was recorded. Raises NotFound, RoundAlreadyClosed, Invalid (`round_list`, `round_list_full`, and
    `round_nobody` where a running round would be left without a household).
    """
    found = await find_own(session, actor, round_id)
    community = change.community_code
    actor.demand(community, DESK)
    if not community.startswith(found.division_prefix):
        raise NotFound
    if found.status == RoundStatus.CLOSED:
        raise RoundAlreadyClosed
    if found.target != Target.LIST:
        zh, en = "只有名单排查可以指定住户。", "Only a round by list names households."
        raise Invalid("round_list", zh, en, "target")
    ids = [*change.household_ids]
    if change.all_of is not None:
        one = change.all_of
        wanted = people.HouseholdFilter(
            one.compound, one.building, one.stair, one.q, one.tag, one.responsibility_area_id
        )  # fmt: skip
        ids += await people.find_household_ids(session, actor, community, wanted, MAX_LISTED)
    at, unknown = await _find_at(session, community, change.addresses)
    ids += at
    params = {"round": found.id, "c": community, "ids": ids}
    result = await session.execute(_TAKE if change.is_removed else _PUT, params)
    homes, persons = await _count(session, found)
    if homes > MAX_LISTED and not change.is_removed:
        zh = f"名单最多 {MAX_LISTED} 户。"
        raise Invalid("round_list_full", zh, f"A list has at most {MAX_LISTED} households.", "household_ids")
    changed = int(getattr(result, "rowcount", 0))
    if changed and found.status == RoundStatus.OPEN:
        if not homes:
            zh, en = "进行中的排查至少要有一户。", "A running round keeps one household at least."
            raise Invalid("round_nobody", zh, en, "household_ids")
        await tell_phones(session, found)
    action = "take_off_round_list" if change.is_removed else "put_on_round_list"
    await audit.append_entry(session, actor.doer, community, action, [found.id], {"households": changed})
    return RoundListRead(changed=changed, households=homes, persons=persons, unknown=unknown)


async def _find_at(session: AsyncSession, community: str, written: Sequence[str]) -> tuple[list[UUID], list[str]]:
    """The households at addresses, and which of them name none, or doors of more than one address."""
    rows = await session.execute(_AT, {"c": community, "keys": [address_text(one) for one in written]})
    doors: dict[int, dict[UUID, list[UUID]]] = {}
    for row in rows:
        doors.setdefault(row.n - 1, {}).setdefault(row.dwelling_id, []).extend(
            [row.household_id] if row.household_id else []
        )
    sure = {n: next(iter(found.values())) for n, found in doors.items() if len(found) == 1}
    unknown = [one for n, one in enumerate(written) if not sure.get(n)]
    return [home for homes in sure.values() for home in homes], unknown


async def _count(session: AsyncSession, found: ScreeningRound) -> tuple[int, int]:
    return await count_targets(session, code_of(found.division_prefix), Target.LIST, [], found.id)
