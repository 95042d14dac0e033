"""Shapes of risk areas."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.risk_areas.models import FactKind, Knowledge


class RiskPlace(BaseModel):
    """A place by its division code, its name, or both; the name may be left out of a division the service knows."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=60, strip_whitespace=True)] = ""
    code: Code | None = None


class RiskAreaCreate(BaseModel):
    """A new risk area. The same place and days at the same level are the same risk area."""

    model_config = ConfigDict(extra="forbid")

    division_code: Code
    place: RiskPlace
    from_on: date
    to_on: date
    stale_after_days: Annotated[int, Field(ge=1, le=60)] = 7


class RiskAreaRead(BaseModel):
    """A risk area. `round_id`: the round that was made from it for the division that was asked about."""

    id: UUID
    division_code: str
    division_name: str
    place_name: str
    place_code: str | None
    from_on: date
    to_on: date
    stale_after_days: int
    created_by_name: str
    created_at: datetime
    delete_by: date
    round_id: UUID | None


class RiskAreaPage(BaseModel):
    """A page of risk areas, newest first."""

    items: list[RiskAreaRead]
    next_cursor: str | None


class RiskAreaCount(BaseModel):
    """What is known of a community's households. `to_ask`: the stale and the unknown."""

    community_code: str
    community_name: str
    there: int
    not_there: int
    stale: int
    unknown: int
    to_ask: int


class RiskAreaCountPage(BaseModel):
    """A page of communities, by code; it holds a hundred at most."""

    items: list[RiskAreaCount]
    next_cursor: str | None


class RiskAreaHousehold(BaseModel):
    """What is known of a household: the newest fact that decides, its day and its age in days."""

    community_code: str
    household_id: UUID
    address: str
    head_masked: str
    knowledge: Knowledge
    fact: FactKind | None
    known_on: date | None
    age_days: int | None


class RiskAreaHouseholdPage(BaseModel):
    """A page of households, in the order of their doors."""

    items: list[RiskAreaHousehold]
    next_cursor: str | None


class RiskAreaRoundIn(BaseModel):
    """The small round to be made. Without `minutes` it is a draft; with the estimate that was seen it is published."""

    model_config = ConfigDict(extra="forbid")

    division_code: Code
    ends_on: date | None = None
    minutes: Annotated[int, Field(ge=0)] | None = None
