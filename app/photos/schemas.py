"""Shapes of photos; the picture itself is never in one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class PhotoRead(BaseModel):
    """A photo as it is listed. `is_deleted`: its day has come, the picture is gone."""

    id: UUID
    household_id: UUID
    visit_id: UUID | None
    actor_name: str
    taken_at: datetime
    received_at: datetime
    byte_count: int
    width: int
    height: int
    is_deleted: bool


class PhotoPage(BaseModel):
    """A page of photos, newest first."""

    items: list[PhotoRead]
    next_cursor: str | None
