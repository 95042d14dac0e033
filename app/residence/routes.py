"""HTTP of people over time, for desks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, Session
from app.core.area_code import Code
from app.people.schemas import HouseholdCreate, HouseholdRead, ResidentRead
from app.residence import entry, moving, timeline, transfers
from app.residence.models import ResidenceKind, TransferStatus
from app.residence.schemas import (
    ArrivalIn,
    DestinationList,
    HouseholdMerge,
    HouseholdSplit,
    MembersLeave,
    MembersMove,
    MembersSend,
    RegistrationIn,
    ResidencePage,
    ResidentLeave,
    ResidentMove,
    ResidentReturn,
    TenureIn,
    TenurePage,
    TenureRead,
    TimelinePage,
    TransferAccept,
    TransferDecline,
    TransferPage,
)
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

router = APIRouter(tags=["residence"], responses=COMMON_PROBLEMS)


@router.post("/households", status_code=201)
async def create_household(actor: DeskActor, session: Session, body: HouseholdCreate) -> HouseholdRead:
    """Add a household with its door and people."""
    return await entry.create_household(session, actor, body)


@router.get("/households/{household_id}/residences")
async def list_household_residences(
    actor: DeskActor, session: Session, household_id: UUID, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> ResidencePage:
    """Who lives in a household, who is registered there, and who did; of a closed one too."""
    items, more = await timeline.list_household_residences(session, actor, household_id, limit, cursor)
    return ResidencePage(items=items, next_cursor=more)


@router.get("/households/{household_id}/timeline")
async def get_timeline(
    actor: DeskActor, session: Session, household_id: UUID, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> TimelinePage:
    """What happened to a household, newest first; of a closed one too."""
    items, more = await timeline.get_timeline(session, actor, household_id, limit, cursor)
    return TimelinePage(items=items, next_cursor=more)


@router.post("/households/{household_id}/arrivals", status_code=201)
async def add_arrival(actor: DeskActor, session: Session, household_id: UUID, body: ArrivalIn) -> ResidentRead:
    """Somebody who was not in the registry comes into a household: born, moved in, found living there."""
    return await moving.add_arrival(session, actor, household_id, body)


@router.post("/households/{household_id}/move")
async def move_members(actor: DeskActor, session: Session, household_id: UUID, body: MembersMove) -> HouseholdRead:
    """Members move into another household of the community or behind another door; answers where they live now."""
    return await moving.move_members(session, actor, household_id, body)


@router.post("/households/{household_id}/leave")
async def leave_members(actor: DeskActor, session: Session, household_id: UUID, body: MembersLeave) -> HouseholdRead:
    """Members live in the community no longer; the last one's leaving closes the household."""
    return await moving.leave_members(session, actor, household_id, body)


@router.post("/households/{household_id}/split")
async def split_household(
    actor: DeskActor, session: Session, household_id: UUID, body: HouseholdSplit
) -> HouseholdRead:
    """Some members form a household of their own; answers it."""
    return await moving.split_household(session, actor, household_id, body)


@router.post("/households/{household_id}/merge")
async def merge_households(
    actor: DeskActor, session: Session, household_id: UUID, body: HouseholdMerge
) -> HouseholdRead:
    """All members go into another household; answers the one that goes on."""
    return await moving.merge_households(session, actor, household_id, body)


@router.post("/households/{household_id}/send", status_code=201)
async def send_members(actor: DeskActor, session: Session, household_id: UUID, body: MembersSend) -> TransferPage:
    """Members leave for another community, whose committee will accept them."""
    return TransferPage(items=await transfers.send_members(session, actor, household_id, body), next_cursor=None)


@router.get("/households/{household_id}/tenures")
async def list_tenures(actor: DeskActor, session: Session, household_id: UUID) -> TenurePage:
    """What a household is to its dwelling, and was."""
    return TenurePage(items=await entry.list_tenures(session, actor, household_id), next_cursor=None)


@router.put("/households/{household_id}/tenure")
async def set_tenure(actor: DeskActor, session: Session, household_id: UUID, body: TenureIn) -> TenureRead:
    """Say what a household is to its dwelling, and whom to ring about the flat."""
    return await entry.set_tenure(session, actor, household_id, body)


@router.get("/residents/{resident_id}/residences")
async def list_resident_residences(
    actor: DeskActor, session: Session, resident_id: UUID, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> ResidencePage:
    """Where a person has lived and is registered, across communities as far as one's scope reaches."""
    items, more = await timeline.list_resident_residences(session, actor, resident_id, limit, cursor)
    return ResidencePage(items=items, next_cursor=more)


@router.post("/residents/{resident_id}/move")
async def move_resident(actor: DeskActor, session: Session, resident_id: UUID, body: ResidentMove) -> ResidentRead:
    """A person lives in another household from a day on; in another community, for who has a desk over both."""
    return await transfers.move_resident(session, actor, resident_id, body)


@router.post("/residents/{resident_id}/leave")
async def leave_resident(actor: DeskActor, session: Session, resident_id: UUID, body: ResidentLeave) -> ResidentRead:
    """A person lives in the community no longer: moved away, died, or does not live here."""
    return await moving.leave_resident(session, actor, resident_id, body)


@router.post("/residents/{resident_id}/return")
async def return_resident(actor: DeskActor, session: Session, resident_id: UUID, body: ResidentReturn) -> ResidentRead:
    """A person who had left lives here again, or had never left."""
    return await transfers.return_resident(session, actor, resident_id, body)


@router.put("/residents/{resident_id}/registration", status_code=204)
async def set_registration(actor: DeskActor, session: Session, resident_id: UUID, body: RegistrationIn) -> None:
    """Say where a person's 户口 is."""
    await entry.set_registration(session, actor, resident_id, body)


@router.get("/registrations")
async def list_separated(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    kind: Annotated[
        ResidenceKind | None, Query(description="registered_here, registered_elsewhere; none: both.")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ResidencePage:
    """人户分离: who is registered in a community and lives elsewhere, or lives here and is registered elsewhere."""
    items, more = await timeline.list_separated(session, actor, community_code, kind, limit, cursor)
    return ResidencePage(items=items, next_cursor=more)


@router.get("/transfers")
async def list_transfers(
    actor: DeskActor,
    session: Session,
    community_code: Code,
    status: TransferStatus = TransferStatus.WAITING,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> TransferPage:
    """People other communities have sent here, the oldest first."""
    items, more = await transfers.list_transfers(session, actor, community_code, status, limit, cursor)
    return TransferPage(items=items, next_cursor=more)


@router.get("/transfers/destinations")
async def list_destinations(
    actor: DeskActor, session: Session, name: Annotated[str, Query(min_length=1, max_length=60)]
) -> DestinationList:
    """Communities of this name, with or without 居委会 or 村委会: where people may be sent."""
    return DestinationList(items=await transfers.list_destinations(session, actor, name), next_cursor=None)


@router.post("/transfers/{transfer_id}/accept")
async def accept_transfer(actor: DeskActor, session: Session, transfer_id: UUID, body: TransferAccept) -> ResidentRead:
    """The person lives here now, in a household that is there or a new one."""
    return await transfers.accept_transfer(session, actor, transfer_id, body)


@router.post("/transfers/{transfer_id}/decline", status_code=204)
async def decline_transfer(actor: DeskActor, session: Session, transfer_id: UUID, body: TransferDecline) -> None:
    """The person is not here; the committee they left hears why."""
    await transfers.decline_transfer(session, actor, transfer_id, body.reason)
