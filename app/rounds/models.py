"""Tables of rounds beyond the round itself: templates, and the households on a target."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, instant, json_column
from app.core.ids import new_id


class RoundTemplate(SQLModel, table=True):
    """模板: what a round asks and of whom, kept by a level for itself and those below. A reference table."""

    __tablename__ = "round_template"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    division_prefix: str = Field(index=True)
    name: str
    content: Any = json_column("'{}'")
    saved_by_name: str = ""
    saved_at: datetime = instant(default_now=True)


class RoundTarget(SQLModel, table=True):
    """A household that a round is for, where it is not for all."""

    __tablename__ = "round_target"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_round_target_round", "round_id", "community_code"),
    )

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    household_id: UUID = Field(primary_key=True)
