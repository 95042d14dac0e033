"""HTTP of the registry, for desks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.auth.guards import DeskActor, OverseerActor, Session
from app.core.area_code import Code
from app.people import edits, listing, registry, search, service
from app.people.models import HouseholdTag
from app.people.schemas import (
    BuildingPage,
    ConflictDecision,
    ConflictPage,
    DoorPage,
    HouseholdPage,
    HouseholdRead,
    HouseholdUpdate,
    ResidentCreate,
    ResidentFoundPage,
    ResidentPage,
    ResidentRead,
    ResidentUpdate,
    RosterPage,
)
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase

router = APIRouter(tags=["people"], responses=COMMON_PROBLEMS)

Word = Annotated[str, Query(max_length=60)]
OptionalWord = Annotated[str | None, Query(max_length=60)]


@router.get("/buildings")
async def list_buildings(actor: OverseerActor, session: Session, community_code: Code) -> BuildingPage:
    """A community's buildings and what is in them."""
    return BuildingPage(items=await service.list_buildings(session, actor, community_code), next_cursor=None)


@router.get("/buildings/doors")
async def list_doors(
    actor: OverseerActor, session: Session, community_code: Code, building: Word, compound: Word = ""
) -> DoorPage:
    """The doors of one building, as on its facade."""
    items = await service.list_doors(session, actor, community_code, compound, building)
    return DoorPage(items=items, next_cursor=None)


@router.get("/households")
async def list_households(
    actor: OverseerActor,
    session: Session,
    community_code: Code,
    compound: OptionalWord = None,
    building: OptionalWord = None,
    stair: OptionalWord = None,
    q: Annotated[str | None, Query(max_length=60, description="Name, pinyin initials or room.")] = None,
    tag: HouseholdTag | None = None,
    responsibility_area_id: UUID | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> HouseholdPage:
    """A community's households in the order of their doors."""
    wanted = service.HouseholdFilter(compound, building, stair, q, tag, responsibility_area_id)
    items, more = await service.list_households(session, actor, community_code, wanted, limit, cursor)
    return HouseholdPage(items=items, next_cursor=more)


@router.get("/households/{household_id}")
async def get_household(actor: OverseerActor, session: Session, household_id: UUID) -> HouseholdRead:
    """One household."""
    return service.household_read(*await service.get_household(session, actor, household_id))


@router.patch("/households/{household_id}")
async def update_household(
    actor: DeskActor, session: Session, household_id: UUID, body: HouseholdUpdate
) -> HouseholdRead:
    """Correct a household's phone, tags or note."""
    return await edits.update_household(session, actor, household_id, body)


@router.get("/households/{household_id}/residents")
async def list_residents(actor: OverseerActor, session: Session, household_id: UUID) -> ResidentPage:
    """The people of a household."""
    return ResidentPage(items=await service.list_residents(session, actor, household_id), next_cursor=None)


@router.post("/households/{household_id}/residents", status_code=201)
async def create_resident(actor: DeskActor, session: Session, household_id: UUID, body: ResidentCreate) -> ResidentRead:
    """Add a person to a household."""
    return await registry.create_resident(session, actor, household_id, body)


@router.get("/residents")
async def search_residents(
    actor: DeskActor,
    database: OpenDatabase,
    q: Annotated[str, Query(max_length=60, description="Name, pinyin, address, phone or ID number.")] = "",
    area: Annotated[Code | None, Query(description="Where; without it one's own desk.")] = None,
    tag: HouseholdTag | None = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ResidentFoundPage:
    """People in a division who fit what was typed, the surest match first, masked."""
    items, more = await search.search_residents(database, actor, area, q, tag, limit, cursor)
    return ResidentFoundPage(items=items, next_cursor=more)


@router.get("/roster")
async def list_roster(
    actor: DeskActor,
    database: OpenDatabase,
    area: Annotated[Code, Query(description="A division code of any level.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> RosterPage:
    """The registry of a division as a roster: one row a person, in the order of doors, masked."""
    items, more = await listing.list_roster(database, actor, area, limit, cursor)
    return RosterPage(items=items, next_cursor=more)


@router.patch("/residents/{resident_id}")
async def update_resident(actor: DeskActor, session: Session, resident_id: UUID, body: ResidentUpdate) -> ResidentRead:
    """Correct a resident's facts."""
    return await edits.update_resident(session, actor, resident_id, body)


@router.get("/conflicts")
async def list_conflicts(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> ConflictPage:
    """Facts that two people changed apart, open ones, oldest first."""
    items, more = await edits.list_conflicts(session, actor, community_code, limit, cursor)
    return ConflictPage(items=items, next_cursor=more)


@router.post("/conflicts/{conflict_id}/resolve", status_code=204)
async def resolve_conflict(actor: DeskActor, session: Session, conflict_id: UUID, body: ConflictDecision) -> None:
    """Say which of the two values stands; the other one is kept in the conflict's record."""
    await edits.resolve_conflict(session, actor, conflict_id, body.keep)
