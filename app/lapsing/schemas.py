"""Shapes of what lapses."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.people.models import HouseholdTag

LapsingFact = Literal["tags", "note"]


class LapsingRead(BaseModel):
    """A household of which something lapses: its last day, null where there is nothing of the kind.

    `tags`: those that lapse, of the household and of its people.
    """

    household_id: UUID
    community_code: str
    address: str
    head_name: str
    tags: list[HouseholdTag]
    tags_until: date | None
    note: str | None
    note_until: date | None


class LapsingPage(BaseModel):
    """A page of households, what lapses first on top."""

    items: list[LapsingRead]
    next_cursor: str | None


class SayAgain(BaseModel):
    """What still holds of a household."""

    model_config = ConfigDict(extra="forbid")

    facts: Annotated[list[LapsingFact], Field(min_length=1, max_length=2)]
