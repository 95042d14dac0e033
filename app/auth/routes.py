"""HTTP of sign-in, one's own account, and the accounts of one's part."""

import base64
import binascii
import io
from typing import Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Form, Query, Request

from app.audit import service as audit
from app.audit.schemas import AuditEntryPage, AuditEntryRead
from app.auth import devices, service, sessions
from app.auth.guards import (
    AccountSession,
    CurrentActor,
    DeskActor,
    KnownActor,
    OwnSession,
    Session,
    actor_cache,
)
from app.auth.models import AccountKind
from app.auth.schemas import (
    AccountCreate,
    AccountPage,
    AccountRead,
    AccountUpdate,
    ClientCreate,
    ClientSecret,
    DevicePage,
    DeviceRead,
    InvitationAccept,
    InvitationRead,
    MeRead,
    OneTimePassword,
    PasswordChange,
    SignOut,
    TokenRead,
    WorkerPage,
)
from app.core.area_code import Code
from app.core.config import get_settings
from app.core.errors import Invalid
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase, parse_uuid

router = APIRouter(tags=["auth"], responses=COMMON_PROBLEMS)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _basic(request: Request) -> tuple[str, str] | None:
    """Client id and secret from HTTP Basic (RFC 6749 §2.3.1)."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


Short = Annotated[str | None, Form(max_length=300)]


@router.post("/auth/token")
async def issue_token(
    request: Request,
    database: OpenDatabase,
    grant_type: Annotated[str, Form(pattern="^(password|refresh_token|client_credentials)$")],
    username: Short = None,
    password: Short = None,
    refresh_token: Short = None,
    client_id: Short = None,
    client_secret: Short = None,
    device_id: Annotated[str | None, Form(max_length=64)] = None,
    device_name: Annotated[str, Form(max_length=100)] = "",
) -> TokenRead:
    """Sign in: password, refresh_token or client_credentials grant (RFC 6749)."""
    if grant_type == "refresh_token":
        return await sessions.refresh(database, refresh_token or "")
    if grant_type == "client_credentials":
        name, secret = _basic(request) or (client_id or "", client_secret or "")
        return await sessions.sign_in_client(database, name, secret, _address(request))
    device = parse_uuid(device_id) if device_id else None
    if device_id and device is None:
        raise Invalid("device_id_invalid", "设备编号无效。", "The device id is not a UUID.", "device_id")
    return await sessions.sign_in(
        database, (username or "").strip(), password or "", _address(request), device, device_name
    )


@router.post("/auth/sign-out", status_code=204)
async def sign_out(actor: KnownActor, session: OwnSession, body: SignOut) -> None:
    """End this device's session, or all of the account's."""
    await sessions.sign_out(session, actor, everywhere=body.everywhere)
    actor_cache.forget(actor.id)


@router.post("/auth/password", status_code=204)
async def change_password(actor: KnownActor, session: OwnSession, body: PasswordChange) -> None:
    """Change one's own password."""
    if actor.is_revoked:
        raise sessions.DeviceRevoked
    await sessions.change_password(session, actor, body.old_password, body.new_password)
    actor_cache.forget(actor.id)


@router.post("/auth/invitations/accept")
async def accept_invitation(request: Request, database: OpenDatabase, body: InvitationAccept) -> TokenRead:
    """Set a password with an invitation code and sign in."""
    return await sessions.accept_invitation(
        database, body.code, body.password, _address(request), body.device_id, body.device_name
    )


@router.get("/me")
async def get_me(actor: KnownActor, session: OwnSession) -> MeRead:
    """The account that asks, its grants and the responsibility areas it holds."""
    return await service.read_me(session, actor)


@router.get("/me/devices")
async def list_own_devices(actor: CurrentActor, session: Session) -> DevicePage:
    """The phones and browsers one has signed in on."""
    return DevicePage(items=await devices.list_own(session, actor), next_cursor=None)


@router.post("/me/devices/{device_id}/revoke")
async def revoke_own_device(actor: CurrentActor, session: AccountSession, device_id: UUID) -> DeviceRead:
    """End a device of one's own: it sends what it holds on its next contact and wipes itself."""
    answer = await devices.revoke(session, actor, actor.id, device_id)
    actor_cache.forget(actor.id)
    return answer


@router.get("/devices")
async def list_devices(
    actor: DeskActor,
    session: Session,
    community_code: Annotated[Code, Query(description="A division code; devices of accounts there and below it.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DevicePage:
    """The devices of the accounts one manages, account by account."""
    items, more = await devices.list_devices(session, actor, community_code, limit, cursor)
    return DevicePage(items=items, next_cursor=more)


@router.post("/accounts/{account_id}/devices/{device_id}/revoke")
async def revoke_device(actor: DeskActor, session: AccountSession, account_id: UUID, device_id: UUID) -> DeviceRead:
    """End somebody's device: it sends what it holds on its next contact and wipes itself."""
    answer = await devices.revoke(session, actor, account_id, device_id)
    actor_cache.forget(account_id)
    return answer


@router.get("/accounts")
async def list_accounts(
    actor: DeskActor,
    session: Session,
    community_code: Annotated[Code, Query(description="A division code; its accounts and those below it.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> AccountPage:
    """Accounts that work in a part of the tree."""
    actor.demand(community_code, service.DESK)
    items, more = await service.list_accounts(session, community_code, limit, cursor)
    return AccountPage(items=items, next_cursor=more)


@router.post("/accounts", status_code=201)
async def create_account(actor: DeskActor, session: AccountSession, body: AccountCreate) -> AccountRead:
    """Make an account for somebody of one's part."""
    password_hash = await sessions.hash_password(body.password) if body.password else None
    account = await service.create_account(session, actor, body, password_hash)
    grants = [service.grant_read(body.role, body.division_code)]
    await service.put_names(session, grants)
    return service.account_read(account, grants)


@router.get("/workers")
async def list_workers(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> WorkerPage:
    """Who can answer for doors of a community, those of its street and above among them."""
    items, more = await service.list_workers(session, actor, community_code, limit, cursor)
    return WorkerPage(items=items, next_cursor=more)


@router.get("/api-clients")
async def list_api_clients(
    actor: DeskActor,
    session: Session,
    community_code: Annotated[Code, Query(description="A division code; clients of it and below it.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> AccountPage:
    """Systems that fetch or send figures; `login` is their `client_id`."""
    actor.demand(community_code, service.DESK)
    items, more = await service.list_accounts(session, community_code, limit, cursor, kind=AccountKind.CLIENT)
    return AccountPage(items=items, next_cursor=more)


@router.post("/api-clients", status_code=201)
async def create_api_client(actor: DeskActor, session: AccountSession, body: ClientCreate) -> ClientSecret:
    """Make an API client; its secret is answered this once. `PATCH /accounts/{id}` closes it."""
    return await sessions.create_client(session, actor, body)


@router.post("/api-clients/{account_id}/secret")
async def renew_client_secret(actor: DeskActor, session: AccountSession, account_id: UUID) -> ClientSecret:
    """Another secret for a client; the old one ends."""
    answer = await sessions.renew_client_secret(session, actor, account_id)
    actor_cache.forget(account_id)
    return answer


@router.patch("/accounts/{account_id}")
async def update_account(
    actor: DeskActor, session: AccountSession, account_id: UUID, body: AccountUpdate
) -> AccountRead:
    """Correct a name; close an account, which ends its sessions, or open it again."""
    answer = await service.update_account(session, actor, account_id, body)
    actor_cache.forget(account_id)
    return answer


@router.post("/accounts/{account_id}/reset-password")
async def reset_password(actor: DeskActor, session: AccountSession, account_id: UUID) -> OneTimePassword:
    """A one-time password for somebody who lost theirs; their sessions end."""
    password = await sessions.reset_password(session, actor, account_id)
    actor_cache.forget(account_id)
    return OneTimePassword(password=password)


@router.post("/accounts/{account_id}/invitation")
async def invite(request: Request, actor: DeskActor, session: AccountSession, account_id: UUID) -> InvitationRead:
    """A one-time code, as a link and its QR picture, with which the account's holder sets a password."""
    code, invitation = await sessions.invite(session, actor, account_id)
    base = (get_settings().public_url or str(request.base_url)).rstrip("/")
    url = f"{base}/sign-in?invitation={code}"
    picture = io.BytesIO()
    segno.make(url, error="m").save(picture, kind="svg", scale=6, border=2)
    return InvitationRead(code=code, url=url, qr_svg=picture.getvalue().decode(), expires_at=invitation.expires_at)


@router.get("/audit-entries")
async def list_audit_entries(
    actor: DeskActor, session: Session, community_code: Code, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> AuditEntryPage:
    """A community's trail, newest first: who did what when to how many, never what it said."""
    actor.demand(community_code, service.DESK)
    rows, more = await audit.list_entries(session, community_code, limit, cursor)
    items = [
        AuditEntryRead(
            **row.model_dump(include={"seq", "community_code", "at", "actor_name", "action", "request_id"}),
            subject_count=len(row.subjects),
        )
        for row in rows
    ]
    return AuditEntryPage(items=items, next_cursor=more)
