"""Shapes of the not-home loop."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.area_code import Code
from app.not_home.models import SelfReportStatus
from app.questions.schemas import Answered


class LeaveDoorNoticePayload(BaseModel):
    """Payload of `screening.leave_door_notice`."""

    model_config = ConfigDict(extra="forbid")

    household_id: UUID
    round_id: UUID


class DoorNoticeRead(BaseModel):
    """A notice that is due, or was left, at a household. `missed_parts`: morning 0, afternoon 1, evening 2."""

    household_id: UUID
    round_id: UUID
    round_title: str
    address: str
    head_name: str
    attempts: int
    missed_parts: list[int]
    last_at: datetime
    due_at: datetime
    printed_at: datetime | None
    printed_by_name: str | None
    left_at: datetime | None
    left_by_name: str | None
    holder_name: str | None


class DoorNoticePage(BaseModel):
    """A page of notices."""

    items: list[DoorNoticeRead]
    next_cursor: str | None


class PrintDoorNotices(BaseModel):
    """Which notices of a round to print."""

    model_config = ConfigDict(extra="forbid")

    community_code: Code
    round_id: UUID
    household_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class PrintedNotice(BaseModel):
    """What stands on one notice: where it goes, and the household's code. Nobody's name."""

    household_id: UUID
    address: str
    attempts: int
    url: str
    qr_svg: str


class PrintedNotices(BaseModel):
    """Notices to be printed, two to a page."""

    community_name: str
    round_title: str
    ends_on: str
    printed_at: datetime
    items: list[PrintedNotice]


class ConfirmSelfReportPayload(Answered):
    """Payload of `screening.confirm_self_report`; the command's id becomes the visit's. What the round asks of its own
    is answered as in a visit."""

    model_config = ConfigDict(extra="forbid")

    household_id: UUID
    round_id: UUID
    self_report_id: UUID


class ConfirmedSelfReport(Answered):
    """A desk says that a self-report is right, and what was answered to the round's own questions."""

    model_config = ConfigDict(extra="forbid")


class SelfReportRead(BaseModel):
    """A self-report as the desk reads it. `is_waiting`: nobody has confirmed it or asked since."""

    id: UUID
    household_id: UUID
    round_id: UUID
    address: str
    head_name: str
    reported_at: datetime
    persons: list[dict[str, Any]]
    note: str | None
    status: SelfReportStatus
    is_waiting: bool
    settled_at: datetime | None
    settled_by_name: str | None
    holder_name: str | None


class SelfReportPage(BaseModel):
    """A page of self-reports, newest first."""

    items: list[SelfReportRead]
    next_cursor: str | None
