"""The commands a phone may send: name, payload shape, and how a batch of them enters SQL."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.care import service as care
from app.care.schemas import CareVisitPayload
from app.core.db import Database
from app.not_home.schemas import ConfirmSelfReportPayload, LeaveDoorNoticePayload
from app.people.schemas import AddResidentPayload, UpdateHouseholdPayload, UpdateResidentPayload
from app.questions import service as questions
from app.residence.schemas import AddHouseholdPayload, MarkResidentGonePayload
from app.rules.service import RuleBook
from app.screening import service as screening
from app.screening.schemas import DoorVisitPayload


@dataclass(frozen=True, slots=True)
class Command:
    """A checked command."""

    id: UUID
    recorded_at: datetime
    epoch: int | None
    payload: Any
    is_off: bool = False
    clock_error_s: int | None = None
    """`is_off`: the clock by which it was recorded was wrong; by how many seconds, where the phone knew."""
    # what a visit answered, judged against its round's questions
    judged: Any = None


@dataclass(frozen=True, slots=True)
class CommandKind:
    """One kind of command; `as_rows` makes the JSON that `take_commands` hands to its SQL function.

    Without it the command is rare, as an edit of the registry is, and goes through `app.sync.edits`.
    """

    name: str
    payload: type[BaseModel]
    as_rows: Callable[[Sequence[Any], RuleBook], list[dict[str, Any]]] | None = None
    # judges what a shape alone cannot tell, by the commands' ids; it asks the database for what it has not seen yet
    judge: Callable[[Database, Iterable[tuple[UUID, Any]]], Awaitable[dict[UUID, Any]]] | None = None


KINDS: dict[str, CommandKind] = {
    kind.name: kind
    for kind in (
        CommandKind("screening.record_door_visit", DoorVisitPayload, screening.as_rows, questions.judge_visits),
        CommandKind("care.record_visit", CareVisitPayload, care.as_rows),
        CommandKind("screening.confirm_self_report", ConfirmSelfReportPayload),
        CommandKind("screening.leave_door_notice", LeaveDoorNoticePayload),
        CommandKind("people.add_household", AddHouseholdPayload),
        CommandKind("people.add_resident", AddResidentPayload),
        CommandKind("people.mark_resident_gone", MarkResidentGonePayload),
        CommandKind("people.update_household", UpdateHouseholdPayload),
        CommandKind("people.update_resident", UpdateResidentPayload),
    )
}
