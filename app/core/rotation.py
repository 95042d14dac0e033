"""Changing keys: sealed values under a new key, blind indexes under a new index key, while the service runs.

Nobody's answers change by it, so no version moves and no phone loads anything again. But the row lock of the
community's clock is taken as by every other writer, which keeps writers from locking the same rows in different
orders; and a value is only replaced where it still is what was read, so what somebody changes meanwhile stands.
Where a rotation has come to is in the rows themselves (a sealed value names its key), so a rotation that was
killed goes on where it stopped.
"""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.columns import BLIND, SEALED
from app.core.crypto import INDEX, KeyRing, parse_keys
from app.core.db import EVERYWHERE, Database, Scope

BATCH = 200
"""Rows in one transaction: some milliseconds under a community's lock."""
_BATCH_BYTES = 8_000_000
_CLOCK = text("SELECT version FROM community_clock WHERE community_code = :c FOR UPDATE")
_COMMUNITIES = text("SELECT community_code FROM community_clock ORDER BY 1")


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with sealed columns: its key, the contexts of its sealed columns, and which index is of which."""

    name: str
    key: tuple[str, ...]
    contexts: dict[str, str]
    blind: dict[str, str]

    @property
    def is_of_communities(self) -> bool:
        """Whether its rows stand under a community's clock."""
        return self.key[0] == "community_code"

    @property
    def columns(self) -> list[str]:
        """Sealed columns, then blind indexes."""
        return [*self.contexts, *self.blind]


def sealed_tables(metadata: MetaData) -> list[SealedTable]:
    """The tables that say of a column that it is sealed."""
    return [found for table in metadata.sorted_tables if (found := _sealed_table(table)).contexts]


def _sealed_table(table: Table) -> SealedTable:
    contexts = {c.name: str(c.info[SEALED]) for c in table.columns if SEALED in c.info}
    blind = {c.name: str(c.info[BLIND]) for c in table.columns if BLIND in c.info}
    return SealedTable(table.name, tuple(c.name for c in table.primary_key.columns), contexts, blind)


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How many values of a column are sealed under a key."""

    table: str
    column: str
    key_id: str
    count: int


@dataclass(slots=True)
class Progress:
    """What a pass has done: rows met that wanted it, rows written, and values that no known key opens."""

    met: int = 0
    rows: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)


async def count_by_key(database: Database, tables: list[SealedTable]) -> list[KeyCount]:
    """How many values stand under which key, column by column; reads every sealed row once."""
    counts: list[KeyCount] = []
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        for table in tables:
            for column in table.contexts:
                rows = await session.execute(
                    text(
                        f"SELECT encode(substr({column}, 2, get_byte({column}, 0)), 'escape') AS key_id, count(*) "
                        f"FROM {table.name} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 1"
                    )
                )
                counts += [KeyCount(table.name, column, key_id, count) for key_id, count in rows]
    return counts


async def reseal(
    database: Database,
    ring: KeyRing,
    tables: list[SealedTable],
    *,
    indexes: bool = False,
    batch: int = BATCH,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Seal everything that is under another key under the current one, batch by batch; answers what it did.

    With `indexes` every blind index is computed anew as well. One pass: what services wrote under the old key
    meanwhile is left for the next.
    """
    progress = Progress()
    async with database.session(EVERYWHERE) as session:
        communities = list((await session.scalars(_COMMUNITIES)).all())
    for table in tables:
        wanted = indexes and bool(table.blind)
        for community in communities if table.is_of_communities else [None]:
            async for rows in _stale_rows(database, ring, table, community, wanted, batch):
                changes = [change for row in rows if (change := _change(ring, table, row, wanted, progress))]
                progress.met += len(changes)
                if changes:
                    progress.rows += await _write(database, table, community, changes)
                if on_progress:
                    on_progress(progress)
    return progress


async def _stale_rows(
    database: Database, ring: KeyRing, table: SealedTable, community: str | None, indexes: bool, batch: int
) -> AsyncIterator[list[dict[str, Any]]]:
    """Rows with a value under another key than the current one (with `indexes`: all), some at a time, by key."""
    own_key = table.key[1:] if community else table.key
    current = ring.current.encode()
    prefix = bytes([len(current)]) + current
    stale = " OR ".join(f"substr({column}, 1, :length) <> :prefix" for column in table.contexts)
    size = " + ".join(f"coalesce(octet_length({column}), 0)" for column in table.contexts)
    order = ", ".join(own_key)
    where = ["community_code = :community"] if community else []
    if not indexes:
        where.append(f"({stale})")
    after: tuple[Any, ...] | None = None
    while True:
        params: dict[str, Any] = {"limit": batch, "community": community, "bytes": _BATCH_BYTES}
        if not indexes:
            params |= {"length": len(prefix), "prefix": prefix}
        conditions = list(where)
        if after is not None:
            conditions.append(f"({order}) > ({', '.join(f':after_{n}' for n in range(len(after)))})")
            params |= {f"after_{n}": value for n, value in enumerate(after)}
        condition = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        # a file of an import is as large as a hundred thousand phone numbers: bounded by bytes too
        statement = text(f"""
            WITH measured AS (
                SELECT {order}, sum({size}) OVER running AS upto, row_number() OVER running AS nth
                FROM {table.name} {condition} WINDOW running AS (ORDER BY {order}) ORDER BY {order} LIMIT :limit
            )
            SELECT {", ".join(f"t.{name}" for name in [*own_key, *table.columns])}
            FROM {table.name} t JOIN measured USING ({order})
            WHERE (upto <= :bytes OR nth = 1) {"AND t.community_code = :community" if community else ""}
            ORDER BY {order}
        """)
        async with database.session(Scope((community,)) if community else EVERYWHERE) as session:
            rows = [dict(row) for row in (await session.execute(statement, params)).mappings()]
        if not rows:
            return
        yield rows
        after = tuple(rows[-1][name] for name in own_key)


def _change(
    ring: KeyRing, table: SealedTable, row: dict[str, Any], indexes: bool, progress: Progress
) -> dict[str, Any] | None:
    """The row with new values beside the old ones as `new_…`, None when there is nothing to write."""
    keys = ring.keys
    current = keys.current.encode()
    fresh: dict[str, Any] = {}
    opened: dict[str, str | None] = {}
    for column, context in table.contexts.items():
        value = row[column]
        is_current = value is not None and value[1 : 1 + value[0]] == current
        if value is None or (is_current and column not in table.blind.values()):
            continue
        if is_current and not indexes:
            continue
        try:
            plain = ring.open(value, context)
        except (KeyError, InvalidTag, UnicodeDecodeError):
            where = f"{table.name}.{column}"
            progress.unreadable[where] = progress.unreadable.get(where, 0) + 1
            continue
        if not is_current:
            fresh[column] = ring.seal(plain, context)
        if indexes and column in table.blind.values():
            opened[column] = plain.decode()
    for index, column in table.blind.items():
        if opened.get(column) and row[index] is not None:
            newest = ring.blind_indexes(str(opened[column]), table.contexts[column])[0]
            if newest != row[index]:
                fresh[index] = newest
    if not fresh:
        return None
    return row | {f"new_{name}": fresh.get(name, row[name]) for name in table.columns}


async def _write(database: Database, table: SealedTable, community: str | None, changes: list[dict[str, Any]]) -> int:
    """Put new values where the old ones still stand; answers how many rows were written."""
    own_key = table.key[1:] if community else table.key
    names = [*own_key, *table.columns, *(f"new_{name}" for name in table.columns)]
    kinds = {name: "uuid" if name in own_key else "bytea" for name in names}
    arrays = ", ".join(f"cast(:{name} AS {kinds[name]}[])" for name in names)
    same = [f"t.{name} = v.{name}" for name in own_key]
    if community:
        same.append("t.community_code = :community")
    params: dict[str, Any] = {name: [change[name] for change in changes] for name in names}
    still = {name: f"t.{name} IS NOT DISTINCT FROM v.{name}" for name in table.columns}
    moved = [
        f"{name} = CASE WHEN {same_value} THEN v.new_{name} ELSE t.{name} END" for name, same_value in still.items()
    ]
    same.append(f"({' OR '.join(still.values())})")
    statement = text(f"""
        WITH put AS (
            UPDATE {table.name} t SET {", ".join(moved)}
            FROM unnest({arrays}) AS v({", ".join(names)}) WHERE {" AND ".join(same)} RETURNING 1
        ) SELECT count(*) FROM put
    """)
    async with database.session(Scope((community,)) if community else EVERYWHERE) as session:
        await _lock(session, community)
        return int((await session.execute(statement, params | {"community": community})).scalar_one())


async def _lock(session: AsyncSession, community: str | None) -> None:
    if community:
        await session.execute(_CLOCK, {"c": community})


def add_key(file: Path, today: date, *, index: bool = False) -> str:
    """Write a new first key (with `index`: a new index key, the old one beside it) into a key file; answers its id.

    The file is replaced as a whole, readable by its owner alone; services take it up within a second.
    """
    text_now = file.read_text().strip()
    keys = parse_keys(text_now)
    pairs = [pair.strip() for pair in text_now.replace("\n", ",").split(",") if pair.strip()]
    value = base64.b64encode(secrets.token_bytes(32)).decode()
    known = {pair.split(":", 1)[0].strip() for pair in pairs}
    if index:
        name = INDEX
        old = _free_name(f"{INDEX}-until-{today:%Y-%m-%d}", known)
        pairs = [f"{old}{pair.strip()[len(INDEX) :]}" if pair.startswith(f"{INDEX}:") else pair for pair in pairs]
        pairs.append(f"{INDEX}:{value}")
    else:
        name = _free_name(f"{today:%Y-%m-%d}", known | set(keys.ciphers))
        pairs.insert(0, f"{name}:{value}")
    _replace(file, pairs)
    return name


def drop_old_index_keys(file: Path) -> None:
    """Take index keys that were replaced out of a key file: every index has been computed anew."""
    pairs = [pair.strip() for pair in file.read_text().replace("\n", ",").split(",") if pair.strip()]
    _replace(file, [pair for pair in pairs if not pair.startswith(f"{INDEX}-")])


def _free_name(wanted: str, known: set[str]) -> str:
    name, number = wanted, 2
    while name in known:
        name, number = f"{wanted}.{number}", number + 1
    return name


def _replace(file: Path, pairs: list[str]) -> None:
    content = ",".join(pairs) + "\n"
    parse_keys(content)
    beside = file.with_name(f".{file.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    owner = file.stat()
    if os.geteuid() == 0:
        os.chown(beside, owner.st_uid, owner.st_gid)
    os.chmod(beside, owner.st_mode & 0o777)
    beside.replace(file)
