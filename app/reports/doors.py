"""The bottom of coverage: each door of a community and where it stands in a round."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth.service import DESK, OVERSEERS, Actor
from app.core.area_code import PREFIX_LENGTH, level_of
from app.core.crypto import mask_name
from app.core.db import Database
from app.core.errors import Invalid
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.reports.schemas import DoorStanding, DoorStandingPage
from app.reports.service import IS_MEANT, committee_owner, door_address, get_place, holder_owner
from app.screening.models import Outcome

# A door without a household stands in the list too, so that a building is whole.
_DOORS = f"""
    SELECT d.sort_key, d.id AS dwelling_id, h.id AS household_id, d.compound, d.building, d.stair, d.floor, d.room,
        d.address, d.is_vacant, h.head_name AS name, h.resident_count AS persons,
        CASE WHEN %(round)s::uuid IS NOT NULL AND h.id IS NOT NULL THEN coalesce(k.done, 0) END AS persons_done,
        CASE WHEN %(round)s::uuid IS NOT NULL AND h.id IS NOT NULL AND k.is_deleted IS NOT TRUE
            THEN coalesce(k.symptoms, 0) END AS symptoms,
        s.outcome, s.attempts, s.last_at, s.last_by, a.holder_id, a.holder_name, c.name AS community_name
    FROM dwelling d
    JOIN division c ON c.code = d.community_code
    LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
        AND {IS_MEANT}
    LEFT JOIN household_screening s ON s.community_code = h.community_code AND s.household_id = h.id
        AND s.round_id = %(round)s::uuid
    LEFT JOIN (
        SELECT household_id, count(*) FILTER (WHERE NOT has_left) AS done,
            count(*) FILTER (WHERE status = 'symptoms') AS symptoms, bool_or(status = 'answered') AS is_deleted
        FROM person_check WHERE community_code = %(community)s AND round_id = %(round)s::uuid GROUP BY household_id
    ) k ON k.household_id = h.id
    LEFT JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
    WHERE d.community_code = %(community)s
        AND (%(building)s::text IS NULL OR (d.building = %(building)s AND d.compound = %(compound)s))
        AND (%(outcome)s::text IS NULL OR s.outcome = %(outcome)s)
        AND (NOT %(has_symptoms)s OR k.symptoms > 0)
        AND (NOT %(is_unassigned)s OR d.responsibility_area_id IS NULL)
        AND (d.sort_key, d.id, coalesce(h.id, d.id)) > (%(sort_key)s, %(dwelling)s::uuid, %(after)s::uuid)
    ORDER BY d.sort_key, d.id, coalesce(h.id, d.id) LIMIT %(limit)s
"""
_COLUMNS = [
    "sort_key", "dwelling_id", "household_id", "compound", "building", "stair", "floor", "room", "address",
    "is_vacant", "name", "persons", "persons_done", "symptoms", "outcome", "attempts", "last_at", "last_by",
    "holder_id", "holder_name", "community_name",
]  # fmt: skip
_NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class DoorFilter:
    """Which doors of a community are meant; None and False are any."""

    building: str | None = None
    compound: str = ""
    outcome: Outcome | None = None
    has_symptoms: bool = False
    is_unassigned: bool = False


async def list_door_standings(
    database: Database,
    actor: Actor,
    community_code: str,
    round_id: UUID | None,
    wanted: DoorFilter,
    limit: int,
    cursor: str | None,
) -> DoorStandingPage:
    """A community's doors in the order one walks them, with their outcome in a round and who answers for them.

    Names are whole for the street and the committee, masked for others. Raises Invalid (`not_a_community`) for a
    division above, NotFound for a community or a round that does not exist here.
    """
    actor.demand(community_code, OVERSEERS)
    if level_of(community_code) != "community":
        raise Invalid("not_a_community", "请选择一个村居。", "This is not a community.", "community_code")
    sort_key, dwelling, after = decode_cursor(cursor, str, str, str) if cursor else ("", _NOBODY, _NOBODY)
    cursor_uuid(dwelling)
    cursor_uuid(after)
    place = await get_place(database, actor, community_code, round_id)
    params: dict[str, Any] = {
        "round": place.round.id if place.round else None,
        "targets": place.targets,
        "community": community_code,
        "building": wanted.building,
        "compound": wanted.compound,
        "outcome": wanted.outcome.value if wanted.outcome else None,
        "has_symptoms": wanted.has_symptoms,
        "is_unassigned": wanted.is_unassigned,
        "sort_key": sort_key,
        "dwelling": dwelling,
        "after": after,
        "limit": limit + 1,
    }
    (found,) = await database.read(actor.scope, [_DOORS], params)
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in found]
    near = any(
        community_code.startswith(prefix) and len(prefix) >= PREFIX_LENGTH["town"] for prefix in actor.prefixes(DESK)
    )
    more = None
    if len(rows) > limit:
        last = rows[limit - 1]
        more = encode_cursor(last["sort_key"], last["dwelling_id"], last["household_id"] or last["dwelling_id"])
    return DoorStandingPage(round=place.round, items=[_standing(row, near) for row in rows[:limit]], next_cursor=more)


def _standing(row: dict[str, Any], near: bool) -> DoorStanding:
    fields = {name: row[name] for name in DoorStanding.model_fields if name in row}
    owner = committee_owner(row["community_name"])
    if row["holder_id"]:
        owner = holder_owner(row["holder_id"], row["holder_name"])
    name = row["name"] or None
    return DoorStanding(
        **fields | {"address": door_address(row), "name": name if name is None or near else mask_name(name)},
        owner=owner,
    )
