"""The table of flagged edits."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of, sealed, words
from app.posts.verdicts import OPEN_FLAG, Verdict


class FlaggedEdit(SQLModel, table=True):
    """An edit that was taken and flagged; its id is the command's. `fields`: which facts it names."""

    __tablename__ = "flagged_edit"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_flagged_edit_open", "community_code", "id", postgresql_where=OPEN_FLAG),
        Index("ix_flagged_edit_household", "community_code", "household_id"),
        one_of("verdict", Verdict),
    )

    community_code: str = community_key()
    id: UUID = Field(primary_key=True)
    household_id: UUID
    resident_id: UUID | None = None
    command: str
    fields: list[str] = words()
    flag_code: str
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    recorded_at: datetime = instant()
    # seconds by which the phone knew its clock to be ahead; `recorded_at` is free of them
    clock_error_s: int | None = Field(default=None, sa_type=Integer)
    received_at: datetime = instant(default_now=True)
    verdict: str | None = Field(default=None, sa_type=Text)
    reason_sealed: bytes | None = sealed("flagged_edit.reason")
    judged_by: UUID | None = None
    judged_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    judged_at: datetime | None = instant(nullable=True)
    # from the verdict on: what nobody has looked at yet waits
    delete_by: date | None = None
    version: int = counter(BigInteger)
