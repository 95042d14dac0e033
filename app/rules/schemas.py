"""Shapes of rules."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

RuleUnit = Literal["days", "celsius", "switch", "times", "parts_of_day"]


class RuleIn(BaseModel):
    """A figure from a day on, and the document that says so; the same key and day again replaces."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(max_length=60)]
    value: Annotated[float, Field(allow_inf_nan=False)]
    effective_on: date
    source: Annotated[str, StringConstraints(min_length=2, max_length=200, strip_whitespace=True)]


class RuleRead(BaseModel):
    """A figure over a time. `ended_on`: its last day, null while nothing follows. `standing`: of today.

    `least` and `most`: what a figure of this rule may be; null where there is no bound."""

    key: str
    unit: RuleUnit
    value: float
    effective_on: date
    ended_on: date | None
    standing: Literal["past", "in_force", "coming"]
    source: str
    set_at: datetime
    set_by_name: str | None
    least: float | None
    most: float | None


class RulePage(BaseModel):
    """All rules by key, of each what comes first, then what holds, then what was."""

    items: list[RuleRead]
    next_cursor: str | None
