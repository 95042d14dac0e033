"""Households as they are entered, at a desk or found at a door, and what they are to their dwelling.

A household is added once, however often its request arrives.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.people import service as people
from app.people.edits import tidy_changes
from app.people.models import Dwelling, Household, Resident
from app.people.registry import (
    DwellingInput,
    HouseholdInput,
    PersonInput,
    kind_without_number,
    person_input,
    put_dwellings,
)
from app.people.schemas import HouseholdCreate, HouseholdRead
from app.people.service import (
    HOUSEHOLD_NOTE,
    HOUSEHOLD_PHONE,
    RESIDENT_ID,
    RESIDENT_PHONE,
    get_household,
    household_read,
)
from app.residence.models import Residence, ResidenceKind, Tenure, TenureKind
from app.residence.schemas import FoundDoor, FoundPerson, RegistrationIn, TenureIn, TenureRead
from app.residence.service import TO_PLACE, demand_all, find_home, find_person

LANDLORD_PHONE = "tenure.landlord_phone"


class HouseholdExists(Conflict):
    """An id from a client that is a household's already, which is not the one that was sent."""

    def __init__(self) -> None:
        super().__init__(
            "household_exists",
            "这个编号的住户已登记，内容不同；请刷新后再改。",
            "A household with this id is registered and is not the same; load it and change it there.",
        )


async def create_household(session: AsyncSession, actor: Actor, new: HouseholdCreate) -> HouseholdRead:
    """Add a household with its door and people; the same again under its id is the one that is there.

    Raises Invalid (`room_missing`) when nothing says where, Conflict (`household_exists`) when the id is known
    and stands for something else.
    """
    actor.demand(new.community_code, DESK)
    await areas.get_community_name(session, new.community_code)
    if not (new.room or new.address):
        raise Invalid("room_missing", "请填写门牌号或住址。", "Say which room or address.", "room")
    persons = [person_input(person) for person in new.residents]
    head = persons[0].name if persons else ""
    household = HouseholdInput(
        head_name=head, phone=new.phone, tags=[str(t) for t in new.tags], note=new.note, persons=persons,
        kind=str(new.kind), id=new.id,
    )  # fmt: skip
    door = DwellingInput(new.compound, new.building, new.stair, None, new.room, new.address, households=[household])
    if new.id is not None and await _is_registered(session, new.community_code, door, household):
        return household_read(*await get_household(session, actor, new.id, DESK))
    counts = await put_dwellings(session, actor.doer, new.community_code, [door], "create_household", is_entered=True)
    return household_read(*await get_household(session, actor, counts.household_ids[0], DESK))


async def _is_registered(session: AsyncSession, community: str, door: DwellingInput, given: HouseholdInput) -> bool:
    """Whether the household stands there as given; raises HouseholdExists where its id stands for another."""
    await areas.lock_clock(session, community)  # a second send may be under way at the same time
    home = await session.get(Household, (community, given.id))
    if home is None:
        return False
    where = await session.get(Dwelling, (community, home.dwelling_id))
    members = await session.scalars(
        select(Resident).where(
            col(Resident.community_code) == community, col(Resident.household_id) == home.id,
            col(Resident.is_gone).is_(False),
        )
    )  # fmt: skip
    there = (
        where and where.address_key, home.is_closed, home.kind, set(home.tags),
        crypto.open_text(home.phone_sealed, HOUSEHOLD_PHONE), crypto.open_text(home.note_sealed, HOUSEHOLD_NOTE),
        Counter(
            (m.name, m.relation, m.sex, m.birth_on, m.id_kind, crypto.open_text(m.id_sealed, RESIDENT_ID),
             crypto.open_text(m.phone_sealed, RESIDENT_PHONE))
            for m in members
        ),
    )  # fmt: skip
    sent = (
        door.key, False, given.kind, set(given.tags), given.phone, given.note or None,
        Counter(
            (p.name, p.relation, p.sex, p.birth_on, p.id_kind if p.id_number else kind_without_number(p),
             p.id_number, p.phone)
            for p in given.persons
        ),
    )  # fmt: skip
    if there != sent:
        raise HouseholdExists
    return True


# Found at a door, by a phone.


@dataclass(frozen=True, slots=True)
class FoundHousehold:
    """A household found at a door. The ids of the command, the household and its people were made on the phone; the
    door is one that is known, or a new one, which then lies in the responsibility area that found it."""

    id: UUID
    household_id: UUID
    dwelling_id: UUID | None = None
    door: FoundDoor | None = None
    area_id: UUID | None = None
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    residents: list[FoundPerson] = field(default_factory=list)


async def add_households(
    session: AsyncSession, doer: audit.Doer, community_code: str, found: Sequence[FoundHousehold]
) -> dict[UUID, str | None]:
    """Add households found at doors; answers for each id None, `person_known` (added, and one with the same head is
    behind that door already), `household_not_found`, or `id_taken`. The caller has checked the scope and writes the
    trail.
    """
    await areas.lock_clock(session, community_code)
    doors = {d.id: d for d in await _doors(session, community_code, [f.dwelling_id for f in found if f.dwelling_id])}
    ids = {f.household_id for f in found} | {person.id for f in found for person in f.residents}
    taken = await _taken(session, community_code, ids)
    heads = await _heads(session, community_code, doors)
    answers: dict[UUID, str | None] = {}
    given: list[DwellingInput] = []
    new_doors: dict[str, UUID] = {}
    for one in found:
        door = doors.get(one.dwelling_id) if one.dwelling_id else one.door
        persons = [person.id for person in one.residents]
        if door is None or not (door.room or door.address):
            answers[one.id] = "household_not_found"
        elif {one.household_id, *persons} & taken or len(set(persons)) < len(persons):
            answers[one.id] = "id_taken"
        else:
            taken |= {one.household_id, *persons}
            put = _put(one, door)
            given.append(put)
            if one.area_id and not isinstance(door, Dwelling):
                new_doors[put.key] = one.area_id
            head = put.households[0].head_name
            answers[one.id] = "person_known" if head and (one.dwelling_id, head) in heads else None
    await _put_found(session, doer, community_code, given, new_doors)
    return answers


async def reopen_households(session: AsyncSession, doer: audit.Doer, community_code: str, ids: set[UUID]) -> set[UUID]:
    """Of these households open those again that were closed: somebody has been found to live there. Answers which."""
    await areas.lock_clock(session, community_code)
    closed = select(Household).where(
        col(Household.community_code) == community_code, col(Household.id).in_(ids), col(Household.is_closed),
        col(Household.merged_into_id).is_(None),
    )  # fmt: skip
    homes = list(await session.scalars(closed.execution_options(populate_existing=True)))
    if not homes:
        return set()
    doors = {door.id: door for door in await _doors(session, community_code, [home.dwelling_id for home in homes])}
    vacant = [door for door in doors.values() if door.is_vacant]
    version = await areas.advance_clock(session, community_code, households=len(homes), vacant=-len(vacant))
    for home in homes:
        home.is_closed, home.version, home.updated_at = False, version, now()
    for door in vacant:
        door.is_vacant, door.version = False, version
    await session.flush()
    held = {door.responsibility_area_id for door in doors.values()}
    await people.touch_areas(session, community_code, sorted(one for one in held if one), version)
    await audit.append_entry(session, doer, community_code, "reopen_households", [home.id for home in homes])
    return {home.id for home in homes}


async def _put_found(
    session: AsyncSession, doer: audit.Doer, community: str, given: list[DwellingInput], new_doors: dict[str, UUID]
) -> None:
    known = {d.address_key for d in await _doors_by_key(session, community, list(new_doors))}
    await put_dwellings(session, doer, community, given, None, is_entered=True)
    wanted = {key: area for key, area in new_doors.items() if key not in known}
    by_area: dict[UUID, list[UUID]] = {}
    for door in await _doors_by_key(session, community, list(wanted)):
        by_area.setdefault(wanted[door.address_key], []).append(door.id)
    for area, ids in sorted(by_area.items()):
        version = await areas.advance_clock(session, community, unassigned=-len(ids))
        await people.set_responsibility_area(session, community, ids, area, version)
        await people.touch_areas(session, community, [area], version)


def _put(one: FoundHousehold, door: Dwelling | FoundDoor) -> DwellingInput:
    persons = [
        PersonInput(
            id=person.id, name=person.name, relation=person.relation, sex=person.sex, birth_on=person.birth_on,
            phone=person.phone or None, is_new=True,
        )
        for person in one.residents
    ]  # fmt: skip
    tidied = tidy_changes({"tags": one.tags, "phone": one.phone, "note": one.note})
    home = HouseholdInput(
        id=one.household_id, head_name=persons[0].name if persons else "", persons=persons, is_new=True,
        tags=tidied["tags"], phone=tidied["phone"], note=tidied["note"],
    )  # fmt: skip
    return DwellingInput(
        door.compound, door.building, door.stair, door.floor, door.room, door.address, households=[home]
    )


async def _doors(session: AsyncSession, community: str, ids: Sequence[UUID]) -> list[Dwelling]:
    statement = select(Dwelling).where(col(Dwelling.community_code) == community, col(Dwelling.id).in_(list(ids)))
    return list((await session.scalars(statement)).all())


async def _doors_by_key(session: AsyncSession, community: str, keys: Sequence[str]) -> list[Dwelling]:
    statement = select(Dwelling).where(
        col(Dwelling.community_code) == community, col(Dwelling.address_key).in_(list(keys))
    )
    return list((await session.scalars(statement)).all()) if keys else []


async def _taken(session: AsyncSession, community: str, ids: set[UUID]) -> set[UUID]:
    taken: set[UUID] = set()
    for table in (Household, Resident):
        statement = select(col(table.id)).where(col(table.community_code) == community, col(table.id).in_(ids))
        taken |= set(await session.scalars(statement))
    return taken


async def _heads(session: AsyncSession, community: str, doors: dict[UUID, Dwelling]) -> set[tuple[UUID | None, str]]:
    statement = select(col(Household.dwelling_id), col(Household.head_name)).where(
        col(Household.community_code) == community, col(Household.dwelling_id).in_(doors),
        col(Household.is_closed).is_(False),
    )  # fmt: skip
    return {(door, head) for door, head in await session.execute(statement)}


# 房屋关系, 户口.


async def set_tenure(session: AsyncSession, actor: Actor, household_id: UUID, new: TenureIn) -> TenureRead:
    """What a household is to its dwelling from a day on; the tenure before ends then. Of the same kind, the present one
    is corrected. Who rents has the tag `tenant`, which phones show."""
    home, _ = await find_home(session, actor, household_id)
    code = home.community_code
    version = await areas.advance_clock(session, code)
    if new.since_on and new.since_on > today():
        demand_all({household_id: "date_in_future"})
    current = (
        await session.scalars(
            select(Tenure).where(
                col(Tenure.community_code) == code, col(Tenure.household_id) == household_id,
                col(Tenure.ended_on).is_(None),
            )
        )
    ).first()  # fmt: skip
    if current is not None and current.kind != new.kind:
        ends = new.since_on or today()
        if current.started_on and ends < current.started_on:
            demand_all({household_id: "date_before_start"})
        current.ended_on, current.version = ends, version
        await session.flush()
        current = None
    if current is None:
        current = Tenure(community_code=code, id=new_id(), household_id=household_id, kind=str(new.kind))
        session.add(current)
    current.landlord_name = new.landlord_name
    if new.landlord_phone or not new.landlord_name:
        current.landlord_phone_sealed = crypto.seal_text(new.landlord_phone, LANDLORD_PHONE)
    current.started_on = new.since_on or current.started_on
    current.recorded_by_name, current.recorded_at, current.version = actor.name, now(), version
    await _tag_tenant(session, actor, home, new.kind == TenureKind.TENANT, version)
    await audit.append_entry(session, actor.doer, code, "set_tenure", [household_id], new.model_dump())
    return _tenure_read(current)


async def _tag_tenant(session: AsyncSession, actor: Actor, home: Household, is_tenant: bool, version: int) -> None:
    tags = sorted({*home.tags, "tenant"} if is_tenant else set(home.tags) - {"tenant"})
    if tags == home.tags:
        return
    home.tags, home.version = tags, version
    await session.flush()
    door = await session.get(Dwelling, (home.community_code, home.dwelling_id))
    await people.note_changes(session, actor.doer, home.community_code, version, [(home.id, "tags")])
    await people.touch_areas(session, home.community_code, [door.responsibility_area_id if door else None], version)


async def list_tenures(session: AsyncSession, actor: Actor, household_id: UUID) -> list[TenureRead]:
    """A household's tenures, the present one first; at most 100."""
    home, _ = await find_home(session, actor, household_id)
    statement = (
        select(Tenure)
        .where(col(Tenure.community_code) == home.community_code, col(Tenure.household_id) == household_id)
        .order_by(col(Tenure.ended_on).desc().nulls_first(), col(Tenure.id).desc())
        .limit(100)
    )
    return [_tenure_read(tenure) for tenure in await session.scalars(statement)]


def _tenure_read(tenure: Tenure) -> TenureRead:
    return TenureRead(
        **tenure.model_dump(include={"id", "household_id", "kind", "landlord_name", "started_on", "ended_on",
                                    "recorded_by_name"}),
        landlord_phone_masked=crypto.mask_phone(crypto.open_text(tenure.landlord_phone_sealed, LANDLORD_PHONE)),
    )  # fmt: skip


async def set_registration(session: AsyncSession, actor: Actor, resident_id: UUID, new: RegistrationIn) -> None:
    """Where a person's 户口 is from a day on: in a household of this community, elsewhere in words, or (neither)
    nobody knows any more. What was known before ends and stays readable."""
    person = await find_person(session, actor, resident_id)
    code = person.community_code
    version = await areas.advance_clock(session, code)
    on = new.since_on or today()
    if on > today():
        demand_all({resident_id: "date_in_future"})
    before = (
        await session.scalars(
            select(Residence).where(
                col(Residence.community_code) == code, col(Residence.resident_id) == resident_id,
                col(Residence.kind) != ResidenceKind.LIVES_HERE, col(Residence.ended_on).is_(None),
            )
        )
    ).first()  # fmt: skip
    if before is not None:
        if before.started_on and on < before.started_on:
            demand_all({resident_id: "date_before_start"})
        before.ended_on, before.ended_by_name, before.version = on, actor.name, version
        await session.flush()
    if new.household_id is not None:
        home, _ = await find_home(session, actor, new.household_id)
        if home.community_code != code:
            raise NotFound
        kind, where = ResidenceKind.REGISTERED_HERE, home.id
    else:
        kind, where = ResidenceKind.REGISTERED_ELSEWHERE, person.household_id
    if new.household_id is not None or new.place:
        session.add(
            Residence(
                community_code=code,
                id=new_id(),
                resident_id=resident_id,
                household_id=where,
                kind=kind,
                started_on=new.since_on,
                to_place_sealed=crypto.seal_text(new.place or None, TO_PLACE),
                started_by_name=actor.name,
                version=version,
                recorded_at=now(),
            )
        )
    await audit.append_entry(session, actor.doer, code, "set_registration", [resident_id], new.model_dump())
