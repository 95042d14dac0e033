"""Undoing a merge: the same rows stand there again, and what has been changed since stays. And the end of that: the
day from which it cannot be undone, when what was kept for it goes."""

from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.care import merges as care
from app.core.clock import now, today
from app.core.errors import Conflict
from app.followups import merges as followups
from app.merges import folding
from app.merges.merging import load_homes, tell_phones
from app.merges.models import MergedRow, RegistryMerge
from app.not_home import merges as self_reports
from app.people import service as people
from app.people.models import Dwelling, Household, Resident
from app.people.naming import initials
from app.photos import merges as photos
from app.posts import service as posts
from app.residence import merges as residence
from app.screening import merges as screening


class MergeUndone(Conflict):
    """A merge is undone once."""

    def __init__(self) -> None:
        super().__init__("merge_undone", "这次合并已经撤销过了。", "This merge has been undone already.")


class MergeOver(Conflict):
    """What stood before the merge is no longer kept."""

    def __init__(self) -> None:
        super().__init__(
            "merge_over",
            "已过可撤销的期限，合并前的内容已删除，不能再分开。",
            "The time in which this merge could be undone is over; what stood before is deleted.",
        )


class MergeNotLast(Conflict):
    """What was merged was merged again: the later merge is undone first."""

    def __init__(self) -> None:
        super().__init__(
            "merge_not_last",
            "合并之后又有一次合并涉及同一人或同一户，请先撤销较晚的那次。",
            "A later merge involves the same person or household; undo that one first.",
        )


class MergeHouseholdClosed(Conflict):
    """The household somebody would go back to is closed."""

    def __init__(self) -> None:
        super().__init__(
            "merge_household_closed",
            "原来的住户已经注销，不能再分开。",
            "The household they would go back to has been closed; the two cannot be parted.",
        )


class MergeDoorTaken(Conflict):
    """Somebody has registered the second address anew."""

    def __init__(self) -> None:
        super().__init__(
            "merge_door_taken",
            "原来的门牌地址已被重新登记，不能再分开。",
            "The second address has been registered anew; the two cannot be parted.",
        )


async def undo_merge(session: AsyncSession, doer: audit.Doer, record: RegistryMerge) -> None:
    """Part what a merge brought together. The caller holds the community's clock, has read `record` under it and has
    checked the scope.

    Raises MergeUndone, MergeOver, MergeNotLast, MergeHouseholdClosed, MergeDoorTaken.
    """
    community = record.community_code
    if record.undone_at is not None:
        raise MergeUndone
    if record.delete_by <= today() or "moved" not in record.before:
        raise MergeOver
    statement = select(MergedRow).where(
        col(MergedRow.community_code) == community, col(MergedRow.merge_id) == record.id
    )
    rows = {row.row_id: row for row in await session.scalars(statement)}
    await _check_last(session, record)
    undo = _Undo(session, record, rows)
    await undo.run(doer)
    record.undone_at, record.undone_by, record.undone_by_name = now(), doer.id, doer.name
    await session.flush()
    await audit.append_entry(session, doer, community, "undo_merge", [record.id, *undo.subjects])


def _ids_of(record: RegistryMerge) -> list[UUID]:
    """Everybody and every household whose row a merge wrote."""
    pairs = [UUID(one) for pair in record.before["persons"] for one in pair[:2]]
    return sorted({record.kept_id, record.gone_id, *pairs})


async def _check_last(session: AsyncSession, record: RegistryMerge) -> None:
    """Refuse where one of these rows was merged again later."""
    later = await session.execute(
        text("""
        SELECT 1 FROM registry_merge m
        WHERE m.community_code = :c AND m.undone_at IS NULL AND m.version > :version AND (
            m.kept_id = ANY(:ids) OR m.gone_id = ANY(:ids) OR EXISTS (
                SELECT FROM jsonb_array_elements(m.before -> 'persons') AS p(pair)
                WHERE (pair ->> 0)::uuid = ANY(:ids) OR (pair ->> 1)::uuid = ANY(:ids)))
        LIMIT 1
    """),
        {"c": record.community_code, "version": record.version, "ids": _ids_of(record)},
    )
    if later.first() is not None:
        raise MergeNotLast


class _Undo:
    """A merge being taken back."""

    def __init__(self, session: AsyncSession, record: RegistryMerge, rows: dict[UUID, MergedRow]) -> None:
        self.session, self.record, self.rows = session, record, rows
        self.community = record.community_code
        self.pairs = [tuple(UUID(one) for one in pair) for pair in record.before["persons"]]
        self.residents = {gone: kept for gone, kept, _ in self.pairs}
        self.homes = {record.gone_id: record.kept_id} if record.kind == "household" else {}
        self.back: list[tuple[UUID, str]] = []
        self.subjects = sorted({*self.residents, *self.residents.values(), *self.homes, *self.homes.values()})

    async def run(self, doer: audit.Doer) -> None:
        """Write it all back under a new version."""
        session, community = self.session, self.community
        moved = [UUID(one) for one in self.record.before["moved"]]
        statement = select(Resident).where(
            col(Resident.community_code) == community, col(Resident.id).in_({*self.subjects, *moved})
        )
        people_ = {one.id: one for one in await session.scalars(statement)}
        wanted = {one.household_id for one in people_.values()} | {home for _, _, home in self.pairs}
        homes = await load_homes(session, community, wanted | {*self.homes, *self.homes.values()})
        tallies = await self._open_home(homes)
        changed: dict[UUID, Resident | Household] = {}
        for gone_id, kept_id, _ in self.pairs:
            changed |= self._part_people(people_[gone_id], people_[kept_id], homes)
        for one in (people_[each] for each in moved):
            changed |= self._move_back(one, homes)
        changed |= self._part_homes(homes)
        self._heads_back(homes)
        version = await areas.advance_clock(session, community, residents=len(self.pairs), **tallies)
        at = now()
        for row in changed.values():
            row.version, row.updated_at = version, at
        await session.flush()
        await people.note_changes(session, doer, community, version, self.back)
        await self._follow(version, sorted(homes))

    def _part_people(
        self, gone: Resident, kept: Resident, homes: dict[UUID, Household]
    ) -> dict[UUID, Resident | Household]:
        home = homes[gone.household_id]
        if home.is_closed:
            raise MergeHouseholdClosed
        if row := self.rows.get(kept.id):
            self.back += [(kept.id, name) for name in folding.unfold(kept, gone, row)]
        gone.is_gone, gone.merged_into_id = False, None
        home.resident_count += 1
        return {gone.id: gone, kept.id: kept, home.id: home}

    def _move_back(self, one: Resident, homes: dict[UUID, Household]) -> dict[UUID, Resident | Household]:
        """Who came along goes back, unless they have moved on since."""
        here = homes[self.record.kept_id]
        if one.household_id != here.id:
            return {}
        there = homes[self.record.gone_id]
        one.household_id = there.id
        if not one.is_gone:
            here.resident_count -= 1
            there.resident_count += 1
        return {one.id: one, here.id: here, there.id: there}

    async def _open_home(self, homes: dict[UUID, Household]) -> dict[str, int]:
        """A merged household stands again behind its door; answers what that adds to the tallies."""
        if not self.homes:
            return {}
        other, home = homes[self.record.gone_id], homes[self.record.kept_id]
        if home.is_closed:
            raise MergeHouseholdClosed
        other.is_closed, other.merged_into_id = False, None
        door = next((row for row in self.rows.values() if row.kind == "dwelling"), None)
        if door is None:
            return {"households": 1}
        again = Dwelling.model_validate(door.before)
        taken = select(col(Dwelling.id)).where(
            col(Dwelling.community_code) == self.community, col(Dwelling.address_key) == again.address_key
        )
        if (await self.session.scalars(taken)).first() is not None:
            raise MergeDoorTaken
        again.responsibility_area_id = await self._area_now(again.responsibility_area_id)
        self.session.add(again)
        await self.session.flush()
        other.dwelling_id = again.id
        return {
            "households": 1,
            "dwellings": 1,
            "unassigned": int(again.responsibility_area_id is None),
            "vacant": int(again.is_vacant),
        }

    async def _area_now(self, area_id: UUID | None) -> UUID | None:
        """The area a door lay in, if it is there still."""
        if area_id is None:
            return None
        there = text("SELECT 1 FROM responsibility_area WHERE community_code = :c AND id = :area")
        found = await self.session.scalar(there, {"c": self.community, "area": area_id})
        return area_id if found else None

    def _part_homes(self, homes: dict[UUID, Household]) -> dict[UUID, Resident | Household]:
        if not self.homes:
            return {}
        home, other = homes[self.record.kept_id], homes[self.record.gone_id]
        if row := self.rows.get(home.id):
            self.back += [(home.id, name) for name in folding.unfold(home, other, row)]
        return {home.id: home, other.id: other}

    def _heads_back(self, homes: dict[UUID, Household]) -> None:
        for home_id, before, after in reversed(self.record.before["heads"]):
            home = homes.get(UUID(home_id))
            if home is not None and home.head_name == after:
                home.head_name, home.head_initials = before, initials(before)

    async def _follow(self, version: int, homes: list[UUID]) -> None:
        """Visits, what follows from them, and phones."""
        session, community, record = self.session, self.community, self.record
        given = {one: await people.list_merged_into(session, community, one) for one in (*self.residents, *self.homes)}
        await screening.undo_merge(
            session, community, version, screening.Moves(self.residents, self.homes), given, homes, record.before,
            record.merged_at,
        )  # fmt: skip
        await residence.undo_merge(session, community, version, record.before["stays"])
        await care.undo_merge(session, community, version, self.residents, self.homes, given, homes)
        moved = [UUID(one) for one in record.before["moved"]]
        # a merge of before photos and self-reports came along has none of these
        await photos.undo_merge(session, community, version, self.homes, record.before.get("photos", ()))
        theirs = [*moved, *(gone for gone, _, home in self.pairs if home in self.homes)]
        reports = record.before.get("reports", ())
        await self_reports.undo_merge(session, community, version, self.homes, theirs, reports, record.merged_at)
        await followups.undo_merge(session, community, version, self.residents, self.homes, moved, record.before)
        await tell_phones(session, community, version, homes)
        doors = [row.row_id for row in self.rows.values() if row.kind == "dwelling"]
        if doors:
            await session.execute(
                text("UPDATE dwelling SET version = :v WHERE community_code = :c AND id = ANY(:doors)"),
                {"c": community, "v": version, "doors": doors},
            )
            await posts.reload_areas(session, community, doors, version)


DUE_MERGES = "registry_merge WHERE delete_by <= :on AND before ? 'moved'"
"""Merges that cannot be undone any more by the day `:on` and still hold what stood before."""


async def delete_due_merges(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Let go of what merges have kept to be undone, `limit` merges at most; who was made one stays.

    The rows that were merged away stay too, for what still comes in under their ids and for lists that name them as
    they did, and say no more than the name: all else says the row that stands for them. One that was undone has its
    rows back and keeps nothing.
    """
    del version  # no phone holds them
    result = await session.execute(
        text(f"""
        WITH due AS (
            SELECT id, kind, gone_id, before, undone_at FROM {DUE_MERGES} AND community_code = :c
            ORDER BY id LIMIT :limit
        ), rows AS (
            DELETE FROM merged_row r USING due WHERE r.community_code = :c AND r.merge_id = due.id
        ), people AS (
            UPDATE resident r SET birth_on = NULL, workplace = '', id_kind = 'none', id_sealed = NULL, id_index = NULL,
                phone_sealed = NULL, phone_index = NULL, tags = '{{}}', needs_id_check = false
            FROM due CROSS JOIN LATERAL jsonb_array_elements(due.before -> 'persons') AS p(pair)
            WHERE due.undone_at IS NULL AND r.community_code = :c AND r.id = (p.pair ->> 0)::uuid
                AND r.merged_into_id IS NOT NULL
        ), homes AS (
            UPDATE household h SET phone_sealed = NULL, phone_index = NULL, note_sealed = NULL, tags = '{{}}'
            FROM due WHERE due.undone_at IS NULL AND due.kind = 'household' AND h.community_code = :c
                AND h.id = due.gone_id AND h.merged_into_id IS NOT NULL
        ), emptied AS (
            UPDATE registry_merge m SET before = jsonb_build_object('persons', m.before -> 'persons')
            FROM due WHERE m.community_code = :c AND m.id = due.id RETURNING 1
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "limit": limit},
    )
    return int(result.scalar_one())
