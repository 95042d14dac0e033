"""Shapes of questions and answers."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    model_validator,
)

from app.core.area_code import Code
from app.questions.models import FaultCode, QuestionKind, Standard, Subject

QuestionId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,23}$")]
Line = Annotated[str, StringConstraints(max_length=120, strip_whitespace=True)]
Value = StrictBool | StrictInt | StrictFloat | Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
"""yes_no: true or false; choice: the option's id; number; date: YYYY-MM-DD; text."""
MAX_QUESTIONS = 30
MAX_OPTIONS = 20


class Option(BaseModel):
    """One answer of a choice."""

    model_config = ConfigDict(extra="forbid")

    id: QuestionId
    text: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class Condition(BaseModel):
    """A question is shown when another has been answered with one of these values."""

    model_config = ConfigDict(extra="forbid")

    question: QuestionId
    values: Annotated[list[StrictBool | QuestionId], Field(min_length=1, max_length=MAX_OPTIONS)]


class Place(BaseModel):
    """The place a yes-or-no question asks about, so that the registry can be asked later who has been there."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    code: Code | None = None


class Question(BaseModel):
    """One question of a round. `definition` says what counts as which answer, `owner` who wants to know."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    id: QuestionId
    text: Line
    kind: QuestionKind
    per: Subject = Subject.HOUSEHOLD
    options: list[Option] = Field(default_factory=list, max_length=MAX_OPTIONS)
    is_required: bool = False
    shown_when: Condition | None = None
    least: float | None = None
    most: float | None = None
    unit: Annotated[str, StringConstraints(max_length=12, strip_whitespace=True)] = ""
    definition: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""
    owner: Annotated[str, StringConstraints(max_length=60, strip_whitespace=True)] = ""
    place: Place | None = None


STANDARD = list(Standard)


class FormContent(BaseModel):
    """What a round asks: which of the standard questions, and its own."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    standard: list[Standard] = Field(default_factory=lambda: list(STANDARD[:3]), max_length=len(STANDARD))
    questions: list[Question] = Field(default_factory=list, max_length=MAX_QUESTIONS)


class QuestionAnswer(BaseModel):
    """One answer as a phone sends it; without `resident_id` it is the household's."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, StringConstraints(max_length=40)]
    resident_id: UUID | None = None
    value: Value


class Answered(BaseModel):
    """The part of a visit's payload that answers a round's own questions."""

    form_version: Annotated[int, Field(ge=1, le=10_000)] | None = None
    answers: list[QuestionAnswer] = Field(default_factory=list, max_length=2000)

    @model_validator(mode="after")
    def _answered_once(self) -> Self:
        if not self.answers:
            return self
        if len({(a.question, a.resident_id) for a in self.answers}) != len(self.answers):
            raise ValueError("a question is answered once of a person in a visit")
        if self.form_version is None:
            raise ValueError("answers name the version of their questions")
        return self


class AnswerRead(BaseModel):
    """An answer in the words of the version it was given to. `fault`: why it counts for nothing; an answer that is
    missing has a fault and no value. `value` of a text is null for whom it is not for."""

    question: str
    text: str
    kind: QuestionKind | None
    resident_id: UUID | None
    resident_name: str | None
    value: bool | float | str | None
    label: str | None
    fault: FaultCode | None


class AnswerCount(BaseModel):
    """How many gave an answer, in a division. Numbers: also their sum, least and most (null once deleted)."""

    code: str
    name: str
    level: Literal["city", "district", "town", "community"]
    question: str
    text: str
    kind: QuestionKind
    per: Subject
    value: str
    label: str
    count: int
    sum: float | None
    least: str | None
    most: str | None


class AnswerCountPage(BaseModel):
    """A page of counts, by division and in the order of the questions."""

    items: list[AnswerCount]
    next_cursor: str | None


class FormRead(BaseModel):
    """A version of a round's questions."""

    version: int
    standard: list[Standard]
    questions: list[Question]
    reason: str
    created_by_name: str
    created_at: datetime


class FormEstimate(BaseModel):
    """What a round will cost its workers. Seconds are of asking and entering; `doors` are the households meant."""

    question_count: int
    household_seconds: int
    person_seconds: int
    doors: int
    persons: int
    minutes_per_household: float
    minutes: int
