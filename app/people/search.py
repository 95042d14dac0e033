"""Finding a person as somebody types: by name, pinyin, address, phone or ID number.

A search is a list of ways, the surest first; a page goes through them one after another. Row-level security lets
only leakproof conditions use an index, which LIKE is not: so beginnings are ranges in byte order (`~>=~`, `~<~`)
over indexes that end in the community, and numbers are found by their blind index. In one community a name or an
address is found by any part of it; beyond, by its beginning.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from app.auth.models import Role
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.area_code import level_of, prefix_of
from app.core.clock import today
from app.core.db import Database
from app.core.errors import Invalid
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.core.resident_id import complete_15_digits
from app.people.models import HouseholdTag, IdKind
from app.people.naming import address_text, tidy
from app.people.schemas import ResidentFound
from app.people.service import HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE, age_on

Way = Literal["id_number", "phone", "name", "initials", "pinyin", "address", "tag"]

_ID = re.compile(r"\d{17}[\dx]|\d{15}|[a-z]{1,2}\d{6,9}")
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")
_LETTERS = re.compile(r"[a-z']+")
_END = "\U0010ffff"
"""Above everything that begins with what stands before it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed, as it is looked for, and the ways to look."""

    text: str
    ways: tuple[Way, ...]


def understand(typed: str) -> Search:
    """What somebody may mean: a number, letters, a name or an address."""
    text = tidy(typed)
    if _ID.fullmatch(text) and not _PHONE.fullmatch(text):
        number = text.upper()
        return Search(complete_15_digits(number) if len(number) == 15 and number.isdigit() else number, ("id_number",))
    if _PHONE.fullmatch(text):
        return Search(text, ("phone",))
    if _LETTERS.fullmatch(text):
        return Search(text.replace("'", ""), ("initials", "pinyin"))
    if any(character.isdigit() for character in text):
        return Search(address_text(typed), ("address",))
    return Search(text, ("name", "address"))


_KEY = {"name": "r.name", "initials": "r.name_initials", "pinyin": "r.name_pinyin", "address": "d.search_key"}
# Each found person by key, then the household, then the door: nothing for the planner to weigh, which takes it four
# milliseconds where finding takes one.
_FOUND = """
    FROM found CROSS JOIN LATERAL (
        SELECT p.* FROM resident p WHERE p.community_code = found.community_code AND p.id = found.id OFFSET 0
    ) r CROSS JOIN LATERAL (
        SELECT p.* FROM household p WHERE p.community_code = r.community_code AND p.id = r.household_id OFFSET 0
    ) h CROSS JOIN LATERAL (
        SELECT p.* FROM dwelling p WHERE p.community_code = h.community_code AND p.id = h.dwelling_id OFFSET 0
    ) d
"""
_ANSWER_HERE = """
    r.id, r.household_id, r.name, r.sex, r.birth_on, r.relation, r.id_kind, r.id_sealed,
    r.phone_sealed, r.tags, h.tags, h.head_name, h.phone_sealed, d.compound, d.building, d.stair, d.room, d.address
"""
_ANSWER = f"r.community_code, {_ANSWER_HERE}"
_NOBODY = str(UUID(int=0))
_FIELDS = [
    "key", "last_id", "last_person", "community_code", "id", "household_id", "name", "sex", "birth_on", "relation",
    "id_kind", "id_sealed",
    "phone_sealed", "tags", "household_tags", "head_name", "household_phone_sealed", "compound", "building", "stair",
    "room", "address",
]  # fmt: skip


def _matches(way: Way, *, is_one_community: bool) -> str:
    """The condition of a way; in one community any part of a name or an address will do."""
    if way == "tag":
        return "(%(tag)s = ANY (r.tags) OR %(tag)s = ANY (h.tags))"
    if way == "id_number":
        return "r.id_index = ANY (%(indexes)s::bytea[])"
    if way == "phone":
        return "(r.phone_index = ANY (%(indexes)s::bytea[]) OR h.phone_index = ANY (%(home_indexes)s::bytea[]))"
    key = _KEY[way]
    if is_one_community and way in ("name", "address"):
        return f"position(%(text)s IN {key}) > 0"
    return f"({key} ~>=~ %(text)s AND {key} ~<~ %(end)s)"


def _scope(table: str, *, is_one_community: bool) -> str:
    if is_one_community:
        return f"{table}.community_code = %(low)s"
    return f"{table}.community_code BETWEEN %(low)s AND %(high)s"


def _after(key: str, table: str, *, is_inclusive: bool = False) -> str:
    """Behind the last item of the page before; told in parts, because comparing whole rows is not leakproof."""
    last = ">=" if is_inclusive else ">"
    return f"""(%(after_id)s::uuid IS NULL OR ({key} ~>=~ %(after_key)s AND ({key} ~>~ %(after_key)s
        OR {table}.community_code > %(after_code)s::bpchar
        OR ({table}.community_code = %(after_code)s::bpchar AND {table}.id {last} %(after_id)s::uuid))))"""


_PLACE = "r.community_code, r.id"


def _order(key: str, *, is_one_community: bool) -> str:
    """By the key; of one community in words that no index has, or a whole city's would be gone through for it."""
    return f"({key} || '') USING ~<~" if is_one_community else f"{key} USING ~<~"


def _person_statement(way: Way, ways: tuple[Way, ...], *, is_one_community: bool, has_tag: bool) -> str:
    """By something of the person, in its order; what an earlier way has found is not found again.

    Who is on the page is settled before anything is joined: the planner cannot see through row-level security how
    few they are.
    """
    key = _KEY.get(way, "''::text")
    conditions = [_matches(way, is_one_community=is_one_community), "NOT r.is_gone"]
    conditions += [_scope("r", is_one_community=is_one_community), _after(key, "r")]
    for earlier in ways[: ways.index(way)]:
        conditions.append(f"NOT {_matches(earlier, is_one_community=is_one_community)}")
    join = ""
    if has_tag:
        join = "JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id"
        conditions.append(_matches("tag", is_one_community=is_one_community))
    order = f"{_order(key, is_one_community=is_one_community)}, r.community_code, r.id" if way in _KEY else _PLACE
    return f"""
        WITH found AS MATERIALIZED (
            SELECT {key} AS key, r.community_code, r.id FROM resident r {join}
            WHERE {" AND ".join(conditions)} ORDER BY {order} LIMIT %(limit)s
        )
        SELECT found.key, r.id, NULL::uuid, {_ANSWER} {_FOUND}
        ORDER BY found.key USING ~<~, r.community_code, r.id
    """


def _door_statement(ways: tuple[Way, ...], *, is_one_community: bool, has_tag: bool) -> str:
    """By address: doors in the order of their key, and the people behind them; a door without any has a row too."""
    key = _KEY["address"]
    conditions = [
        _matches("address", is_one_community=is_one_community),
        _scope("d", is_one_community=is_one_community),
    ]
    conditions.append(_after(key, "d", is_inclusive=True))
    people = ["NOT r.is_gone"]
    people += [f"NOT {_matches(way, is_one_community=is_one_community)}" for way in ways if way != "address"]
    people += [_matches("tag", is_one_community=is_one_community)] if has_tag else []
    return f"""
        WITH doors AS MATERIALIZED (
            SELECT d.* FROM dwelling d WHERE {" AND ".join(conditions)}
            ORDER BY {_order(key, is_one_community=is_one_community)}, d.community_code, d.id LIMIT %(limit)s + 1
        )
        SELECT d.search_key, d.id, coalesce(r.id, '{_NOBODY}'::uuid), d.community_code, {_ANSWER_HERE}
        FROM doors d
        LEFT JOIN (household h JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id
            AND {" AND ".join(people)}) ON h.community_code = d.community_code AND h.dwelling_id = d.id
        WHERE %(after_id)s::uuid IS NULL OR d.id <> %(after_id)s::uuid OR r.id > %(after_person)s::uuid
        ORDER BY d.search_key USING ~<~, d.community_code, d.id, r.id LIMIT %(limit)s
    """


def _phone_statement(*, is_one_community: bool, has_tag: bool) -> str:
    """By phone: a person's own, or their household's; two indexes, so two halves."""
    scope = _scope("r", is_one_community=is_one_community)
    tag = f"AND {_matches('tag', is_one_community=is_one_community)}" if has_tag else ""
    return f"""
        WITH found AS MATERIALIZED (
            SELECT r.community_code, r.id FROM resident r
            WHERE r.phone_index = ANY (%(indexes)s::bytea[]) AND {scope}
            UNION
            SELECT r.community_code, r.id FROM household h
            JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id
            WHERE h.phone_index = ANY (%(home_indexes)s::bytea[]) AND {scope}
        )
        SELECT '' AS key, r.id, NULL::uuid, {_ANSWER} {_FOUND}
        WHERE NOT r.is_gone {tag} AND {_after("''::text", "r")}
        ORDER BY r.community_code, r.id LIMIT %(limit)s
    """


def _statement(way: Way, ways: tuple[Way, ...], *, is_one_community: bool, has_tag: bool) -> str:
    if way == "address":
        return _door_statement(ways, is_one_community=is_one_community, has_tag=has_tag)
    if way == "phone":
        return _phone_statement(is_one_community=is_one_community, has_tag=has_tag)
    return _person_statement(way, ways, is_one_community=is_one_community, has_tag=has_tag or way == "tag")


async def search_residents(
    database: Database, actor: Actor, area: str | None, typed: str, tag: HouseholdTag | None, limit: int,
    cursor: str | None,
) -> tuple[list[ResidentFound], str | None]:  # fmt: skip
    """People in a division who fit what was typed, the surest way first, masked.

    `area` None is the actor's one desk. Raises Invalid: `area_needed` for who has several desks; `search_empty`
    with neither text nor tag; `search_too_wide` for a tag alone above a town.
    """
    area = _area(actor, area)
    actor.demand(area, DESK)
    search = understand(typed) if tidy(typed) else Search("", ("tag",))
    if search.ways == ("tag",) and (tag is None or level_of(area) in ("city", "district")):
        raise _too_little(tag is None)
    prefix = prefix_of(area)
    params: dict[str, Any] = {
        "text": search.text, "end": search.text + _END, "low": prefix.ljust(12, "0"), "high": prefix.ljust(12, "9"),
        "tag": tag.value if tag else None, "limit": limit + 1, "after_key": "", "after_code": "", "after_id": None,
        "after_person": None,
        **_indexes(search),
    }  # fmt: skip
    ways = search.ways
    if cursor:
        way, key, code, last, person = decode_cursor(cursor, str, str, str, str, str)
        ways = ways[ways.index(way) :] if way in ways else ()
        resumed = {"after_key": key, "after_code": code, "after_id": cursor_uuid(last)}
        resumed["after_person"] = cursor_uuid(person)
    found: list[tuple[Way, dict[str, Any]]] = []
    flags = {"is_one_community": len(prefix) == 12, "has_tag": tag is not None}
    for at, way in enumerate(ways):
        if len(found) > limit:
            break
        own = params | (resumed if cursor and at == 0 else {})
        (rows,) = await database.read(actor.scope, [_statement(way, search.ways, **flags)], own)
        found += [(way, dict(zip(_FIELDS, row, strict=True))) for row in rows]
    near = tuple(actor.prefixes((Role.COMMITTEE, Role.STREET)))
    page = found[:limit]
    items = [
        _found(way, row, is_near=row["community_code"].startswith(near)) for way, row in page if row["id"] is not None
    ]
    if len(found) <= limit:
        return items, None
    way, last_row = page[-1]
    person = str(last_row["last_person"] or _NOBODY)
    return items, encode_cursor(way, last_row["key"], last_row["community_code"], str(last_row["last_id"]), person)


def _area(actor: Actor, area: str | None) -> str:
    if area is not None:
        return area
    desks = actor.prefixes(DESK)
    if len(desks) != 1:
        raise Invalid("area_needed", "请选择要查找的区划。", "Say in which division to search.", "area")
    return desks[0].ljust(12, "0")


def _too_little(is_empty: bool) -> Invalid:
    if is_empty:
        return Invalid("search_empty", "请输入要查找的内容。", "Say what to search for.", "q")
    return Invalid(
        "search_too_wide",
        "只按标签查找时，请选择一个街道或社区。",
        "For a tag alone, choose a street or a community.",
        "area",
    )


def _indexes(search: Search) -> dict[str, list[bytes]]:
    """The blind indexes a number may stand under; landlines are written with and without a dash."""
    if search.ways == ("id_number",):
        return {"indexes": crypto.blind_indexes(search.text, RESIDENT_ID), "home_indexes": []}
    if search.ways != ("phone",):
        return {"indexes": [], "home_indexes": []}
    plain = search.text.replace("-", "")
    written = {search.text, plain} | ({f"{plain[:n]}-{plain[n:]}" for n in (3, 4)} if plain.startswith("0") else set())
    return {
        "indexes": [index for one in sorted(written) for index in crypto.blind_indexes(one, RESIDENT_PHONE)],
        "home_indexes": [index for one in sorted(written) for index in crypto.blind_indexes(one, HOUSEHOLD_PHONE)],
    }


def _found(way: Way, row: dict[str, Any], *, is_near: bool) -> ResidentFound:
    phone = crypto.open_text(row["phone_sealed"], RESIDENT_PHONE)
    home_phone = crypto.open_text(row["household_phone_sealed"], HOUSEHOLD_PHONE)
    born = row["birth_on"]
    return ResidentFound(
        id=row["id"],
        household_id=row["household_id"],
        community_code=row["community_code"],
        name=row["name"] if is_near else crypto.mask_name(row["name"]),
        head_name=row["head_name"] if is_near else crypto.mask_name(row["head_name"]),
        sex=row["sex"],
        birth_year=born.year if born else None,
        age=age_on(born, today()),
        relation=row["relation"],
        id_kind=IdKind(row["id_kind"]),
        id_masked=crypto.mask_id(crypto.open_text(row["id_sealed"], RESIDENT_ID)),
        phone_masked=crypto.mask_phone(phone or home_phone),
        tags=sorted({*row["tags"], *row["household_tags"]}),
        compound=row["compound"],
        building=row["building"],
        stair=row["stair"],
        room=row["room"],
        address=row["address"],
        matched=way,
    )
