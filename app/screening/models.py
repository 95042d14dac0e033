"""Tables of screening: rounds, door visits, and the state that follows from them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, flag, instant, json_column, one_of, sealed, words
from app.core.ids import new_id
from app.posts.verdicts import OPEN_FLAG, Verdict


class Outcome(StrEnum):
    """What a knock at a door came to."""

    ANSWERED_ALL = "answered_all"
    ANSWERED_PART = "answered_part"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    VACANT = "vacant"
    WRONG_ADDRESS = "wrong_address"
    UNSAFE = "unsafe"


class PersonStatus(StrEnum):
    """What was learnt of one person; `unknown` is not an answer."""

    WELL = "well"
    SYMPTOMS = "symptoms"
    AWAY = "away"
    UNKNOWN = "unknown"


class Symptom(StrEnum):
    """Signs that are asked for at the door."""

    FEVER = "fever"
    COUGH = "cough"
    FATIGUE = "fatigue"
    BREATHLESS = "breathless"
    SORE_THROAT = "sore_throat"
    DIARRHEA = "diarrhea"
    OTHER = "other"


class AgainReason(StrEnum):
    """Why a household is asked a second time on a day on which all of it was answered for."""

    CHANGED = "changed"
    CORRECTION = "correction"
    COMPLETING = "completing"
    ORDERED = "ordered"
    REQUESTED = "requested"
    SELF_REPORT = "self_report"


class RoundStatus(StrEnum):
    """Where a round stands: being written, worked on, over."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class Rhythm(StrEnum):
    """How often a round goes to each door: once, or anew each day."""

    ONCE = "once"
    DAILY = "daily"


class Target(StrEnum):
    """Whose doors a round is for: all, those with a tag, or those on an ask-list."""

    ALL = "all"
    TAGS = "tags"
    LIST = "list"


class ScreeningRound(SQLModel, table=True):
    """排查 一轮: a sweep over all communities under `division_prefix`. A reference table.

    A daily round is not worked on itself: each of its days is a row of its own with `parent_id`, so that figures are
    of a day and the next day begins with nothing done.
    """

    __tablename__ = "screening_round"
    __table_args__ = (
        one_of("status", RoundStatus),
        one_of("rhythm", Rhythm),
        one_of("target", Target),
        Index("ix_screening_round_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    division_prefix: str = Field(index=True)
    title: str
    note: str = ""
    starts_on: date
    ends_on: date
    status: str = Field(default="open", sa_type=Text, sa_column_kwargs={"server_default": "open"})
    created_by: UUID
    created_at: datetime = instant(default_now=True)
    closed_at: datetime | None = instant(nullable=True)
    parent_id: UUID | None = None
    rhythm: str = Field(default=Rhythm.ONCE, sa_type=Text, sa_column_kwargs={"server_default": "once"})
    target: str = Field(default=Target.ALL, sa_type=Text, sa_column_kwargs={"server_default": "all"})
    tags: list[str] = words()
    # rises with each correction of questions or target; 0: the standard questions at all doors, nothing to fetch
    revision: int = counter(Integer)


class DoorVisit(SQLModel, table=True):
    """One knock, as the worker recorded it; its id is the command's id. `persons` is health data with an end."""

    __tablename__ = "door_visit"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_door_visit_household", "community_code", "household_id", "recorded_at"),
        Index("ix_door_visit_flagged", "community_code", "id", postgresql_where=OPEN_FLAG),
        one_of("outcome", Outcome),
        one_of("verdict", Verdict),
        one_of("again_reason", AgainReason),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    round_id: UUID
    household_id: UUID
    # as the phone named it, where that household has been merged into this one; in `persons` the same is `given_id`
    given_household_id: UUID | None = None
    responsibility_area_id: UUID | None = None
    epoch: int | None = None
    outcome: str
    persons: Any = json_column("'[]'")
    note_sealed: bytes | None = sealed("door_visit.note")
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    recorded_at: datetime = instant()
    received_at: datetime = instant(default_now=True)
    flag_code: str | None = None
    again_reason: str | None = Field(default=None, sa_type=Text)
    # what the household said itself, when a worker has confirmed it
    self_report_id: UUID | None = None
    verdict: str | None = Field(default=None, sa_type=Text)
    reason_sealed: bytes | None = sealed("door_visit.reason")
    judged_by: UUID | None = None
    judged_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    judged_at: datetime | None = instant(nullable=True)
    delete_by: date
    version: int = counter(BigInteger)


class PaperEntry(SQLModel, table=True):
    """Who typed a visit from a walk sheet, for whoever walked; a mark of a visit that did not come in says nothing."""

    __tablename__ = "paper_entry"
    __table_args__ = (Index("ix_paper_entry_sheet", "community_code", "walk_sheet_id"),)

    community_code: str = community_key()
    visit_id: UUID = Field(primary_key=True)
    household_id: UUID
    walk_sheet_id: UUID
    entered_by: UUID
    entered_by_name: str
    entered_at: datetime = instant(default_now=True)


class HouseholdScreening(SQLModel, table=True):
    """Where a household stands in a round: follows from its visits, whatever order they arrived in.

    `missed_parts`: the parts of the day in which nobody opened, morning 1, afternoon 2, evening 4 added up.
    """

    __tablename__ = "household_screening"
    __table_args__ = (
        one_of("outcome", Outcome),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    household_id: UUID = Field(primary_key=True)
    outcome: str
    attempts: int = counter(SmallInteger)
    missed_parts: int = counter(SmallInteger)
    asked_at: datetime | None = instant(nullable=True)
    asked_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    last_visit_id: UUID
    last_at: datetime = instant()
    last_by: str = ""
    version: int = counter(BigInteger)


class PersonCheck(SQLModel, table=True):
    """The newest answer for one person in a round; its being there is what counts as screened.

    `answered` stands where what was learnt has been deleted because its day had come.
    """

    __tablename__ = "person_check"
    __table_args__ = (
        one_of("status", ("well", "symptoms", "away", "answered")),
        Index(
            "ix_person_check_household",
            "community_code",
            "household_id",
            "round_id",
            postgresql_where=text("NOT has_left"),
        ),
    )

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    household_id: UUID
    visit_id: UUID
    status: str
    temperature_c: float | None = None
    symptoms: list[str] = words()
    risk_area: bool | None = None
    # who no longer lives in the community counts among those answered for no longer; what was learnt stays
    has_left: bool = flag()
    recorded_at: datetime = instant()
    delete_by: date
    version: int = counter(BigInteger)


class ScreeningTally(SQLModel, table=True):
    """A round's figures in one community, moved in the transaction that changes them."""

    __tablename__ = "screening_tally"
    __table_args__ = (
        Index("ix_screening_tally_round", "round_id", "community_code"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    answered_all: int = counter(Integer)
    answered_part: int = counter(Integer)
    no_answer: int = counter(Integer)
    refused: int = counter(Integer)
    vacant: int = counter(Integer)
    wrong_address: int = counter(Integer)
    unsafe: int = counter(Integer)
    persons_done: int = counter(Integer)
    persons_symptoms: int = counter(Integer)
    # of these, how many can no longer be counted from the rows because what was learnt has been deleted
    persons_symptoms_deleted: int = counter(Integer)
    visit_count: int = counter(Integer)
