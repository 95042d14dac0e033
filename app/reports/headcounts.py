"""Headcounts both ways: what was registered goes out, what officials expect comes in.

"Since" is asked with a transaction id, not a time: a transaction still running when the last answer was made
has an id at or above the token, so its rows come with the next answer whenever it commits.
"""

import hashlib
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas.codes import read_codes
from app.auth.models import Role
from app.auth.service import CLIENTS, OVERSEERS, Actor
from app.core.area_code import PREFIX_LENGTH, Level, level_of
from app.core.clock import now, today
from app.core.db import Database
from app.core.errors import Forbidden, Invalid
from app.core.ids import new_ids
from app.core.paging import decode_cursor, encode_cursor
from app.reports.schemas import ExpectedPut, ExpectedRejected, ExpectedResult
from app.reports.service import AREA, BELOW, LevelNotBelow, area_params, note_expected, read_area
from app.screening.service import CURRENT

MAX_ROWS = 10_000
"""A whole city in one answer: systems pull it all."""
SENDERS = CLIENTS | {Role.CITY, Role.DISTRICT}
"""Who may say how many there should be: systems, and the desks above streets."""


class SinceInvalid(Invalid):
    """A `since` that is not one of our tokens."""

    def __init__(self) -> None:
        super().__init__("since_invalid", "since 标记无效。", "The since token is not one of ours.", "since")


class AsOfInFuture(Invalid):
    """Counts of a day that has not come would stand before all others until it has."""

    def __init__(self) -> None:
        super().__init__("as_of_in_future", "统计日期晚于今天。", "The day of the counts has not come yet.", "as_of")


# Rounds are part of a token: when one opens or closes, `screened` changes where nothing was written.
_MARK = f"""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS high,
        left(md5(coalesce(string_agg(id::text, ',' ORDER BY id), '')), 8) AS rounds
    FROM screening_round
    WHERE {CURRENT} AND target = 'all'
        AND (division_prefix = ANY(%(covering)s::text[]) OR division_prefix LIKE %(below)s)
"""
_ROUNDS = f"""
    SELECT division_prefix, id FROM screening_round
    WHERE {CURRENT} AND target = 'all' AND length(division_prefix) <= %(length)s
        AND (division_prefix = ANY(%(covering)s::text[]) OR division_prefix LIKE %(below)s)
"""
# A token from beyond the newest transaction is from another life of this database, before a restore: it asks for
# everything, and so does one made under other rounds.
_REGISTERED = f"""
    WITH mark AS MATERIALIZED ({_MARK}), moved AS MATERIALIZED (
        SELECT left(community_code, %(length)s) AS prefix, max(changed_at) AS updated_at,
            sum(household_count) FILTER (WHERE dwelling_count > 0) AS households,
            sum(resident_count) FILTER (WHERE dwelling_count > 0) AS residents
        FROM community_clock WHERE {BELOW}
        GROUP BY 1
        HAVING max(changed_xid) >= (
            SELECT CASE WHEN rounds = %(rounds)s AND %(since)s <= high THEN %(since)s ELSE 0 END FROM mark)
    )
    SELECT m.prefix, d.code, d.name, d.level, m.households, m.residents, m.updated_at
    FROM moved m JOIN division d ON d.code = rpad(m.prefix, 12, '0')::char(12)
    WHERE d.code > %(after)s::char(12) ORDER BY d.code LIMIT %(limit)s
"""
_SCREENED = f"""
    SELECT left(community_code, %(length)s), round_id, sum(persons_done) FROM screening_tally
    WHERE round_id IN (SELECT id FROM ({_ROUNDS}) q) AND {BELOW} GROUP BY 1, 2
"""


def _read_token(token: str | None) -> tuple[int, str]:
    """The transaction id and the rounds of a token; 0 for none."""
    if not token:
        return 0, ""
    try:
        low, rounds = decode_cursor(token, int, str)
    except Invalid:
        raise SinceInvalid from None
    if not 0 <= low < 2**63:
        raise SinceInvalid
    return low, rounds


async def get_headcounts(
    database: Database,
    actor: Actor,
    area: str,
    level: Level,
    since: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[dict[str, Any], str]:
    """Headcounts under `area` at `level`, all or those changed since a token, shaped as `HeadcountRead`; its ETag.

    Later pages answer the token of the first: what changed while they were read comes with the next pull.
    """
    actor.demand(area, OVERSEERS | CLIENTS)
    if PREFIX_LENGTH[level] < PREFIX_LENGTH[level_of(area)]:
        raise LevelNotBelow
    low, known_rounds = _read_token(since)
    after, token = decode_cursor(cursor, str, str) if cursor else ("", None)
    params = area_params(area) | {
        "length": PREFIX_LENGTH[level],
        "rounds": known_rounds,
        "since": low,
        "after": after,
        "limit": limit + 1,
    }
    as_of = now()
    divisions, ((new_low, _, new_rounds),), rounds, registered, screened = await database.read(
        actor.scope, [AREA, _MARK, _ROUNDS, _REGISTERED, _SCREENED], params
    )
    read_area(area, divisions)
    token = token or encode_cursor(new_low, new_rounds)
    done = {(prefix, round_id): count for prefix, round_id, count in screened}
    newest = _newest_rounds(rounds)
    items = []
    for prefix, code, name, own_level, households, residents, updated_at in registered[:limit]:
        round_id = max((newest[prefix[:n]] for n in PREFIX_LENGTH.values() if prefix[:n] in newest), default=None)
        is_known = round_id is not None and households is not None
        items.append(
            {
                "code": code,
                "name": name,
                "level": own_level,
                "households": households,
                "residents": residents,
                "screened": done.get((prefix, round_id), 0) if is_known else None,
                "updated_at": updated_at,
            }
        )
    etag = f'"{hashlib.sha256(orjson.dumps(items)).hexdigest()[:32]}"'
    more = encode_cursor(items[-1]["code"], token) if len(registered) > limit else None
    return {"as_of": as_of, "since_token": token, "items": items, "next_cursor": more}, etag


def _newest_rounds(rounds: list[tuple[Any, ...]]) -> dict[str, UUID]:
    """The newest round of each prefix; ids rise with time."""
    newest: dict[str, UUID] = {}
    for prefix, round_id in sorted(rounds, key=lambda row: row[1]):
        newest[prefix] = round_id
    return newest


_GIVEN = """
    jsonb_to_recordset(cast(:rows AS jsonb)) AS g(id uuid, community_code char(12), households int, residents int)
"""
_DIFFERING = text(f"""
    SELECT g.community_code FROM {_GIVEN}
    LEFT JOIN expected_headcount e
        ON e.community_code = g.community_code AND e.source = :source AND e.as_of = :as_of
    WHERE e.id IS NULL OR (e.households, e.residents) IS DISTINCT FROM (g.households, g.residents)
""")
_LOCK = text("SELECT FROM community_clock WHERE community_code = ANY(:codes) ORDER BY community_code FOR UPDATE")
_PUT = text(f"""
    INSERT INTO expected_headcount AS e (community_code, id, source, as_of, households, residents, received_at)
    SELECT g.community_code, g.id, :source, :as_of, g.households, g.residents, now() FROM {_GIVEN}
    ON CONFLICT (community_code, as_of, source) DO UPDATE SET
        households = excluded.households, residents = excluded.residents, received_at = excluded.received_at
    WHERE (e.households, e.residents) IS DISTINCT FROM (excluded.households, excluded.residents)
    RETURNING e.community_code, e.id, e.households, e.residents
""")
# The newest day counts, of one day the word that came last; one with neither count has been taken back.
_CHOOSE_NEWEST = text("""
    UPDATE expected_headcount e SET is_newest = NOT e.is_newest
    FROM unnest(cast(:codes AS bpchar[])) AS u(code)
    LEFT JOIN LATERAL (
        SELECT n.id FROM expected_headcount n
        WHERE n.community_code = u.code AND (n.households IS NOT NULL OR n.residents IS NOT NULL)
        ORDER BY n.as_of DESC, n.received_at DESC, n.id DESC LIMIT 1
    ) newest ON true
    WHERE e.community_code = u.code AND e.is_newest <> coalesce(e.id = newest.id, false)
""")
_RECORD = text(f"""
    SELECT count(advance_clock(g.community_code)), count(append_audit(
        g.community_code, :actor, :name, :device, 'put_expected_headcounts', jsonb_build_array(g.id),
        jsonb_build_object('source', cast(:source AS text), 'as_of', cast(:as_of AS date),
            'households', g.households, 'residents', g.residents)::text, :request))
    FROM {_GIVEN}
""")
_KNOWN = text("SELECT code FROM division WHERE level = 'community' AND valid_to IS NULL AND code = ANY(:codes)")


async def put_expected_headcounts(
    database: Database, session: AsyncSession, actor: Actor, given: ExpectedPut
) -> ExpectedResult:
    """Take official counts; the same source and day again replaces, never adds, and says nothing new.

    A code is understood in any of its years. Communities that nobody knows, that lie outside the actor's part, or that
    are named twice are answered as rejected; the rest are taken. Raises Forbidden and AsOfInFuture.
    """
    prefixes = tuple(actor.prefixes(SENDERS))
    if not prefixes:
        raise Forbidden
    if given.as_of > today():
        raise AsOfInFuture
    named: dict[str, int] = {}
    codes = (await read_codes(database)).current
    items = [
        item.model_copy(update={"community_code": codes.get(item.community_code, item.community_code)})
        for item in given.items
    ]
    for item in items:
        named[item.community_code] = named.get(item.community_code, 0) + 1
    known = set((await session.scalars(_KNOWN, {"codes": list(named)})).all())
    rejected = []
    for code in sorted(named):
        if code not in known or not code.startswith(prefixes):
            rejected.append(ExpectedRejected(community_code=code, code="community_unknown"))
        elif named[code] > 1:
            rejected.append(ExpectedRejected(community_code=code, code="community_repeated"))
    refused = {item.community_code for item in rejected}
    # In the order of codes, as every writer takes clocks.
    taken = sorted((i for i in items if i.community_code not in refused), key=lambda i: i.community_code)
    rows: list[dict[str, UUID | str | int | None]] = [
        {"id": new, **item.model_dump()} for new, item in zip(new_ids(len(taken)), taken, strict=True)
    ]
    changed = await _put_rows(session, actor, given, rows)
    return ExpectedResult(accepted=changed, unchanged=len(taken) - changed, rejected=rejected)


async def _put_rows(
    session: AsyncSession, actor: Actor, given: ExpectedPut, rows: list[dict[str, UUID | str | int | None]]
) -> int:
    """Write what differs under the clocks of its communities; answers how many were new or changed."""
    about = {"source": given.source, "as_of": given.as_of}
    differing = set((await session.scalars(_DIFFERING, about | {"rows": _as_json(rows)})).all())
    rows = [row for row in rows if row["community_code"] in differing]
    if not rows:
        return 0
    await session.execute(_LOCK, {"codes": [row["community_code"] for row in rows]})
    put = (await session.execute(_PUT, about | {"rows": _as_json(rows)})).mappings().all()
    codes = [row["community_code"] for row in put]
    await session.execute(_CHOOSE_NEWEST, {"codes": codes})
    written = sorted((dict(row) for row in put), key=lambda row: str(row["community_code"]))
    doer = {
        "actor": actor.id,
        "name": actor.name,
        "device": actor.device_id,
        "request": session.info.get("request_id"),
    }
    await session.execute(_RECORD, about | doer | {"rows": _as_json(written)})
    # last, for whoever else puts some waits here
    await note_expected(session)
    return len(written)


def _as_json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
