"""Tables of privacy: reveals, and records of what was deleted."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of
from app.core.ids import new_id


class DeletionKind(StrEnum):
    """What has an end."""

    DOOR_VISITS = "door_visits"
    PERSON_CHECKS = "person_checks"
    CARE_VISITS = "care_visits"


class DeletionRecord(SQLModel, table=True):
    """So many of a kind in a community, up to a day, deleted by which rule; nobody's name or id.

    Like the trail it carries no version: no phone holds it.
    """

    __tablename__ = "deletion_record"
    __table_args__ = (
        UniqueConstraint("community_code", "kind", "upto", name="uq_deletion_record_kind_upto"),
        Index("ix_deletion_record_upto", "community_code", "upto"),
        one_of("kind", DeletionKind),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    upto: date
    deleted_count: int = counter(Integer)
    rule_key: str
    rule_effective_on: date
    rule_days: int
    rule_source: str
    deleted_at: datetime = instant(default_now=True)
