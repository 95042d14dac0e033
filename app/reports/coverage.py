"""Coverage 不漏 by subtraction: what there is, minus what is done, is what is missing, and each gap has an owner.

Figures are sums over one clock row and one tally row a community, never counts over households. Everything of
an answer is read on one snapshot in one round trip.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.auth.service import DESK, OVERSEERS, Actor
from app.core.area_code import PREFIX_LENGTH, Level, level_of, next_level
from app.core.clock import now
from app.core.crypto import mask_name
from app.core.db import Database
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.reports.schemas import Gap, GapKind, GapPage
from app.reports.service import (
    BELOW,
    IS_MEANT,
    LevelNotBelow,
    committee_owner,
    door_address,
    get_place,
    holder_owner,
)
from app.screening.models import Outcome

OUTCOMES = [outcome.value for outcome in Outcome]
SETTLED = ("answered_all", "vacant")
"""Outcomes after which nobody needs to knock again: all were answered for, or nobody lives there."""

# Nothing to do, or somebody still to be done: the same words tell figures and gaps apart.
_DONE = "c.household_count > 0 AND coalesce(t.answered_all + t.vacant, 0) >= c.household_count"

# A community is known when a door of it is registered. Of the others nobody knows how many live there: they are
# counted apart and add to no figure.
_KNOWN = "c.dwelling_count > 0"
_COMMUNITY_SUMS = {
    "communities": "1",
    "communities_unknown": f"({_KNOWN} IS NOT TRUE)::int",
    "communities_started": "coalesce(t.visit_count > 0, false)::int",
    "communities_done": f"coalesce({_DONE}, false)::int",
}
_FIGURE_SUMS = {
    "dwellings": f"CASE WHEN {_KNOWN} THEN c.dwelling_count END",
    "dwellings_unassigned": f"CASE WHEN {_KNOWN} THEN c.unassigned_count END",
    "households": f"CASE WHEN {_KNOWN} THEN c.household_count END",
    "persons": f"CASE WHEN {_KNOWN} THEN c.resident_count END",
    "persons_done": "coalesce(t.persons_done, 0)",
    "symptoms": "coalesce(t.persons_symptoms, 0)",
    **{outcome: f"coalesce(t.{outcome}, 0)" for outcome in OUTCOMES},
}
_SUMS = _COMMUNITY_SUMS | _FIGURE_SUMS
_COLUMNS = ["code", "name", "level", "prefix", *_SUMS]

# Added up once, by the parts asked for; the total of all is the sum of those few rows.
_BY_PREFIX = f"""
    WITH grouped AS (
        SELECT left(coalesce(c.community_code, t.community_code), %(length)s) AS prefix,
            {", ".join(f"sum({figure}) AS {name}" for name, figure in _SUMS.items())}
        FROM {{tables}} GROUP BY 1
    )
    SELECT d.code, d.name, d.level, g.prefix, {", ".join(f"g.{name}" for name in _SUMS)}
    FROM grouped g LEFT JOIN division d ON d.code = rpad(g.prefix, 12, '0')::char(12)
    ORDER BY g.prefix
"""
# Communities are many: only those of the page are read, the total comes from the statement above.
_OF_PAGE = """
    FROM division d
    LEFT JOIN {clocks} c ON c.community_code = d.code
    LEFT JOIN {tallies} t ON t.community_code = d.code AND t.round_id = %(round)s::uuid
    WHERE d.code > %(after)s::char(12) AND d.code BETWEEN %(first_code)s::char(12) AND %(last_code)s::char(12)
        AND (c.community_code IS NOT NULL OR t.community_code IS NOT NULL)
    ORDER BY d.code LIMIT %(limit)s
"""
_COMMUNITIES = f"""
    SELECT d.code, d.name, d.level, d.code, {", ".join(_SUMS.values())} {_OF_PAGE}
"""
_EXPECTED_SUMS = "source, sum(households), sum(residents), count(*), min(as_of)"
_EXPECTED = f"""
    SELECT left(community_code, %(length)s), {_EXPECTED_SUMS}
    FROM expected_headcount WHERE is_newest AND {BELOW} GROUP BY 1, 2
"""
_EXPECTED_OF_COMMUNITIES = f"""
    SELECT community_code, {_EXPECTED_SUMS}
    FROM expected_headcount WHERE is_newest AND community_code > %(after)s::char(12)
        AND community_code <= (SELECT max(code) FROM (SELECT d.code {_OF_PAGE}) page)
    GROUP BY 1, 2
"""
_FIRST_BUILDING = ("", "", "")
# A community is small: its buildings are counted from its doors.
_BUILDINGS = f"""
    SELECT min(d.sort_key) AS first, d.compound, d.building, count(DISTINCT d.id) AS dwellings,
        count(DISTINCT d.id) FILTER (WHERE d.responsibility_area_id IS NULL) AS dwellings_unassigned,
        count(h.id) AS households, coalesce(sum(h.resident_count), 0)::bigint AS persons,
        coalesce(sum(k.done), 0)::bigint AS persons_done,
        CASE WHEN bool_or(k.is_deleted) THEN NULL ELSE coalesce(sum(k.symptoms), 0)::bigint END AS symptoms,
        {", ".join(f"count(*) FILTER (WHERE s.outcome = '{name}') AS {name}" for name in OUTCOMES)}
    FROM dwelling d
    LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
        AND {IS_MEANT}
    LEFT JOIN household_screening s ON s.community_code = h.community_code AND s.household_id = h.id
        AND s.round_id = %(round)s::uuid
    LEFT JOIN (
        SELECT household_id, count(*) FILTER (WHERE NOT has_left) AS done,
            count(*) FILTER (WHERE status = 'symptoms') AS symptoms, bool_or(status = 'answered') AS is_deleted
        FROM person_check WHERE community_code = %(community)s AND round_id = %(round)s::uuid
        GROUP BY household_id
    ) k ON k.household_id = h.id
    WHERE d.community_code = %(community)s
    GROUP BY d.compound, d.building
    HAVING (min(d.sort_key), d.compound, d.building) > (%(first)s, %(compound)s, %(building)s)
    ORDER BY 1, 2, 3 LIMIT %(limit)s
"""


async def get_coverage(
    database: Database,
    actor: Actor,
    area: str,
    level: Level | None,
    round_id: UUID | None,
    limit: int,
    cursor: str | None,
) -> dict[str, Any]:
    """Coverage of a division, shaped as `CoverageRead`: its total and its parts at `level` (None: the next below).

    Below a community the parts are its buildings. Raises LevelNotBelow, and NotFound for a division or a round
    that does not exist here.
    """
    actor.demand(area, OVERSEERS)
    own = level_of(area)
    level = level or next_level(own)
    if level is not None and PREFIX_LENGTH[level] <= PREFIX_LENGTH[own]:
        raise LevelNotBelow
    params: dict[str, Any] = {"limit": limit + 1, "after": "", "length": PREFIX_LENGTH[own]}
    statements = [_BY_PREFIX, _EXPECTED]
    if level is None:
        first, compound, building = decode_cursor(cursor, str, str, str) if cursor else _FIRST_BUILDING
        params |= {"community": area, "first": first, "compound": compound, "building": building}
        statements.append(_BUILDINGS)
    else:
        params["after"] = decode_cursor(cursor, str)[0] if cursor else ""
        if level == "community":
            statements += [_COMMUNITIES, _EXPECTED_OF_COMMUNITIES]
        else:
            params["length"] = PREFIX_LENGTH[level]
    place = await get_place(database, actor, area, round_id)
    has_round = place.round is not None
    as_of = now()
    statements = [statement.format(**place.sources) for statement in statements]
    figures, sources, *parts = await database.read(actor.scope, statements, params | place.params)
    groups = [dict(zip(_COLUMNS, row, strict=True)) for row in figures]
    expected = _expected(sources)
    total = _row(_total(groups), has_round, expected)
    if level is None:
        rows = parts[0]
        items = [_building_row(area, row, has_round) for row in rows[:limit]]
        last = rows[limit - 1][:3] if len(rows) > limit else None
    else:
        if parts:
            groups = [dict(zip(_COLUMNS, row, strict=True)) for row in parts[0]]
            expected = _expected(parts[1])
        groups = [group for group in groups if group["code"] is not None and group["code"] > params["after"]]
        items = [_row(group, has_round, expected) for group in groups[:limit]]
        last = (groups[limit - 1]["code"],) if len(groups) > limit else None
    return {
        "area": place.area.model_dump(),
        "round": place.round.model_dump() if place.round else None,
        "as_of": as_of,
        "total": total | place.area.model_dump(exclude={"ancestors"}),
        "items": items,
        "next_cursor": encode_cursor(*last) if last else None,
    }


def _total(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums of all groups, of no division in particular."""
    sums: dict[str, Any] = dict.fromkeys(_COLUMNS)
    for name in _SUMS:
        sums[name] = _sum(group[name] for group in groups)
    for name in _COMMUNITY_SUMS:
        sums[name] = sums[name] or 0
    return sums


def _expected(sources: list[tuple[Any, ...]]) -> dict[str | None, dict[str, Any]]:
    """Official counts by prefix, and of all under None, out of sums by prefix and source."""
    by_prefix: dict[str | None, list[tuple[Any, ...]]] = defaultdict(list)
    for row in sources:
        by_prefix[row[0]].append(row)
        by_prefix[None].append(row)
    return {
        prefix: {
            "households": _sum(row[2] for row in rows),
            "persons": _sum(row[3] for row in rows),
            "communities": sum(row[4] for row in rows),
            "source": " + ".join(sorted({row[1] for row in rows})),
            "as_of": min(row[5] for row in rows),
        }
        for prefix, rows in by_prefix.items()
    }


def _sum(values: Iterable[int | None]) -> int | None:
    """The sum of what is known, None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _row(sums: dict[str, Any], has_round: bool, expected: dict[str | None, dict[str, Any]]) -> dict[str, Any]:
    """Sums as a `CoverageRow`: null where nobody knows."""
    households, persons = sums["households"], sums["persons"]
    is_known = has_round and households is not None
    done = sums["answered_all"] + sums["vacant"] if is_known else None
    persons_done = sums["persons_done"] if is_known else None
    return {
        "code": sums["code"],
        "name": sums["name"],
        "level": sums["level"],
        "compound": sums.get("compound"),
        "building": sums.get("building"),
        "communities": sums.get("communities"),
        "communities_unknown": sums.get("communities_unknown"),
        "communities_started": sums.get("communities_started") if has_round else None,
        "communities_done": sums.get("communities_done") if has_round else None,
        "dwellings": sums["dwellings"],
        "dwellings_unassigned": sums["dwellings_unassigned"],
        "households": households,
        "households_done": done,
        "households_missing": None if done is None else max(households - done, 0),
        "persons": persons,
        "persons_done": persons_done,
        "persons_missing": None if persons_done is None else max(persons - persons_done, 0),
        "outcomes": {name: sums[name] for name in OUTCOMES} if is_known else None,
        "symptoms": sums["symptoms"] if is_known else None,
        "expected": expected.get(sums["prefix"]),
    }


def _building_row(community: str, row: tuple[Any, ...], has_round: bool) -> dict[str, Any]:
    _, compound, building, *figures = row
    name = f"{building}号楼" if building.isdigit() else building
    own = {
        "code": community,
        "name": " ".join(part for part in (compound, name) if part) or "其他地址",
        "level": "building",
        "prefix": None,
        "compound": compound,
        "building": building,
    }
    return _row(own | dict(zip(_FIGURE_SUMS, figures, strict=True)), has_round, {})


_NOT_DONE = f"NOT ({_DONE})"
_LACKING = {
    "communities": _NOT_DONE,
    "doors": "c.household_count <> coalesce(t.answered_all + t.vacant, 0)",
    "persons": "c.resident_count <> coalesce(t.persons_done, 0)",
}
_MISSING = {
    "communities": "1",
    "doors": "c.household_count - coalesce(t.answered_all + t.vacant, 0)",
    "persons": "c.resident_count - coalesce(t.persons_done, 0)",
}
# Which communities lack something, told by their tallies: those in which all is done are never looked into.
_COMMUNITIES_LACKING = """
    SELECT c.community_code, d.name,
        CASE WHEN c.household_count = 0 THEN 'no_registry' WHEN coalesce(t.visit_count, 0) = 0 THEN 'not_started'
            ELSE 'unfinished' END AS reason,
        {missing} AS missing, c.household_count
    FROM {tables} JOIN division d ON d.code = c.community_code
    WHERE c.community_code >= %(community)s::char(12) AND {lacking}
    ORDER BY c.community_code LIMIT %(limit)s
"""
COMMUNITIES_AT_ONCE = 40
HOUSEHOLDS_AT_ONCE = 20_000
"""How much one page of doors or persons looks through: near a round's end each community lacks one or two."""

_DOOR = """
    d.compound, d.building, d.stair, d.room, d.address, d.sort_key, h.community_code, h.id AS household_id,
    s.outcome, s.attempts, s.last_at, a.holder_id, a.holder_name
"""
_BEHIND = """
    FROM household h
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    LEFT JOIN household_screening s ON s.community_code = h.community_code AND s.household_id = h.id
        AND s.round_id = %(round)s::uuid
    LEFT JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
"""
_DOORS = f"""
    SELECT {_DOOR}, h.head_name AS name, h.id {_BEHIND}
    WHERE h.community_code = ANY(%(codes)s::bpchar[]) AND NOT h.is_closed AND {IS_MEANT}
        AND (s.outcome IS NULL OR s.outcome <> ALL (%(settled)s::text[]))
        AND (h.community_code, d.sort_key, h.id) > (%(community)s::char(12), %(sort_key)s, %(after)s::uuid)
    ORDER BY h.community_code, d.sort_key, h.id LIMIT %(limit)s
"""
_PERSONS = f"""
    SELECT {_DOOR}, r.name, r.id {_BEHIND}
    JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id AND NOT r.is_gone
    LEFT JOIN person_check k ON k.community_code = r.community_code AND k.resident_id = r.id
        AND k.round_id = %(round)s::uuid
    WHERE h.community_code = ANY(%(codes)s::bpchar[]) AND NOT h.is_closed AND k.resident_id IS NULL
        AND {IS_MEANT}
        AND (h.community_code, d.sort_key, r.id) > (%(community)s::char(12), %(sort_key)s, %(after)s::uuid)
    ORDER BY h.community_code, d.sort_key, r.id LIMIT %(limit)s
"""
_DOOR_COLUMNS = [
    "compound", "building", "stair", "room", "address", "sort_key", "community_code", "household_id", "outcome",
    "attempts", "last_at", "holder_id", "holder_name", "name", "id",
]  # fmt: skip
_START = ("", "", "00000000-0000-0000-0000-000000000000")


async def list_gaps(
    database: Database,
    actor: Actor,
    area: str,
    round_id: UUID | None,
    kind: GapKind,
    limit: int,
    cursor: str | None,
) -> GapPage:
    """What is missing under `area` in a round, in the order of its doors, each with its owner.

    Names of people are whole for the street and the committee whose doors they are, masked for others. Raises
    NotFound for a division or a round that does not exist here.
    """
    actor.demand(area, OVERSEERS)
    community, sort_key, after = decode_cursor(cursor, str, str, str) if cursor else _START
    cursor_uuid(after)
    place = await get_place(database, actor, area, round_id)
    statement = _COMMUNITIES_LACKING.format(**place.sources, missing=_MISSING[kind], lacking=_LACKING[kind])
    wanted = limit if kind == "communities" else COMMUNITIES_AT_ONCE
    params = place.params | {"community": community, "limit": wanted + 1}
    (communities,) = await database.read(actor.scope, [statement], params)
    if kind == "communities":
        more = encode_cursor(communities[limit][0], *_START[1:]) if len(communities) > limit else None
        return GapPage(items=[_community_gap(row) for row in communities[:limit]], next_cursor=more)
    names = _enough(communities, community, limit)
    params |= {"codes": list(names), "settled": list(SETTLED), "sort_key": sort_key, "after": after, "limit": limit + 1}
    (rows,) = await database.read(actor.scope, [_DOORS if kind == "doors" else _PERSONS], params)
    doors = [dict(zip(_DOOR_COLUMNS, row, strict=True)) for row in rows]
    near = tuple(prefix for prefix in actor.prefixes(DESK) if len(prefix) >= PREFIX_LENGTH["town"])
    more = None
    if len(doors) > limit:
        last = doors[limit - 1]
        more = encode_cursor(last["community_code"], last["sort_key"], last["id"])
    elif len(names) < len(communities):
        more = encode_cursor(communities[len(names)][0], *_START[1:])
    return GapPage(items=[_door_gap(kind, row, names, near) for row in doors[:limit]], next_cursor=more)


def _enough(communities: list[tuple[Any, ...]], begun: str, limit: int) -> dict[str, str]:
    """The first communities that fill a page by what they lack, with their names.

    The one a page before has begun counts for nothing: how much of it is left is not known.
    """
    names: dict[str, str] = {}
    lacking = looked_through = 0
    for code, name, _, missing, households in communities[:COMMUNITIES_AT_ONCE]:
        if lacking > limit or looked_through > HOUSEHOLDS_AT_ONCE:
            break
        names[code] = name
        lacking += 0 if code == begun else max(missing, 1)
        looked_through += households
    return names


def _community_gap(row: tuple[Any, ...]) -> Gap:
    code, name, reason, *_ = row
    return Gap(
        kind="communities", community_code=code, community_name=name, household_id=None, address=None, building=None,
        stair=None, room=None, resident_id=None, name=None, reason=reason, attempts=None, last_at=None,
        owner=committee_owner(name),
    )  # fmt: skip


def _door_gap(kind: GapKind, row: dict[str, Any], names: dict[str, str], near: tuple[str, ...]) -> Gap:
    community = names[row["community_code"]]
    reason = row["outcome"] or "not_visited"
    if kind == "persons" and reason in ("answered_all", "answered_part", "vacant"):
        reason = "person_unanswered"
    owner = committee_owner(community)
    if row["holder_id"]:
        owner = holder_owner(row["holder_id"], row["holder_name"])
    name = row["name"] or None
    return Gap(
        kind=kind,
        community_code=row["community_code"],
        community_name=community,
        household_id=row["household_id"],
        address=door_address(row),
        building=row["building"],
        stair=row["stair"],
        room=row["room"],
        resident_id=row["id"] if kind == "persons" else None,
        name=name if name is None or row["community_code"].startswith(near) else mask_name(name),
        reason=reason,
        attempts=row["attempts"],
        last_at=row["last_at"],
        owner=owner,
    )
