"""Shapes of flagged edits."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from app.posts.verdicts import JudgedRead

EditCommand = Literal[
    "people.add_household", "people.add_resident", "people.mark_resident_gone", "people.update_household",
    "people.update_resident", "screening.confirm_self_report", "screening.leave_door_notice",
]  # fmt: skip


class FlaggedEditRead(JudgedRead):
    """An edit, as its committee reads it: about whom, which command, which facts it names; what they are now stands in
    the registry. `is_flagged`: somebody still has to look."""

    id: UUID
    household_id: UUID
    address: str
    head_name: str
    resident_id: UUID | None
    resident_name: str | None
    command: EditCommand
    fields: list[str]
    recorded_at: datetime
    received_at: datetime
    clock_error_s: int | None
    actor_name: str
    is_flagged: bool
    flag_code: str


class FlaggedEditPage(BaseModel):
    """A page of flagged edits, newest first."""

    items: list[FlaggedEditRead]
    next_cursor: str | None
