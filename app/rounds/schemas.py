"""Shapes of rounds."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.people.models import HouseholdTag
from app.questions.models import Standard
from app.questions.schemas import FormContent, FormEstimate, FormRead, Question
from app.screening.models import Rhythm, RoundStatus, Target
from app.screening.schemas import Note

Title = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Minutes = Annotated[int, Field(ge=0)]
MAX_LISTED = 20_000
"""Households named outright on an ask-list; a risk area's list is made by the service and may be longer."""


class RoundContent(FormContent):
    """What a desk writes of a round. `household_ids`: the ask-list of a round whose `target` is `list`."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    title: Title
    note: Note = ""
    starts_on: date
    ends_on: date
    rhythm: Rhythm = Rhythm.ONCE
    target: Target = Target.ALL
    tags: list[HouseholdTag] = Field(default_factory=list, max_length=len(HouseholdTag))
    household_ids: list[UUID] = Field(default_factory=list, max_length=MAX_LISTED)


class RoundCreate(RoundContent):
    """A new round: open at once, or a draft. One with questions of its own begins as a draft. `minutes`: the estimate
    that was shown to whoever opens it at once."""

    division_code: Code
    is_draft: bool = False
    minutes: Minutes | None = None


class RoundUpdate(RoundContent):
    """A draft written anew, or the correction of a published round (of its start until it has begun); `reason` stands
    with the new version. `minutes`: the estimate that was shown to whoever corrects what a running round asks."""

    minutes: Minutes | None = None
    reason: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""


class RoundEstimateIn(FormContent):
    """What is to be reckoned: questions, and whose doors. `round_id`: a draft, whose ask-list is meant."""

    division_code: Code
    target: Target = Target.ALL
    tags: list[HouseholdTag] = Field(default_factory=list, max_length=len(HouseholdTag))
    household_count: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    round_id: UUID | None = None


class PublishIn(BaseModel):
    """`minutes`: the estimate that was shown to whoever publishes."""

    model_config = ConfigDict(extra="forbid")

    minutes: Minutes


class RoundRead(BaseModel):
    """A round. `current_id`: the round that is worked on now and has figures: itself, or of a daily one the day of
    today (null before its first). `version`: of its questions."""

    id: UUID
    division_code: str
    division_name: str
    title: str
    note: str
    starts_on: date
    ends_on: date
    status: RoundStatus
    created_at: datetime
    rhythm: Rhythm
    target: Target
    tags: list[HouseholdTag]
    parent_id: UUID | None
    current_id: UUID | None
    version: int
    question_count: int


class RoundDetail(RoundRead):
    """A round with what it asks, what that costs, and its versions, newest first."""

    standard: list[Standard]
    questions: list[Question]
    estimate: FormEstimate
    versions: list[FormRead]


class HouseholdsMeant(BaseModel):
    """Which of a community's households are meant; what is left out may be anything."""

    model_config = ConfigDict(extra="forbid")

    compound: Annotated[str | None, Field(max_length=60)] = None
    building: Annotated[str | None, Field(max_length=60)] = None
    stair: Annotated[str | None, Field(max_length=60)] = None
    q: Annotated[str | None, Field(max_length=60, description="Name, pinyin initials or room.")] = None
    tag: HouseholdTag | None = None
    responsibility_area_id: UUID | None = None


class RoundListChange(BaseModel):
    """Households to put on a round's ask-list, or to take off it (`is_removed`): by id, all that a filter means
    (`all_of`), and by their addresses as people write them."""

    model_config = ConfigDict(extra="forbid")

    community_code: Code
    household_ids: list[UUID] = Field(default_factory=list, max_length=1000)
    all_of: HouseholdsMeant | None = None
    addresses: list[Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]] = Field(
        default_factory=list, max_length=1000
    )
    is_removed: bool = False


class RoundListRead(BaseModel):
    """How many came or went, how many are on the list now, and which addresses name no household, or more than one
    door."""

    changed: int
    households: int
    persons: int
    unknown: list[str]


class RoundHousehold(BaseModel):
    """A household that a round is for by name or by tag."""

    community_code: str
    household_id: UUID
    address: str
    head_masked: str
    resident_count: int


class RoundHouseholdPage(BaseModel):
    """A page of households, in the order of their doors."""

    items: list[RoundHousehold]
    next_cursor: str | None


class RoundPage(BaseModel):
    """A page of rounds, newest first."""

    items: list[RoundRead]
    next_cursor: str | None


class TemplateContent(FormContent):
    """What a template keeps of a round: everything but its place and dates."""

    title: Title
    note: Note = ""
    rhythm: Rhythm = Rhythm.ONCE
    target: Target = Target.ALL
    tags: list[HouseholdTag] = Field(default_factory=list, max_length=len(HouseholdTag))


class RoundTemplateCreate(TemplateContent):
    """A template to keep; the same name at the same level replaces."""

    division_code: Code
    name: Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class RoundTemplateRead(TemplateContent):
    """A template. `division_code`: the level that keeps it."""

    id: UUID
    division_code: str
    division_name: str
    name: str
    saved_by_name: str
    saved_at: datetime
    question_count: int


class RoundTemplatePage(BaseModel):
    """A page of templates, newest first."""

    items: list[RoundTemplateRead]
    next_cursor: str | None
