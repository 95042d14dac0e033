"""Shapes of figures. A figure that nobody knows is null, never 0."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.areas.schemas import DivisionBrief
from app.core.area_code import Code, Level
from app.screening.models import Outcome

RowLevel = Literal["city", "district", "town", "community", "building"]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class Expected(BaseModel):
    """What official sources say there should be, summed over the communities they speak for."""

    households: int | None
    persons: int | None
    communities: int
    source: str
    as_of: date


class Outcomes(BaseModel):
    """Households by where their door stands in the round."""

    answered_all: int
    answered_part: int
    no_answer: int
    refused: int
    vacant: int
    wrong_address: int
    unsafe: int


class CoverageRow(BaseModel):
    """One division's figures in a round: how many there are, how many are done, what is missing.

    `communities_unknown` of the communities have no registry: nobody knows how many live there, and they add
    to no figure. A building counts no communities; `compound` and `building` say which one it is.
    """

    code: str
    name: str
    level: RowLevel
    compound: str | None
    building: str | None
    communities: int | None
    communities_unknown: int | None
    communities_started: int | None
    communities_done: int | None
    dwellings: int | None
    dwellings_unassigned: int | None
    households: int | None
    households_done: int | None
    households_missing: int | None
    persons: int | None
    persons_done: int | None
    persons_missing: int | None
    outcomes: Outcomes | None
    symptoms: int | None
    expected: Expected | None


class CoverageRound(BaseModel):
    """The round the figures are about."""

    id: UUID
    title: str
    division_code: str
    starts_on: date
    ends_on: date
    status: Literal["open", "closed"]


class CoverageArea(DivisionBrief):
    """The division asked about and the path to it."""

    ancestors: list[DivisionBrief]


class CoverageRead(BaseModel):
    """Coverage of a division, its total and the rows below it."""

    area: CoverageArea
    round: CoverageRound | None
    as_of: datetime
    total: CoverageRow
    items: list[CoverageRow]
    next_cursor: str | None


class FlagRow(DivisionBrief):
    """How many records of a division wait for somebody to look at them."""

    door_visits: int
    care_visits: int
    follow_ups: int
    door_notices: int
    self_reports: int
    edits: int


class FlagsRead(BaseModel):
    """Records that wait under a division; `items`: the next divisions below in which there are any."""

    area: CoverageArea
    door_visits: int
    care_visits: int
    follow_ups: int
    door_notices: int
    self_reports: int
    edits: int
    items: list[FlagRow]


class GapOwner(BaseModel):
    """Who answers for a gap: the holder of the door's area, else the committee."""

    kind: Literal["holder", "committee"]
    id: UUID | None
    name: str


GapReason = Literal[
    "no_registry", "not_started", "unfinished", "not_visited", "no_answer", "refused", "wrong_address", "unsafe",
    "answered_part", "person_unanswered",
]  # fmt: skip
GapKind = Literal["communities", "doors", "persons"]


class Gap(BaseModel):
    """One thing that is missing, by name, with its owner. A community's gap has no door, a door's no resident."""

    kind: GapKind
    community_code: str
    community_name: str
    household_id: UUID | None
    address: str | None
    building: str | None
    stair: str | None
    room: str | None
    resident_id: UUID | None
    name: str | None
    reason: GapReason
    attempts: int | None
    last_at: datetime | None
    owner: GapOwner


class GapPage(BaseModel):
    """A page of gaps; it may be short and yet have a next one."""

    items: list[Gap]
    next_cursor: str | None


class DoorStanding(BaseModel):
    """A household behind its door in a round, or a door without one (`household_id` null).

    `outcome` null: nobody has knocked in this round. `persons_done` is null without a round.
    """

    dwelling_id: UUID
    household_id: UUID | None
    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    address: str
    is_vacant: bool
    name: str | None
    persons: int | None
    persons_done: int | None
    symptoms: int | None
    outcome: Outcome | None
    attempts: int | None
    last_at: datetime | None
    last_by: str | None
    owner: GapOwner


class DoorStandingPage(BaseModel):
    """A page of doors, and the round they stand in."""

    round: CoverageRound | None
    items: list[DoorStanding]
    next_cursor: str | None


class Headcount(BaseModel):
    """What was registered and screened in a division.

    Null without a registry; `screened` also where no open round covers the division.
    """

    code: str
    name: str
    level: Level
    households: int | None
    residents: int | None
    screened: int | None
    updated_at: datetime


class HeadcountRead(BaseModel):
    """Headcounts; ask with `since_token` next time for what changed. Pages of one answer share their token."""

    as_of: datetime
    since_token: str
    items: list[Headcount]
    next_cursor: str | None


class ExpectedItem(BaseModel):
    """One community's official counts; null is unknown, and both null takes an earlier figure back."""

    model_config = ConfigDict(extra="forbid")

    community_code: Code
    households: Count | None = None
    residents: Count | None = None


class ExpectedPut(BaseModel):
    """Official counts of one source as of one day."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    as_of: date
    items: Annotated[list[ExpectedItem], Field(max_length=10_000)]


class ExpectedRejected(BaseModel):
    """A community that was not taken: unknown (or out of scope), or named twice with no saying which holds."""

    community_code: str
    code: Literal["community_unknown", "community_repeated"]


class ExpectedResult(BaseModel):
    """What came of a push of expected counts: how many were new or changed, how many said nothing new."""

    accepted: int
    unchanged: int
    rejected: list[ExpectedRejected]
