"""Tables of risk areas: the place that is asked about, and the rounds that were made from it."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.core.columns import instant
from app.core.ids import new_id


class Knowledge(StrEnum):
    """What is known of a household: somebody was there, nobody was, something that is too old or too vague, nothing."""

    THERE = "there"
    NOT_THERE = "not_there"
    STALE = "stale"
    UNKNOWN = "unknown"


class FactKind(StrEnum):
    """Where a fact comes from: an answer at a door, a move, a registration elsewhere, or the household lives there."""

    ANSWER = "answer"
    MOVE = "move"
    REGISTRATION = "registration"
    LIVES_THERE = "lives_there"


class RiskArea(SQLModel, table=True):
    """A place and the days it was a risk, asked about by a level for its part of the tree. A reference table: it names
    a place and nobody."""

    __tablename__ = "risk_area"
    __table_args__ = (
        # the same place and days at the same level are the same risk area
        UniqueConstraint(
            "division_prefix", "place_name", "place_code", "from_on", "to_on", name="uq_risk_area_place_and_days"
        ),
        CheckConstraint("to_on >= from_on", name="ends_after_start"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    division_prefix: str
    place_name: str
    # "" where only its name is known
    place_code: str = Field(default="", sa_column_kwargs={"server_default": ""})
    from_on: date
    to_on: date
    # a fact older than so many days is asked again
    stale_after_days: int
    created_by_name: str = ""
    created_at: datetime = instant(default_now=True)
    delete_by: date


class RiskAreaRound(SQLModel, table=True):
    """The round that was made from a risk area for a division."""

    __tablename__ = "risk_area_round"
    __table_args__ = (ForeignKeyConstraint(["risk_area_id"], ["risk_area.id"], ondelete="CASCADE"),)

    risk_area_id: UUID = Field(primary_key=True)
    division_prefix: str = Field(primary_key=True)
    round_id: UUID
