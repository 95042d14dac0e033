"""Signing in: passwords, access tokens, rotating refresh tokens bound to a device, invitations, rate limit.

Access tokens are JWT (HS256, python-jose), audience and issuer checked; refresh tokens are random and
kept as SHA-256. Rules follow RFC 6749 and, for reuse of a refresh token, RFC 9700 §4.14.
"""

import functools
import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from jose import ExpiredSignatureError, JWTError, jwt
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth import service
from app.auth.models import Account, AccountKind, Device, Invitation, RefreshToken, Role
from app.auth.schemas import AccountCreate, ClientCreate, ClientSecret, TokenRead
from app.core import crypto
from app.core.clock import now
from app.core.config import get_settings
from app.core.db import NOWHERE, Database, Scope
from app.core.errors import Invalid, NotFound, Problem, Unauthorized
from app.core.ids import new_id

ISSUER = AUDIENCE = "pioneer-grid"
ALGORITHM = "HS256"
NOWHERE_SCOPE = Scope((NOWHERE,))

MAX_FAILURES = 10
FAILURE_WINDOW = timedelta(minutes=10)
REFRESH_GRACE = timedelta(seconds=120)
"""A phone that lost the answer to its refresh may ask again with the token it still has."""
INVITATION_DAYS = 3

OUTBOX = "outbox"
"""The scope (RFC 6749 §3.3) of the tokens of a revoked device: to send what it still holds, and to sign out."""
OUTBOX_SECONDS = 300
OUTBOX_TIME = timedelta(days=1)
"""How long after its first contact a revoked device may go on sending."""

_hasher = PasswordHasher()


@functools.cache
def _nobodys_hash() -> str:
    """What a password is compared with where there is no account, so that both take equally long."""
    return _hasher.hash(secrets.token_urlsafe(16))


class CredentialsInvalid(Problem):
    """Wrong login, password, secret, or token; which of them is not said."""

    def __init__(self) -> None:
        super().__init__(
            "credentials_invalid", "登录名或密码不正确。", "The login or password is not right.", 401,
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip


class DeviceRevoked(Unauthorized):
    """The device has been revoked: it sends what it holds, if it may, and wipes itself."""

    def __init__(self) -> None:
        super().__init__(
            "device_revoked",
            "这台设备已被停用，请联系社区。",
            "This device has been revoked; ask your committee.",
        )


async def hash_password(password: str) -> str:
    """argon2id hash, made off the event loop."""
    return await anyio.to_thread.run_sync(_hasher.hash, password)


async def _verify(password_hash: str | None, password: str) -> bool:
    def check() -> bool:
        try:
            return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    return await anyio.to_thread.run_sync(check)


def issue_access_token(account: Account, device_id: UUID | None, scope: str | None = None) -> str:
    """A signed access token for the account on the device; `scope` OUTBOX for a revoked one."""
    issued = int(now().timestamp())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(account.id), "iat": issued, "jti": secrets.token_urlsafe(8),
        "exp": issued + _life(scope), "se": account.session_epoch,
    }  # fmt: skip
    if device_id is not None:
        claims["dev"] = str(device_id)
    if scope is not None:
        claims["scope"] = scope
    return jwt.encode(claims, get_settings().token_key, algorithm=ALGORITHM)


def _life(scope: str | None) -> int:
    """How long an access token is good for, in seconds."""
    return OUTBOX_SECONDS if scope == OUTBOX else get_settings().access_token_seconds


def read_access_token(token: str) -> dict[str, str | int]:
    """The verified claims; raises Unauthorized (`token_invalid`, `token_expired`)."""
    try:
        claims = jwt.decode(token, get_settings().token_key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER)
    except ExpiredSignatureError:
        raise Unauthorized(
            "token_expired",
            "登录已过期，请重新登录；未上传的记录不会丢失。",
            "The sign-in has expired; nothing unsent is lost.",
        ) from None
    except (JWTError, ValueError):
        raise Unauthorized(
            "token_invalid", "登录无效，请重新登录。", "The token is not valid; sign in again."
        ) from None
    return dict(claims)


async def _guard_rate(database: Database, subjects: list[str]) -> None:
    """Raise 429 `too_many_attempts` when one of the subjects has failed too often within the window."""
    async with database.session(NOWHERE_SCOPE) as session:
        blocked = await session.scalar(
            text(
                "SELECT max(extract(epoch FROM window_ends_at - now())) FROM sign_in_attempt "
                "WHERE subject = ANY(:subjects) AND window_ends_at > now() "
                "AND failures >= CASE WHEN subject LIKE 'login:%' THEN :most ELSE :most * 10 END"
            ),
            {"subjects": subjects, "most": MAX_FAILURES},
        )
    if blocked:
        zh, en = "尝试次数过多，请稍后再试。", "Too many attempts; try again later."
        raise Problem("too_many_attempts", zh, en, 429, headers={"Retry-After": str(int(blocked) + 1)})


async def _count_failure(database: Database, subjects: list[str]) -> None:
    async with database.session(NOWHERE_SCOPE) as session:
        await session.execute(
            text(
                "INSERT INTO sign_in_attempt AS a (subject, failures, window_ends_at) "
                "SELECT s, 1, now() + :window FROM unnest(cast(:subjects AS text[])) s "
                "ON CONFLICT (subject) DO UPDATE SET "
                "failures = CASE WHEN a.window_ends_at > now() THEN a.failures + 1 ELSE 1 END, "
                "window_ends_at = CASE WHEN a.window_ends_at > now() THEN a.window_ends_at ELSE now() + :window END"
            ),
            {"subjects": subjects, "window": FAILURE_WINDOW},
        )
        await audit.append_entry(session, audit.SYSTEM, NOWHERE, "sign_in_failed", [])


async def sign_in(
    database: Database, username: str, password: str, address: str, device_id: UUID | None, device_name: str
) -> TokenRead:
    """Sign a person in by login or phone and password; answers tokens bound to the device.

    Raises CredentialsInvalid, or 429 `too_many_attempts` after ten failures of a login in ten minutes.
    """
    subjects = [f"login:{username.lower()[:80]}", f"address:{address}"]
    await _guard_rate(database, subjects)
    async with database.session(NOWHERE_SCOPE) as session:
        account = await _find_person(session, username)
    if not await _verify(account.password_hash if account else None, password) or account is None:
        await _count_failure(database, subjects)
        raise CredentialsInvalid
    async with database.session(NOWHERE_SCOPE) as session:
        return await _open_session(session, account, device_id, device_name, "sign_in")


async def _find_person(session: AsyncSession, username: str) -> Account | None:
    indexes = crypto.blind_indexes(username, service.PHONE)
    statement = select(Account).where((col(Account.login) == username) | col(Account.phone_index).in_(indexes))
    # a login that looks like somebody's phone number must not keep them out: the number comes first
    by_number = statement.order_by(col(Account.phone_index).in_(indexes).desc().nulls_last())
    account = (await session.scalars(by_number.limit(1))).first()
    usable = account is not None and account.is_active and account.kind == AccountKind.PERSON
    return account if usable else None


async def _open_session(
    session: AsyncSession, account: Account, device_id: UUID | None, device_name: str, action: str
) -> TokenRead:
    device_id = device_id or new_id()
    device = await session.get(Device, (account.id, device_id))
    if device is None:
        device = Device(account_id=account.id, id=device_id, name=device_name)
        session.add(device)
        await session.flush()
    device.last_contact_at = now()
    until = now() + _refresh_life(device)
    token = await _new_refresh_token(session, account.id, device_id, until)
    await audit.append_entry(session, audit.Doer(account.id, account.name, device_id), NOWHERE, action, [account.id])
    return _token_read(account, device, token)


def _refresh_life(device: Device) -> timedelta:
    return OUTBOX_TIME if device.revoked_at is not None else timedelta(days=get_settings().refresh_token_days)


async def _new_refresh_token(session: AsyncSession, account_id: UUID, device_id: UUID, until: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=hashlib.sha256(token.encode()).digest(),
            account_id=account_id,
            device_id=device_id,
            expires_at=until,
        )
    )
    return token


def _token_read(account: Account, device: Device | None, refresh_token: str | None) -> TokenRead:
    scope = OUTBOX if device is not None and device.revoked_at is not None else None
    device_id = device.id if device else None
    return TokenRead(
        access_token=issue_access_token(account, device_id, scope),
        token_type="bearer",  # noqa: S106 - a kind, not a secret
        expires_in=_life(scope),
        refresh_token=refresh_token,
        device_id=device_id,
        scope=scope,
    )


async def refresh(database: Database, token: str) -> TokenRead:
    """Trade a refresh token for new tokens; a revoked device's are for its outbox alone, and for a day.

    A token used before ends all sessions of its device (someone else has it), except within two minutes
    of its use: then the phone has lost our answer.
    """
    digest = hashlib.sha256(token.encode()).digest()
    stolen = False
    async with database.session(NOWHERE_SCOPE) as session:
        held = (
            await session.scalars(select(RefreshToken).where(col(RefreshToken.token_hash) == digest).with_for_update())
        ).first()
        if held is None or held.expires_at < now():
            raise CredentialsInvalid
        account = await session.get(Account, held.account_id)
        device = await session.get(Device, (held.account_id, held.device_id))
        if account is None or not account.is_active or device is None:
            raise CredentialsInvalid
        if held.used_at is not None and now() - held.used_at > REFRESH_GRACE:
            stolen = True
            await service.end_sessions(session, held.account_id, held.device_id)
            doer = audit.Doer(account.id, account.name, device.id)
            await audit.append_entry(session, doer, NOWHERE, "refresh_token_reused", [device.id])
        else:
            held.used_at = held.used_at or now()
            device.last_contact_at = now()
            until = now() + _refresh_life(device)
            if device.revoked_at is not None:
                until = min(until, held.expires_at)
            fresh = await _new_refresh_token(session, held.account_id, held.device_id, until)
            answer = _token_read(account, device, fresh)
    if stolen:
        raise CredentialsInvalid
    return answer


async def sign_in_client(database: Database, client_id: str, secret: str, address: str) -> TokenRead:
    """Sign an API client in (client credentials grant); no refresh token."""
    subjects = [f"login:{client_id.lower()[:80]}", f"address:{address}"]
    await _guard_rate(database, subjects)
    async with database.session(NOWHERE_SCOPE) as session:
        statement = select(Account).where(col(Account.login) == client_id, col(Account.kind) == AccountKind.CLIENT)
        account = (await session.scalars(statement)).first()
    known = account is not None and account.is_active
    if not await _verify(account.password_hash if account and known else None, secret) or account is None:
        await _count_failure(database, subjects)
        raise CredentialsInvalid
    async with database.session(NOWHERE_SCOPE) as session:
        await audit.append_entry(session, audit.Doer(account.id, account.name), NOWHERE, "sign_in_client", [account.id])
    return _token_read(account, None, None)


async def sign_out(session: AsyncSession, actor: service.Actor, *, everywhere: bool) -> None:
    """End this device's session, or every session of the account."""
    await service.end_sessions(session, actor.id, None if everywhere else actor.device_id)
    action = "sign_out_everywhere" if everywhere else "sign_out"
    await audit.append_entry(session, actor.doer, NOWHERE, action, [actor.id])


async def change_password(session: AsyncSession, actor: service.Actor, old: str, new: str) -> None:
    """Change one's own password; other devices' sessions end."""
    account = await session.get(Account, actor.id)
    if account is None or not await _verify(account.password_hash, old):
        raise Invalid("old_password_wrong", "原密码不正确。", "The old password is not right.", "old_password")
    account.password_hash = await hash_password(new)
    account.must_change_password = False
    statement = delete(RefreshToken).where(col(RefreshToken.account_id) == actor.id)
    await session.execute(statement.where(col(RefreshToken.device_id) != actor.device_id))
    await audit.append_entry(session, actor.doer, NOWHERE, "change_password", [actor.id])


async def reset_password(session: AsyncSession, actor: service.Actor, account_id: UUID) -> str:
    """Give an account of one's part a one-time password; its sessions end."""
    account = await service.get_account_in_scope(session, actor, account_id)
    password = secrets.token_urlsafe(9)
    account.password_hash = await hash_password(password)
    account.must_change_password = True
    await service.end_sessions(session, account_id, None)
    await audit.append_entry(session, actor.doer, NOWHERE, "reset_password", [account_id])
    return password


async def create_client(session: AsyncSession, actor: service.Actor, new: ClientCreate) -> ClientSecret:
    """Make an API client for a division and its secret; raises as `service.create_account` does."""
    secret = secrets.token_urlsafe(32)
    wanted = AccountCreate(
        name=new.name, login=new.client_id, role=Role.API_CLIENT, division_code=new.division_code, password=secret
    )
    account = await service.create_account(session, actor, wanted, await hash_password(secret))
    return ClientSecret(id=account.id, client_id=account.login, client_secret=secret)


async def renew_client_secret(session: AsyncSession, actor: service.Actor, account_id: UUID) -> ClientSecret:
    """Another secret for an API client of one's part; the old one and what was signed in with it end at once."""
    account = await service.get_account_in_scope(session, actor, account_id)
    if account.kind != AccountKind.CLIENT:
        raise NotFound
    secret = secrets.token_urlsafe(32)
    account.password_hash = await hash_password(secret)
    await service.end_sessions(session, account_id, None)
    await audit.append_entry(session, actor.doer, NOWHERE, "renew_client_secret", [account_id])
    return ClientSecret(id=account.id, client_id=account.login, client_secret=secret)


async def invite(session: AsyncSession, actor: service.Actor, account_id: UUID) -> tuple[str, Invitation]:
    """A one-time code, good for three days, with which the account's holder sets a password."""
    await service.get_account_in_scope(session, actor, account_id)
    code = secrets.token_urlsafe(16)
    invitation = Invitation(
        code_hash=hashlib.sha256(code.encode()).digest(),
        account_id=account_id,
        created_by=actor.id,
        expires_at=now() + timedelta(days=INVITATION_DAYS),
    )
    session.add(invitation)
    await audit.append_entry(session, actor.doer, NOWHERE, "invite", [account_id])
    return code, invitation


async def accept_invitation(
    database: Database, code: str, password: str, address: str, device_id: UUID | None, device_name: str
) -> TokenRead:
    """Set the password with an invitation code and sign in."""
    subjects = [f"address:{address}"]
    await _guard_rate(database, subjects)
    digest = hashlib.sha256(code.encode()).digest()
    password_hash = await hash_password(password)
    async with database.session(NOWHERE_SCOPE) as session:
        statement = select(Invitation).where(col(Invitation.code_hash) == digest).with_for_update()
        invitation = (await session.scalars(statement)).first()
        account = await session.get(Account, invitation.account_id) if invitation else None
        is_good = invitation is not None and invitation.used_at is None and invitation.expires_at > now()
        if is_good and invitation is not None and account is not None and account.is_active:
            invitation.used_at = now()
            account.password_hash = password_hash
            account.must_change_password = False
            return await _open_session(session, account, device_id, device_name, "accept_invitation")
    await _count_failure(database, subjects)
    raise Invalid(
        "invitation_invalid",
        "邀请码无效或已过期，请向社区重新索取。",
        "The invitation is not valid or has expired; ask for a new one.",
        "code",
    )
