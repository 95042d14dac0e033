"""Tables of people over time: stays and registrations, people on their way between communities, tenures."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, instant, one_of, sealed
from app.core.ids import new_id


class ResidenceKind(StrEnum):
    """What a place is to a person: where they live, or where their 户口 is (in this household, or somewhere else)."""

    LIVES_HERE = "lives_here"
    REGISTERED_HERE = "registered_here"
    REGISTERED_ELSEWHERE = "registered_elsewhere"


class ReasonIn(StrEnum):
    """How somebody came to live in a household; null: nobody wrote it down."""

    MOVED_IN = "moved_in"
    BORN = "born"
    RETURNED = "returned"
    FOUND = "found"
    SPLIT = "split"
    MERGED = "merged"


class ReasonOut(StrEnum):
    """Why somebody no longer lives in a household."""

    MOVED = "moved"
    MOVED_AWAY = "moved_away"
    DIED = "died"
    NOT_LIVING_HERE = "not_living_here"
    SPLIT = "split"
    MERGED = "merged"


class TransferStatus(StrEnum):
    """Where a person stands on the way from one community to another."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class TenureKind(StrEnum):
    """What a household is to its dwelling: 自有, 租住, 借住, 单位房."""

    OWNER = "owner"
    TENANT = "tenant"
    GUEST = "guest"
    EMPLOYER = "employer"


class Residence(SQLModel, table=True):
    """A stay or a registration: one person, one household, from a day (null: before the registry knew) to a day
    (null: still). Days are whole: who moves on a day lived in both places that day.

    The person and the community on the other side of a move are plain values; no key crosses communities. Places
    outside the registry are words, sealed.
    """

    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        ForeignKeyConstraint(["community_code", "resident_id"], ["resident.community_code", "resident.id"]),
        Index("ix_residence_household", "community_code", "household_id"),
        Index("ix_residence_resident", "community_code", "resident_id"),
        Index(
            "uq_residence_lives_here", "community_code", "resident_id", unique=True,
            postgresql_where=text("kind = 'lives_here' AND ended_on IS NULL"),
        ),
        Index(
            "uq_residence_registered", "community_code", "resident_id", unique=True,
            postgresql_where=text("kind <> 'lives_here' AND ended_on IS NULL"),
        ),
        one_of("kind", ResidenceKind),
        one_of("reason_in", ReasonIn),
        one_of("reason_out", ReasonOut),
        one_of("transfer_status", TransferStatus),
        CheckConstraint("ended_on >= started_on", name="ends_after_start"),
    )  # fmt: skip

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID
    household_id: UUID
    kind: str = Field(default=ResidenceKind.LIVES_HERE, sa_type=Text)
    started_on: date | None = None
    ended_on: date | None = None
    reason_in: str | None = Field(default=None, sa_type=Text)
    reason_out: str | None = Field(default=None, sa_type=Text)
    from_community: str | None = Field(default=None, sa_type=CHAR(12))
    from_resident_id: UUID | None = None
    from_place_sealed: bytes | None = sealed("residence.from_place")
    to_community: str | None = Field(default=None, sa_type=CHAR(12))
    to_resident_id: UUID | None = None
    to_place_sealed: bytes | None = sealed("residence.to_place")
    transfer_id: UUID | None = None
    transfer_status: str | None = Field(default=None, sa_type=Text)
    started_by_name: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    ended_by_name: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    recorded_at: datetime = instant(default_now=True)
    version: int = counter(BigInteger)


class Transfer(SQLModel, table=True):
    """转接: a person who has left one community for this one, until its committee accepts or declines.

    `person_sealed` is the person's facts as JSON, so that nothing of the other community's registry is read; it goes
    when the transfer is decided.
    """

    __table_args__ = (
        Index(
            "ix_transfer_waiting", "community_code", "id", postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_transfer_from", "from_community", "from_resident_id"),
        one_of("status", TransferStatus),
    )  # fmt: skip

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    from_community: str = Field(sa_type=CHAR(12))
    from_resident_id: UUID
    person_sealed: bytes | None = sealed("transfer.person")
    left_on: date
    place_sealed: bytes | None = sealed("transfer.place")
    is_registration_kept: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    status: str = Field(default=TransferStatus.WAITING, sa_type=Text, sa_column_kwargs={"server_default": "waiting"})
    resident_id: UUID | None = None
    reason_sealed: bytes | None = sealed("transfer.reason")
    sent_by: UUID | None = None
    sent_by_name: str = ""
    sent_at: datetime = instant(default_now=True)
    decided_by: UUID | None = None
    decided_by_name: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    decided_at: datetime | None = instant(nullable=True)
    version: int = counter(BigInteger)


class Tenure(SQLModel, table=True):
    """房屋关系: what a household is to its dwelling from a day to a day, and whom to ring about the flat."""

    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_tenure_household", "community_code", "household_id"),
        Index(
            "uq_tenure_current", "community_code", "household_id", unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        one_of("kind", TenureKind),
        CheckConstraint("ended_on >= started_on", name="ends_after_start"),
    )  # fmt: skip

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    kind: str = Field(sa_type=Text)
    landlord_name: str = ""
    landlord_phone_sealed: bytes | None = sealed("tenure.landlord_phone")
    started_on: date | None = None
    ended_on: date | None = None
    recorded_by_name: str = ""
    recorded_at: datetime = instant(default_now=True)
    version: int = counter(BigInteger)
