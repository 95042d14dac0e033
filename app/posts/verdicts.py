"""What a desk may say of a record that was taken and flagged, and what every kind of record needs for it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import ColumnElement, text
from sqlmodel import col

from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict


class Verdict(StrEnum):
    """Confirmed counts as it did; set aside stays in the record and counts no longer."""

    CONFIRMED = "confirmed"
    SET_ASIDE = "set_aside"


OPEN_FLAG = text("flag_code IS NOT NULL AND verdict IS NULL")
"""The condition that somebody still has to look at a record, as indexes and counts have it."""


class JudgeIn(BaseModel):
    """A verdict on one flagged record."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""


class RecordNotFlagged(Conflict):
    """Nobody has to judge a record that came in as it should."""

    def __init__(self) -> None:
        super().__init__("record_not_flagged", "这条记录无需核对。", "This record needs no look.")


class RecordEmptied(Conflict):
    """What was said has been deleted because its day has come, so what follows from it cannot be worked out anew."""

    def __init__(self) -> None:
        super().__init__(
            "record_emptied",
            "这条记录的内容已按期删除，不能再改变是否计入。",
            "What this record says was deleted on its day; whether it counts can no longer be changed.",
        )


def write_verdict(
    record: Any, verdict: Verdict | None, reason: str, *, by: UUID, name: str, context: str
) -> bool | None:
    """Write a verdict into a record's columns; None: it waits for somebody again.

    Answers None when nothing changes, else whether the record begins or ceases to count.
    Raises RecordNotFlagged and RecordEmptied.
    """
    if record.flag_code is None:
        raise RecordNotFlagged
    before = record.verdict
    if before == verdict:
        return None
    moves: bool = (before == Verdict.SET_ASIDE) != (verdict == Verdict.SET_ASIDE)
    if moves and record.delete_by is not None and record.delete_by <= today():
        raise RecordEmptied
    record.verdict = verdict.value if verdict else None
    record.reason_sealed = crypto.seal_text(reason or None, context) if verdict else None
    record.judged_by = by if verdict else None
    record.judged_by_name = name if verdict else ""
    record.judged_at = now() if verdict else None
    return moves


def is_open(model: Any) -> ColumnElement[bool]:
    """The condition that somebody still has to look at a record."""
    return col(model.flag_code).is_not(None) & col(model.verdict).is_(None)


class JudgedRead(BaseModel):
    """How a record was judged; all null while it waits or needs no look."""

    verdict: Verdict | None
    judged_at: datetime | None
    judged_by_name: str | None
    reason: str | None


def judged_read(record: Any, context: str) -> dict[str, Any]:
    """A record's verdict as `JudgedRead` has it."""
    return {
        "verdict": record.verdict,
        "judged_at": record.judged_at,
        "judged_by_name": record.judged_by_name or None,
        "reason": crypto.open_text(record.reason_sealed, context),
    }
