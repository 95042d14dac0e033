"""Shapes of the trail."""

from datetime import datetime

from pydantic import BaseModel


class AuditEntryRead(BaseModel):
    """One entry: who did what when to how many; never what it said."""

    seq: int
    community_code: str
    at: datetime
    actor_name: str | None
    action: str
    subject_count: int
    request_id: str | None


class AuditEntryPage(BaseModel):
    """A page of entries, newest first."""

    items: list[AuditEntryRead]
    next_cursor: str | None
