"""The table of walk sheets: which doors in which order, for whom. What else stands on the paper is read each time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, json_column
from app.core.ids import new_id


class WalkSheet(SQLModel, table=True):
    """A printed sheet: `household_ids` in the order of its rows, `epoch` that of the area when it was printed."""

    __tablename__ = "walk_sheet"
    __table_args__ = (Index("ix_walk_sheet_code", "community_code", "code"),)

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str
    # called so, a sheet goes along when its doors get another code
    area_id: UUID
    area_name: str
    epoch: int = counter(Integer)
    round_id: UUID
    # of the round's questions that stand on the paper; 0: none of its own
    form_version: int = counter(Integer)
    household_ids: Any = json_column("'[]'")
    walker_id: UUID
    walker_name: str
    made_by: UUID
    made_by_name: str
    printed_at: datetime = instant()
    version: int = counter(BigInteger)
