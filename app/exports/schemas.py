"""Shapes of exports."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class ExportRead(BaseModel):
    """Who took which list away, when, by which filter, and how many rows it had.

    `what` is the name of the list's call, such as `list_households`; `title` the same in words.
    """

    id: UUID
    division_code: str
    division_name: str
    what: str
    title: str
    filter: dict[str, str]
    row_count: int
    actor_id: UUID
    actor_name: str
    at: datetime


class ExportPage(BaseModel):
    """A page of exports, newest first."""

    items: list[ExportRead]
    next_cursor: str | None
