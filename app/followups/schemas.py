"""Shapes of follow-ups."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.followups.models import FindingReason, FindingSource, FollowUpOutcome


class FollowUpOwner(BaseModel):
    """Who sees to it: the committee until one person takes it."""

    kind: Literal["committee", "person"]
    id: UUID | None
    name: str


class FollowUpRead(BaseModel):
    """A follow-up as its desk reads it. Findings are those of the newest that counts, empty once their day has come."""

    id: UUID
    community_code: str
    household_id: UUID
    address: str
    head_name: str
    resident_id: UUID
    resident_name: str
    round_id: UUID
    opened_at: datetime
    found_at: datetime
    found_by: str
    source: FindingSource
    is_self_reported: bool
    finding_count: int
    reasons: list[FindingReason]
    temperature_c: float | None
    symptoms: list[str]
    risk_area: bool | None
    owner: FollowUpOwner
    taken_at: datetime | None
    outcome: FollowUpOutcome | None
    note: str | None
    closed_at: datetime | None
    closed_by_name: str | None


class FollowUpPage(BaseModel):
    """A page of follow-ups, newest first."""

    items: list[FollowUpRead]
    next_cursor: str | None


class TakeFollowUp(BaseModel):
    """Who is to see to it; left out, whoever asks."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID | None = None


class CloseFollowUp(BaseModel):
    """What it came to."""

    model_config = ConfigDict(extra="forbid")

    outcome: FollowUpOutcome
    note: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)] = ""
