"""Shapes of privacy."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from app.privacy.models import DeletionKind


class RetentionRead(BaseModel):
    """How long a kind of data is kept, what for, and which document says so."""

    kind: DeletionKind
    fields: list[str]
    purpose: str
    days: int
    effective_on: date
    source: str


class RetentionPage(BaseModel):
    """All kinds of data that have an end."""

    items: list[RetentionRead]
    next_cursor: str | None


class DeletionRead(BaseModel):
    """That something was deleted: how many of which kind, up to which day, by which rule."""

    id: UUID
    community_code: str
    kind: DeletionKind
    deleted_count: int
    upto: date
    days: int
    effective_on: date
    source: str
    deleted_at: datetime


class DeletionPage(BaseModel):
    """A page of deletion records, newest first."""

    items: list[DeletionRead]
    next_cursor: str | None
