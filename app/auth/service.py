"""The actor, what the actor may do where, and the accounts behind."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth.models import Account, AccountKind, Device, RefreshToken, Role, RoleGrant
from app.auth.schemas import (
    AccountCreate,
    AccountRead,
    AccountUpdate,
    GrantRead,
    HeldArea,
    MeRead,
    WorkerRead,
)
from app.core import crypto
from app.core.area_code import ancestors_of, code_of, level_of, prefix_of
from app.core.db import NOWHERE, Scope
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.paging import cursor_uuid, decode_cursor, decode_id_cursor, encode_cursor

PHONE = "account.phone"

DESK = frozenset({Role.CITY, Role.DISTRICT, Role.STREET, Role.COMMITTEE})
"""Roles that work at a desk: they see the registry of their part and manage it."""
WORKERS = frozenset({Role.GRID_WORKER, Role.PARTY_MEMBER})
"""Roles that work doors."""
OVERSEERS = DESK | {Role.VIEWER}
"""Roles that may read figures."""
PEOPLE = DESK | WORKERS
CLIENTS = frozenset({Role.API_CLIENT})

_RANK = {Role.CITY: 4, Role.DISTRICT: 3, Role.STREET: 2, Role.COMMITTEE: 1}


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in account on a device, with its grants."""

    id: UUID
    name: str
    kind: str
    device_id: UUID | None
    grants: tuple[tuple[Role, str], ...]
    must_change_password: bool = False
    is_revoked: bool = False
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope", Scope(tuple(sorted({prefix for _, prefix in self.grants}))))

    @property
    def doer(self) -> audit.Doer:
        """The actor as the trail names it."""
        return audit.Doer(self.id, self.name, self.device_id)

    def has(self, roles: Iterable[Role]) -> bool:
        """Whether any grant is one of `roles`, anywhere."""
        wanted = frozenset(roles)
        return any(role in wanted for role, _ in self.grants)

    def prefixes(self, roles: Iterable[Role]) -> list[str]:
        """Prefixes where the actor holds one of `roles`."""
        wanted = frozenset(roles)
        return sorted({prefix for role, prefix in self.grants if role in wanted})

    def may(self, code: str, roles: Iterable[Role]) -> bool:
        """Whether the actor holds one of `roles` over all of `code`."""
        prefix = prefix_of(code)
        return any(prefix.startswith(p) for p in self.prefixes(roles))

    def only_part(self) -> str:
        """The code of the division all grants are for; raises Invalid (`area_needed`) when there are several."""
        if len(self.scope.prefixes) != 1:
            raise Invalid("area_needed", "请选择区划。", "Say which division.", "area")
        return code_of(self.scope.prefixes[0])

    def demand(self, code: str, roles: Iterable[Role]) -> None:
        """Raise NotFound when `code` is outside the actor's scope, Forbidden when the role is missing there."""
        if not self.scope.covers(prefix_of(code)):
            raise NotFound
        if not self.may(code, roles):
            raise Forbidden


def in_scope(column: Any, actor: Actor, roles: Iterable[Role] | None = None) -> ColumnElement[bool]:
    """The condition that a community or division code lies where the actor holds `roles` (any, when None).

    Row-level security says the same; this adds the prefix ranges that an index can use.
    """
    prefixes = actor.prefixes(roles if roles is not None else Role)
    if not prefixes:
        return false()
    return or_(*(column.like(f"{prefix}%") for prefix in prefixes))


# main.py puts here what belongs to rooms above: the responsibility areas an actor holds.
held_areas_hooks: list[Callable[[AsyncSession, Actor], Awaitable[list[HeldArea]]]] = []


# … and how divisions are called: 12-digit codes to names.
division_names_hooks: list[Callable[[AsyncSession, list[str]], Awaitable[dict[str, str]]]] = []


async def name_divisions(session: AsyncSession, codes: list[str]) -> dict[str, str]:
    """Names of divisions by code; codes nobody knows are left out."""
    names: dict[str, str] = {}
    for hook in division_names_hooks:
        names.update(await hook(session, codes))
    return names


async def list_held_areas(session: AsyncSession, actor: Actor) -> list[HeldArea]:
    """The responsibility areas the actor holds."""
    return [area for hook in held_areas_hooks for area in await hook(session, actor)]


def _check_may_grant(actor: Actor, role: Role, code: str) -> None:
    """A desk hands out roles below its own, and its own level's equals never, inside its part."""
    prefix = prefix_of(code)
    own = [_RANK[r] for r, p in actor.grants if r in _RANK and prefix.startswith(p)]
    if not actor.scope.covers(prefix):
        raise NotFound
    if not own or max(own) <= _RANK.get(role, 0) or (role is Role.API_CLIENT and max(own) < _RANK[Role.DISTRICT]):
        raise Forbidden


_LEVEL_OF_ROLE = {
    Role.CITY: "city",
    Role.DISTRICT: "district",
    Role.STREET: "town",
    Role.COMMITTEE: "community",
}


async def create_account(
    session: AsyncSession,
    actor: Actor | None,
    new: AccountCreate,
    password_hash: str | None,
    *,
    is_demo: bool = False,
) -> Account:
    """Make an account with its first grant; `actor` None is the command line.

    Raises Conflict (`login_taken`, `phone_taken`), Invalid (`role_level`) when the role does not fit the
    division's level, Forbidden or NotFound when the actor may not hand out the role there.
    """
    wanted = _LEVEL_OF_ROLE.get(new.role)
    if wanted is not None and level_of(new.division_code) != wanted:
        raise Invalid(
            "role_level",
            "这个角色与所选区划的级别不符。",
            "This role does not fit the division's level.",
            "role",
        )
    if actor is not None:
        _check_may_grant(actor, new.role, new.division_code)
    if await session.scalar(select(col(Account.id)).where(col(Account.login) == new.login)):
        raise Conflict("login_taken", "这个登录名已有人使用。", "This login is taken.")
    index = crypto.blind_index(new.phone, PHONE)
    taken = col(Account.phone_index).in_(crypto.blind_indexes(new.phone, PHONE))
    if index and await session.scalar(select(col(Account.id)).where(taken)):
        raise Conflict("phone_taken", "这个手机号已登记在另一个账号。", "This phone number belongs to another account.")
    account = Account(
        kind=AccountKind.CLIENT if new.role is Role.API_CLIENT else AccountKind.PERSON,
        login=new.login,
        name=new.name,
        phone_sealed=crypto.seal_text(new.phone, PHONE),
        phone_index=index,
        password_hash=password_hash,
        must_change_password=actor is not None and new.password is not None and new.role is not Role.API_CLIENT,
        is_demo=is_demo,
    )
    session.add(account)
    await session.flush()
    session.add(RoleGrant(account_id=account.id, role=new.role, division_prefix=prefix_of(new.division_code)))
    await session.flush()
    doer = actor.doer if actor else audit.SYSTEM
    await audit.append_entry(session, doer, NOWHERE, "create_account", [account.id], {"role": new.role})
    return account


async def get_account_in_scope(session: AsyncSession, actor: Actor, account_id: UUID) -> Account:
    """An account all of whose grants lie where the actor works at a desk; NotFound otherwise."""
    account = await session.get(Account, account_id)
    grants = (await session.scalars(select(RoleGrant).where(col(RoleGrant.account_id) == account_id))).all()
    desks = tuple(actor.prefixes(DESK))
    if account is None or not grants or not all(g.division_prefix.startswith(desks) for g in grants):
        raise NotFound
    too_high = roles_not_below(actor)
    if account_id != actor.id and any(g.role in too_high for g in grants):
        raise Forbidden
    return account


def roles_not_below(actor: Actor) -> list[Role]:
    """Roles whose accounts the actor does not manage: those of the actor's own highest desk and above it."""
    highest = max((_RANK[r] for r, _ in actor.grants if r in _RANK), default=0)
    return [role for role in Role if _RANK.get(role, 0) >= highest]


class OwnAccount(Conflict):
    """Nobody closes the account they are signed in with."""

    def __init__(self) -> None:
        super().__init__("own_account", "不能停用自己的账号。", "You cannot close your own account.")


async def update_account(session: AsyncSession, actor: Actor, account_id: UUID, change: AccountUpdate) -> AccountRead:
    """Correct an account's name, close it or open it again; closing ends its sessions.

    Raises Conflict (`own_account`) when somebody would close their own.
    """
    account = await get_account_in_scope(session, actor, account_id)
    if change.name is not None:
        account.name = change.name
    if change.is_active is not None and change.is_active != account.is_active:
        if account_id == actor.id:
            raise OwnAccount
        account.is_active = change.is_active
        await end_sessions(session, account_id, None)
    given = change.model_dump(exclude_unset=True)
    await audit.append_entry(session, actor.doer, NOWHERE, "update_account", [account_id], sorted(given))
    held = (await session.scalars(select(RoleGrant).where(col(RoleGrant.account_id) == account_id))).all()
    grants = [grant_read(g.role, code_of(g.division_prefix)) for g in held]
    await put_names(session, grants)
    return account_read(account, grants)


async def get_worker(session: AsyncSession, account_id: UUID, community_code: str) -> Account:
    """An active person who may answer for doors in a community.

    Raises Invalid (`account_not_here`) when there is none with a grant over the community.
    """
    account = await session.get(Account, account_id)
    grants = (await session.scalars(select(RoleGrant).where(col(RoleGrant.account_id) == account_id))).all()
    here = any(community_code.startswith(g.division_prefix) and g.role in PEOPLE for g in grants)
    if account is None or not account.is_active or not here:
        raise Invalid(
            "account_not_here",
            "这个账号不在本村居工作。",
            "This account does not work in this community.",
            "account_id",
        )
    return account


NEAR_DOORS = WORKERS | {Role.COMMITTEE, Role.STREET}
"""Who is offered for doors: those who work them, and the desks near enough to go."""


async def list_workers(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None
) -> tuple[list[WorkerRead], str | None]:
    """Active people with a grant over the community, of whatever level, who are offered for its doors; by name.

    Of those above the community the name and the role are told and no more.
    """
    actor.demand(community_code, DESK)
    over = [prefix_of(one) for one in (*ancestors_of(community_code), community_code)]
    held = col(RoleGrant.division_prefix).in_(over) & col(RoleGrant.role).in_(NEAR_DOORS)
    here = select(col(RoleGrant.account_id)).where(held)
    key = tuple_(col(Account.name), col(Account.id))
    statement = select(Account).where(col(Account.id).in_(here), col(Account.is_active)).order_by(key)
    if cursor:
        name, account_id = decode_cursor(cursor, str, str)
        statement = statement.where(key > tuple_(name, cursor_uuid(account_id)))
    accounts = list((await session.scalars(statement.limit(limit + 1))).all())
    page = accounts[:limit]
    grants = (
        await session.scalars(select(RoleGrant).where(held, col(RoleGrant.account_id).in_([a.id for a in page])))
    ).all()
    reads = {a.id: WorkerRead(id=a.id, name=a.name, grants=[]) for a in page}
    for grant in grants:
        reads[grant.account_id].grants.append(grant_read(grant.role, code_of(grant.division_prefix)))
    await put_names(session, [g for one in reads.values() for g in one.grants])
    return list(reads.values()), encode_cursor(page[-1].name, str(page[-1].id)) if len(accounts) > limit else None


async def list_accounts(
    session: AsyncSession, code: str, limit: int, cursor: str | None, *, kind: AccountKind | None = None
) -> tuple[list[AccountRead], str | None]:
    """Accounts (of one kind, if given) with a grant at or under `code`, by id, and the next cursor."""
    below = select(col(RoleGrant.account_id)).where(col(RoleGrant.division_prefix).like(f"{prefix_of(code)}%"))
    statement = select(Account).where(col(Account.id).in_(below)).order_by(col(Account.id)).limit(limit + 1)
    if kind is not None:
        statement = statement.where(col(Account.kind) == kind)
    if cursor:
        statement = statement.where(col(Account.id) > decode_id_cursor(cursor))
    accounts = list((await session.scalars(statement)).all())
    page = accounts[:limit]
    found = select(RoleGrant).where(col(RoleGrant.account_id).in_([a.id for a in page]))
    by_account: dict[UUID, list[GrantRead]] = {}
    for grant in (await session.scalars(found)).all():
        by_account.setdefault(grant.account_id, []).append(grant_read(grant.role, code_of(grant.division_prefix)))
    await put_names(session, [g for grants in by_account.values() for g in grants])
    items = [account_read(a, by_account.get(a.id, [])) for a in page]
    return items, encode_cursor(str(page[-1].id)) if len(accounts) > limit else None


async def put_names(session: AsyncSession, grants: list[GrantRead]) -> None:
    """Put into grants what their divisions are called."""
    names = await name_divisions(session, sorted({g.division_code for g in grants}))
    for grant in grants:
        grant.name = names.get(grant.division_code, "")


async def read_me(session: AsyncSession, actor: Actor) -> MeRead:
    """The actor's own account."""
    account = await session.get(Account, actor.id)
    if account is None:
        raise NotFound
    grants = [grant_read(role, code_of(prefix)) for role, prefix in actor.grants]
    await put_names(session, grants)
    return MeRead(
        id=account.id,
        name=account.name,
        login=account.login,
        kind=account.kind,
        must_change_password=account.must_change_password,
        grants=grants,
        areas=await list_held_areas(session, actor),
    )


def account_read(account: Account, grants: list[GrantRead]) -> AccountRead:
    """An account as its committee sees it."""
    return AccountRead(
        id=account.id,
        name=account.name,
        login=account.login,
        kind=account.kind,
        is_active=account.is_active,
        phone_masked=crypto.mask_phone(crypto.open_text(account.phone_sealed, PHONE)),
        grants=grants,
    )


def grant_read(role: str, code: str) -> GrantRead:
    """A grant as it is answered, its division's name still to be put in."""
    return GrantRead(role=Role(role), division_code=code, name="", level=level_of(code))


async def load_actor(session: AsyncSession, account_id: UUID, device_id: UUID | None, epoch: int) -> Actor | None:
    """The actor of a verified token, None when the account or its sessions have been ended."""
    account = await session.get(Account, account_id)
    if account is None or not account.is_active or account.session_epoch != epoch:
        return None
    is_revoked = False
    if device_id is not None:
        device = await session.get(Device, (account_id, device_id))
        if device is None:
            return None
        is_revoked = device.revoked_at is not None
    grants = (await session.scalars(select(RoleGrant).where(col(RoleGrant.account_id) == account_id))).all()
    return Actor(
        account.id, account.name, account.kind, device_id,
        tuple((Role(g.role), g.division_prefix) for g in grants), account.must_change_password, is_revoked,
    )  # fmt: skip


async def act_for(session: AsyncSession, actor: Actor, login: str) -> Actor:
    """The account of that login as an actor, for its records that the desk over it brings in; it may be closed by now.

    Raises Invalid (`account_not_here`) when the actor does not manage such an account.
    """
    found = await session.scalar(select(col(Account.id)).where(col(Account.login) == login))
    worker = await act_as(session, found) if found else None
    if worker is None or not all(actor.may(code_of(prefix), DESK) for _, prefix in worker.grants):
        raise _account_not_here()
    return worker


async def act_as(session: AsyncSession, account_id: UUID) -> Actor:
    """An account as an actor without a device, for what it has done and somebody else brings in; it may be closed by
    now. Whether they may is the caller's question.

    Raises Invalid (`account_not_here`) when there is none with a grant.
    """
    account = await session.get(Account, account_id)
    grants = (await session.scalars(select(RoleGrant).where(col(RoleGrant.account_id) == account_id))).all()
    if account is None or not grants:
        raise _account_not_here()
    return Actor(account.id, account.name, account.kind, None, tuple((Role(g.role), g.division_prefix) for g in grants))


def _account_not_here() -> Invalid:
    return Invalid(
        "account_not_here", "这个账号不在您管理的范围内。", "This account is not among those you manage.", "account"
    )


async def end_sessions(session: AsyncSession, account_id: UUID, device_id: UUID | None) -> None:
    """End the sessions of one device, or of all (None): their refresh tokens go, their access tokens lapse."""
    statement = delete(RefreshToken).where(col(RefreshToken.account_id) == account_id)
    if device_id is not None:
        statement = statement.where(col(RefreshToken.device_id) == device_id)
    else:
        account = await session.get(Account, account_id)
        if account is not None:
            account.session_epoch += 1
    await session.execute(statement)
