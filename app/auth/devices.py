"""Devices: which phones there are, what they still hold, and ending one that is lost."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, literal, not_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth import service
from app.auth.models import Account, Device, RefreshToken, RoleGrant
from app.auth.schemas import DeviceRead
from app.auth.service import DESK, Actor
from app.core.area_code import prefix_of
from app.core.clock import now
from app.core.db import NOWHERE
from app.core.errors import NotFound
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor

OWN_LIMIT = 100


def _devices() -> Any:
    can_come = exists().where(
        col(RefreshToken.account_id) == col(Device.account_id),
        col(RefreshToken.device_id) == col(Device.id),
        col(RefreshToken.expires_at) > now(),
    )
    return select(Device, col(Account.name), can_come).join(Account, col(Account.id) == col(Device.account_id))


def _read(device: Device, account_name: str, can_come: bool) -> DeviceRead:
    facts = device.model_dump(exclude={"account_id"})
    is_over = device.revoked_at is not None and not can_come
    return DeviceRead(
        account_id=device.account_id, account_name=account_name, is_signed_in=can_come, is_over=is_over, **facts
    )


def _managed(actor: Actor) -> ColumnElement[bool]:
    """The accounts `service.get_account_in_scope` would give out: all of their grants are below the actor's desks."""
    above = [or_(*(col(RoleGrant.division_prefix).startswith(prefix) for prefix in actor.prefixes(DESK)))]
    beyond = or_(not_(*above), col(RoleGrant.role).in_(service.roles_not_below(actor)))
    strangers = select(col(RoleGrant.account_id)).where(beyond)
    return or_(col(Account.id) == actor.id, col(Account.id).not_in(strangers), _carrying(actor))


def _carrying(actor: Actor) -> ColumnElement[bool]:
    """Accounts whose phones may carry doors of the actor's desks, whatever they may do elsewhere; not those who stand
    over these desks, or beside them."""
    desks = actor.prefixes(DESK)
    workers = select(col(RoleGrant.account_id)).where(
        col(RoleGrant.role).in_(service.WORKERS),
        or_(false(), *(col(RoleGrant.division_prefix).startswith(prefix) for prefix in desks)),
    )
    around = or_(
        false(),
        *(col(RoleGrant.division_prefix).startswith(prefix) for prefix in desks),
        *(literal(prefix).startswith(col(RoleGrant.division_prefix)) for prefix in desks),
    )
    above = select(col(RoleGrant.account_id)).where(col(RoleGrant.role).in_(service.roles_not_below(actor)), around)
    return col(Account.id).in_(workers) & col(Account.id).not_in(above)


async def list_devices(
    session: AsyncSession, actor: Actor, code: str, limit: int, cursor: str | None
) -> tuple[list[DeviceRead], str | None]:
    """Devices of the accounts at or under `code` that the actor manages or whose phones may carry its doors, and the
    next cursor."""
    actor.demand(code, DESK)
    below = select(col(RoleGrant.account_id)).where(col(RoleGrant.division_prefix).startswith(prefix_of(code)))
    key = tuple_(col(Device.account_id), col(Device.id))
    statement = _devices().where(and_(col(Account.id).in_(below), _managed(actor))).order_by(key).limit(limit + 1)
    if cursor:
        account_id, device_id = decode_cursor(cursor, str, str)
        statement = statement.where(key > tuple_(cursor_uuid(account_id), cursor_uuid(device_id)))
    rows = (await session.execute(statement)).all()
    items = [_read(*row) for row in rows[:limit]]
    more = encode_cursor(str(items[-1].account_id), str(items[-1].id)) if len(rows) > limit else None
    return items, more


async def list_own(session: AsyncSession, actor: Actor) -> list[DeviceRead]:
    """The actor's own devices, the one last heard of first."""
    newest = col(Device.last_contact_at).desc().nulls_last()
    statement = _devices().where(col(Device.account_id) == actor.id).order_by(newest, col(Device.id)).limit(OWN_LIMIT)
    return [_read(*row) for row in (await session.execute(statement)).all()]


async def revoke(session: AsyncSession, actor: Actor, account_id: UUID, device_id: UUID) -> DeviceRead:
    """End a device of one's own, of an account one manages, or of who may carry one's doors; again is no different.

    From then on its tokens are good for nothing but its outbox (`sessions.OUTBOX`).
    """
    carries = select(Account).where(col(Account.id) == account_id, _carrying(actor))
    if account_id != actor.id and (await session.scalars(carries)).first() is None:
        await service.get_account_in_scope(session, actor, account_id)
    device = await session.get(Device, (account_id, device_id), with_for_update=True)
    if device is None:
        raise NotFound
    if device.revoked_at is None:
        device.revoked_at = now()
        await audit.append_entry(session, actor.doer, NOWHERE, "revoke_device", [account_id, device_id])
        await session.flush()
    statement = _devices().where(col(Device.account_id) == account_id, col(Device.id) == device_id)
    return _read(*(await session.execute(statement)).one())
