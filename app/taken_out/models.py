"""The table of what was taken out."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Column, Field, SQLModel

from app.core.columns import community_key, flag, sealed


class TakenOut(SQLModel, table=True):
    """Of one household what an undo has taken out: itself (`is_home`) and its people, or people of one that stays.

    `content_sealed`: names, birth dates, relations, workplaces and tags, as JSON; no numbers and no note.
    """

    __tablename__ = "taken_out"
    __table_args__ = (Index("ix_taken_out_delete_by", "delete_by"),)

    community_code: str = community_key()
    household_id: UUID = Field(primary_key=True)
    dwelling_id: UUID
    is_home: bool = flag()
    person_ids: list[UUID] = Field(sa_column=Column(ARRAY(PG_UUID(as_uuid=True)), nullable=False))
    content_sealed: bytes | None = sealed("taken_out.content")
    delete_by: date
