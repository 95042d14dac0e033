"""Tables of the division tree and the clock of each community."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, Index, Integer, text
from sqlmodel import Field, SQLModel

from app.core.area_code import LEVELS
from app.core.columns import community_key, counter, instant, json_column, one_of
from app.core.ids import new_id


class Division(SQLModel, table=True):
    """One official code: a city, district, town or community, dated, with its successor when it ended."""

    __table_args__ = (
        one_of("level", LEVELS),
        Index("ix_division_parent_code", "parent_code", "code"),
        Index("ix_division_code_pattern", "code", postgresql_ops={"code": "bpchar_pattern_ops"}),
    )

    code: str = Field(sa_type=CHAR(12), primary_key=True)
    name: str
    level: str
    parent_code: str | None = Field(default=None, sa_type=CHAR(12))
    valid_from: date | None = None
    valid_to: date | None = None
    successor_code: str | None = Field(default=None, sa_type=CHAR(12))


class ChangeKind(StrEnum):
    """What became of a code when a new year's list was adopted."""

    NEW = "new"
    RENAMED = "renamed"
    MOVED = "moved"
    MERGED = "merged"
    SPLIT = "split"
    ENDED = "ended"


class DivisionChange(SQLModel, table=True):
    """One line of the history of codes: what was called so became what, from which day, by which list.

    A reference table. `parts` says of a split which doors go where; `carried_at` is when rows, grants and rounds of
    the old code had been taken along, null while that is still to be done.
    """

    __tablename__ = "division_change"
    __table_args__ = (
        one_of("kind", ChangeKind),
        one_of("level", LEVELS),
        Index("ix_division_change_old", "old_code"),
        Index("ix_division_change_new", "new_code"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    level: str
    old_code: str | None = Field(default=None, sa_type=CHAR(12))
    old_name: str = ""
    new_code: str | None = Field(default=None, sa_type=CHAR(12))
    new_name: str = ""
    effective_on: date
    source: str = ""
    parts: Any = json_column("'[]'")
    adopted_at: datetime = instant(default_now=True)
    carried_at: datetime | None = instant(nullable=True)


class CommunityClock(SQLModel, table=True):
    """Version and registry tallies of one community.

    Every transaction that changes the community takes this row first, so commit order is version order.
    `changed_xid` is the transaction that moved it last: what headcount clients ask "since" with. `carried_at` is when
    doors of it were last given to another code: who looked before that looks again.
    """

    __tablename__ = "community_clock"
    __table_args__ = (
        Index(
            "ix_community_clock_pattern",
            "community_code",
            postgresql_ops={"community_code": "bpchar_pattern_ops"},
        ),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    community_code: str = community_key()
    version: int = counter(BigInteger)
    dwelling_count: int = counter(Integer)
    vacant_count: int = counter(Integer)
    household_count: int = counter(Integer)
    resident_count: int = counter(Integer)
    unassigned_count: int = counter(Integer)
    changed_xid: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    changed_at: datetime = instant(default_now=True)
    carried_at: datetime | None = instant(nullable=True)
