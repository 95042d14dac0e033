"""Shapes of privacy."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.followups.models import FindingReason, FindingSource, FollowUpOutcome
from app.not_home.models import SelfReportStatus
from app.people.models import HouseholdTag, IdKind
from app.privacy.models import AccessKind, DeletionKind
from app.questions.schemas import AnswerRead
from app.residence.models import TenureKind
from app.residence.schemas import ResidenceRead

RevealField = Literal["id_number", "phone"]
Purpose = Annotated[str, StringConstraints(min_length=2, max_length=200, strip_whitespace=True)]


class RevealRequest(BaseModel):
    """Which full numbers, and what for: read later by the committee and by the person."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[RevealField], Field(min_length=1, max_length=2)]
    purpose: Purpose


class RevealRead(BaseModel):
    """Full numbers; what was not asked for or is not known is null."""

    id: UUID
    resident_id: UUID
    id_kind: IdKind | None
    id_number: str | None
    phone: str | None
    at: datetime


class RevealItem(BaseModel):
    """Who read whose full numbers (or printed all of it), when and why."""

    id: UUID
    kind: AccessKind
    at: datetime
    actor_id: UUID
    actor_name: str
    resident_id: UUID
    household_id: UUID
    resident_name: str
    fields: list[str]
    purpose: str


class RevealPage(BaseModel):
    """A page of reveals, newest first."""

    items: list[RevealItem]
    next_cursor: str | None


class AccessRead(BaseModel):
    """One line of a person's access log; `until` is the end of carrying, null while it goes on."""

    at: datetime
    action: str
    actor_name: str
    fields: list[str]
    purpose: str | None
    until: datetime | None


class AccessPage(BaseModel):
    """A page of a person's access log, newest first."""

    items: list[AccessRead]
    next_cursor: str | None


class CopyDoorVisit(BaseModel):
    """A knock, with what was said of this person."""

    recorded_at: datetime
    actor_name: str
    outcome: str
    status: str | None
    temperature_c: float | None
    symptoms: list[str]
    risk_area: bool | None
    note: str | None
    # of this person, and of the household as a whole
    answers: list[AnswerRead]
    delete_by: date


class CopyCareVisit(BaseModel):
    """A care visit to this person or to the household."""

    recorded_at: datetime
    actor_name: str
    condition: str
    needs: list[str]
    note: str | None
    next_on: date | None
    delete_by: date


class CopyTenure(BaseModel):
    """What a household they lived in is or was to its dwelling."""

    kind: TenureKind
    landlord_name: str
    started_on: date | None
    ended_on: date | None


class CopyFinding(BaseModel):
    """What was found of the person, above threshold."""

    recorded_at: datetime
    source: FindingSource
    reasons: list[FindingReason]
    temperature_c: float | None
    symptoms: list[str]
    risk_area: bool | None
    delete_by: date


class CopyFollowUp(BaseModel):
    """Somebody has seen, or is to see, to the person."""

    opened_at: datetime
    owner_name: str | None
    outcome: FollowUpOutcome | None
    note: str | None
    closed_at: datetime | None
    closed_by_name: str | None
    findings: list[CopyFinding]


class CopySelfReport(BaseModel):
    """What the household reported by its code, with what it said of this person; `settled`: what became of it."""

    reported_at: datetime
    settled: SelfReportStatus
    status: str | None
    temperature_c: float | None
    symptoms: list[str]
    risk_area: bool | None
    note: str | None
    delete_by: date


class CopyPhoto(BaseModel):
    """That a photo of the household's door was taken; the picture is shown at the desk."""

    taken_at: datetime
    actor_name: str
    is_deleted: bool
    delete_by: date


class CopyConflict(BaseModel):
    """Two values for one fact: the registry's and a phone's, and which of them was kept; null: not decided."""

    field: str
    server: str | None
    phone: str | None
    actor_name: str
    recorded_at: datetime
    kept: Literal["server", "phone"] | None


class CopyRead(BaseModel):
    """What a community holds about a person, unmasked, for the person: of each household they lived in what was said
    while they did. Who saw it is the access log."""

    at: datetime
    actor_name: str
    resident_id: UUID
    community_code: str
    is_gone: bool
    name: str
    sex: int
    birth_on: date | None
    relation: str
    workplace: str
    id_kind: IdKind
    id_number: str | None
    phone: str | None
    tags: list[str]
    needs_id_check: bool
    updated_at: datetime
    compound: str
    building: str
    stair: str
    room: str
    address: str
    head_name: str
    household_phone: str | None
    household_tags: list[HouseholdTag]
    household_note: str | None
    door_visits: list[CopyDoorVisit]
    care_visits: list[CopyCareVisit]
    residences: list[ResidenceRead]
    tenures: list[CopyTenure]
    follow_ups: list[CopyFollowUp]
    self_reports: list[CopySelfReport]
    photos: list[CopyPhoto]
    conflicts: list[CopyConflict]


class RetentionRead(BaseModel):
    """How long a kind of data is kept, what for, and which document says so."""

    kind: DeletionKind
    fields: list[str]
    purpose: str
    days: int
    effective_on: date
    source: str


class RetentionPage(BaseModel):
    """All kinds of data that have an end."""

    items: list[RetentionRead]
    next_cursor: str | None


class DeletionRead(BaseModel):
    """That something was deleted: how many of which kind, up to which day, by which rule."""

    id: UUID
    community_code: str
    kind: DeletionKind
    deleted_count: int
    upto: date
    days: int
    effective_on: date
    source: str
    deleted_at: datetime


class DeletionPage(BaseModel):
    """A page of deletion records, newest first."""

    items: list[DeletionRead]
    next_cursor: str | None
