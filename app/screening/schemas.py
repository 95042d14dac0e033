"""Shapes of screening."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.core.area_code import Code
from app.posts.verdicts import JudgedRead
from app.questions.schemas import Answered, AnswerRead
from app.screening.models import AgainReason, Outcome, PersonStatus, Symptom

Note = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]


class PersonAnswer(BaseModel):
    """What was learnt of one person at a door."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    resident_id: UUID
    status: PersonStatus
    temperature_c: Annotated[float, Field(ge=34, le=43)] | None = None
    # a factory: a list given as the default is copied deeply for each person, which took half of a batch's checking
    symptoms: Annotated[list[Symptom], Field(max_length=len(Symptom), default_factory=list)]
    risk_area: bool | None = None


class DoorVisitPayload(Answered):
    """Payload of `screening.record_door_visit`. `form_version`: of the round's own questions that the answers are to;
    who was never shown any names none."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    household_id: UUID
    round_id: UUID
    outcome: Outcome
    persons: Annotated[list[PersonAnswer], Field(max_length=200, default_factory=list)]
    note: Note | None = None
    again_reason: AgainReason | None = None

    @model_validator(mode="after")
    def _persons_are_distinct(self) -> Self:
        if len(self.persons) > 1 and len({p.resident_id for p in self.persons}) != len(self.persons):
            raise ValueError("a person is answered for once in a visit")
        return self


class DoorVisitCreate(DoorVisitPayload):
    """A knock that a desk enters from paper."""

    id: UUID | None = None
    community_code: Code
    recorded_at: AwareDatetime | None = None


class DoorVisitRead(JudgedRead):
    """A knock, as its committee reads it. `is_flagged`: somebody still has to look. `entered_by_name`: who typed it
    from a walk sheet, null for what came from a phone."""

    id: UUID
    household_id: UUID
    address: str
    head_name: str
    round_id: UUID
    outcome: Outcome
    recorded_at: datetime
    received_at: datetime
    actor_name: str
    entered_by_name: str | None
    is_flagged: bool
    flag_code: str | None
    again_reason: AgainReason | None
    self_report_id: UUID | None
    persons: list[dict[str, Any]]
    note: str | None
    answers: list[AnswerRead]


class DoorVisitPage(BaseModel):
    """A page of visits, newest first."""

    items: list[DoorVisitRead]
    next_cursor: str | None
