"""Shapes of accounts and sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.auth.models import Role
from app.core.area_code import Code, Level

Login = Annotated[str, StringConstraints(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9_.@-]+$")]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=200)]
Mobile = Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]


class Strict(BaseModel):
    """Input that refuses fields it does not know: a typing mistake is told, not swallowed."""

    model_config = ConfigDict(extra="forbid")


class TokenRead(BaseModel):
    """RFC 6749 §5.1, and the device the refresh token is bound to.

    `scope` is null, or `outbox` on a device that has been revoked: it may send its records and sign out.
    """

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None
    device_id: UUID | None
    scope: Literal["outbox"] | None = None


class SignOut(Strict):
    """Sign out here, or everywhere."""

    everywhere: bool = False


class PasswordChange(Strict):
    """One's own password."""

    old_password: str
    new_password: Password


class GrantRead(BaseModel):
    """A role in a part of the tree."""

    role: Role
    division_code: str
    name: str
    level: Level


class HeldArea(BaseModel):
    """A responsibility area the account holds."""

    id: UUID
    community_code: str
    name: str
    epoch: int
    version: int
    household_count: int


class MeRead(BaseModel):
    """The account that asks."""

    id: UUID
    name: str
    login: str
    kind: str
    must_change_password: bool
    grants: list[GrantRead]
    areas: list[HeldArea]


class AccountCreate(Strict):
    """A new account with its first role."""

    name: PersonName
    login: Login
    phone: Mobile | None = None
    role: Role
    division_code: Code
    password: Password | None = None


class ClientCreate(Strict):
    """A system that is to fetch or send figures of a division. Its secret is made here and answered once."""

    name: PersonName
    client_id: Login
    division_code: Code


class ClientSecret(BaseModel):
    """A client's id and its secret, which stands nowhere else and cannot be read again."""

    id: UUID
    client_id: str
    client_secret: str


class AccountUpdate(Strict):
    """What changes of an account; what is not named stays."""

    name: PersonName | None = None
    is_active: bool | None = None


class AccountRead(BaseModel):
    """An account as its committee sees it."""

    id: UUID
    name: str
    login: str
    kind: str
    is_active: bool
    phone_masked: str | None
    grants: list[GrantRead]


class WorkerRead(BaseModel):
    """Somebody who can answer for doors, with the roles that say so."""

    id: UUID
    name: str
    grants: list[GrantRead]


class WorkerPage(BaseModel):
    """A page of people who can answer for doors, by name."""

    items: list[WorkerRead]
    next_cursor: str | None


class AccountPage(BaseModel):
    """A page of accounts."""

    items: list[AccountRead]
    next_cursor: str | None


class OneTimePassword(BaseModel):
    """A password that must be changed at the next sign-in."""

    password: str


class InvitationRead(BaseModel):
    """A code that sets a password once; `qr_svg` shows `url`."""

    code: str
    url: str
    qr_svg: str
    expires_at: datetime


class InvitationAccept(Strict):
    """Taking up an invitation."""

    code: Annotated[str, StringConstraints(min_length=8, max_length=100)]
    password: Password
    device_id: UUID | None = None
    device_name: Annotated[str, StringConstraints(max_length=100)] = ""


class DeviceRead(BaseModel):
    """A phone or browser somebody has signed in on. `oldest_unsent_at`: since when it holds what it has not sent,
    as it last said; null when nothing waited then. `app_version` and `keeps_storage` (whether its browser keeps what is
    stored when space runs short): as it last said, null as long as it has not. `clock_error_s`: by how many seconds its
    clock was ahead of the server's (behind: less than 0), null where it never said. `is_signed_in`: it has a session
    that has not ended; a revoked one, to hand in what it holds. `is_over`: revoked, and nothing more can come from it.
    """

    id: UUID
    account_id: UUID
    account_name: str
    name: str
    created_at: datetime
    last_contact_at: datetime | None
    oldest_unsent_at: datetime | None
    app_version: str | None
    keeps_storage: bool | None
    clock_error_s: int | None
    revoked_at: datetime | None
    is_signed_in: bool
    is_over: bool


class DevicePage(BaseModel):
    """A page of devices."""

    items: list[DeviceRead]
    next_cursor: str | None
