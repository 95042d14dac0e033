"""The registry read as a roster: a row a person, in the order of doors, of a community or of all below a division."""

from typing import Any
from uuid import UUID

from app.auth.models import Role
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.area_code import prefix_of
from app.core.clock import today
from app.core.db import Database
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.people.schemas import RosterRow
from app.people.service import HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE, age_on

_NIL = str(UUID(int=0))
_COMMUNITIES = """
    SELECT community_code FROM community_clock
    WHERE community_code BETWEEN %(low)s AND %(high)s AND community_code >= %(community)s::bpchar AND dwelling_count > 0
    ORDER BY community_code LIMIT 2
"""
# One community at a time: it is small, so that its doors are put in their order without an index for it.
_ROWS = f"""
    SELECT d.sort_key, coalesce(h.id, '{_NIL}'::uuid) AS home, coalesce((r.name <> h.head_name)::int, 0) AS rank,
        coalesce(r.id, '{_NIL}'::uuid) AS person, d.community_code, d.id AS dwelling_id, d.compound, d.building,
        d.stair, d.floor, d.room, d.address, d.is_vacant, h.id AS household_id, h.head_name,
        h.phone_sealed AS home_phone, h.tags AS home_tags, r.id, r.name, r.sex, r.birth_on, r.relation, r.workplace,
        r.id_kind, r.id_sealed, r.phone_sealed, r.needs_id_check, r.tags
    FROM dwelling d
    LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
    LEFT JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id AND NOT r.is_gone
    WHERE d.community_code = %(community)s
        AND (d.sort_key, d.id, coalesce(h.id, '{_NIL}'::uuid), coalesce((r.name <> h.head_name)::int, 0),
            coalesce(r.id, '{_NIL}'::uuid))
            > (%(sort_key)s, %(door)s::uuid, %(home)s::uuid, %(rank)s, %(person)s::uuid)
    ORDER BY d.sort_key, d.id, 2, 3, 4 LIMIT %(limit)s
"""
_FIELDS = [
    "sort_key", "home", "rank", "person", "community_code", "dwelling_id", "compound", "building", "stair", "floor",
    "room", "address", "is_vacant", "household_id", "head_name", "home_phone", "home_tags", "id", "name", "sex",
    "birth_on", "relation", "workplace", "id_kind", "id_sealed", "phone_sealed", "needs_id_check", "tags",
]  # fmt: skip
_START = ("", _NIL, _NIL, -1, _NIL)


async def list_roster(
    database: Database, actor: Actor, area: str, limit: int, cursor: str | None
) -> tuple[list[RosterRow], str | None]:
    """People below a division with their doors, and doors nobody is registered behind; the head of a household first.

    A page holds one community at most. Names are masked for district and city, as a search masks them.
    """
    actor.demand(area, DESK)
    prefix = prefix_of(area)
    community, key = "", _START
    if cursor:
        community, *rest = decode_cursor(cursor, str, str, str, str, int, str)
        key = (rest[0], str(cursor_uuid(rest[1])), str(cursor_uuid(rest[2])), rest[3], str(cursor_uuid(rest[4])))
    params = {"low": prefix.ljust(12, "0"), "high": prefix.ljust(12, "9"), "community": community}
    (found,) = await database.read(actor.scope, [_COMMUNITIES], params)
    if not found:
        return [], None
    here = found[0][0]
    if here != community:
        key = _START
    asked = dict(zip(("sort_key", "door", "home", "rank", "person"), key, strict=True))
    (answer,) = await database.read(actor.scope, [_ROWS], asked | {"community": here, "limit": limit + 1})
    rows = [dict(zip(_FIELDS, row, strict=True)) for row in answer]
    near = here.startswith(tuple(actor.prefixes((Role.COMMITTEE, Role.STREET))))
    items = [_row(row, is_near=near) for row in rows[:limit]]
    if len(rows) > limit:
        last = rows[limit - 1]
        return items, encode_cursor(
            here, last["sort_key"], str(last["dwelling_id"]), str(last["home"]), last["rank"], str(last["person"])
        )
    return items, encode_cursor(found[1][0], *_START) if len(found) > 1 else None


def _row(row: dict[str, Any], *, is_near: bool) -> RosterRow:
    born = row["birth_on"]
    names = {name: row[name] for name in ("name", "head_name")}
    if not is_near:
        names = {name: crypto.mask_name(value) if value else value for name, value in names.items()}
    return RosterRow(
        **{name: row[name] for name in RosterRow.model_fields if name in row and name not in names and name != "tags"},
        **names,
        household_phone_masked=crypto.mask_phone(crypto.open_text(row["home_phone"], HOUSEHOLD_PHONE)),
        birth_year=born.year if born else None,
        age=age_on(born, today()),
        id_masked=crypto.mask_id(crypto.open_text(row["id_sealed"], RESIDENT_ID)),
        phone_masked=crypto.mask_phone(crypto.open_text(row["phone_sealed"], RESIDENT_PHONE)),
        tags=sorted({*(row["tags"] or ()), *(row["home_tags"] or ())}),
    )
