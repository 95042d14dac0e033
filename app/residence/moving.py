"""What a desk does within one community: people move, leave, return and come; households split and merge.

At the desk a set of changes is made whole or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import today
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.people import registry
from app.people import service as people
from app.people.models import Dwelling, Household, HouseholdTag, Resident
from app.people.registry import DwellingInput, HouseholdInput
from app.people.schemas import HouseholdRead, ResidentRead
from app.residence.models import ReasonIn, ReasonOut
from app.residence.schemas import (
    ArrivalIn,
    DoorIn,
    HouseholdMerge,
    HouseholdSplit,
    MembersLeave,
    MembersMove,
    ResidentLeave,
    ResidentMove,
)
from app.residence.service import (
    Arrival,
    PlaceChange,
    begin_stays,
    change_places,
    demand_all,
    find_by_number,
    find_home,
    find_person,
)


class SplitAll(Invalid):
    """A split leaves somebody behind; who all go move."""

    def __init__(self) -> None:
        super().__init__(
            "split_all", "分户须有人留在原户；全家搬走请用“搬迁”。",
            "A split leaves somebody behind; when all go, move them.", "resident_ids",
        )  # fmt: skip


class NotAMember(Invalid):
    """Only who lives in a household can be taken out of it."""

    def __init__(self) -> None:
        super().__init__(
            "not_a_member", "所选的人不都住在这一户。", "Not all of them live in this household.", "resident_ids"
        )


class OtherCommunity(Invalid):
    """Between communities people are sent and accepted."""

    def __init__(self) -> None:
        super().__init__(
            "other_community", "不在同一村居，请用“转往其他村居”。",
            "That is in another community: send them there.", "household_id",
        )  # fmt: skip


class SameHousehold(Invalid):
    """A household does not merge into itself."""

    def __init__(self) -> None:
        super().__init__("same_household", "请选择另一户。", "Choose another household.", "into_household_id")


async def begin_household(
    session: AsyncSession, doer: audit.Doer, community: str, door: DoorIn | Dwelling, head: str, like: Household | None
) -> UUID:
    """A new household without members behind a door that is known or new; `like`: it takes that one's phone, tags and
    note along. Raises Invalid (`room_missing`) when nothing says where."""
    if not (door.room or door.address):
        raise Invalid("room_missing", "请填写门牌号或住址。", "Say which room or address.", "room")
    home = HouseholdInput(id=new_id(), head_name=head, is_new=True)
    if like is not None:
        home = replace(
            home, kind=like.kind, tags=[tag for tag in like.tags if tag != HouseholdTag.TENANT],
            phone=crypto.open_text(like.phone_sealed, people.HOUSEHOLD_PHONE),
            note=crypto.open_text(like.note_sealed, people.HOUSEHOLD_NOTE),
        )  # fmt: skip
    floor = door.floor if isinstance(door, Dwelling) else None
    given = DwellingInput(door.compound, door.building, door.stair, floor, door.room, door.address, households=[home])
    return (await registry.put_dwellings(session, doer, community, [given], None, is_entered=True)).household_ids[0]


async def members_of(session: AsyncSession, home: Household, ids: Sequence[UUID] | None) -> list[Resident]:
    """Those of a household's members who are meant (None: all), in the order given.

    Raises Invalid (`not_a_member`) for one who does not live there.
    """
    statement = select(Resident).where(
        col(Resident.community_code) == home.community_code, col(Resident.household_id) == home.id,
        col(Resident.is_gone).is_(False),
    ).order_by(col(Resident.id))  # fmt: skip
    found = {one.id: one for one in await session.scalars(statement)}
    wanted = list(found) if ids is None else list(dict.fromkeys(ids))
    if not wanted or not set(wanted) <= set(found):
        raise NotAMember
    return [found[one] for one in wanted]


async def _trail(
    session: AsyncSession, actor: Actor, community: str, action: str, subjects: Sequence[UUID], what: Any
) -> None:
    await audit.append_entry(session, actor.doer, community, action, subjects, what)


async def _open_home(session: AsyncSession, actor: Actor, household_id: UUID) -> tuple[Household, Dwelling]:
    home, door = await find_home(session, actor, household_id)
    if home.is_closed:
        raise NotFound
    return home, door


async def _target(
    session: AsyncSession, actor: Actor, source: Household, who: Sequence[Resident], given: ResidentMove | MembersMove
) -> UUID:
    """The household people move to: one in this community, or a new one behind a door."""
    if given.household_id is not None:
        home, _ = await people.get_household(session, actor, given.household_id, DESK)
        if home.community_code != source.community_code:
            raise OtherCommunity
        return home.id
    door = given.door or DoorIn()
    goes_whole = len(who) == source.resident_count
    head = next((one.name for one in who if one.name == source.head_name), who[0].name)
    like = source if goes_whole else None
    return await begin_household(session, actor.doer, source.community_code, door, head, like)


async def move_members(session: AsyncSession, actor: Actor, household_id: UUID, move: MembersMove) -> HouseholdRead:
    """Members of a household live in another from a day on; answers the one they live in then.

    A household that all of them leave is closed; a new one behind another door takes its phone, tags and note along.
    """
    home, _ = await _open_home(session, actor, household_id)
    who = await members_of(session, home, move.resident_ids)
    target = await _target(session, actor, home, who, move)
    await _move(session, actor, home, who, target, move.on, (ReasonOut.MOVED, ReasonIn.MOVED_IN),
                keeps_registration=move.keeps_registration)  # fmt: skip
    subjects = [household_id, target, *(one.id for one in who)]
    await _trail(session, actor, home.community_code, "move_members", subjects, move.model_dump())
    return await _read_home(session, actor, target)


async def move_resident(session: AsyncSession, actor: Actor, person: Resident, move: ResidentMove) -> ResidentRead:
    """A person lives in another household of the community from a day on."""
    home, _ = await _open_home(session, actor, person.household_id)
    target = await _target(session, actor, home, [person], move)
    await _move(session, actor, home, [person], target, move.on, (ReasonOut.MOVED, ReasonIn.MOVED_IN),
                relation=move.relation, keeps_registration=move.keeps_registration)  # fmt: skip
    subjects = [person.id, home.id, target]
    await _trail(session, actor, home.community_code, "move_resident", subjects, move.model_dump())
    return people.resident_read(person)


async def _move(
    session: AsyncSession, actor: Actor, home: Household, who: Sequence[Resident], target: UUID, on: date | None,
    reasons: tuple[ReasonOut, ReasonIn], *, relation: str | None = None, keeps_registration: bool = False,
) -> None:  # fmt: skip
    changes = [
        PlaceChange(one.id, on or today(), target, reason_out=reasons[0], reason_in=reasons[1], relation=relation,
                    keeps_registration=keeps_registration)
        for one in who
    ]  # fmt: skip
    demand_all(await change_places(session, actor.doer, home.community_code, changes))


async def leave_members(session: AsyncSession, actor: Actor, household_id: UUID, leave: MembersLeave) -> HouseholdRead:
    """Members of a household live in the community no longer; the last one's leaving closes it."""
    home, door = await _open_home(session, actor, household_id)
    who = await members_of(session, home, leave.resident_ids)
    await _leave(session, actor, home.community_code, who, leave)
    subjects = [household_id, *(one.id for one in who)]
    await _trail(session, actor, home.community_code, "leave_members", subjects, leave.model_dump())
    return people.household_read(home, door)


async def leave_resident(session: AsyncSession, actor: Actor, resident_id: UUID, leave: ResidentLeave) -> ResidentRead:
    """A person lives in the community no longer; raises Conflict (`already_gone`) for one who has left before."""
    person = await find_person(session, actor, resident_id)
    await _leave(session, actor, person.community_code, [person], leave)
    await _trail(session, actor, person.community_code, "leave_resident", [resident_id], leave.model_dump())
    return people.resident_read(person)


async def _leave(
    session: AsyncSession, actor: Actor, community: str, who: Sequence[Resident], leave: ResidentLeave
) -> None:
    keeps = leave.keeps_registration and leave.reason != "died"
    changes = [
        PlaceChange(one.id, leave.on or today(), reason_out=ReasonOut(leave.reason), to_place=leave.place,
                    keeps_registration=keeps)
        for one in who
    ]  # fmt: skip
    demand_all(await change_places(session, actor.doer, community, changes))


async def add_arrival(session: AsyncSession, actor: Actor, household_id: UUID, new: ArrivalIn) -> ResidentRead:
    """A person who was not in the registry comes into a household: born, moved in, or found living there.

    Somebody found lives there since nobody knows when; the others since a day, for a child the day of birth.
    """
    home, door = await _open_home(session, actor, household_id)
    on = new.on or (new.person.birth_on if new.reason == "born" else None) or today()
    if on > today():
        demand_all({household_id: "date_in_future"})
    person = replace(registry.person_input(new.person), id=new_id(), is_new=True)
    before = await find_by_number(session, home.community_code, person.id_number)
    if before is not None and before.is_gone:
        # somebody who has lived here before is the same person again
        change = PlaceChange(before.id, on, home.id, reason_in=ReasonIn.RETURNED, from_place=new.place)
        demand_all(await change_places(session, actor.doer, home.community_code, [change]))
        subjects = [household_id, before.id]
        await _trail(session, actor, home.community_code, "add_arrival", subjects, new.model_dump(exclude={"person"}))
        return people.resident_read(before)
    if new.reason == "born" and person.birth_on is None:
        person.birth_on = on
    given = HouseholdInput(id=home.id, head_name=home.head_name or person.name, persons=[person])
    where = DwellingInput(
        door.compound, door.building, door.stair, door.floor, door.room, door.address, households=[given]
    )
    await registry.put_dwellings(session, actor.doer, home.community_code, [where], None, is_entered=True)
    if new.reason != "found":
        arrival = Arrival(person.id or home.id, on, ReasonIn(new.reason), new.place)
        await begin_stays(session, actor.doer, home.community_code, [arrival])
    await _trail(session, actor, home.community_code, "add_arrival", [household_id, person.id or home.id],
                 new.model_dump(exclude={"person"}))  # fmt: skip
    return people.resident_read(await people.get_resident(session, actor, person.id or home.id, DESK))


async def split_household(
    session: AsyncSession, actor: Actor, household_id: UUID, split: HouseholdSplit
) -> HouseholdRead:
    """Some members form a household of their own; answers it. Raises Invalid (`split_all`) when nobody stays."""
    home, door = await _open_home(session, actor, household_id)
    who = await members_of(session, home, split.resident_ids)
    if len(who) >= home.resident_count:
        raise SplitAll
    head = next((one for one in who if one.id == split.head_id), who[0])
    target = await begin_household(session, actor.doer, home.community_code, split.door or door, head.name, None)
    await _move(session, actor, home, who, target, split.on, (ReasonOut.SPLIT, ReasonIn.SPLIT))
    subjects = [household_id, target, *(one.id for one in who)]
    await _trail(session, actor, home.community_code, "split_household", subjects, split.model_dump())
    return await _read_home(session, actor, target)


async def merge_households(
    session: AsyncSession, actor: Actor, household_id: UUID, merge: HouseholdMerge
) -> HouseholdRead:
    """All members go into another household of the community, and theirs is closed; answers the one that goes on."""
    home, _ = await _open_home(session, actor, household_id)
    if merge.into_household_id == household_id:
        raise SameHousehold
    into, _ = await people.get_household(session, actor, merge.into_household_id, DESK)
    if into.community_code != home.community_code:
        raise OtherCommunity
    who = await members_of(session, home, None)
    await _move(session, actor, home, who, into.id, merge.on, (ReasonOut.MERGED, ReasonIn.MERGED))
    subjects = [household_id, into.id, *(one.id for one in who)]
    await _trail(session, actor, home.community_code, "merge_households", subjects, merge.model_dump())
    return await _read_home(session, actor, into.id)


async def _read_home(session: AsyncSession, actor: Actor, household_id: UUID) -> HouseholdRead:
    home, door = await people.get_household(session, actor, household_id, DESK)
    await session.refresh(home)
    return people.household_read(home, door)


# Marked at a door, by a phone.


@dataclass(frozen=True, slots=True)
class GoneMark:
    """A phone says that a member of a household lives there no longer; `id` is the command's."""

    id: UUID
    household_id: UUID
    resident_id: UUID
    reason: ReasonOut
    on: date
    place: str = ""


async def mark_residents_gone(
    session: AsyncSession, doer: audit.Doer, community_code: str, marks: Sequence[GoneMark]
) -> dict[UUID, str | None]:
    """Take what phones say of people who live at their doors no longer; answers for each id None,
    `resident_not_found`, or `person_moved`: since the phone looked they have moved to another household, where they
    stay. Who has left already has left. The caller has checked the scope and writes the trail.
    """
    await areas.lock_clock(session, community_code)
    statement = select(Resident).where(
        col(Resident.community_code) == community_code, col(Resident.id).in_({m.resident_id for m in marks})
    )
    found = {r.id: r for r in await session.scalars(statement.execution_options(populate_existing=True))}
    answers: dict[UUID, str | None] = {}
    changes: dict[UUID, PlaceChange] = {}
    for mark in marks:
        person = found.get(mark.resident_id)
        answers[mark.id] = None
        if person is None:
            answers[mark.id] = "resident_not_found"
        elif person.is_gone or mark.resident_id in changes:
            continue
        elif person.household_id != mark.household_id:
            answers[mark.id] = "person_moved"
        else:
            changes[mark.resident_id] = PlaceChange(
                mark.resident_id, mark.on, reason_out=mark.reason, to_place=mark.place, is_lenient=True
            )
    if changes:
        await change_places(session, doer, community_code, list(changes.values()))
    return answers
