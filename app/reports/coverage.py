"""Coverage 不漏 by subtraction: what there is, minus what is done, is what is missing, and each gap has an owner.

Figures are sums over one clock row and one tally row a community, never counts over households. Everything of
an answer is read on one snapshot in one round trip.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from app.auth.service import DESK, OVERSEERS, Actor
from app.core.area_code import PREFIX_LENGTH, Level, level_of, next_level
from app.core.clock import now
from app.core.crypto import mask_name
from app.core.db import Database
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.reports.schemas import Gap, GapKind, GapPage
from app.reports.service import (
    BELOW,
    EXPECTED_VERSION,
    IS_MEANT,
    LevelNotBelow,
    committee_owner,
    door_address,
    get_place,
    holder_owner,
)
from app.screening.models import Outcome

OUTCOMES = [outcome.value for outcome in Outcome]
WIDE = ("city", "district")
"""Levels for which a large part of the clocks is read: from one end to the other, that is half the work of an index."""
SETTLED = ("answered_all", "vacant")
"""Outcomes after which nobody needs to knock again: all were answered for, or nobody lives there."""

_ALL_ANSWERED, _VACANT = map(OUTCOMES.index, SETTLED)

# Nothing to do, or somebody still to be done: the same words tell figures and gaps apart.
_DONE = "c.household_count > 0 AND coalesce(t.answered_all + t.vacant, 0) >= c.household_count"

# A community is known when a door of it is registered. Of the others nobody knows how many live there: they are
# counted apart and add to no figure, because without a door there is nobody who could be counted.
_KNOWN = "c.dwelling_count > 0"
_COMMUNITY_SUMS = {
    "communities": "count(*)",
    "communities_unknown": f"count(*) - count(*) FILTER (WHERE {_KNOWN})",
    "communities_started": "count(*) FILTER (WHERE t.visit_count > 0)",
    "communities_done": f"count(*) FILTER (WHERE {_DONE})",
}
_REGISTERED = {
    "dwellings": "c.dwelling_count",
    "dwellings_unassigned": "c.unassigned_count",
    "households": "c.household_count",
    "persons": "c.resident_count",
}
_ANSWERED = {
    "persons_done": "t.persons_done",
    "symptoms": "t.persons_symptoms",
    **{outcome: f"t.{outcome}" for outcome in OUTCOMES},
}
_FIGURE_SUMS = {
    **{name: f"CASE WHEN sum(c.dwelling_count) > 0 THEN sum({one}) END" for name, one in _REGISTERED.items()},
    **{name: f"coalesce(sum({one}), 0)" for name, one in _ANSWERED.items()},
}
# for thousands of rows the cheapest that can be said of one: a sum passes over nulls by itself
_SUMS = _COMMUNITY_SUMS | _FIGURE_SUMS
_NO_COMMUNITIES = (None,) * len(_COMMUNITY_SUMS)
_OF_ONE = {
    "communities": "1",
    "communities_unknown": f"({_KNOWN} IS NOT TRUE)::int",
    "communities_started": "coalesce(t.visit_count > 0, false)::int",
    "communities_done": f"coalesce({_DONE}, false)::int",
    **{name: f"CASE WHEN {_KNOWN} THEN {one} END" for name, one in _REGISTERED.items()},
    **{name: f"coalesce({one}, 0)" for name, one in _ANSWERED.items()},
}

# Of the whole, where its parts are looked at otherwise.
_AT_ONCE = f"SELECT {', '.join(_SUMS.values())} FROM {{tables}}"
# Added up once, by the parts asked for; the total of all is the sum of those few rows. Each is looked up by its code:
# how few they are the planner does not know, and it would read all divisions to name thirteen.
_BY_PREFIX = f"""
    WITH grouped AS MATERIALIZED (
        SELECT coalesce(c.community_code, t.community_code)::char({{length}}) AS prefix,
            {", ".join(f"{figure} AS {name}" for name, figure in _SUMS.items())}
        FROM {{tables}} GROUP BY 1
    )
    SELECT d.code, d.name, d.level, g.* FROM grouped g LEFT JOIN LATERAL (
        SELECT n.code, n.name, n.level FROM division n WHERE n.code = rpad(g.prefix::text, 12, '0')::char(12) OFFSET 0
    ) d ON true
"""
_EXPECTED_SUMS = "source, sum(households), sum(residents), count(*), min(as_of)"
_EXPECTED = f"""
    SELECT community_code::char({{length}}), {_EXPECTED_SUMS}
    FROM expected_headcount WHERE is_newest AND {BELOW} GROUP BY 1, 2
"""
# Communities are many: only those of the page are read, the total comes from the statements above.
_COMMUNITIES = f"""
    SELECT d.code, d.name, d.level, d.code, {", ".join(_OF_ONE[name] for name in _SUMS)},
        e.source, e.households, e.residents, 1, e.as_of
    FROM division d
    LEFT JOIN {{clocks}} c ON c.community_code = d.code
    LEFT JOIN {{tallies}} t ON t.community_code = d.code AND t.round_id = %(round)s::uuid
    LEFT JOIN expected_headcount e ON e.community_code = d.code AND e.is_newest
    WHERE d.code > %(after)s::char(12) AND d.code BETWEEN %(first_code)s::char(12) AND %(last_code)s::char(12)
        AND (c.community_code IS NOT NULL OR t.community_code IS NOT NULL)
    ORDER BY d.code LIMIT %(limit)s
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


Expected = dict[str | None, dict[str, Any]]
"""Official counts by prefix, and of all under None."""


class ExpectedSums:
    """What official counts add up to, by span of codes and length of prefix, while none of them changes: they do when
    somebody enters some, not with each door. Rows are as everybody in scope of the whole span reads them."""

    _MOST = 200

    def __init__(self) -> None:
        self._held: WeakKeyDictionary[Database, dict[tuple[str, str, int], tuple[int, Expected]]] = WeakKeyDictionary()

    def find(self, database: Database, span: tuple[str, str, int], version: int) -> Expected | None:
        """The sums of a span at a version of the counts."""
        at, sums = self._held.get(database, {}).get(span, (-1, None))
        return sums if at == version else None

    def keep(self, database: Database, span: tuple[str, str, int], version: int, sums: Expected) -> Expected:
        """Keep sums that were read together with the version of the counts."""
        held = self._held.setdefault(database, {})
        held.pop(span, None)
        held[span] = (version, sums)
        if len(held) > self._MOST:
            del held[next(iter(held))]
        return sums


_expected_sums = ExpectedSums()


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
    params: dict[str, Any] = {"limit": limit + 1, "after": ""}
    length = PREFIX_LENGTH[own]
    statements = [_AT_ONCE]
    if level is None:
        first, compound, building = decode_cursor(cursor, str, str, str) if cursor else _FIRST_BUILDING
        params |= {"community": area, "first": first, "compound": compound, "building": building}
        statements.append(_BUILDINGS)
    else:
        params["after"] = decode_cursor(cursor, str)[0] if cursor else ""
        if level == "community":
            statements.append(_COMMUNITIES)
        else:
            length = PREFIX_LENGTH[level]
            statements[0] = _BY_PREFIX
    place = await get_place(database, actor, area, round_id)
    has_round = place.round is not None
    as_of = now()
    span = (place.params["first_code"], place.params["last_code"], length)
    expected = _expected_sums.find(database, span, place.expected_version)
    if expected is None:
        statements += [_EXPECTED, EXPECTED_VERSION]
    statements = [statement.format(**place.sources, length=length) for statement in statements]
    figures, *parts = await database.read(actor.scope, statements, params | place.params, is_wide=own in WIDE)
    if expected is None:
        *parts, sources, ((version,),) = parts
        expected = _expected_sums.keep(database, span, version, _expected(sources))
    named, end = (place.area.code, place.area.name, place.area.level), 4 + len(_SUMS)
    sums = figures[0] if level is None or level == "community" else _total([row[4:] for row in figures])
    last = None
    if level is None:
        rows = parts[0]
        items = [_building_row(area, row, has_round) for row in rows[:limit]]
        last = rows[limit - 1][:3] if len(rows) > limit else None
    else:
        if level == "community":
            figures = parts[0]
            page = {row[3]: _official(*row[end:]) for row in figures if row[end] is not None}
        else:
            figures = sorted((row for row in figures if row[0] and row[0] > params["after"]), key=itemgetter(0))
            page = expected
        items = [_row(row[0], row[1], row[2], row[4:end], has_round, page.get(row[3])) for row in figures[:limit]]
        last = figures[limit - 1][:1] if len(figures) > limit else None
    return {
        "area": place.area.model_dump(),
        "round": place.round.model_dump() if place.round else None,
        "as_of": as_of,
        "total": _row(*named, sums, has_round, expected.get(None)),
        "items": items,
        "next_cursor": encode_cursor(*last) if last else None,
    }


def _total(groups: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The sums of all groups: of what is known, None where nothing is."""
    return tuple(_sum(column) for column in zip(*groups, strict=True)) or (0,) * len(_COMMUNITY_SUMS) + (None,) * len(
        _FIGURE_SUMS
    )


def _official(
    source: str, households: int | None, persons: int | None, communities: int, as_of: date
) -> dict[str, Any]:
    return {
        "households": households, "persons": persons, "communities": communities, "source": source, "as_of": as_of,
    }  # fmt: skip


def _expected(sources: list[tuple[Any, ...]]) -> Expected:
    """Official counts by prefix, and of all under None, out of sums by prefix and source."""
    by_prefix: dict[str | None, list[tuple[Any, ...]]] = {None: sources} if sources else {}
    for row in sources:
        by_prefix.setdefault(row[0], []).append(row)
    return {prefix: _together(rows) for prefix, rows in by_prefix.items()}


def _together(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    if len(rows) == 1:
        return _official(*rows[0][1:])
    _, sources, households, persons, communities, days = zip(*rows, strict=True)
    return _official(
        " + ".join(sorted(set(sources))), _sum(households), _sum(persons), sum(communities), min(days)
    )  # fmt: skip


def _sum(values: Iterable[int | None]) -> int | None:
    """The sum of what is known, None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _row(
    code: str, name: str, level: str, sums: Sequence[Any], has_round: bool, expected: dict[str, Any] | None
) -> dict[str, Any]:
    """Sums, in the order of `_SUMS`, as a `CoverageRow`: null where nobody knows."""
    # one of thousands: taken apart once instead of looked up by name twenty times
    (
        communities, unknown, started, all_done, dwellings, unassigned, households, persons, persons_done, symptoms,
        *outcomes,
    ) = sums  # fmt: skip
    is_known = has_round and households is not None
    done = outcomes[_ALL_ANSWERED] + outcomes[_VACANT] if is_known else None
    if not is_known:
        persons_done = None
    return {
        "code": code,
        "name": name,
        "level": level,
        "compound": None,
        "building": None,
        "communities": communities,
        "communities_unknown": unknown,
        "communities_started": started if has_round else None,
        "communities_done": all_done if has_round else None,
        "dwellings": dwellings,
        "dwellings_unassigned": unassigned,
        "households": households,
        "households_done": done,
        "households_missing": None if done is None else households - done if households > done else 0,
        "persons": persons,
        "persons_done": persons_done,
        "persons_missing": None if persons_done is None else persons - persons_done if persons > persons_done else 0,
        "outcomes": dict(zip(OUTCOMES, outcomes)) if is_known else None,  # noqa: B905 - both are as long as the list
        "symptoms": symptoms if is_known else None,
        "expected": expected,
    }


def _building_row(community: str, row: tuple[Any, ...], has_round: bool) -> dict[str, Any]:
    _, compound, building, *figures = row
    name = f"{building}号楼" if building.isdigit() else building
    whole = " ".join(part for part in (compound, name) if part) or "其他地址"
    made = _row(community, whole, "building", [*_NO_COMMUNITIES, *figures], has_round, None)
    return made | {"compound": compound, "building": building}


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
