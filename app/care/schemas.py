"""Shapes of care."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.care.models import Condition, Need
from app.people.models import HouseholdTag
from app.posts.verdicts import JudgedRead


class CareVisitPayload(BaseModel):
    """Payload of `care.record_visit`."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    household_id: UUID
    resident_id: UUID | None = None
    condition: Condition
    needs: Annotated[list[Need], Field(max_length=len(Need), default_factory=list)]
    note: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] | None = None
    next_on: date | None = None


class CareVisitRead(JudgedRead):
    """A care visit, as its committee reads it. `is_flagged`: somebody still has to look."""

    id: UUID
    household_id: UUID
    address: str
    head_name: str
    resident_id: UUID | None
    condition: Condition
    needs: list[Need]
    note: str | None
    next_on: date | None
    recorded_at: datetime
    received_at: datetime
    actor_name: str
    is_flagged: bool
    flag_code: str | None


class CareVisitPage(BaseModel):
    """A page of care visits, newest first."""

    items: list[CareVisitRead]
    next_cursor: str | None


class CareHousehold(BaseModel):
    """A household that is looked after: how it was last found, and when somebody is to come again.

    `condition` null: nobody has been there yet. `due_on` null: nobody has promised to come again.
    """

    household_id: UUID
    address: str
    head_name: str
    phone_masked: str | None
    tags: list[HouseholdTag]
    resident_count: int
    condition: Condition | None
    needs: list[Need]
    last_at: datetime | None
    last_by: str | None
    next_on: date | None
    due_on: date | None
    holder_name: str | None


class CareHouseholdPage(BaseModel):
    """A page of households in the order in which somebody should go."""

    items: list[CareHousehold]
    next_cursor: str | None
