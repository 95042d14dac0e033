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


async def current_actor(request: Request, token: Annotated[str | None, Depends(bearer)]) -> Actor:
    """The signed-in actor; raises Unauthorized without a valid token."""
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
        raise Unauthorized("session_ended", "登录已被结束,请重新登录。", "This session has been ended; sign in again.")
    actor_cache.put(token, actor, min(CACHE_SECONDS, float(claims["exp"]) - time.time()))
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


Session = Annotated[AsyncSession, Depends(scoped_session, scope="function")]
AccountSession = Annotated[AsyncSession, Depends(scoped_session_with_nowhere, scope="function")]


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
OverseerActor = Annotated[Actor, Depends(HasRole(service.OVERSEERS))]
PersonActor = Annotated[Actor, Depends(HasRole(service.PEOPLE))]
ClientActor = Annotated[Actor, Depends(HasRole(service.CLIENTS))]
FiguresActor = Annotated[Actor, Depends(HasRole(service.OVERSEERS | service.CLIENTS))]
