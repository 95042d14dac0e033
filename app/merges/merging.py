"""Merging two people or two households that are one.

The id that stays stands for both. The other row stays too, closed and naming the one that stands for it: what a phone
still sends for it is credited there. What a merge changed is kept, so that it can be undone until something else has
made that impossible.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.care import merges as care
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.followups import merges as followups
from app.merges import folding
from app.merges.models import MergedRow, RegistryMerge
from app.merges.schemas import PersonMerge
from app.not_home import merges as self_reports
from app.people import service as people
from app.people.models import Dwelling, Household, Resident
from app.people.naming import initials
from app.photos import merges as photos
from app.posts import service as posts
from app.residence import merges as residence
from app.rules import service as rules
from app.screening import merges as screening

RULE = "retention.merges"
"""How long a merge can be undone, and so how long what stood before is kept."""


class RowsChanged(Conflict):
    """One of the two has left the registry meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "duplicate_gone",
            "其中一方已不在登记中，请刷新名单。",
            "One of the two is no longer in the registry; load the list again.",
        )


class _Merge:
    """A merge under way: what it has to write, gathered."""

    def __init__(self, session: AsyncSession, doer: audit.Doer, record: RegistryMerge) -> None:
        self.session, self.doer, self.community, self.record = session, doer, record.community_code, record
        self.residents: dict[UUID, UUID] = {}
        self.homes: dict[UUID, UUID] = {}
        self.concerned: set[UUID] = set()
        self.rows: list[MergedRow] = []
        self.before: dict[str, Any] = {"persons": [], "moved": [], "heads": [], "taken": {}, "stays": {}}

    def fold(self, kept: Resident | Household, gone: Resident | Household, take: Sequence[str]) -> None:
        """Bring two rows together and keep what changed."""
        row = folding.fold(kept, gone, list(take), self.record.id)
        if row.after:
            self.rows.append(row)
            self.before["taken"][str(kept.id)] = [n for n, f in folding.facts_of(kept).items() if _is_in(row, n, f)]

    def fold_person(self, kept: Resident, gone: Resident, homes: Mapping[UUID, Household], take: Sequence[str]) -> None:
        """One of two people stays; the other leaves their household, and its head if they were that."""
        name = kept.name
        self.fold(kept, gone, take)
        home = homes[kept.household_id]
        if kept.name != name and home.head_name == name:
            self._head(home, kept.name)
        gone.is_gone, gone.merged_into_id = True, kept.id
        self.residents[gone.id] = kept.id
        self.before["persons"].append([str(gone.id), str(kept.id), str(gone.household_id)])
        homes[gone.household_id].resident_count -= 1
        self.concerned |= {kept.household_id, gone.household_id}

    def _head(self, home: Household, name: str) -> None:
        self.before["heads"].append([str(home.id), home.head_name, name])
        home.head_name, home.head_initials = name, initials(name)

    async def pass_on_head(self, homes: Mapping[UUID, Household]) -> None:
        """A household whose head was merged into somebody behind another door goes by who is left."""
        for home in homes.values():
            left = await _members(self.session, home)
            names = [one.name for one in left if not one.is_gone]
            gone = [one.name for one in left if one.id in self.residents]
            if not home.is_closed and names and home.head_name in gone and home.head_name not in names:
                self._head(home, names[0])


def _is_in(row: MergedRow, name: str, fact: folding.Fact) -> bool:
    return (name if fact.sealed else fact.columns[0]) in row.after


async def merge_people(
    session: AsyncSession, doer: audit.Doer, community: str, duplicate_id: UUID, asked: PersonMerge
) -> RegistryMerge:
    """Make one of two people of a community: `keep` stays, with what it lacks and what is named in `take` from `gone`.

    The caller holds the community's clock and has checked the scope. Raises RowsChanged when one has left.
    """
    merge = await _begin(session, doer, community, duplicate_id, "person", asked.keep, asked.gone)
    await _merge_people(merge, asked)
    return merge.record


async def merge_households(
    session: AsyncSession,
    doer: audit.Doer,
    community: str,
    duplicate_id: UUID,
    asked: PersonMerge,
    persons: Sequence[PersonMerge],
) -> RegistryMerge:
    """Make one of two households; `persons` says which members are the same, the others come along.

    Raises RowsChanged when one is closed, Invalid (`persons_mismatch`).
    """
    merge = await _begin(session, doer, community, duplicate_id, "household", asked.keep, asked.gone)
    await _merge_homes(merge, asked.take, persons)
    return merge.record


async def _begin(
    session: AsyncSession, doer: audit.Doer, community: str, duplicate_id: UUID, kind: str, kept: UUID, gone: UUID
) -> _Merge:
    record = RegistryMerge(
        community_code=community, id=new_id(), duplicate_id=duplicate_id, kind=kind, kept_id=kept, gone_id=gone,
        merged_by=doer.id, merged_by_name=doer.name, merged_at=now(),
        delete_by=(await rules.read_rules(session)).day_after(RULE, today()),
    )  # fmt: skip
    return _Merge(session, doer, record)


async def _merge_people(merge: _Merge, asked: PersonMerge) -> None:
    kept, gone = await _present(merge, [merge.record.kept_id, merge.record.gone_id])
    homes = await load_homes(merge.session, merge.community, {kept.household_id, gone.household_id})
    await _read_before(merge, [kept, gone], homes)
    merge.fold_person(kept, gone, homes, asked.take)
    await merge.pass_on_head(homes)
    await _write(merge, [kept, gone, *homes.values()], residents=-1)


async def _merge_homes(merge: _Merge, take: Sequence[str], persons: Sequence[PersonMerge]) -> None:
    """Everybody of the household that goes comes to the one that stays; those named twice become one."""
    homes = await load_homes(merge.session, merge.community, {merge.record.kept_id, merge.record.gone_id})
    home, other = homes.get(merge.record.kept_id), homes.get(merge.record.gone_id)
    if home is None or other is None or home.is_closed or other.is_closed:
        raise RowsChanged
    mine = {one.id: one for one in await _members(merge.session, home) if not one.is_gone}
    theirs = {one.id: one for one in await _members(merge.session, other) if not one.is_gone}
    pairs = _pairs(persons, mine, theirs)
    await _read_before(merge, [*mine.values(), *theirs.values()], homes)
    merge.fold(home, other, take)
    for kept, gone, take in pairs:
        # who stays of the two may stand in the household that goes
        merge.fold_person(kept, gone, homes, take)
    moved = [one for one in theirs.values() if not one.is_gone]
    for one in moved:
        merge.before["moved"].append(str(one.id))
        one.household_id = home.id
    home.resident_count += len(moved)
    other.resident_count -= len(moved)
    other.is_closed, other.merged_into_id = True, home.id
    merge.homes[other.id] = home.id
    merge.concerned |= {home.id, other.id}
    doors = await _leave_door(merge, other, home)
    await _write(
        merge, [*mine.values(), *theirs.values(), home, other], residents=-len(pairs), households=-1, doors=doors
    )


def _pairs(
    asked: Sequence[PersonMerge], mine: dict[UUID, Resident], theirs: dict[UUID, Resident]
) -> list[tuple[Resident, Resident, list[str]]]:
    """Who of the one household is who of the other; each named once."""
    everybody = mine | theirs
    named = [one for pair in asked for one in (pair.keep, pair.gone)]
    sides_differ = all((pair.keep in mine) != (pair.gone in mine) for pair in asked)
    if len(named) != len(set(named)) or not everybody.keys() >= set(named) or not sides_differ:
        raise Invalid(
            "persons_mismatch",
            "成员对应关系有误：每人只能对应另一户的一人。",
            "Each member is paired with one of the other household.",
            "persons",
        )
    return [(everybody[pair.keep], everybody[pair.gone], list(pair.take)) for pair in asked]


async def _present(merge: _Merge, ids: Sequence[UUID]) -> list[Resident]:
    statement = select(Resident).where(
        col(Resident.community_code) == merge.community, col(Resident.id).in_(ids), col(Resident.is_gone).is_(False)
    )
    found = {one.id: one for one in await merge.session.scalars(statement.execution_options(populate_existing=True))}
    if len(found) != len(ids):
        raise RowsChanged
    return [found[one] for one in ids]


async def load_homes(session: AsyncSession, community: str, ids: set[UUID]) -> dict[UUID, Household]:
    """Households by id, closed ones too, as the database has them now."""
    statement = select(Household).where(col(Household.community_code) == community, col(Household.id).in_(ids))
    return {one.id: one for one in await session.scalars(statement.execution_options(populate_existing=True))}


async def _members(session: AsyncSession, home: Household) -> list[Resident]:
    statement = (
        select(Resident)
        .where(col(Resident.community_code) == home.community_code, col(Resident.household_id) == home.id)
        .order_by(col(Resident.id))
    )
    return list((await session.scalars(statement)).all())


async def _read_before(merge: _Merge, people_: Sequence[Resident], homes: Mapping[UUID, Household]) -> None:
    ids = [one.id for one in people_]
    merge.before |= await screening.read_standing(merge.session, merge.community, ids, list(homes))


async def _leave_door(merge: _Merge, other: Household, home: Household) -> dict[str, int]:
    """A door whose only household was the one that goes was the same door under another address: it goes too, and
    the row is kept to come back."""
    if other.dwelling_id == home.dwelling_id:
        return {}
    statement = select(col(Household.id)).where(
        col(Household.community_code) == merge.community,
        col(Household.dwelling_id) == other.dwelling_id,
        col(Household.id) != other.id,
    )
    if (await merge.session.scalars(statement.limit(1))).first() is not None:
        return {}
    door = await merge.session.get_one(Dwelling, (merge.community, other.dwelling_id))
    row = MergedRow(community_code=merge.community, merge_id=merge.record.id, row_id=door.id, kind="dwelling")
    row.before = orjson.loads(orjson.dumps(door.model_dump(exclude={"search_key"})))
    merge.rows.append(row)
    return {"dwellings": -1, "unassigned": -int(door.responsibility_area_id is None), "vacant": -int(door.is_vacant)}


async def _write(
    merge: _Merge,
    rows: Sequence[Resident | Household],
    *,
    residents: int,
    households: int = 0,
    doors: dict[str, int] | None = None,
) -> None:
    """Move the clock and the tallies, write what was gathered, and let visits, phones and the trail follow."""
    session, community, record = merge.session, merge.community, merge.record
    version = await areas.advance_clock(session, community, residents=residents, households=households, **(doors or {}))
    at = now()
    for row in rows:
        row.version, row.updated_at = version, at
    record.version, record.before = version, dict(merge.before)
    session.add(record)
    await session.flush()
    session.add_all(merge.rows)
    await session.flush()
    await people.note_changes(
        session, merge.doer, community, version,
        [(UUID(one), name) for one, names in merge.before["taken"].items() for name in names],
    )  # fmt: skip
    merge.before["stays"] = await residence.follow_merge(
        session, merge.doer, community, version, merge.residents, merge.homes
    )
    homes = sorted(merge.concerned)
    moves = screening.Moves(merge.residents, merge.homes)
    await screening.follow_merge(session, community, version, moves, homes, merge.before)
    await care.follow_merge(session, community, version, merge.residents, merge.homes, homes)
    merge.before |= await followups.follow_merge(session, community, version, merge.residents, merge.homes)
    merge.before["photos"] = await photos.follow_merge(session, community, version, merge.homes)
    merge.before["reports"] = await self_reports.follow_merge(session, community, version, merge.homes)
    record.before = dict(merge.before)
    await tell_phones(session, community, version, homes)
    for door in (one for one in merge.rows if one.kind == "dwelling"):
        await _drop_door(merge, version, door.row_id)
    action = "merge_residents" if record.kind == "person" else "merge_households"
    subjects = [record.id, *sorted({*merge.residents, *merge.residents.values(), *merge.homes, *merge.homes.values()})]
    await audit.append_entry(session, merge.doer, community, action, subjects, merge.before["taken"])


async def _drop_door(merge: _Merge, version: int, door_id: UUID) -> None:
    """Take a door out of the registry; phones load its area anew, since of a door that is gone no version tells."""
    session, community = merge.session, merge.community
    await posts.reload_areas(session, community, [door_id], version)
    (gone, kept) = next(iter(merge.homes.items()))
    await session.execute(
        text("""
        UPDATE household h SET dwelling_id = k.dwelling_id FROM household k
        WHERE h.community_code = :c AND h.id = :gone AND k.community_code = :c AND k.id = :kept
    """),
        {"c": community, "gone": gone, "kept": kept},
    )
    await session.execute(
        text("DELETE FROM dwelling WHERE community_code = :c AND id = :d"), {"c": community, "d": door_id}
    )


async def tell_phones(session: AsyncSession, community: str, version: int, homes: Sequence[UUID]) -> None:
    """Have phones fetch these households whole."""
    await session.execute(
        text("SELECT touch_households(:c, :v, :homes)"), {"c": community, "v": version, "homes": homes}
    )
