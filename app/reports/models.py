"""Tables of figures that come from outside."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, instant
from app.core.ids import new_id


class ExpectedHeadcount(SQLModel, table=True):
    """How many households and people an official source says a community has, as of a day; null is unknown."""

    __tablename__ = "expected_headcount"
    __table_args__ = (
        UniqueConstraint("community_code", "source", "as_of"),
        CheckConstraint("households >= 0 AND residents >= 0", name="counts_not_negative"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    source: str
    as_of: date
    households: int | None = None
    residents: int | None = None
    received_at: datetime = instant(default_now=True)
