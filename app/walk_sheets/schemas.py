"""Shapes of walk sheets. Names are masked; of tags only those that say how to knock."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.questions.models import Standard
from app.questions.schemas import Question, QuestionAnswer
from app.screening.models import AgainReason, Outcome
from app.screening.schemas import Note, PersonAnswer

MAX_ROWS = 1000
MAX_ENTRIES = 50


class WalkSheetCreate(BaseModel):
    """A sheet to be printed, or one that a phone printed by itself: then with its `id`, order and time."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    responsibility_area_id: UUID
    round_id: UUID
    account_id: Annotated[UUID | None, Field(description="Who walks; by default who holds the area.")] = None
    household_ids: Annotated[list[UUID], Field(max_length=MAX_ROWS)] | None = None
    printed_at: AwareDatetime | None = None
    form_version: Annotated[
        int | None,
        Field(ge=0, le=10_000, description="The version of the round's questions that a phone printed; 0: none."),
    ] = None


class WalkMember(BaseModel):
    """Somebody whose temperature has a box on the sheet: by relation, without a name."""

    resident_id: UUID
    relation: str


class WalkEntryRead(BaseModel):
    """What was entered for a row from this sheet, the last of it."""

    visit_id: UUID
    outcome: Outcome
    recorded_at: datetime
    entered_by_name: str


class WalkSheetRow(BaseModel):
    """A door of the sheet as it stands now. `is_gone`: nobody is registered there any more."""

    number: int
    household_id: UUID
    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    address: str
    is_gone: bool
    head_masked: str
    tags: list[str]
    members: list[WalkMember]
    outcome: Outcome | None
    attempts: int
    asked_at: datetime | None
    asked_by: str
    entry: WalkEntryRead | None


class WalkSheetBrief(BaseModel):
    """A sheet in a list: whose, of when, how much of it has been entered."""

    id: UUID
    code: str
    community_code: str
    area_name: str
    round_id: UUID
    round_title: str
    walker_id: UUID
    walker_name: str
    made_by_name: str
    printed_at: datetime
    door_count: int
    entered_count: int


class WalkSheetPage(BaseModel):
    """A page of sheets, newest first."""

    items: list[WalkSheetBrief]
    next_cursor: str | None


class WalkForm(BaseModel):
    """What the paper asks: a version of the round's questions, the standard ones that are asked like own ones among
    them."""

    version: int
    standard: list[Standard]
    questions: list[Question]


class WalkSheetRead(WalkSheetBrief):
    """A sheet with its rows, as they are printed and entered. `form`: null where the paper has no own questions."""

    community_name: str
    fever_from: float
    url: str
    qr_svg: str
    form: WalkForm | None
    rows: list[WalkSheetRow]


class WalkEntry(BaseModel):
    """A row of the sheet: its `id` stays the same however often it is sent, `recorded_at` is when they were asked,
    `answers` are to the questions on the paper."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    id: UUID
    household_id: UUID
    outcome: Outcome
    persons: Annotated[list[PersonAnswer], Field(max_length=200, default_factory=list)]
    answers: Annotated[list[QuestionAnswer], Field(max_length=2000, default_factory=list)]
    note: Note | None = None
    again_reason: AgainReason | None = None
    recorded_at: AwareDatetime


class WalkEntries(BaseModel):
    """Rows to enter."""

    model_config = ConfigDict(extra="forbid")

    entries: Annotated[list[WalkEntry], Field(min_length=1, max_length=MAX_ENTRIES)]


class WalkEntryResult(BaseModel):
    """What became of a row. `not_taken`: nothing was recorded, the same id may come again."""

    id: UUID
    status: Literal["accepted", "duplicate", "flagged", "rejected", "not_taken"]
    code: str | None
    detail: str | None


class WalkEntriesOut(BaseModel):
    """Answers, one for each row, in their order."""

    results: list[WalkEntryResult]
