"""The list of what may be registered twice, as desks read it: masked, and of another community nothing but its name."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.auth.models import Role
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.area_code import prefix_of
from app.core.clock import today
from app.core.errors import Invalid, NotFound
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.duplicates.models import Answer, Duplicate, DuplicateKind, DuplicateStatus
from app.duplicates.schemas import (
    CountsRead,
    DuplicateRead,
    HouseholdSide,
    MemberPair,
    OtherPlace,
    PersonSide,
    Side,
)
from app.merges import folding
from app.people import service as people
from app.people.models import Dwelling, Household, HouseholdKind, Resident

REASON = "duplicate.reason"
NEAR = frozenset({Role.COMMITTEE, Role.STREET})
"""Desks that know the people by name; districts and the city read surnames."""


def span_of(area: str) -> dict[str, str]:
    """The lowest and the highest code a community below a division may have."""
    prefix = prefix_of(area)
    return {"low": prefix.ljust(12, "0"), "high": prefix.ljust(12, "9")}


# A pair of people of two households that may be one is part of that while it is open; of what stands in two
# communities that both lie in the division, one row is enough.
_IN_LIST = """
    d.community_code BETWEEN :low AND :high AND d.status = :status
    AND NOT EXISTS (
        SELECT FROM duplicate h
        WHERE d.status = 'open' AND h.community_code = d.community_code AND h.id = d.covered_by AND h.status = 'open')
    AND NOT EXISTS (
        SELECT FROM duplicate o
        WHERE d.kind = 'elsewhere' AND o.id = d.id AND o.community_code < d.community_code
            AND o.community_code BETWEEN :low AND :high AND o.status = :status)
"""
_OPEN = f"""
    SELECT d.community_code, d.id, d.rank, d.decided_at FROM duplicate d
    WHERE {_IN_LIST} AND (d.rank, d.community_code, d.id) > (:rank, cast(:code AS bpchar), :id)
    ORDER BY d.rank, d.community_code, d.id LIMIT :limit
"""
_DECIDED = f"""
    SELECT d.community_code, d.id, d.rank, d.decided_at FROM duplicate d
    WHERE {_IN_LIST} AND (d.decided_at, d.community_code, d.id) < (:at, cast(:code AS bpchar), :id)
    ORDER BY d.decided_at DESC, d.community_code DESC, d.id DESC LIMIT :limit
"""
_MERGES = text("""
    SELECT duplicate_id, CASE WHEN delete_by > :today AND before ? 'moved' THEN id END AS id, delete_by
    FROM registry_merge
    WHERE community_code BETWEEN :low AND :high AND duplicate_id = ANY(:ids) AND undone_at IS NULL
""")


async def list_duplicates(
    session: AsyncSession, actor: Actor, area: str, status: DuplicateStatus, limit: int, cursor: str | None
) -> tuple[list[DuplicateRead], str | None]:
    """Pairs below a division: open ones with the surest evidence first, decided ones newest first. A page may be
    shorter than `limit` and have a next one."""
    actor.demand(area, DESK)
    params: dict[str, Any] = span_of(area) | {"status": status, "limit": limit + 1}
    is_open = status == DuplicateStatus.OPEN
    if is_open:
        rank, code, after = decode_cursor(cursor, int, str, str) if cursor else (-1, "", str(UUID(int=0)))
        params |= {"rank": min(max(rank, -1), 32_000), "code": code, "id": cursor_uuid(after)}
    else:
        at, code, after = (
            decode_cursor(cursor, str, str, str) if cursor else ("9999-01-01T00:00:00+00:00", "9", str(UUID(int=0)))
        )
        params |= {"at": _instant(at), "code": code, "id": cursor_uuid(after)}
    rows = (await session.execute(text(_OPEN if is_open else _DECIDED), params)).all()
    page = rows[:limit]
    items = await read_duplicates(session, actor, [(row.community_code, row.id) for row in page])
    if len(rows) <= limit:
        return items, None
    last = page[-1]
    first = last.rank if is_open else last.decided_at.isoformat()
    return items, encode_cursor(first, last.community_code, str(last.id))


def _instant(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(
            "cursor_invalid", "翻页标记无效，请从第一页重新开始。", "The cursor is not valid; begin again.", "cursor"
        ) from None


async def count_duplicates(session: AsyncSession, actor: Actor, area: str) -> CountsRead:
    """How many pairs below a division wait for somebody."""
    actor.demand(area, DESK)
    rows = await session.execute(
        text(f"SELECT d.kind, count(*) AS n FROM duplicate d WHERE {_IN_LIST} GROUP BY 1"),
        span_of(area) | {"status": DuplicateStatus.OPEN},
    )
    counts = {row.kind: row.n for row in rows}
    return CountsRead(
        area=area,
        persons=counts.get("person", 0),
        households=counts.get("household", 0),
        elsewhere=counts.get("elsewhere", 0),
    )


async def get_duplicate(session: AsyncSession, actor: Actor, duplicate_id: UUID) -> DuplicateRead:
    """One pair, where the actor has a desk; NotFound otherwise."""
    own = (col(Duplicate.id) == duplicate_id) & in_scope(col(Duplicate.community_code), actor, DESK)
    code = (await session.scalars(select(col(Duplicate.community_code)).where(own).order_by("community_code"))).first()
    found = await read_duplicates(session, actor, [(code, duplicate_id)]) if code else []
    if not found:
        raise NotFound
    return found[0]


async def read_duplicates(session: AsyncSession, actor: Actor, keys: Sequence[tuple[str, UUID]]) -> list[DuplicateRead]:
    """Pairs as desks read them, in order. One of whom somebody has left the registry is left out while it is open."""
    ids = [one for _, one in keys]
    rows = {
        (row.community_code, row.id): row
        for row in await session.scalars(
            select(Duplicate).where(col(Duplicate.id).in_(ids), in_scope(col(Duplicate.community_code), actor, DESK))
        )
    }
    codes = {code for code, _ in rows} | {row.other_community_code for row in rows.values()} - {None}
    reader = _Reader(actor, await areas.name_divisions(session, sorted(str(code) for code in codes)))
    await reader.load(session, rows.values())
    span = {"low": min((c for c, _ in keys), default=""), "high": max((c for c, _ in keys), default=""), "ids": ids}
    merges = {
        row.duplicate_id: (row.id, row.delete_by) for row in await session.execute(_MERGES, span | {"today": today()})
    }
    items = []
    for key in keys:
        row = rows.get(key)
        if row is None:
            continue
        others = [one for other, one in rows.items() if other[1] == key[1] and other[0] != key[0]]
        read = reader.read(row, others[0] if others else None, merges.get(row.id))
        if read is not None:
            items.append(read)
    return items


class _Reader:
    """What the pairs of a page are about, and how it is told."""

    def __init__(self, actor: Actor, names: dict[str, str]) -> None:
        self.actor, self.names = actor, names
        self.people: dict[UUID, Resident] = {}
        self.homes: dict[UUID, tuple[Household, Dwelling]] = {}
        self.members: dict[UUID, list[Resident]] = {}

    async def load(self, session: AsyncSession, rows: Iterable[Duplicate]) -> None:
        """Read people, households and doors."""
        given = list(rows)
        codes = sorted({row.community_code for row in given})
        homes = {one for row in given if row.kind == DuplicateKind.HOUSEHOLD for one in (row.subject_id, row.other_id)}
        persons = {
            one for row in given if row.kind != DuplicateKind.HOUSEHOLD for one in (row.subject_id, row.other_id)
        }
        statement = select(Resident).where(
            col(Resident.community_code).in_(codes),
            col(Resident.id).in_(persons) | (col(Resident.household_id).in_(homes) & col(Resident.is_gone).is_(False)),
        )
        for one in await session.scalars(statement.order_by(col(Resident.id))):
            if one.id in persons:
                self.people[one.id] = one
            if one.household_id in homes:
                self.members.setdefault(one.household_id, []).append(one)
        wanted = homes | {one.household_id for one in self.people.values()}
        same = (col(Dwelling.community_code) == col(Household.community_code)) & (
            col(Dwelling.id) == col(Household.dwelling_id)
        )
        joined = (
            select(Household, Dwelling)
            .join(Dwelling, same)
            .where(col(Household.community_code).in_(codes), col(Household.id).in_(wanted))
        )
        self.homes = {home.id: (home, door) for home, door in await session.execute(joined)}

    def read(
        self, row: Duplicate, twin: Duplicate | None, merge: tuple[UUID | None, date] | None
    ) -> DuplicateRead | None:
        """A pair, with its merge while that can be undone, and the day from which it cannot; None for an open one of
        which a side is no longer there."""
        is_home = row.kind == DuplicateKind.HOUSEHOLD
        ids = [row.subject_id] + ([row.other_id] if row.other_id else [])
        if twin is not None:
            ids.append(twin.subject_id)
        if any(one not in (self.homes if is_home else self.people) for one in ids):
            return None
        if row.status == DuplicateStatus.OPEN and any(self._has_left(one, is_home=is_home) for one in ids):
            return None
        sides = [self._home_side(one) if is_home else self._person_side(one) for one in ids]
        place = None
        if row.other_community_code:
            code = row.other_community_code
            place = OtherPlace(
                community_code=code, community_name=self.names.get(code, ""),
                answer=Answer(row.other_answer) if row.other_answer else None,
            )  # fmt: skip
        merge_id, over_on = merge if merge and row.status == DuplicateStatus.MERGED else (None, None)
        return DuplicateRead(
            **row.model_dump(include={"id", "community_code", "kind", "status", "reasons", "answer", "found_at"}),
            sides=sides,
            differences=self._differences(ids, is_home=is_home) if len(ids) == 2 else [],
            members=self._member_pairs(ids) if is_home and row.status == DuplicateStatus.OPEN else [],
            elsewhere=place,
            reason=crypto.open_text(row.reason_sealed, REASON),
            decided_by_name=row.decided_by_name or None,
            decided_at=row.decided_at,
            merge_id=merge_id,
            undo_until=over_on and over_on - timedelta(days=1),
        )

    def _has_left(self, one: UUID, *, is_home: bool) -> bool:
        return self.homes[one][0].is_closed if is_home else self.people[one].is_gone

    def _name(self, community: str, name: str) -> str:
        return name if self.actor.may(community, NEAR) else crypto.mask_name(name)

    def _person_side(self, one: UUID) -> Side:
        person = self.people[one]
        return self._side(person.household_id, person=self._person(person), household=None)

    def _side(self, home_id: UUID, **about: Any) -> Side:
        home, door = self.homes[home_id]
        return Side(
            community_code=home.community_code,
            community_name=self.names.get(home.community_code, ""),
            address=people.address_of(door),
            head_name=self._name(home.community_code, home.head_name),
            **about,
        )

    def _person(self, person: Resident) -> PersonSide:
        read = people.resident_read(person)
        fields = read.model_dump(exclude={"id", "age", "name"})
        name = self._name(person.community_code, person.name)
        return PersonSide(**fields, resident_id=person.id, name=name, workplace=person.workplace)

    def _home_side(self, one: UUID) -> Side:
        home, door = self.homes[one]
        read = people.household_read(home, door)
        household = HouseholdSide(
            household_id=home.id, kind=HouseholdKind(home.kind),
            head_name=self._name(home.community_code, home.head_name),
            phone_masked=read.phone_masked, note=read.note, tags=read.tags,
            members=[self._person(member) for member in self.members.get(one, [])],
        )  # fmt: skip
        return self._side(one, person=None, household=household)

    def _differences(self, ids: Sequence[UUID], *, is_home: bool) -> list[str]:
        rows: list[Any] = [self.homes[one][0] if is_home else self.people[one] for one in ids]
        return folding.list_differences(rows[0], rows[1])

    def _member_pairs(self, ids: Sequence[UUID]) -> list[MemberPair]:
        """Members with the same document, else the same name and no document that speaks against it; each once."""
        left = list(self.members.get(ids[1], []))
        pairs: list[MemberPair] = []
        for one in self.members.get(ids[0], []):
            other = _same_member(one, left)
            if other is not None:
                left.remove(other)
                differences: Any = folding.list_differences(one, other)
                pairs.append(MemberPair(one=one.id, other=other.id, differences=differences))
        return pairs


def _same_member(one: Resident, others: Sequence[Resident]) -> Resident | None:
    for other in others:
        if one.id_index is not None and one.id_index == other.id_index:
            return other
    for other in others:
        is_other = bool(one.birth_on and other.birth_on and one.birth_on != other.birth_on)
        if one.name == other.name and not is_other:
            return other
    return None
