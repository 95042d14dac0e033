"""Tables of duplicates: what was found, and how far each community was searched."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, Index, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of, sealed, words


class DuplicateKind(StrEnum):
    """Two people of one community, two households of one, or a person who stands in another community too."""

    PERSON = "person"
    HOUSEHOLD = "household"
    ELSEWHERE = "elsewhere"


class DuplicateStatus(StrEnum):
    """Open until somebody decides. `answered`: this side has said, and the other has not or says otherwise."""

    OPEN = "open"
    ANSWERED = "answered"
    DISMISSED = "dismissed"
    MERGED = "merged"
    SETTLED = "settled"


class Answer(StrEnum):
    """What one side says of a person who stands in two communities."""

    LIVES_HERE = "lives_here"
    REGISTERED_ONLY = "registered_only"
    MOVED_AWAY = "moved_away"
    NOT_SAME = "not_same"


class Duplicate(SQLModel, table=True):
    """Two rows of the registry that may be one, as one community knows of it.

    Of two communities each has a row of its own under the same id: whom it is about here (`subject_id`), the other
    community's code, and what it has answered. The id follows from the two rows' ids, so a pair that was decided is
    known when it is found again. Like the trail it carries no version: no phone holds it.
    """

    __tablename__ = "duplicate"
    __table_args__ = (
        Index("ix_duplicate_open", "community_code", "rank", "id", postgresql_where=text("status = 'open'")),
        Index("ix_duplicate_id", "id"),
        Index("ix_duplicate_subject", "community_code", "subject_id"),
        one_of("kind", DuplicateKind),
        one_of("status", DuplicateStatus),
        one_of("answer", Answer),
        one_of("other_answer", Answer, "other_answer_known"),
    )

    community_code: str = community_key()
    id: UUID = Field(primary_key=True)
    kind: str
    subject_id: UUID
    other_id: UUID | None = None
    other_community_code: str | None = Field(default=None, sa_type=CHAR(12))
    reasons: list[str] = words()
    # two people of two households that may be one: while that is open they are part of it
    covered_by: UUID | None = None
    # the order of the list: the surer the evidence, the smaller
    rank: int = counter(SmallInteger)
    status: str = Field(default=DuplicateStatus.OPEN, sa_type=Text, sa_column_kwargs={"server_default": "open"})
    answer: str | None = Field(default=None, sa_type=Text)
    other_answer: str | None = Field(default=None, sa_type=Text)
    reason_sealed: bytes | None = sealed("duplicate.reason")
    decided_by: UUID | None = None
    decided_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    decided_at: datetime | None = instant(nullable=True)
    found_at: datetime = instant(default_now=True)


class DuplicateSearch(SQLModel, table=True):
    """Up to which version of its clock a community has been searched, and since when somebody waits for it."""

    __tablename__ = "duplicate_search"

    community_code: str = community_key()
    searched_version: int = counter(BigInteger)
    searched_at: datetime | None = instant(nullable=True)
    wanted_at: datetime | None = instant(nullable=True)
