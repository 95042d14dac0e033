"""Tables of privacy: who read whose data and why, and records of what was deleted."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of, sealed, words
from app.core.ids import new_id


class AccessKind(StrEnum):
    """What was done with a person's data for a reason that is written down."""

    REVEAL = "reveal"
    COPY = "copy"
    CORRECTION = "correction"


class DeletionKind(StrEnum):
    """What has an end."""

    DOOR_VISITS = "door_visits"
    PERSON_CHECKS = "person_checks"
    CARE_VISITS = "care_visits"
    FINDINGS = "findings"
    FOLLOW_UP_NOTES = "follow_up_notes"
    SELF_REPORTS = "self_reports"
    ANSWERS = "answers"
    PHOTOS = "photos"
    FLAGGED_EDITS = "flagged_edits"
    EDIT_CONFLICTS = "edit_conflicts"
    MERGES = "merges"
    TAGS = "tags"
    NOTES = "notes"
    DEPARTED = "departed"


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


class AccessRecord(SQLModel, table=True):
    """Somebody read a person's full data, printed it or corrected it, and said why.

    Written once: the service's role may insert and read, and put the purpose under another key. Like the trail it
    carries no version: no phone holds it.
    """

    __tablename__ = "access_record"
    __table_args__ = (
        Index("ix_access_record_resident", "community_code", "resident_id"),
        # how much an account has read lately, wherever it did
        Index("ix_access_record_actor", "actor_id", "at"),
        one_of("kind", AccessKind),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    resident_id: UUID
    household_id: UUID
    fields: list[str] = words()
    purpose_sealed: bytes | None = sealed("access_record.purpose")
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    at: datetime = instant(default_now=True)
