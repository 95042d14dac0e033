"""Tables of the not-home loop: notices and the codes that stand on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, community_key, counter, instant, sealed
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
