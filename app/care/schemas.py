"""Shapes of care."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.care.models import Condition, Need


class CareVisitPayload(BaseModel):
    """Payload of `care.record_visit`."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    household_id: UUID
    resident_id: UUID | None = None
    condition: Condition
    needs: Annotated[list[Need], Field(max_length=len(Need))] = []
    note: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] | None = None
    next_on: date | None = None


class CareVisitRead(BaseModel):
    """A care visit, as its committee reads it."""

    id: UUID
    household_id: UUID
    resident_id: UUID | None
    condition: Condition
    needs: list[Need]
    note: str | None
    next_on: date | None
    recorded_at: datetime
    received_at: datetime
    actor_name: str
    flag_code: str | None


class CareVisitPage(BaseModel):
    """A page of care visits, newest first."""

    items: list[CareVisitRead]
    next_cursor: str | None
