"""Tables of responsibility areas and their assignments, posts and their claims."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Integer, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, flag, instant, one_of
from app.core.ids import new_id


class PostKind(StrEnum):
    """Duties of N11: what a pioneer post 先锋岗 is for."""

    CHECKPOINT = "checkpoint"
    SCREENING = "screening"
    MONITORING = "monitoring"
    CARE = "care"
    PUBLICITY = "publicity"
    DISINFECTION = "disinfection"
    SUPPLIES = "supplies"
    WATCH = "watch"
    OTHER = "other"


class ResponsibilityArea(SQLModel, table=True):
    """责任区: a set of doors in one community that one person answers for.

    `epoch` rises with each change of holder; `version` is the last community version that touched the
    area's content; `recut_version` the last one that took doors away, before which a phone loads anew.
    """

    __tablename__ = "responsibility_area"
    __table_args__ = (
        Index("ix_responsibility_area_holder", "holder_id"),
        Index("ix_responsibility_area_id", "id"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    note: str = ""
    is_open: bool = flag()
    is_removed: bool = flag()
    holder_id: UUID | None = None
    holder_name: str | None = None
    assigned_at: datetime | None = instant(nullable=True)
    epoch: int = counter(Integer)
    dwelling_count: int = counter(Integer)
    household_count: int = counter(Integer)
    version: int = counter(BigInteger)
    recut_version: int = counter(BigInteger)
    created_at: datetime = instant(default_now=True)


class Assignment(SQLModel, table=True):
    """Who held an area in which epoch, and how it came about."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["community_code", "area_id"], ["responsibility_area.community_code", "responsibility_area.id"]
        ),
        Index("ix_assignment_area", "community_code", "area_id", "epoch"),
        one_of("how", ("assigned", "claimed")),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_id: UUID
    account_id: UUID
    epoch: int
    how: str
    by_account_id: UUID
    started_at: datetime = instant(default_now=True)
    ended_at: datetime | None = instant(nullable=True)


class Post(SQLModel, table=True):
    """先锋岗 / 示范岗: a duty at a place and time that members claim; never more than `wanted_count`."""

    __table_args__ = (
        CheckConstraint("claimed_count BETWEEN 0 AND wanted_count", name="claimed_within_wanted"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        one_of("kind", PostKind),
        Index("ix_post_id", "id"),
        Index("ix_post_starts_at", "community_code", "starts_at"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    title: str
    kind: str
    is_demonstration: bool = flag()
    duty: str = ""
    place: str = ""
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    wanted_count: int
    claimed_count: int = counter(Integer)
    is_published: bool = flag()
    created_by: UUID
    version: int = counter(BigInteger)


class PostClaim(SQLModel, table=True):
    """A member's claim 认领 of a post; one standing claim each."""

    __tablename__ = "post_claim"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "post_id"], ["post.community_code", "post.id"]),
        Index(
            "uq_post_claim_standing",
            "community_code",
            "post_id",
            "account_id",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_post_claim_account", "account_id"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    post_id: UUID
    account_id: UUID
    account_name: str
    claimed_at: datetime = instant(default_now=True)
    released_at: datetime | None = instant(nullable=True)
