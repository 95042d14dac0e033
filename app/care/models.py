"""Tables of care: visits to people who need looking after, and the next date promised to them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of, sealed, words
from app.core.ids import new_id
from app.posts.verdicts import OPEN_FLAG, Verdict


class Condition(StrEnum):
    """How the person was found."""

    WELL = "well"
    NEEDS_ATTENTION = "needs_attention"
    NOT_REACHED = "not_reached"


class Need(StrEnum):
    """What a household may lack."""

    FOOD = "food"
    MEDICINE = "medicine"
    MEDICAL_VISIT = "medical_visit"
    SUPPLIES = "supplies"
    REPAIR = "repair"
    COMPANY = "company"
    MONEY = "money"
    OTHER = "other"


class CareVisit(SQLModel, table=True):
    """走访: one visit or call; its id is the command's id."""

    __tablename__ = "care_visit"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_care_visit_household", "community_code", "household_id", "recorded_at"),
        Index("ix_care_visit_flagged", "community_code", "id", postgresql_where=OPEN_FLAG),
        one_of("condition", Condition),
        one_of("verdict", Verdict),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    resident_id: UUID | None = None
    # as the phone named them, where they have been merged into these
    given_household_id: UUID | None = None
    given_resident_id: UUID | None = None
    condition: str
    needs: list[str] = words()
    note_sealed: bytes | None = sealed("care_visit.note")
    next_on: date | None = None
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    recorded_at: datetime = instant()
    received_at: datetime = instant(default_now=True)
    flag_code: str | None = None
    verdict: str | None = Field(default=None, sa_type=Text)
    reason_sealed: bytes | None = sealed("care_visit.reason")
    judged_by: UUID | None = None
    judged_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    judged_at: datetime | None = instant(nullable=True)
    delete_by: date
    version: int = counter(BigInteger)


class CarePlan(SQLModel, table=True):
    """What was promised to a household: how it was last found and when somebody comes again."""

    __tablename__ = "care_plan"

    community_code: str = community_key()
    household_id: UUID = Field(primary_key=True)
    last_visit_id: UUID
    resident_id: UUID | None = None
    condition: str
    needs: list[str] = words()
    last_at: datetime = instant()
    next_on: date | None = None
    version: int = counter(BigInteger)
