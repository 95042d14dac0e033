"""The table of photos."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, sealed
from app.core.ids import new_id


class VisitPhoto(SQLModel, table=True):
    """A photo of a household's door; `visit_id` is the visit it was taken at, which may arrive later or never.

    Once its day has come the picture goes and the row stays: the same photo sent again does not come back.
    """

    __tablename__ = "visit_photo"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_visit_photo_household", "community_code", "household_id"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    visit_id: UUID | None = None
    content_sealed: bytes | None = sealed("visit_photo.content")
    byte_count: int = counter(Integer)
    width: int
    height: int
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    taken_at: datetime = instant()
    received_at: datetime = instant(default_now=True)
    delete_by: date
    version: int = counter(BigInteger)
