"""Tables of accounts, what they may do, and the devices they do it on.

Local tables: they belong to no community; whose business an account is follows from its grants.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, flag, instant, one_of, sealed
from app.core.ids import new_id


class Role(StrEnum):
    """What an account is in a part of the tree."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMITTEE = "committee"
    GRID_WORKER = "grid_worker"
    PARTY_MEMBER = "party_member"
    VIEWER = "viewer"
    API_CLIENT = "api_client"


class AccountKind(StrEnum):
    """A person signs in with a password, a client with a secret."""

    PERSON = "person"
    CLIENT = "client"


class Account(SQLModel, table=True):
    """Someone, or a system, that may sign in."""

    __table_args__ = (one_of("kind", AccountKind),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(default=AccountKind.PERSON)
    login: str = Field(unique=True)
    name: str
    phone_sealed: bytes | None = sealed("account.phone")
    phone_index: bytes | None = blind_index_of("phone_sealed", unique=True)
    password_hash: str | None = None
    must_change_password: bool = flag()
    is_active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    is_demo: bool = flag()
    session_epoch: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = instant(default_now=True)


class RoleGrant(SQLModel, table=True):
    """An account holds a role in all communities whose code begins with `division_prefix`."""

    __tablename__ = "role_grant"
    __table_args__ = (
        one_of("role", Role),
        Index("ix_role_grant_prefix", "division_prefix", postgresql_ops={"division_prefix": "text_pattern_ops"}),
    )

    account_id: UUID = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    role: str = Field(primary_key=True)
    division_prefix: str = Field(primary_key=True)
    created_at: datetime = instant(default_now=True)


class Device(SQLModel, table=True):
    """A phone or browser an account has signed in on."""

    account_id: UUID = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    name: str = ""
    created_at: datetime = instant(default_now=True)
    last_contact_at: datetime | None = instant(nullable=True)
    oldest_unsent_at: datetime | None = instant(nullable=True)
    # as the phone last said: which build it runs, and whether its browser keeps what is stored when space runs short
    app_version: str | None = None
    keeps_storage: bool | None = None
    # seconds by which its clock was ahead of ours (behind: less than 0) when it last said what it showed
    clock_error_s: int | None = None
    revoked_at: datetime | None = instant(nullable=True)


class RefreshToken(SQLModel, table=True):
    """One link of a device's chain of refresh tokens; using a used one ends the chain."""

    __tablename__ = "refresh_token"

    token_hash: bytes = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    device_id: UUID
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)


class Invitation(SQLModel, table=True):
    """A one-time code that lets its holder set the account's password."""

    code_hash: bytes = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    created_by: UUID
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)


class SignInAttempt(SQLModel, table=True):
    """Failed sign-ins of a login or an address within the current window, for the rate limit."""

    __tablename__ = "sign_in_attempt"

    subject: str = Field(primary_key=True)
    failures: int
    window_ends_at: datetime = instant()
