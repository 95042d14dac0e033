"""What a put has done, or would do: counts, what stands against the list, what rows said before."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.people.registry.given import Subject

IS_GONE = "is_gone"
"""The fact a difference speaks of when a list names somebody who has gone."""

PLACE = "place"
"""The fact a difference speaks of when a list names somebody behind another door than theirs."""


@dataclass(frozen=True, slots=True)
class PutConflict:
    """What was given and cannot stand beside what is known: where in the file, and the code."""

    code: Literal["id_duplicate", "vacant_but_lived_in"]
    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the list and the registry give differently.

    `is_kept`: somebody has changed it since the list was made (`actor_name`, `changed_at`), and the registry's value
    stands; else the list's was taken. Kept without a `changed_at` is a question: the list may be right, and where
    somebody lives is not a list's to change. Values are plain: text, a number, a list of tags, an ISO date, None.
    """

    subject: Subject
    subject_id: UUID
    household_id: UUID
    field: str
    listed: Any
    registered: Any
    is_kept: bool
    actor_name: str
    changed_at: datetime | None
    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class Departed:
    """Somebody who has lived behind one of the community's doors and does not any more: gone, or moved behind another
    (`is_gone` False). `doors`: those they have left; `address`: where they live now, or lived last; `left_on`: the day
    of the last change, None when nobody wrote it down, and then `left_at` is when the registry heard of it."""

    id: UUID
    household_id: UUID
    name: str
    birth_on: date | None
    id_index: bytes | None
    is_gone: bool
    doors: frozenset[UUID]
    address: str
    left_on: date | None
    left_at: datetime
    reason: str | None
    by: str


FindDeparted = Callable[[AsyncSession, str, Sequence[bytes], Sequence[str]], Awaitable[list[Departed]]]
"""Who in a community has departed and has one of these ID indexes or names; `app.residence` answers."""


@dataclass(slots=True)
class Before:
    """What a put has changed of a row that was there: the values of its columns before, of those that it changed; none
    where a household has only got more people. `changes`: of facts whose last change is kept, that row before, None
    where there was none."""

    kind: Literal["dwelling", "household", "resident"]
    id: UUID
    values: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, dict[str, Any] | None] = field(default_factory=dict)


@dataclass(slots=True)
class PutCounts:
    """What a put did. `created`, `updated`, `unchanged` count persons and vacant doors: a roster's rows; `kept` facts
    that stand against the list; `asked` people whom the list places where the registry has them not, for a person to
    decide. `version` is the clock's that the put has written, 0 when it wrote nothing; `made` are new rows by table,
    `span` the lowest and highest of their ids, `before` what stood in rows that were there."""

    dwellings: int = 0
    vacant: int = 0
    households: int = 0
    persons: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    asked: int = 0
    version: int = 0
    conflicts: list[PutConflict] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    household_ids: list[UUID] = field(default_factory=list)
    created_ids: dict[str, list[UUID]] = field(
        default_factory=lambda: {"dwelling": [], "household": [], "resident": []}
    )
    made: Counter[str] = field(default_factory=Counter)
    span: tuple[UUID, UUID] | None = None
    before: list[Before] = field(default_factory=list)


def vars_of(counts: PutCounts) -> dict[str, int]:
    """The numbers of a put's counts."""
    names = ("dwellings", "vacant", "households", "persons", "created", "updated", "unchanged", "kept", "asked")
    return {name: getattr(counts, name) for name in names}
