"""Tables of questions: the forms of rounds, what visits answered to them, and what stays counted after deletion."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, json_column, sealed, words


class QuestionKind(StrEnum):
    """How a question is answered."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class Subject(StrEnum):
    """Of whom a question asks: once for a household, or of each person who is there."""

    HOUSEHOLD = "household"
    PERSON = "person"


class Standard(StrEnum):
    """Questions every round has unless it leaves them out."""

    TEMPERATURE = "temperature"
    SYMPTOMS = "symptoms"
    RISK_AREA = "risk_area"
    ARRIVAL = "arrival"


class FaultCode(StrEnum):
    """What is wrong with an answer, or with there being none."""

    FORM_UNKNOWN = "form_unknown"
    MISSING = "answer_missing"
    UNEXPECTED = "answer_unexpected"
    VALUE = "answer_value"


class RoundForm(SQLModel, table=True):
    """One version of a round's questions; never changed once the round is open. A reference table."""

    __tablename__ = "round_form"

    round_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    standard: list[str] = words()
    questions: Any = json_column("'[]'")
    # why it was corrected
    reason: str = ""
    created_by_name: str = ""
    created_at: datetime = instant(default_now=True)


class DoorAnswer(SQLModel, table=True):
    """What one visit answered to the questions of its round; health data with an end.

    `answers`: `[{q, r, v}]`, question, person (null: the household), value; of text the value is null and stands in
    `texts_sealed`, where what did not fit its question is kept too. `faults`: `[{q, r, code}]`.
    """

    __tablename__ = "door_answer"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "visit_id"], ["door_visit.community_code", "door_visit.id"]),
        Index("ix_door_answer_round", "round_id", "community_code"),
        Index("ix_door_answer_household", "community_code", "household_id"),
    )

    community_code: str = community_key()
    visit_id: UUID = Field(primary_key=True)
    round_id: UUID
    household_id: UUID
    form_version: int
    answers: Any = json_column("'[]'")
    texts_sealed: bytes | None = sealed("door_answer.texts")
    faults: Any = json_column("'[]'")
    delete_by: date
    version: int = counter(BigInteger)


class AnswerTally(SQLModel, table=True):
    """How often an answer was given in a round whose wording has been deleted since: figures stay."""

    __tablename__ = "answer_tally"

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    question_id: str = Field(primary_key=True)
    # "" where the question has no fixed answers
    value: str = Field(primary_key=True)
    deleted_count: int = counter(Integer)
    deleted_sum: float = Field(default=0, sa_column_kwargs={"server_default": "0"})
