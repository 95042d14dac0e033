"""An import into a city that is there already, beside the same import into an empty registry.

`python -m tests.benchmarks.imports_into` (part of `make bench`). `BENCH_RESIDENTS` invented residents (20,000) who
move into communities of a city (`BENCH_SIZE`, `BENCH_CITY`: see `city.py`), as csv, in turns with the same rows into
the same communities with nobody in them; then the same file once more, when everybody is known. Who came is taken out
again at the end, so the registry of a city that stays is as it was.
"""

import asyncio
import os

import psycopg

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.cli.database import migrate_to_head
from app.core.area_code import LEVELS
from app.core.clock import today
from app.core.db import EVERYWHERE, Database, start_embedded
from app.hooks import install_hooks
from app.import_export import running
from app.simulation.plan import Size
from tests.benchmarks.__main__ import RUN
from tests.benchmarks.city import forget_cities, open_city
from tests.benchmarks.imports import RESIDENTS, TABLES, import_file, rows, write_csv

SIZE = Size(os.environ.get("BENCH_SIZE", "M"))
HOUSEHOLDS_EACH = 360
_CLOCKS = "SELECT community_code, version FROM community_clock WHERE community_code = ANY (%s)"
_RECOUNT = """
    UPDATE community_clock c SET
        (dwelling_count, unassigned_count) = (
            SELECT count(*), count(*) FILTER (WHERE d.responsibility_area_id IS NULL) FROM dwelling d
            WHERE d.community_code = c.community_code),
        household_count =
            (SELECT count(*) FROM household h WHERE h.community_code = c.community_code AND NOT h.is_closed),
        resident_count = (SELECT count(*) FROM resident r WHERE r.community_code = c.community_code AND NOT r.is_gone)
    WHERE c.community_code = %s
"""
_TREE = """
    WITH RECURSIVE up AS (
        SELECT code, name, level, parent_code FROM division WHERE code = ANY (%s)
        UNION SELECT d.code, d.name, d.level, d.parent_code FROM division d JOIN up ON d.code = up.parent_code)
    SELECT code, name, level, parent_code FROM up ORDER BY array_position(%s, level), code
"""


def make_empty(server_url: str, entries: list[DivisionEntry]) -> str:
    """A database with these divisions, and nobody in it."""
    name = f"city_empty_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server_url.replace("/postgres?", f"/{name}?", 1)
    migrate_to_head(url)

    async def put() -> None:
        database = Database(url)
        async with database.session(EVERYWHERE) as session:
            await areas.put_divisions(session, entries, today())
        await database.close()

    asyncio.run(put())
    return url


def take_out(url: str, clocks: dict[str, int]) -> None:
    """Take out what has come since the clocks stood there, and put what they count right."""
    with psycopg.connect(url) as connection:
        for code, version in clocks.items():
            for table in reversed(TABLES):
                connection.execute(
                    f"DELETE FROM {table} WHERE community_code = %s AND version > %s".encode(), (code, version)
                )
            connection.execute(_RECOUNT, (code,))


def main() -> None:
    """Measure and print."""
    install_hooks()
    running.LARGE_BYTES = 0
    server_url = start_embedded(RUN)
    city = open_city(server_url, SIZE)
    places = -(-RESIDENTS // (HOUSEHOLDS_EACH * 3))
    with psycopg.connect(city.url) as connection:
        found = connection.execute(
            "SELECT community_code FROM community_clock WHERE community_code <> '000000000000' AND household_count > 0 "
            "ORDER BY md5(community_code) LIMIT %s", (places,),
        )  # fmt: skip
        codes = [code for (code,) in found]
        entries = [DivisionEntry(*row) for row in connection.execute(_TREE, (codes, list(LEVELS))).fetchall()]
        clocks: dict[str, int] = dict(connection.execute(_CLOCKS, (codes,)).fetchall())
    names = {entry.code: entry.name for entry in entries}
    empty = make_empty(server_url, entries)
    file = RUN / "into.csv"
    write_csv(file, rows(RESIDENTS, lambda number: (codes[number], names[codes[number]]), "379998"))
    print(
        f"\ncsv of {RESIDENTS:,} residents into {len(codes)} communities of {city.size} ({city.residents:,} residents)"
    )
    print("and of an empty registry, seconds, in turns")
    print(f"{'':>12} {city.size:>8} {'empty':>8} {'ratio':>7}")
    try:
        for what, count in (("new", "created"), ("once more", "unchanged")):
            took = []
            for url in (city.url, empty):
                counts, seconds = asyncio.run(import_file(url, file, city.city))
                assert counts[count] == RESIDENTS, counts
                took.append(seconds)
            print(f"{what:>12} {took[0]:>8.1f} {took[1]:>8.1f} {took[0] / took[1]:>7.2f}", flush=True)
    finally:
        take_out(city.url, clocks)
        file.unlink()
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE city_empty_{os.getpid()} WITH (FORCE)".encode())
        forget_cities(server_url)


if __name__ == "__main__":
    main()
