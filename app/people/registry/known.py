"""What the registry holds behind the given doors."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core import crypto
from app.people.registry.given import DwellingInput
from app.people.registry.outcome import Departed, FindDeparted
from app.people.service import RESIDENT_ID, address_of


class Known:
    """What the registry holds behind the given doors, and whose the given ID numbers are."""

    def __init__(self) -> None:
        # the blind index of each number that is given
        self.indexes: dict[str, bytes] = {}
        self.dwellings: dict[str, dict[str, Any]] = {}
        self.households: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self.residents: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        self.id_holders: dict[bytes, UUID] = {}
        # those of them who were here before the list: their name, household and address
        self.holders: dict[UUID, tuple[str, UUID, str]] = {}
        # of what somebody has changed since the list was made: (subject, field) to who and when
        self.later: dict[tuple[UUID, str], tuple[str, datetime]] = {}
        self.as_of: datetime | None = None
        # who has departed, by number and by name
        self.departed_by_index: dict[bytes, Departed] = {}
        self.departed_by_name: dict[str, list[Departed]] = defaultdict(list)
        # who stood in these households and was merged into somebody: a list that names them names who stands for them
        self.merged: dict[UUID, list[dict[str, Any]]] = defaultdict(list)


_HOLDERS = """
    SELECT r.id, r.id_index, r.name, r.household_id, d.compound, d.building, d.stair, d.room, d.address
    FROM resident r JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE r.community_code = :c AND r.id_index = ANY(:indexes) AND NOT r.is_gone
"""

_HAS_DOORS = "SELECT EXISTS (SELECT FROM dwelling WHERE community_code = :c)"


async def load_known(
    session: AsyncSession,
    community: str,
    doors: Sequence[DwellingInput],
    as_of: datetime | None,
    find_departed: FindDeparted | None,
) -> Known:
    """Read what a community has behind these doors; with `as_of` also what somebody has changed since, with
    `find_departed` also who does not live there any more."""
    known = Known()
    known.as_of = as_of
    persons = [person for door in doors for home in door.households for person in home.persons]
    id_numbers = [person.id_number for person in persons if person.id_number]
    # while an index key is being replaced a number may stand under its old index, read as its new one
    known.indexes = crypto.key_ring().index_each(id_numbers, RESIDENT_ID)
    newest = {index: index for index in known.indexes.values()}
    if len(crypto.key_ring().keys.index_keys) > 1:
        newest |= {
            old: every[0] for n in id_numbers for every in [crypto.blind_indexes(n, RESIDENT_ID)] for old in every
        }
    if not (await session.execute(text(_HAS_DOORS), {"c": community})).scalar_one():
        return known  # where no door is nobody is
    params: dict[str, Any] = {"c": community, "keys": sorted({door.key for door in doors})}
    by_key = "SELECT * FROM dwelling WHERE community_code = :c AND address_key = ANY(:keys)"
    for row in (await session.execute(text(by_key), params)).mappings():
        known.dwellings[row["address_key"]] = dict(row)
    params = {"c": community, "ids": [d["id"] for d in known.dwellings.values()]}
    homes = (
        "SELECT * FROM household WHERE community_code = :c AND dwelling_id = ANY(:ids) AND NOT is_closed ORDER BY id"
    )
    for row in (await session.execute(text(homes), params)).mappings():
        known.households[row["dwelling_id"]].append(dict(row))
    params = {"c": community, "ids": [h["id"] for homes in known.households.values() for h in homes]}
    members = (
        "SELECT * FROM resident WHERE community_code = :c AND household_id = ANY(:ids) AND NOT is_gone ORDER BY id"
    )
    for row in (await session.execute(text(members), params)).mappings():
        known.residents[row["household_id"]].append(
            dict(row) | {"id_index": newest.get(row["id_index"], row["id_index"])}
        )
    for holder in (await session.execute(text(_HOLDERS), {"c": community, "indexes": list(newest)})).all():
        known.id_holders[newest[bytes(holder.id_index)]] = holder.id
        known.holders[holder.id] = (holder.name, holder.household_id, address_of(holder))
    if as_of is not None:
        merged = (
            "SELECT * FROM resident WHERE community_code = :c AND household_id = ANY(:ids) "
            "AND merged_into_id IS NOT NULL ORDER BY id"
        )
        for row in (await session.execute(text(merged), params)).mappings():
            known.merged[row["household_id"]].append(
                dict(row) | {"id_index": newest.get(row["id_index"], row["id_index"])}
            )
        params = {"c": community, "at": as_of}
        later = "SELECT * FROM field_change WHERE community_code = :c AND changed_at > :at"
        for row in (await session.execute(text(later), params)).mappings():
            known.later[row["subject_id"], row["field"]] = (row["actor_name"], row["changed_at"])
    if find_departed is not None:
        names = sorted({person.name for person in persons if person.name})
        for person in await find_departed(session, community, list(newest), names):
            if person.id_index:
                known.departed_by_index[newest.get(person.id_index, person.id_index)] = person
            known.departed_by_name[person.name].append(person)
    return known
