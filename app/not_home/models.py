"""Tables of the not-home loop: notices, the codes that stand on them, what households report by them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, community_key, counter, instant, json_column, one_of, sealed
from app.core.ids import new_id


class DoorNotice(SQLModel, table=True):
    """告知书: due at a household in a round since `due_at`; over once `closed_at` is set."""

    __tablename__ = "door_notice"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_door_notice_open", "community_code", "household_id", postgresql_where=text("closed_at IS NULL")),
    )

    community_code: str = community_key()
    round_id: UUID = Field(primary_key=True)
    household_id: UUID = Field(primary_key=True)
    due_at: datetime = instant()
    printed_at: datetime | None = instant(nullable=True)
    printed_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    left_at: datetime | None = instant(nullable=True)
    left_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    closed_at: datetime | None = instant(nullable=True)
    version: int = counter(BigInteger)


class HouseholdCode(SQLModel, table=True):
    """户码: the token in a household's QR; one stands at a time, a new one ends the old."""

    __tablename__ = "household_code"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index(
            "uq_household_code_standing", "community_code", "household_id", unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_household_code_token", "community_code", "token_index"),
    )  # fmt: skip

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    token_sealed: bytes = sealed("household_code.token", nullable=False)
    token_index: bytes | None = blind_index_of("token_sealed")
    created_at: datetime = instant(default_now=True)
    revoked_at: datetime | None = instant(nullable=True)
    last_used_at: datetime | None = instant(nullable=True)
    version: int = counter(BigInteger)


class SelfReportStatus(StrEnum):
    """What became of a self-report; that its household was asked since is read from the visits."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    SET_ASIDE = "set_aside"


class SelfReport(SQLModel, table=True):
    """自报: what a household says of itself; nothing counts until a worker confirms it. Health data with an end."""

    __tablename__ = "self_report"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_self_report_waiting", "community_code", "household_id", postgresql_where=text("status = 'waiting'")),
        one_of("status", SelfReportStatus),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    round_id: UUID
    persons: Any = json_column("'[]'")
    note_sealed: bytes | None = sealed("self_report.note")
    reported_at: datetime = instant(default_now=True)
    status: str = Field(default="waiting", sa_type=Text, sa_column_kwargs={"server_default": "waiting"})
    settled_at: datetime | None = instant(nullable=True)
    settled_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})
    delete_by: date
    version: int = counter(BigInteger)


class CodeAttempt(SQLModel, table=True):
    """How often a code, or a caller's address (both by blind index), was tried within the current window."""

    __tablename__ = "code_attempt"

    subject: str = Field(primary_key=True)
    attempts: int
    window_ends_at: datetime = instant()
