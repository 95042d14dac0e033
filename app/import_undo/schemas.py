"""Shapes of undoing an import."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from app.import_export.schemas import ImportProgress

State = Literal[
    "possible", "over", "not_last", "nothing", "only_rosters", "not_done", "queued", "running", "failed", "undone"
]


class TouchReason(StrEnum):
    """Why something that an import wrote is left as it is."""

    VISIT = "visit"
    CARE_VISIT = "care_visit"
    FOLLOW_UP = "follow_up"
    SELF_REPORT = "self_report"
    NOTICE = "notice"
    PHOTO = "photo"
    MOVE = "move"
    REVIEW = "review"
    REVEAL = "reveal"
    ROUND = "round"
    WALK_SHEET = "walk_sheet"
    AREA = "area"
    EDIT = "edit"
    HOUSEHOLD = "household"


class ImportUndoRead(BaseModel):
    """Whether an import can be undone, and what that would do now, or has done.

    `state`: `possible`; `over`: the hour is; `not_last`: a later import was written to one of its communities and is
    to be undone first; `nothing`: it changed nothing; `only_rosters`; `not_done`: it was not run for real; `queued`,
    `running`; `failed`: it could not be finished, and can be asked for again while `seconds_left` is not 0; `undone`.
    New `doors`, `households` and `persons` are taken out, `facts` put back; `kept` households and doors without one
    are left as they are, with everybody in them, because somebody has touched them since.
    """

    state: State
    until: datetime | None
    seconds_left: int
    doors: int
    households: int
    persons: int
    facts: int
    kept: int
    progress: ImportProgress
    by_name: str
    undone_at: datetime | None


class ImportLeftRead(BaseModel):
    """A household, or a door nobody lives behind, that somebody has touched since the import."""

    community_code: str
    community_name: str
    dwelling_id: UUID
    household_id: UUID | None
    address: str
    head_name: str
    reason: TouchReason
    touched_at: datetime | None
    touched_by_name: str


class ImportLeftPage(BaseModel):
    """A page of them, community by community."""

    items: list[ImportLeftRead]
    next_cursor: str | None
