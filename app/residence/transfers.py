"""转接: from one community to another. A committee lets its people go and says where to; the other one accepts.

Who has a desk over both does it in one step. What crosses is written in both communities in one transaction, clocks
in code order; the two sides know each other by plain values. Nothing of one registry is read through the other: the
facts that travel lie sealed in the transfer until it is decided.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.clock import now, today
from app.core.db import Scope, set_scope
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.core.paging import decode_id_cursor, encode_cursor
from app.people import registry
from app.people import service as people
from app.people.models import Dwelling, Household, Resident
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from app.people.schemas import ResidentRead
from app.residence import moving
from app.residence.models import ReasonIn, ReasonOut, Residence, ResidenceKind, Transfer, TransferStatus
from app.residence.schemas import (
    Destination,
    DoorIn,
    MembersSend,
    ResidentMove,
    ResidentReturn,
    TransferAccept,
    TransferRead,
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

PERSON = "transfer.person"
PLACE = "transfer.place"
REASON = "transfer.reason"


class TransferDecided(Conflict):
    """A transfer is decided once."""

    def __init__(self) -> None:
        super().__init__("transfer_decided", "这条转接已经处理过了。", "This transfer has been decided already.")


class SameCommunity(Invalid):
    """Within a community people move."""

    def __init__(self) -> None:
        super().__init__(
            "same_community", "在本村居之内请用“搬迁”。", "Within the community, move them.", "community_code"
        )


class PersonHere(Conflict):
    """The ID number is that of somebody who lives here already."""

    def __init__(self) -> None:
        super().__init__(
            "person_here",
            "本村居已登记有同一身份证号的人。",
            "Somebody with this ID number is registered here already.",
        )


class AcceptedElsewhere(Conflict):
    """Who lives in another community by now is sent back by it."""

    def __init__(self) -> None:
        super().__init__(
            "accepted_elsewhere", "此人已由其他村居接收，请由对方转回。",
            "Another community has accepted this person; it sends them back.",
        )  # fmt: skip


@asynccontextmanager
async def _reaching(session: AsyncSession, actor: Actor, *codes: str) -> AsyncIterator[None]:
    """For one piece of work these communities exist in the transaction too; their clocks are held, in code order."""
    await set_scope(session, Scope((*actor.scope.prefixes, *codes)))
    for code in sorted(codes):
        await areas.lock_clock(session, code)
    yield
    await session.flush()
    await set_scope(session, actor.scope)


_NAMED = text("""
    SELECT d.code, d.name, coalesce(t.name, '') AS town, coalesce(u.name, '') AS district
    FROM division d
    LEFT JOIN division t ON t.code = d.parent_code LEFT JOIN division u ON u.code = t.parent_code
    WHERE d.level = 'community' AND d.valid_to IS NULL AND d.name = ANY(:names) AND d.code <> ALL(:own)
    ORDER BY d.code LIMIT 50
""")
_ENDINGS = (
    "",
    "居委会",
    "村委会",
    "社区",
    "社区居委会",
    "村",
    "村村委会",
    "居民委员会",
    "社区居民委员会",
    "村民委员会",
)


async def list_destinations(session: AsyncSession, actor: Actor, name: str) -> list[Destination]:
    """Communities of this name, with or without its official ending, wherever they are: where people may be sent.

    Those of the actor's own division alone are left out; at most 50, which a name common in a city stays below.
    """
    own = [actor.scope.only_community] if actor.scope.only_community else []
    names = [name + ending for ending in _ENDINGS]
    rows = await session.execute(_NAMED, {"names": names, "own": own})
    return [Destination(code=row.code, name=row.name, town=row.town, district=row.district) for row in rows]


async def send_members(
    session: AsyncSession, actor: Actor, household_id: UUID, send: MembersSend
) -> list[TransferRead]:
    """Members leave for another community, whose committee finds them among those to accept. Answers the transfers.

    Raises Invalid: `community_unknown`, `same_community`.
    """
    home, _ = await find_home(session, actor, household_id)
    if send.community_code == home.community_code:
        raise SameCommunity
    await areas.get_community_name(session, send.community_code)
    names = await areas.name_divisions(session, [send.community_code, home.community_code])
    who = await moving.members_of(session, home, send.resident_ids)
    on = send.on or today()
    async with _reaching(session, actor, home.community_code, send.community_code):
        transfers = [_transfer(actor, send, one, on) for one in who]
        changes = [
            PlaceChange(
                one.id, on, reason_out=ReasonOut.MOVED_AWAY, to_community=send.community_code, to_place=send.place,
                transfer_id=transfer.id, transfer_status=transfer.status, keeps_registration=send.keeps_registration,
            )
            for one, transfer in zip(who, transfers, strict=True)
        ]  # fmt: skip
        demand_all(await change_places(session, actor.doer, home.community_code, changes))
        version = await areas.advance_clock(session, send.community_code)
        for transfer in transfers:
            transfer.version = version
        session.add_all(transfers)
        await session.flush()
        sent = [transfer.id for transfer in transfers]
        for code in sorted((home.community_code, send.community_code)):
            subjects = [household_id, *(one.id for one in who)] if code == home.community_code else sent
            await audit.append_entry(session, actor.doer, code, "send_members", subjects, send.model_dump())
    return [_transfer_read(transfer, names) for transfer in transfers]


def _transfer(actor: Actor, send: MembersSend, person: Resident, on: date) -> Transfer:
    facts = {
        "name": person.name, "sex": person.sex, "birth_on": person.birth_on, "workplace": person.workplace,
        "id_kind": person.id_kind, "id_number": crypto.open_text(person.id_sealed, people.RESIDENT_ID),
        "phone": crypto.open_text(person.phone_sealed, people.RESIDENT_PHONE), "tags": person.tags,
    }  # fmt: skip
    return Transfer(
        community_code=send.community_code, id=new_id(), from_community=person.community_code,
        from_resident_id=person.id, person_sealed=crypto.seal_text(orjson.dumps(facts).decode(), PERSON), left_on=on,
        place_sealed=crypto.seal_text(send.place or None, PLACE), is_registration_kept=send.keeps_registration,
        status=TransferStatus.WAITING, sent_by=actor.id, sent_by_name=actor.name, sent_at=now(),
    )  # fmt: skip


async def list_transfers(
    session: AsyncSession, actor: Actor, community_code: str, status: TransferStatus, limit: int, cursor: str | None
) -> tuple[list[TransferRead], str | None]:
    """People who are on their way into a community, or were, the oldest first."""
    actor.demand(community_code, DESK)
    statement = select(Transfer).where(
        col(Transfer.community_code) == community_code, col(Transfer.status) == status.value
    )
    if cursor:
        statement = statement.where(col(Transfer.id) > decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(Transfer.id)).limit(limit + 1))).all())
    names = await areas.name_divisions(
        session, sorted({code for t in rows for code in (t.from_community, t.community_code)})
    )
    items = [_transfer_read(transfer, names) for transfer in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def accept_transfer(
    session: AsyncSession, actor: Actor, transfer_id: UUID, accept: TransferAccept
) -> ResidentRead:
    """The person lives here from a day on, in a household that is there or a new one.

    Somebody who has lived here before is the same person again. Raises TransferDecided, and PersonHere where the ID
    number is that of somebody who lives here.
    """
    found = await _waiting(session, actor, transfer_id)
    async with _reaching(session, actor, found.community_code, found.from_community):
        await session.refresh(found)
        if found.status != TransferStatus.WAITING:
            raise TransferDecided
        facts = orjson.loads(crypto.open_text(found.person_sealed, PERSON) or "{}")
        person = PersonInput(
            **{key: facts[key] for key in ("name", "sex", "id_kind", "id_number", "phone", "workplace", "tags")},
            birth_on=date.fromisoformat(facts["birth_on"]) if facts["birth_on"] else None,
            relation=accept.relation or "", is_new=True,
        )  # fmt: skip
        on = max(accept.on or found.left_on, found.left_on)
        resident_id = await _settle(session, actor, found, person, accept, on)
        await _decide(session, actor, found, TransferStatus.ACCEPTED, resident_id)
        subjects = [found.id, resident_id]
        await _both_trails(session, actor, found, "accept_transfer", subjects, accept.model_dump())
        if found.is_registration_kept:
            await _register_elsewhere(session, actor, found, resident_id)
    return people.resident_read(await people.get_resident(session, actor, resident_id, DESK))


async def _settle(
    session: AsyncSession, actor: Actor, found: Transfer, person: PersonInput, accept: TransferAccept, on: date
) -> UUID:
    """Put the person into the household that takes them; answers under which id."""
    code = found.community_code
    if on > today():
        demand_all({found.id: "date_in_future"})
    known = await find_by_number(session, code, person.id_number)
    if known is not None and not known.is_gone:
        raise PersonHere
    if accept.household_id is not None:
        home, door = await people.get_household(session, actor, accept.household_id, DESK)
        if home.community_code != code:
            raise moving.OtherCommunity
    else:
        target = await moving.begin_household(session, actor.doer, code, accept.door or DoorIn(), person.name, None)
        home, door = await people.get_household(session, actor, target, DESK)
    if known is not None:
        change = PlaceChange(
            known.id, on, home.id, reason_in=ReasonIn.RETURNED, relation=accept.relation,
            from_community=found.from_community, from_resident_id=found.from_resident_id,
        )  # fmt: skip
        demand_all(await change_places(session, actor.doer, code, [change]))
        return known.id
    return await _add(session, actor, home, door, person, found, on)


async def _add(
    session: AsyncSession, actor: Actor, home: Household, door: Dwelling, person: PersonInput, found: Transfer, on: date
) -> UUID:
    person.id = new_id()
    given = HouseholdInput(id=home.id, head_name=home.head_name or person.name, persons=[person])
    where = DwellingInput(
        door.compound, door.building, door.stair, door.floor, door.room, door.address, households=[given]
    )
    await registry.put_dwellings(session, actor.doer, found.community_code, [where], None, is_entered=True)
    arrival = Arrival(
        person.id, on, ReasonIn.MOVED_IN, from_community=found.from_community, from_resident_id=found.from_resident_id
    )
    await begin_stays(session, actor.doer, found.community_code, [arrival])
    return person.id


async def _decide(
    session: AsyncSession, actor: Actor, found: Transfer, status: TransferStatus, resident_id: UUID | None
) -> None:
    """Close a transfer on both sides; the facts that travelled go."""
    found.status, found.resident_id, found.person_sealed = status, resident_id, None
    found.decided_by, found.decided_by_name, found.decided_at = actor.id, actor.name, now()
    found.version = await areas.advance_clock(session, found.community_code)
    left = (
        await session.scalars(
            select(Residence).where(
                col(Residence.community_code) == found.from_community,
                col(Residence.resident_id) == found.from_resident_id,
                col(Residence.transfer_id) == found.id,
            )
        )
    ).first()
    if left is not None:
        left.transfer_status, left.to_resident_id = status, resident_id
        left.version = await areas.advance_clock(session, found.from_community)


async def _register_elsewhere(session: AsyncSession, actor: Actor, found: Transfer, resident_id: UUID) -> None:
    """人户分离: who kept the registration in the community they left is registered elsewhere, here."""
    person = await people.get_resident(session, actor, resident_id, DESK)
    open_one = select(col(Residence.id)).where(
        col(Residence.community_code) == found.community_code, col(Residence.resident_id) == resident_id,
        col(Residence.kind) != ResidenceKind.LIVES_HERE, col(Residence.ended_on).is_(None),
    )  # fmt: skip
    if (await session.scalars(open_one)).first() is not None:
        return
    session.add(
        Residence(
            community_code=found.community_code,
            resident_id=resident_id,
            household_id=person.household_id,
            kind=ResidenceKind.REGISTERED_ELSEWHERE,
            to_community=found.from_community,
            to_resident_id=found.from_resident_id,
            started_by_name=actor.name,
            version=found.version,
        )
    )


async def decline_transfer(session: AsyncSession, actor: Actor, transfer_id: UUID, reason: str) -> None:
    """The person is not here: the committee they left hears it and finds them among its own again by a return."""
    found = await _waiting(session, actor, transfer_id)
    async with _reaching(session, actor, found.community_code, found.from_community):
        await session.refresh(found)
        if found.status != TransferStatus.WAITING:
            raise TransferDecided
        found.reason_sealed = crypto.seal_text(reason, REASON)
        await _decide(session, actor, found, TransferStatus.DECLINED, None)
        await _both_trails(session, actor, found, "decline_transfer", [found.id], reason)


async def return_resident(session: AsyncSession, actor: Actor, resident_id: UUID, back: ResidentReturn) -> ResidentRead:
    """A person who had left lives here again, or had never left. One who was on the way to another community is no
    longer. Raises Conflict: `not_gone` for one who is here, `accepted_elsewhere` for one who lives in another
    community by now and comes back the way they went.
    """
    person = await find_person(session, actor, resident_id)
    if not person.is_gone:
        demand_all({resident_id: "not_gone"})
    target = person.household_id
    if back.household_id not in (None, target) and not back.was_mistake:
        home, _ = await people.get_household(session, actor, back.household_id, DESK)
        if home.community_code != person.community_code:
            raise moving.OtherCommunity
        target = home.id
    await _withdraw(session, actor, person)
    change = PlaceChange(
        person.id, back.on or today(), target, reason_in=ReasonIn.RETURNED, is_mistake=back.was_mistake
    )
    demand_all(await change_places(session, actor.doer, person.community_code, [change]))
    subjects = [resident_id, target]
    await audit.append_entry(session, actor.doer, person.community_code, "return_resident", subjects, back.model_dump())
    return people.resident_read(person)


async def _withdraw(session: AsyncSession, actor: Actor, person: Resident) -> None:
    """Before the clock of the person's own community is taken: clocks go in code order."""
    statement = select(Residence).where(
        col(Residence.community_code) == person.community_code, col(Residence.resident_id) == person.id,
        col(Residence.transfer_id).is_not(None),
    ).order_by(col(Residence.id).desc())  # fmt: skip
    left = (await session.scalars(statement)).first()
    if left is None or left.to_community is None:
        return
    async with _reaching(session, actor, person.community_code, left.to_community):
        found = await session.get(Transfer, (left.to_community, left.transfer_id), populate_existing=True)
        if found is None or found.status in (TransferStatus.DECLINED, TransferStatus.WITHDRAWN):
            return
        if found.status == TransferStatus.ACCEPTED:
            raise AcceptedElsewhere
        await _decide(session, actor, found, TransferStatus.WITHDRAWN, None)
        await session.flush()
        await audit.append_entry(session, actor.doer, found.community_code, "withdraw_transfer", [found.id])


async def _waiting(session: AsyncSession, actor: Actor, transfer_id: UUID) -> Transfer:
    """A transfer into a community where the actor has a desk."""
    statement = select(Transfer).where(
        col(Transfer.id) == transfer_id, in_scope(col(Transfer.community_code), actor, DESK)
    )
    found = (await session.scalars(statement)).first()
    if found is None:
        raise NotFound
    if found.status != TransferStatus.WAITING:
        raise TransferDecided
    return found


async def _both_trails(
    session: AsyncSession, actor: Actor, found: Transfer, action: str, subjects: Sequence[UUID], what: object
) -> None:
    await session.flush()
    for code in sorted((found.community_code, found.from_community)):
        theirs = subjects if code == found.community_code else [found.from_resident_id]
        await audit.append_entry(session, actor.doer, code, action, theirs, what)


async def move_resident(session: AsyncSession, actor: Actor, resident_id: UUID, move: ResidentMove) -> ResidentRead:
    """A person lives in another household from a day on. Into another community in one step, sent and accepted, by who
    has a desk over both; a household outside the actor's desks does not exist (NotFound)."""
    person = await find_person(session, actor, resident_id)
    if person.is_gone:
        demand_all({resident_id: "already_gone"})
    target = None
    if move.household_id is not None:
        target, _ = await people.get_household(session, actor, move.household_id, DESK)
    if target is None or target.community_code == person.community_code:
        return await moving.move_resident(session, actor, person, move)
    send = MembersSend(
        resident_ids=[person.id], community_code=target.community_code, on=move.on,
        keeps_registration=move.keeps_registration,
    )  # fmt: skip
    (sent,) = await send_members(session, actor, person.household_id, send)
    accept = TransferAccept(household_id=target.id, relation=move.relation)
    return await accept_transfer(session, actor, sent.id, accept)


def _transfer_read(found: Transfer, names: dict[str, str]) -> TransferRead:
    facts = orjson.loads(crypto.open_text(found.person_sealed, PERSON) or "{}")
    born = facts.get("birth_on")
    return TransferRead(
        **found.model_dump(
            include={"id", "community_code", "from_community", "left_on", "is_registration_kept", "status",
                     "resident_id", "sent_by_name", "sent_at", "decided_at"}
        ),
        community_name=names.get(found.community_code, ""),
        from_community_name=names.get(found.from_community, ""),
        name=facts.get("name"),
        sex=facts.get("sex"),
        birth_year=int(born[:4]) if born else None,
        id_masked=crypto.mask_id(facts.get("id_number")),
        place=crypto.open_text(found.place_sealed, PLACE),
        reason=crypto.open_text(found.reason_sealed, REASON),
        decided_by_name=found.decided_by_name or None,
    )  # fmt: skip
