"""Shapes of people over time. Places outside one's scope are answered by the name of their community, no more."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from app.core.area_code import Code
from app.people.schemas import Address, Name, Note, Phone, ResidentCreate, Short, Strict, Tags
from app.residence.models import ReasonIn, ReasonOut, ResidenceKind, TenureKind, TransferStatus

Place = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Several = Annotated[list[UUID], Field(min_length=1, max_length=200)]
LeaveReason = Literal["moved_away", "died", "not_living_here"]


class DoorIn(Strict):
    """A door by its parts or its free address; one that is not known yet is added."""

    compound: Short = ""
    building: Short = ""
    stair: Short = ""
    room: Short = ""
    address: Address = ""


class _Target(Strict):
    """A household that is there, or a door behind which a new one begins."""

    household_id: UUID | None = None
    door: DoorIn | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> "_Target":
        """Exactly one of the two."""
        if (self.household_id is None) == (self.door is None):
            raise ValueError("household_id or door")
        return self


class ResidentMove(_Target):
    """Where a person lives from a day on (today when left out); `relation` to the head there."""

    on: date | None = None
    relation: Short | None = None
    keeps_registration: bool = False


class MembersMove(_Target):
    """Where these members of a household live from a day on."""

    resident_ids: Several
    on: date | None = None
    keeps_registration: bool = False


class ResidentLeave(Strict):
    """Why and when a person no longer lives in the community; `place` says where to, in words."""

    reason: LeaveReason
    on: date | None = None
    place: Place = ""
    keeps_registration: bool = False


class MembersLeave(ResidentLeave):
    """The same for several members of a household."""

    resident_ids: Several


class ResidentReturn(Strict):
    """A person who had left lives here again, in the same household unless another is named; or never left at all
    (`was_mistake`): then the leaving is taken back."""

    on: date | None = None
    household_id: UUID | None = None
    was_mistake: bool = False


class ArrivalIn(Strict):
    """A person who comes into a household from outside the registry: born, moved in, or found living there."""

    person: ResidentCreate
    reason: Literal["born", "moved_in", "found"]
    on: date | None = None
    place: Place = ""


class HouseholdSplit(Strict):
    """The members who form a household of their own, behind the same door unless another is named."""

    resident_ids: Several
    head_id: UUID | None = None
    door: DoorIn | None = None
    on: date | None = None


class HouseholdMerge(Strict):
    """The household into which all members go; the one they leave is closed."""

    into_household_id: UUID
    on: date | None = None


class MembersSend(Strict):
    """Members who go to another community, whose committee will accept them."""

    resident_ids: Several
    community_code: Code
    on: date | None = None
    place: Place = ""
    keeps_registration: bool = False


class Destination(BaseModel):
    """A community to which people may be sent, and where it lies."""

    code: str
    name: str
    town: str
    district: str


class DestinationList(BaseModel):
    """Communities of a name."""

    items: list[Destination]
    next_cursor: str | None


class TransferAccept(_Target):
    """Where the person lives from now on."""

    on: date | None = None
    relation: Short | None = None


class TransferDecline(Strict):
    """Why the person is not here."""

    reason: Annotated[str, StringConstraints(min_length=2, max_length=200, strip_whitespace=True)]


class TransferRead(BaseModel):
    """A person on the way from one community to another; the number masked, the birth date as a year."""

    id: UUID
    community_code: str
    community_name: str
    from_community: str
    from_community_name: str
    name: str | None
    sex: int | None
    birth_year: int | None
    id_masked: str | None
    left_on: date
    place: str | None
    is_registration_kept: bool
    status: TransferStatus
    reason: str | None
    resident_id: UUID | None
    sent_by_name: str
    sent_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None


class TransferPage(BaseModel):
    """A page of transfers, the oldest first."""

    items: list[TransferRead]
    next_cursor: str | None


class ResidenceRead(BaseModel):
    """A stay or a registration. `started_on` null: nobody knows since when; `ended_on` null: still. Without an id it
    follows from the registry alone. Of a place outside one's scope only its community is named."""

    id: UUID | None
    community_code: str
    community_name: str
    household_id: UUID | None
    address: str | None
    resident_id: UUID
    name: str
    relation: str
    kind: ResidenceKind
    started_on: date | None
    ended_on: date | None
    reason_in: ReasonIn | None
    reason_out: ReasonOut | None
    from_community: str | None
    from_community_name: str | None
    from_place: str | None
    to_community: str | None
    to_community_name: str | None
    to_place: str | None
    transfer_status: TransferStatus | None
    by_name: str | None


class ResidencePage(BaseModel):
    """A page of stays, the present ones first, then the newest."""

    items: list[ResidenceRead]
    next_cursor: str | None


class EventPerson(BaseModel):
    """Somebody an event is about; `status` is what was answered for them at the door."""

    resident_id: UUID
    name: str
    status: str | None


class TimelineEvent(BaseModel):
    """Something that happened to a household: people came, went, were born, died; somebody knocked or called on them;
    what they are to the dwelling changed. `on` is the day it happened, `at` when it was written down or done."""

    id: UUID
    event: Literal[
        "moved_in", "born", "returned", "found", "split_in", "merged_in",
        "moved", "moved_away", "died", "not_living_here", "split_out", "merged_out",
        "registered", "deregistered", "tenure", "door_visit", "care_visit",
    ]  # fmt: skip
    on: date
    at: datetime
    by_name: str
    persons: list[EventPerson]
    outcome: str | None
    place: str | None
    community_name: str | None


class TimelinePage(BaseModel):
    """A page of events, the newest first."""

    items: list[TimelineEvent]
    next_cursor: str | None


class RegistrationIn(Strict):
    """Where a person's 户口 is: in a household of this community, elsewhere (in words), or nobody knows (neither)."""

    household_id: UUID | None = None
    place: Place = ""
    since_on: date | None = None


class TenureIn(Strict):
    """What a household is to its dwelling from a day on, and whom to ring about the flat."""

    kind: TenureKind
    landlord_name: Annotated[str, StringConstraints(max_length=60, strip_whitespace=True)] = ""
    landlord_phone: Phone | None = None
    since_on: date | None = None


class TenureRead(BaseModel):
    """A tenure, the landlord's number masked."""

    id: UUID
    household_id: UUID
    kind: TenureKind
    landlord_name: str
    landlord_phone_masked: str | None
    started_on: date | None
    ended_on: date | None
    recorded_by_name: str


class TenurePage(BaseModel):
    """A household's tenures, the present one first."""

    items: list[TenureRead]
    next_cursor: str | None


class MarkResidentGonePayload(Strict):
    """Payload of `people.mark_resident_gone`."""

    household_id: UUID
    resident_id: UUID
    reason: LeaveReason
    on: date | None = None
    place: Place = ""


class FoundPerson(Strict):
    """A person found behind a door; the id was made on the phone."""

    id: UUID
    name: Name
    sex: Annotated[int, Field(ge=0, le=9)] = 0
    birth_on: date | None = None
    relation: Short = ""
    phone: Phone | Literal[""] | None = None


class FoundDoor(DoorIn):
    """A door nobody had registered, as a phone that stands before it says."""

    floor: Annotated[int, Field(ge=-9, le=200)] | None = None


class AddHouseholdPayload(Strict):
    """Payload of `people.add_household`; the ids of household and people were made on the phone. The door is a known
    one (`dwelling_id`) or a new one by its parts, which joins the responsibility area that found it."""

    household_id: UUID
    responsibility_area_id: UUID | None = None
    dwelling_id: UUID | None = None
    door: FoundDoor | None = None
    phone: Phone | Literal[""] | None = None
    tags: Tags = Field(default_factory=list)
    note: Note | None = None
    residents: Annotated[list[FoundPerson], Field(max_length=50)] = Field(default_factory=list)
