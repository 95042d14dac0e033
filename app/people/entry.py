"""A household entered at a desk: added once, however often its request arrives."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.errors import Conflict, Invalid
from app.people.models import Dwelling, Household, Resident
from app.people.registry import DwellingInput, HouseholdInput, kind_without_number, person_input, put_dwellings
from app.people.schemas import HouseholdCreate, HouseholdRead
from app.people.service import (
    HOUSEHOLD_NOTE,
    HOUSEHOLD_PHONE,
    RESIDENT_ID,
    RESIDENT_PHONE,
    get_household,
    household_read,
)


class HouseholdExists(Conflict):
    """An id from a client that is a household's already, which is not the one that was sent."""

    def __init__(self) -> None:
        super().__init__(
            "household_exists",
            "这个编号的住户已登记,内容不同;请刷新后再改。",
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
