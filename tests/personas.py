"""Who tests speak as, seeded once: a small city of three communities and the people who work in it.

`committee` holds community A; `other_committee` holds B, in the same street; `far_committee` holds C in
another district. Workers `worker`, `worker2` (grid worker, party member) hold grants in A.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.auth import sessions
from app.auth.models import Account, Device, Role, RoleGrant
from app.core.area_code import prefix_of
from app.core.db import EVERYWHERE, Database

CITY = "990100000000"
DISTRICT, FAR_DISTRICT = "990101000000", "990102000000"
STREET, FAR_STREET = "990101001000", "990102001000"
A, B, C = "990101001001", "990101001002", "990102001001"

DIVISIONS = [
    DivisionEntry(CITY, "示例市", "city", None),
    DivisionEntry(DISTRICT, "东区", "district", CITY),
    DivisionEntry(FAR_DISTRICT, "西区", "district", CITY),
    DivisionEntry(STREET, "花园街道", "town", DISTRICT),
    DivisionEntry(FAR_STREET, "河西街道", "town", FAR_DISTRICT),
    DivisionEntry(A, "甲社区", "community", STREET),
    DivisionEntry(B, "乙社区", "community", STREET),
    DivisionEntry(C, "丙社区", "community", FAR_STREET),
]
PASSWORD = "a-good-password"
# what checks a password is told by its hash how dear to be; tests sign in hundreds of times
_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True, slots=True)
class Persona:
    """An account and what it may do."""

    name: str
    number: int
    grants: tuple[tuple[Role, str], ...]

    @property
    def id(self) -> UUID:
        return UUID(f"00000000-0000-7000-8000-{self.number:012d}")

    @property
    def device_id(self) -> UUID:
        return UUID(f"00000000-0000-7000-9000-{self.number:012d}")


_ALL = [
    ("city", Role.CITY, CITY),
    ("district", Role.DISTRICT, DISTRICT),
    ("street", Role.STREET, STREET),
    ("committee", Role.COMMITTEE, A),
    ("other_committee", Role.COMMITTEE, B),
    ("far_committee", Role.COMMITTEE, C),
    ("far_street", Role.STREET, FAR_STREET),
    ("worker", Role.GRID_WORKER, A),
    ("worker2", Role.PARTY_MEMBER, A),
    ("far_worker", Role.GRID_WORKER, C),
    ("viewer", Role.VIEWER, STREET),
    ("client", Role.API_CLIENT, DISTRICT),
    ("far_client", Role.API_CLIENT, FAR_DISTRICT),
]
PERSONAS = {name: Persona(name, i + 1, ((role, code),)) for i, (name, role, code) in enumerate(_ALL)}


async def seed(database: Database) -> None:
    """Load the divisions and the personas."""
    password_hash = _HASHER.hash(PASSWORD)
    async with database.session(EVERYWHERE) as session:
        await areas.put_divisions(session, DIVISIONS, date(2020, 1, 1))
        for persona in PERSONAS.values():
            kind = "client" if persona.grants[0][0] is Role.API_CLIENT else "person"
            session.add(
                Account(
                    id=persona.id, kind=kind, login=persona.name, name=f"{persona.name} 某", password_hash=password_hash
                )
            )
        await session.flush()
        for persona in PERSONAS.values():
            session.add(Device(account_id=persona.id, id=persona.device_id, name="test"))
            for role, code in persona.grants:
                session.add(RoleGrant(account_id=persona.id, role=role, division_prefix=prefix_of(code)))


def token_of(persona: Persona) -> str:
    """An access token of a persona, made without a password."""
    account = Account(id=persona.id, login=persona.name, name=persona.name, session_epoch=0)
    is_client = persona.grants[0][0] is Role.API_CLIENT
    return sessions.issue_access_token(account, None if is_client else persona.device_id)


class Caller:
    """Calls the service, in this process or on a port."""

    def __init__(self, http: httpx.AsyncClient, personas: dict[str, Persona]) -> None:
        self.http = http
        self.personas = personas

    async def __call__(self, who: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Call `/api/v1` + path as a persona, anonymously when None."""
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {token_of(self.personas[who])}"
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    async def close(self) -> None:
        """Close the client."""
        await self.http.aclose()
