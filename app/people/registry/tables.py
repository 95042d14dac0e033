"""The three tables that a put writes, as sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core import crypto
from app.core.db import driver_connection


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that puts write: its columns with their types, and those that stay what they were on a known row."""

    name: str
    columns: dict[str, str]
    lasting: frozenset[str]
    # whether a new row says of when the list is that it came with
    is_dated: bool = True

    @property
    def _listed(self) -> tuple[str, str]:
        return (", listed_at", ", cast(:listed_at AS timestamptz)") if self.is_dated else ("", "")

    def insert(self, source: str, *, is_json: bool) -> str:
        """Write the rows of `source`, new and known ones."""
        names = ", ".join(self.columns)
        column, value = self._listed
        given = ", ".join(
            f"decode({name}, 'base64')" if is_json and kind == "bytea" else name for name, kind in self.columns.items()
        )
        written = [*(name for name in self.columns if name not in self.lasting), "version", "updated_at"]
        return (
            f"INSERT INTO {self.name} (community_code, {names}, version, updated_at{column}) "
            f"SELECT :c, {given}, :version, now(){value} FROM {source} ON CONFLICT (community_code, id) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in written)
        )

    def add(self, source: str) -> str:
        """Write the rows of `source`, all of them new."""
        names = ", ".join(self.columns)
        column, value = self._listed
        return (
            f"INSERT INTO {self.name} (community_code, {names}, version, updated_at{column}) "
            f"SELECT :c, {names}, :version, now(){value} FROM {source}"
        )

    @property
    def put(self) -> str:
        """The statement for rows that come as a JSON document."""
        kinds = ", ".join(f"{name} {'text' if kind == 'bytea' else kind}" for name, kind in self.columns.items())
        return self.insert(f"jsonb_to_recordset(cast(:rows AS jsonb)) AS r({kinds})", is_json=True)


_DWELLINGS = _Table(
    "dwelling",
    {
        "id": "uuid", "compound": "text", "building": "text", "stair": "text", "floor": "int4", "room": "text",
        "address": "text", "address_key": "text", "sort_key": "text", "is_vacant": "bool",
    },
    frozenset({"id", "address_key"}),
    is_dated=False,
)  # fmt: skip

_HOUSEHOLDS = _Table(
    "household",
    {
        "id": "uuid", "dwelling_id": "uuid", "kind": "text", "head_name": "text", "head_initials": "text",
        "phone_sealed": "bytea", "phone_index": "bytea", "tags": "text[]", "note_sealed": "bytea",
        "resident_count": "int8",
    },
    frozenset({"id", "dwelling_id", "kind"}),
)  # fmt: skip

_RESIDENTS = _Table(
    "resident",
    {
        "id": "uuid", "household_id": "uuid", "name": "text", "name_initials": "text", "name_pinyin": "text",
        "sex": "int4", "birth_on": "date", "relation": "text", "workplace": "text", "id_kind": "text",
        "id_sealed": "bytea", "id_index": "bytea", "phone_sealed": "bytea", "phone_index": "bytea", "tags": "text[]",
        "needs_id_check": "bool",
    },
    frozenset({"id", "household_id"}),
)  # fmt: skip

# in the order in which they refer to each other
_TABLES = (_DWELLINGS, _HOUSEHOLDS, _RESIDENTS)
COLUMNS = {table.name: tuple(table.columns) for table in _TABLES}
"""What a row of each table holds, in the order in which rows are copied."""

CHANGING = {table.name: tuple(name for name in table.columns if name not in table.lasting) for table in _TABLES}
"""What a put may change of a row that is there."""

_COPY_FROM = 200
"""From so many rows on they come by COPY, which is less work for both sides than a JSON document."""


async def write_changed(
    session: AsyncSession,
    community: str,
    version: int,
    changed: dict[str, list[dict[str, Any]]],
    as_of: datetime | None,
) -> None:
    """Write rows by table, new ones and such as were there; of a row that comes twice the last."""
    for table in _TABLES:
        distinct = list({row["id"]: row for row in changed[table.name]}.values())
        params: dict[str, Any] = {"c": community, "version": version} | ({"listed_at": as_of} if table.is_dated else {})
        if len(distinct) >= _COPY_FROM:
            values = itemgetter(*table.columns)
            source = await _copy(session, table, [values(row) for row in distinct])
            await session.execute(text(table.insert(source, is_json=False)), params)
        elif distinct:
            params["rows"] = orjson.dumps([crypto.bytes_to_base64(row) for row in distinct]).decode()
            await session.execute(text(table.put), params)


async def write_new(
    session: AsyncSession, community: str, version: int, fresh: dict[str, list[tuple[Any, ...]]], as_of: datetime | None
) -> None:
    """Write rows that nobody can have yet."""
    for table in _TABLES:
        rows = fresh.get(table.name)
        if rows:
            source = await _copy(session, table, rows)
            params = {"c": community, "version": version} | ({"listed_at": as_of} if table.is_dated else {})
            await session.execute(text(table.add(source)), params)


async def _copy(session: AsyncSession, table: _Table, rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows in a temporary table, whose name is answered: no COPY goes straight into a table with row-level security."""
    connection = await driver_connection(session)
    name = f"put_{table.name}"
    columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
    await connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS; TRUNCATE {name}".encode()
    )
    cursor = connection.cursor()
    async with cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(list(table.columns.values()))
        for row in rows:
            await copy.write_row(row)
    return name


Fact = Literal["tags", "note"]
"""What of a household holds for a time after somebody has said it."""


async def say_again(session: AsyncSession, community: str, facts: Mapping[Fact, Sequence[UUID]], on: date) -> None:
    """Keep that on a day these facts of these households were said again, as they stand. No phone holds the day, so no
    version moves."""
    for fact, homes in facts.items():
        if homes:
            await session.execute(
                text(
                    f"UPDATE household SET {fact}_said_on = :on "
                    f"WHERE community_code = :c AND id = ANY(:homes) AND ({fact}_said_on < :on) IS NOT FALSE"
                ),
                {"c": community, "homes": list(homes), "on": on},
            )
