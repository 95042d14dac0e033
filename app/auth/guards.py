"""FastAPI dependencies: the actor of a request and a session that sees the actor's scope only."""

import time
from collections import OrderedDict
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import service, sessions
from app.auth.models import Role
from app.auth.service import Actor
from app.core.db import set_scope
from app.core.errors import Forbidden, Unauthorized
from app.web import UnscopedSession, open_database

bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token", auto_error=False)

CACHE_SECONDS = 10.0
"""How long a verified token is believed without asking the database: the reach of a revocation."""
_CACHE_SIZE = 20_000


class ActorCache:
    """Verified tokens and their actors, for a few seconds each."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[float, Actor]] = OrderedDict()

    def get(self, token: str) -> Actor | None:
        """The actor of a token verified moments ago."""
        held = self._held.get(token)
        if held is None or held[0] < time.monotonic():
            return None
        return held[1]

    def put(self, token: str, actor: Actor, seconds: float) -> None:
        """Believe a token for `seconds`."""
        self._held[token] = (time.monotonic() + seconds, actor)
        while len(self._held) > _CACHE_SIZE:
            self._held.popitem(last=False)

    def forget(self, account_id: UUID) -> None:
        """Drop an account's tokens: its grants, sessions or devices changed."""
        for token in [t for t, (_, actor) in self._held.items() if actor.id == account_id]:
            del self._held[token]


actor_cache = ActorCache()


async def known_actor(request: Request, token: Annotated[str | None, Depends(bearer)]) -> Actor:
    """Whose token it is, whatever they may do; raises Unauthorized without a valid one.

    A revoked device is known by the tokens it gets to bring up its outbox alone (`sessions.OUTBOX`).
    """
    if not token:
        raise Unauthorized
    actor = actor_cache.get(token)
    if actor is not None:
        return actor
    claims = sessions.read_access_token(token)
    device = UUID(str(claims["dev"])) if "dev" in claims else None
    async with open_database(request).session(sessions.NOWHERE_SCOPE) as session:
        actor = await service.load_actor(session, UUID(str(claims["sub"])), device, int(claims.get("se", -1)))
    if actor is None:
        raise Unauthorized("session_ended", "登录已被结束，请重新登录。", "This session has been ended; sign in again.")
    if actor.is_revoked and claims.get("scope") != sessions.OUTBOX:
        raise sessions.DeviceRevoked
    # what is about to change is asked for each time: other processes must not go on with what was
    if not actor.must_change_password and not actor.is_revoked:
        actor_cache.put(token, actor, min(CACHE_SECONDS, float(claims["exp"]) - time.time()))
    return actor


KnownActor = Annotated[Actor, Depends(known_actor)]
"""Anybody with a token: one whose password is a one-time one, a device that has been revoked."""


class PasswordChangeNeeded(Forbidden):
    """Somebody else knows the password: nothing is answered until it is the holder's own."""

    def __init__(self) -> None:
        super().__init__(
            "password_change_needed",
            "请先设置自己的密码；未上传的记录不会丢失。",
            "Set a password of your own first; nothing unsent is lost.",
        )


async def owning_actor(actor: KnownActor) -> Actor:
    """The signed-in actor, whose password is their own; raises Forbidden (`password_change_needed`) otherwise."""
    if actor.must_change_password:
        raise PasswordChangeNeeded
    return actor


async def current_actor(actor: Annotated[Actor, Depends(owning_actor)]) -> Actor:
    """The signed-in actor on a device that is not revoked; raises Unauthorized (`device_revoked`) on one that is."""
    if actor.is_revoked:
        raise sessions.DeviceRevoked
    return actor


CurrentActor = Annotated[Actor, Depends(current_actor)]


async def scoped_session(actor: CurrentActor, session: UnscopedSession) -> AsyncSession:
    """The request's transaction, begun with the actor's scope."""
    await set_scope(session, actor.scope)
    return session


async def scoped_session_with_nowhere(actor: CurrentActor, session: UnscopedSession) -> AsyncSession:
    """As `scoped_session`, and able to write trail entries of what belongs to no community."""
    await set_scope(session, actor.scope.with_nowhere())
    return session


async def own_session(actor: KnownActor, session: UnscopedSession) -> AsyncSession:
    """As `scoped_session_with_nowhere`, for the few calls that anybody known may make about themselves."""
    await set_scope(session, actor.scope.with_nowhere())
    return session


Session = Annotated[AsyncSession, Depends(scoped_session, scope="function")]
AccountSession = Annotated[AsyncSession, Depends(scoped_session_with_nowhere, scope="function")]
OwnSession = Annotated[AsyncSession, Depends(own_session, scope="function")]


class HasRole:
    """A dependency: the actor, who must hold one of the roles somewhere; where is the service's question."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles

    async def __call__(self, actor: CurrentActor) -> Actor:
        """The actor; raises Forbidden without any of the roles."""
        if not actor.has(self.roles):
            raise Forbidden
        return actor


DeskActor = Annotated[Actor, Depends(HasRole(service.DESK))]
CityActor = Annotated[Actor, Depends(HasRole({Role.CITY}))]
OverseerActor = Annotated[Actor, Depends(HasRole(service.OVERSEERS))]
PersonActor = Annotated[Actor, Depends(HasRole(service.PEOPLE))]


async def pushing_actor(actor: Annotated[Actor, Depends(owning_actor)]) -> Actor:
    """Who may send records; from a revoked device too, whose outbox is taken before it wipes itself."""
    if not actor.has(service.PEOPLE):
        raise Forbidden
    return actor


PushingActor = Annotated[Actor, Depends(pushing_actor)]
ClientActor = Annotated[Actor, Depends(HasRole(service.CLIENTS))]
FiguresActor = Annotated[Actor, Depends(HasRole(service.OVERSEERS | service.CLIENTS))]
