"""Tables of merges: what was merged into what, and what each row said before."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, community_key, counter, instant, json_column, one_of, sealed
from app.core.ids import new_id


class RegistryMerge(SQLModel, table=True):
    """A merge: whose id stands for both from now on, and what stood before, so that it can be undone.

    `before` holds ids, names of heads, outcomes and times, nothing of anybody's health: what was said is read from the
    visits again. From `delete_by` on the merge cannot be undone, and of `before` there is left who was made one.
    """

    __tablename__ = "registry_merge"
    __table_args__ = (
        Index("ix_registry_merge_kept", "community_code", "kept_id"),
        Index("ix_registry_merge_duplicate", "community_code", "duplicate_id"),
        one_of("kind", ("person", "household")),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    duplicate_id: UUID
    kind: str
    kept_id: UUID
    gone_id: UUID
    before: Any = json_column("'{}'")
    merged_by: UUID | None = None
    merged_by_name: str = ""
    merged_at: datetime = instant(default_now=True)
    undone_by: UUID | None = None
    undone_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    undone_at: datetime | None = instant(nullable=True)
    delete_by: date
    version: int = counter(BigInteger)


class MergedRow(SQLModel, table=True):
    """What a merge changed in a row that went on: its values before and after; numbers and notes stay sealed as
    they were, so that keys change here as they do in the row itself. It goes when the merge is past undoing."""

    __tablename__ = "merged_row"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "merge_id"], ["registry_merge.community_code", "registry_merge.id"]),
        one_of("kind", ("resident", "household", "dwelling")),
    )

    community_code: str = community_key()
    merge_id: UUID = Field(primary_key=True)
    row_id: UUID = Field(primary_key=True)
    kind: str
    before: Any = json_column("'{}'")
    after: Any = json_column("'{}'")
    id_sealed: bytes | None = sealed("resident.id")
    id_index: bytes | None = blind_index_of("id_sealed")
    phone_sealed: bytes | None = sealed("resident.phone")
    phone_index: bytes | None = blind_index_of("phone_sealed")
    home_phone_sealed: bytes | None = sealed("household.phone")
    home_phone_index: bytes | None = blind_index_of("home_phone_sealed")
    note_sealed: bytes | None = sealed("household.note")
