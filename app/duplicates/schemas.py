"""Shapes of duplicates. A masked ID and a birth date are never answered together, and no score is."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.duplicates.models import Answer, DuplicateKind, DuplicateStatus
from app.merges.schemas import HouseholdFact, PersonFact, PersonMerge
from app.people.models import HouseholdKind, HouseholdTag, IdKind

Why = Annotated[str, StringConstraints(min_length=2, max_length=500, strip_whitespace=True)]
Reason = Literal[
    "same_id", "id_typo", "same_name", "same_birth_date", "birth_date_close", "same_door", "near_address", "same_phone",
    "same_people",
]  # fmt: skip


class Strict(BaseModel):
    """Input that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid")


class MergeIn(Strict):
    """How a pair becomes one: the id that stays, the facts taken from the other row where both say something.

    What the row that stays lacks it takes in any case; tags are put together. `persons`: of two households, whose
    members are the same; the others come along.
    """

    keep: UUID
    take: Annotated[list[PersonFact | HouseholdFact], Field(max_length=11)] = []
    persons: Annotated[list[PersonMerge], Field(max_length=200)] = []


class DismissIn(Strict):
    """Why the two are not the same; it is kept, and the pair never comes back."""

    reason: Why


class AnswerIn(Strict):
    """What one side says of a person who stands in two communities."""

    community_code: Code
    answer: Literal["lives_here", "registered_only", "moved_away"]


class SettleIn(Strict):
    """What is so on one side, or on both at once by who is in charge of both."""

    answers: Annotated[list[AnswerIn], Field(min_length=1, max_length=2)]


class SearchIn(Strict):
    """Where to search anew."""

    area: Code


class SearchRead(BaseModel):
    """How far a division has been searched: communities, those that somebody waits for, and the oldest search."""

    area: str
    communities: int
    waiting: int
    searched_at: datetime | None


class CountsRead(BaseModel):
    """How many pairs wait for somebody in a division."""

    area: str
    persons: int
    households: int
    elsewhere: int


class PersonSide(BaseModel):
    """A person of a pair, masked."""

    resident_id: UUID
    household_id: UUID
    name: str
    sex: int
    birth_year: int | None
    relation: str
    workplace: str
    id_kind: IdKind
    id_masked: str | None
    phone_masked: str | None
    tags: list[str]
    needs_id_check: bool


class HouseholdSide(BaseModel):
    """A household of a pair, masked, with its people."""

    household_id: UUID
    kind: HouseholdKind
    head_name: str
    phone_masked: str | None
    note: str | None
    tags: list[HouseholdTag]
    members: list[PersonSide]


class Side(BaseModel):
    """One side of a pair: where, and the person or the household it is about."""

    community_code: str
    community_name: str
    address: str
    head_name: str
    person: PersonSide | None
    household: HouseholdSide | None


class MemberPair(BaseModel):
    """Members of two households who seem to be the same, and the facts in which they differ."""

    one: UUID
    other: UUID
    differences: list[PersonFact]


class OtherPlace(BaseModel):
    """The other community of a person who stands in two, and what it has said; nothing of what it holds."""

    community_code: str
    community_name: str
    answer: Answer | None


class DuplicateRead(BaseModel):
    """Two rows of the registry that may be one. `sides`: what is in the reader's scope, one or two.

    `differences`: facts of which both say something, and not the same; of masked values that cannot be seen. Of a
    merge `undo_until` is the last day on which it can be undone, after which `merge_id` is null and what stood before
    is deleted.
    """

    id: UUID
    community_code: str
    kind: DuplicateKind
    status: DuplicateStatus
    reasons: list[Reason]
    sides: list[Side]
    differences: list[PersonFact | HouseholdFact]
    members: list[MemberPair]
    elsewhere: OtherPlace | None
    answer: Answer | None
    reason: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    found_at: datetime
    merge_id: UUID | None
    undo_until: date | None


class DuplicatePage(BaseModel):
    """A page of pairs: open ones with the surest evidence first, decided ones newest first."""

    items: list[DuplicateRead]
    next_cursor: str | None
