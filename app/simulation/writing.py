"""Writing by COPY, with the indexes built once at the end: an empty database has nobody who waits for them.

COPY is refused where row-level security holds, so this acts as the owner of the tables, as migrations do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import sql
from sqlalchemy import Index
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from app import all_models
from app.audit.service import SYSTEM
from app.core.db import EVERYWHERE
from app.simulation import community, work

_COLUMNS = community.COLUMNS | work.COLUMNS
Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str) -> Connection:
    """A connection of the owner that waits for no disk: what a power cut takes is made again."""
    connection = psycopg.connect(url, options="-c timezone=UTC -c jit=off -c synchronous_commit=off")
    connection.execute(sql.SQL("SELECT set_config('app.scope', {}, false)").format(EVERYWHERE.setting))
    connection.commit()
    return connection


def copy_rows(connection: Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Rows by table, in the order of the dict: what is pointed at comes first."""
    for table, lines in rows.items():
        if not lines:
            continue
        columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[table]))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for line in lines:
                copy.write_row(line)


def advance_clock(connection: Connection, code: str, tallies: dict[str, int] | None = None) -> int:
    """Move a community's clock as every other writer does; answers its version."""
    given = {"dwellings": 0, "vacant": 0, "households": 0, "residents": 0, "unassigned": 0} | (tallies or {})
    row = connection.execute(
        "SELECT advance_clock(%(code)s, %(dwellings)s, %(vacant)s, %(households)s, %(residents)s, %(unassigned)s)",
        {"code": code} | given,
    ).fetchone()
    return int(row[0]) if row else 0


def append_audit(
    connection: Connection, code: str, action: str, subjects: Iterable[UUID | str], payload: object
) -> None:
    """An entry of the service itself in a community's chain."""
    connection.execute(
        "SELECT append_audit(%s, NULL, %s, NULL, %s, %s::jsonb, %s, NULL)",
        (code, SYSTEM.name, action, orjson.dumps(list(map(str, subjects))).decode(), orjson.dumps(payload).decode()),
    )


def _indexes() -> Iterator[Index]:
    """Indexes of the tables written here that no constraint stands on."""
    for table in _COLUMNS:
        yield from sorted(all_models.metadata.tables[table].indexes, key=lambda index: str(index.name))


def drop_indexes(connection: Connection) -> None:
    """Take the indexes away that `build_indexes` builds."""
    for index in _indexes():
        connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(str(index.name))))


def build_indexes(connection: Connection, tell: Callable[[str], None]) -> None:
    """Build the indexes that are missing, each in a transaction of its own, so that a second run goes on."""
    connection.execute("SET maintenance_work_mem = '512MB'")
    connection.commit()
    for index in _indexes():
        tell(f"index {index.name}")
        statement = str(CreateIndex(index, if_not_exists=True).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
        connection.execute(statement.encode())
        connection.commit()


def analyze(connection: Connection, tell: Callable[[str], None], tables: Sequence[str] = tuple(_COLUMNS)) -> None:
    """Give the planner its statistics, and index-only scans their map, before the first query rather than later."""
    connection.autocommit = True
    for table in (*tables, "community_clock", "audit_entry", "division"):
        tell(f"statistics of {table}")
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
    connection.autocommit = False
