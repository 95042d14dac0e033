"""Shapes of the registry. A masked ID and a birth date are never answered together."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.people.models import HouseholdKind, HouseholdTag, IdKind, Sex

Short = Annotated[str, StringConstraints(max_length=60, strip_whitespace=True)]
Address = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
Phone = Annotated[str, StringConstraints(pattern=r"^(1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|[0-9]{7,8})$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
IdNumber = Annotated[str, StringConstraints(min_length=5, max_length=30, pattern=r"^[0-9A-Za-z()]+$")]
Tags = Annotated[list[HouseholdTag], Field(max_length=len(HouseholdTag))]


class Strict(BaseModel):
    """Input that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class ResidentCreate(Strict):
    """A new member of a household."""

    name: Name
    sex: Sex = Sex.UNKNOWN
    birth_on: date | None = None
    relation: Short = ""
    phone: Phone | None = None
    id_kind: IdKind = IdKind.NONE
    id_number: IdNumber | None = None


class ResidentUpdate(Strict):
    """Changed facts of a resident; what is not named stays. `reason` is why, for the person's access log."""

    name: Name | None = None
    sex: Sex | None = None
    birth_on: date | None = None
    relation: Short | None = None
    phone: Phone | None = None
    reason: Annotated[str, StringConstraints(min_length=2, max_length=200, strip_whitespace=True)] | None = None


class ResidentRead(BaseModel):
    """A resident, masked."""

    id: UUID
    household_id: UUID
    name: str
    sex: int
    birth_year: int | None
    age: int | None
    relation: str
    id_kind: IdKind
    id_masked: str | None
    phone_masked: str | None
    needs_id_check: bool
    tags: list[str]


class ResidentFound(BaseModel):
    """A person a search has found, with the door, masked; `matched` says by what."""

    id: UUID
    household_id: UUID
    community_code: str
    name: str
    head_name: str
    sex: int
    birth_year: int | None
    age: int | None
    relation: str
    id_kind: IdKind
    id_masked: str | None
    phone_masked: str | None
    tags: list[str]
    compound: str
    building: str
    stair: str
    room: str
    address: str
    matched: Literal["id_number", "phone", "name", "initials", "pinyin", "address", "tag"]


class ResidentFoundPage(BaseModel):
    """A page of people found, the surest match first."""

    items: list[ResidentFound]
    next_cursor: str | None


class RosterRow(BaseModel):
    """A person with the door, or a door nobody is registered behind (`id` null), masked."""

    community_code: str
    dwelling_id: UUID
    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    address: str
    is_vacant: bool
    household_id: UUID | None
    head_name: str | None
    household_phone_masked: str | None
    id: UUID | None
    name: str | None
    sex: int | None
    birth_year: int | None
    age: int | None
    relation: str | None
    workplace: str | None
    id_kind: IdKind | None
    id_masked: str | None
    phone_masked: str | None
    needs_id_check: bool | None
    tags: list[str]


class RosterPage(BaseModel):
    """A page of a roster, in the order of doors; it may be short and yet have a next one."""

    items: list[RosterRow]
    next_cursor: str | None


class ResidentPage(BaseModel):
    """A page of residents."""

    items: list[ResidentRead]
    next_cursor: str | None


class HouseholdCreate(Strict):
    """A new household with its door and people; `id` from a client makes a second send harmless."""

    id: UUID | None = None
    community_code: Code
    compound: Short = ""
    building: Short = ""
    stair: Short = ""
    room: Short = ""
    address: Address = ""
    kind: HouseholdKind = HouseholdKind.FAMILY
    phone: Phone | None = None
    tags: Tags = []
    note: Note | None = None
    residents: Annotated[list[ResidentCreate], Field(max_length=200)] = []


class HouseholdUpdate(Strict):
    """Changed facts of a household; what is not named stays, an empty note is taken away."""

    phone: Phone | None = None
    tags: Tags | None = None
    note: Note | None = None


class HouseholdRead(BaseModel):
    """A household and its door, masked."""

    id: UUID
    community_code: str
    dwelling_id: UUID
    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    address: str
    kind: HouseholdKind
    head_name: str
    phone_masked: str | None
    tags: list[HouseholdTag]
    note: str | None
    resident_count: int
    responsibility_area_id: UUID | None
    version: int


class HouseholdName(BaseModel):
    """What a household is called in lists of other rooms."""

    address: str
    head_name: str


class HouseholdPage(BaseModel):
    """A page of households in the order of their doors."""

    items: list[HouseholdRead]
    next_cursor: str | None


class BuildingRead(BaseModel):
    """A building (in a village: a lane) and what is in it."""

    compound: str
    building: str
    stairs: list[str]
    dwelling_count: int
    household_count: int
    resident_count: int
    vacant_count: int
    unassigned_count: int


class BuildingPage(BaseModel):
    """A community's buildings."""

    items: list[BuildingRead]
    next_cursor: str | None


class DoorRead(BaseModel):
    """A door on a facade."""

    dwelling_id: UUID
    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    address: str
    is_vacant: bool
    household_count: int
    resident_count: int
    responsibility_area_id: UUID | None


class DoorPage(BaseModel):
    """The doors of a building, at most 2,000."""

    items: list[DoorRead]
    next_cursor: str | None


class ResidentChanges(Strict):
    """Facts of a person that a phone changes; what is not named stays, an empty number is taken away."""

    name: Name | None = None
    sex: Sex | None = None
    birth_on: date | None = None
    relation: Short | None = None
    phone: Phone | Literal[""] | None = None


class HouseholdChanges(Strict):
    """Facts of a household that a phone changes; what is not named stays, an empty one is taken away."""

    phone: Phone | Literal[""] | None = None
    tags: Tags | None = None
    note: Note | None = None


Version = Annotated[int, Field(ge=0, le=2**62)]


class UpdateResidentPayload(Strict):
    """Payload of `people.update_resident`; `base_version` is the area's version on the phone when it was written."""

    household_id: UUID
    resident_id: UUID
    base_version: Version
    changes: ResidentChanges


class UpdateHouseholdPayload(Strict):
    """Payload of `people.update_household`."""

    household_id: UUID
    base_version: Version
    changes: HouseholdChanges


class AddResidentPayload(Strict):
    """Payload of `people.add_resident`. The phone makes the person's id, so that a second try under another command's
    id is the same person; without it the command's id becomes the person's."""

    household_id: UUID
    resident_id: UUID | None = None
    name: Name
    sex: Sex = Sex.UNKNOWN
    birth_on: date | None = None
    relation: Short = ""
    phone: Phone | Literal[""] | None = None


class ConflictSide(BaseModel):
    """One of the two values of a conflict, and who wrote it when."""

    value: str | list[str] | None
    actor_name: str
    at: datetime


class ConflictRead(BaseModel):
    """A fact that two people changed apart; numbers masked, of a birth date the year."""

    id: UUID
    community_code: str
    subject: Literal["household", "resident"]
    subject_id: UUID
    household_id: UUID
    address: str
    head_name: str
    resident_name: str | None
    field: str
    server: ConflictSide
    phone: ConflictSide
    filed_at: datetime


class ConflictPage(BaseModel):
    """A page of open conflicts, the oldest first."""

    items: list[ConflictRead]
    next_cursor: str | None


class ConflictDecision(Strict):
    """Which value of a conflict stands."""

    keep: Literal["server", "phone"]
