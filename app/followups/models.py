"""Tables of follow-ups and of the findings they rest on."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, flag, instant, one_of, sealed, words
from app.core.ids import new_id


class FollowUpOutcome(StrEnum):
    """What a follow-up came to."""

    TAKEN_TO_CLINIC = "taken_to_clinic"
    OBSERVED_AT_HOME = "observed_at_home"
    RULED_OUT = "ruled_out"
    HANDED_OVER = "handed_over"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"


class FindingReason(StrEnum):
    """What puts a finding above threshold; each is a rule with effective dates."""

    TEMPERATURE = "temperature"
    SYMPTOMS = "symptoms"
    CONTACT = "contact"


class FindingSource(StrEnum):
    """Who said so: a worker at the door, or the household itself."""

    DOOR = "door"
    SELF_REPORT = "self_report"


OPEN = text("closed_at IS NULL AND NOT is_void")
"""The condition that somebody still has to see to it, as indexes and counts have it."""


class FollowUp(SQLModel, table=True):
    """One person somebody has to see to. It holds nothing of their health but the closing note."""

    __tablename__ = "follow_up"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index(
            "uq_follow_up_standing", "community_code", "resident_id", unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_follow_up_resident", "community_code", "resident_id", "closed_at"),
        Index("ix_follow_up_open", "community_code", "id", postgresql_where=OPEN),
        one_of("outcome", FollowUpOutcome),
    )  # fmt: skip

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    resident_id: UUID
    round_id: UUID
    opened_at: datetime = instant()
    is_void: bool = flag()
    owner_id: UUID | None = None
    owner_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    taken_at: datetime | None = instant(nullable=True)
    outcome: str | None = Field(default=None, sa_type=Text)
    note_sealed: bytes | None = sealed("follow_up.note")
    closed_at: datetime | None = instant(nullable=True)
    closed_by: UUID | None = None
    closed_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    delete_by: date | None = None
    version: int = counter(BigInteger)


class Finding(SQLModel, table=True):
    """What was found of one person by one visit or self-report; health data with an end."""

    __tablename__ = "finding"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "follow_up_id"], ["follow_up.community_code", "follow_up.id"]),
        Index("ix_finding_follow_up", "community_code", "follow_up_id"),
        one_of("source", FindingSource),
    )

    community_code: str = community_key()
    source_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    follow_up_id: UUID
    source: str
    household_id: UUID
    found_by: str
    recorded_at: datetime = instant()
    reasons: list[str] = words()
    temperature_c: float | None = None
    symptoms: list[str] = words()
    risk_area: bool | None = None
    delete_by: date
    version: int = counter(BigInteger)
