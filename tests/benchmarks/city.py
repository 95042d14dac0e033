"""Cities to measure on: made by `pioneer simulate`'s own code, or one that was made before.

`BENCH_SIZE` (M) says how large: S, M, L, XL. `BENCH_CITY` names the data directory of a city that is there already,
made by `PIONEER_DATA_DIR=DIR pioneer simulate`: one of nine million people is not made anew for each run.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from app.auth import sessions
from app.auth.models import Account, Device, Role
from app.cli.database import migrate_to_head
from app.core import crypto
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.people.service import RESIDENT_ID, RESIDENT_PHONE
from app.simulation import plan
from app.simulation import service as simulation
from app.simulation.plan import SIZES, Size
from app.simulation.service import Progress, Wanted
from tests.benchmarks.__main__ import _account

DAY = date(2026, 11, 25)


@dataclass(slots=True)
class City:
    """A city and the places in it that are measured."""

    url: str
    size: str
    communities: int
    residents: int
    round_id: UUID
    city: str
    district: str
    town: str
    community: str
    households: int
    area: UUID
    typed: dict[str, list[str]]
    tokens: dict[str, str]

    def at(self, level: str) -> str:
        """The code of the place of a level."""
        return {"city": self.city, "district": self.district, "town": self.town, "community": self.community}[level]


def open_city(server_url: str, size: Size, like: "City | None" = None) -> City:
    """A city of that size, made if it is not there; what is measured in it is as large as in `like`."""
    is_given = size is not Size.S and "BENCH_CITY" in os.environ
    url = server_url if is_given else _make(server_url, size)
    if is_given:
        migrate_to_head(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET jit = off")
        return _look_around(connection, url, size.value, like)


def _make(server_url: str, size: Size) -> str:
    name = f"city_{size.value.lower()}_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    migrate_to_head(url)
    communities, households = SIZES[size]
    wanted = Wanted(plan.invented_tree(communities), households, 7, DAY)
    started = time.monotonic()
    print(f"preparing: {size.value}, {communities:,} communities, {households:,} households …", flush=True)
    city = _with(url, lambda database: simulation.begin(database, wanted))
    simulation.people(url, city, min(os.cpu_count() or 1, communities), _silent)
    print(f"  made in {time.monotonic() - started:,.0f} s", flush=True)
    return url


def copy_city(server_url: str, url: str) -> str:
    """The URL of a copy of a city, file by file, to write into; `forget_cities` drops it. Nobody may be connected to
    the city meanwhile."""
    source, name = urlsplit(url).path[1:], f"city_copy_{os.getpid()}"
    with psycopg.connect(server_url.replace("/postgres?", "/template1?", 1), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy".encode())
    return url.replace(f"/{source}?", f"/{name}?", 1)


def forget_cities(server_url: str) -> None:
    """Drop the cities that this run made: the server may be one that stays."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        made = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"city\\_%\\_{os.getpid()}",)
        )
        for (name,) in made.fetchall():
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _silent(_: Progress) -> None:
    pass


def _with(url: str, work: Any) -> Any:
    async def run() -> Any:
        database = Database(url, 2)
        await database.open()
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: str, *given: object) -> tuple[Any, ...]:
    row = connection.execute(query.encode(), given).fetchone()
    if row is None:
        raise LookupError(query)
    return row


# The median of the whole is no community's size: the nearest one with stairs and an area that somebody holds.
_COMMUNITY = """
    SELECT c.community_code, c.household_count FROM community_clock c
    WHERE substr(c.community_code, 10, 3) < '200' AND c.household_count > 0
    ORDER BY abs(c.household_count - %s), c.community_code LIMIT 1
"""
_AREA = """
    SELECT a.id FROM responsibility_area a WHERE a.community_code = %s AND a.holder_id IS NOT NULL
    ORDER BY a.household_count DESC, a.id LIMIT 1
"""


def _look_around(connection: psycopg.Connection[tuple[Any, ...]], url: str, size: str, like: "City | None") -> City:
    communities, residents = _one(connection, "SELECT count(*), sum(resident_count) FROM community_clock")
    (round_id,) = _one(connection, "SELECT id FROM screening_round ORDER BY created_at LIMIT 1")
    community, households = _one(connection, _COMMUNITY, like.households if like else 500)
    codes = {"city": community[:4], "district": community[:6], "town": community[:9], "community": community}
    (area,) = _one(connection, _AREA, community)
    return City(
        url, size, communities, int(residents), round_id, codes["city"].ljust(12, "0"),
        codes["district"].ljust(12, "0"), codes["town"].ljust(12, "0"), community, households, area,
        _typed(connection, community),
        _with(url, lambda database: make_desks(database, codes)),
    )  # fmt: skip


def _typed(connection: psycopg.Connection[tuple[Any, ...]], community: str) -> dict[str, list[str]]:
    """What somebody may type, by kind: of people and doors that are there, and of some that are nowhere."""
    rows = connection.execute(
        "SELECT r.name, r.name_initials, r.name_pinyin, r.id_sealed, r.phone_sealed, d.search_key, d.compound "
        "FROM resident r JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id "
        "JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id "
        "WHERE r.community_code = %s AND r.id_kind = 'resident_id' AND r.phone_sealed IS NOT NULL "
        "ORDER BY r.id LIMIT 400",
        (community,),
    ).fetchall()[::20]
    return {
        "surname": ["王", "张", "李", "孔", "亓"],
        "name, two characters": sorted({row[0][:2] for row in rows}),
        "name, whole": [row[0] for row in rows],
        "name, nobody's": ["王曌曌", "张龘龘", "李犇犇"],
        "one letter": ["w", "z", "q"],
        "initials": sorted({row[1] for row in rows}),
        "pinyin": [row[2] for row in rows],
        "pinyin, begun": sorted({row[2][:5] for row in rows}),
        "ID number": [crypto.open_text(row[3], RESIDENT_ID) or "" for row in rows],
        "phone number": [crypto.open_text(row[4], RESIDENT_PHONE) or "" for row in rows],
        "address": [row[5] for row in rows],
        "address, begun": [f"{row[6]}1" for row in rows],
    }


async def make_desks(database: Database, prefixes: dict[str, str]) -> dict[str, str]:
    """Access tokens of a desk at each level."""
    roles = {"city": Role.CITY, "district": Role.DISTRICT, "town": Role.STREET, "community": Role.COMMITTEE}
    return {
        level: sessions.issue_access_token(account, device.id)
        for level, prefix in prefixes.items()
        for account, device in [await _account(database, roles[level], prefix)]
    }


def holders(city: City, wanted: int) -> list[tuple[UUID, str, int]]:
    """Held areas of about as many households as the measured one, each with its holder's token."""

    async def sign_in(database: Database) -> list[tuple[UUID, str, int]]:
        found = []
        for area, holder, count in rows:
            account = Account(id=holder, login="", name="", session_epoch=0)
            device = Device(account_id=holder, id=new_id())
            async with database.session(EVERYWHERE) as session:
                session.add(device)
            found.append((area, sessions.issue_access_token(account, device.id), count))
        return found

    with psycopg.connect(city.url) as connection:
        rows = connection.execute(
            "SELECT id, holder_id, household_count FROM responsibility_area WHERE holder_id IS NOT NULL "
            "AND household_count BETWEEN 90 AND 200 ORDER BY community_code <> %s, id LIMIT %s",
            (city.community, wanted),
        ).fetchall()
    return list(_with(city.url, sign_in))
