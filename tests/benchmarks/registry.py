"""What the registry costs in a city: search, pages, coverage and first pulls over HTTP, tallies, row-level security.

`python -m tests.benchmarks.registry` (part of `make bench`). What must not depend on how large the city is, is measured
in a city of one community beside it, in turns. `BENCH_SIZE` and `BENCH_CITY`: see `city.py`; `BENCH_PARTS` names some
of `pull`, `search`, `pages`, `coverage`, `risk`, `security`, `tallies`. Of a city whose pages are not in memory the
first calls wait for the disk: each thing searched for is asked for once before it is measured.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
from psycopg import ClientCursor

from app.core.db import APP_ROLE, EVERYWHERE, Database, start_embedded
from app.hooks import install_hooks
from app.people import search
from app.people import service as people
from app.screening import service as screening
from app.simulation.plan import Size
from app.sync import pull
from tests.benchmarks.__main__ import BARE_PORT, OUR_PORT, ROUNDS, RUN, SECONDS, start_server
from tests.benchmarks.city import DAY, City, forget_cities, holders, open_city
from tests.benchmarks.load import Load, request, run

SIZE = Size(os.environ.get("BENCH_SIZE", "M"))
TURNS = int(os.environ.get("BENCH_TURNS", "150"))
PARTS = os.environ.get("BENCH_PARTS", "pull,search,pages,coverage,risk,security,tallies").split(",")
SMALL_PORT = 18433
PULLS = 24
RISK_TURNS = 9


def gets(path_of: Callable[[int], str], token: str) -> Callable[[int], Iterator[bytes]]:
    """Somebody who asks without a pause; `path_of` says for what the n-th time."""

    def make(connection: int) -> Iterator[bytes]:
        at = connection
        while True:
            yield request("GET", f"/api/v1{path_of(at)}", token)
            at += 1

    return make


def _in_turn(paths: list[str], at: int) -> str:
    return paths[at % len(paths)]


def always(path: str, token: str) -> Callable[[int], Iterator[bytes]]:
    """Somebody who asks for the same again and again."""
    return gets(lambda _: path, token)


def _ask_once(paths: list[str], token: str) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{OUR_PORT}/api/v1", trust_env=False, timeout=60) as client:
        for path in paths:
            client.get(path, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def bench_search(city: City) -> None:
    """Search at each level by kind of thing typed, beside a call that only signs in and reads one row."""
    print(f"\nsearch over HTTP, {city.size}, one desk at a time, pages of 50: p50 / p99 in ms")
    levels = ("community", "town", "district", "city")
    print(f"{'typed':>22}" + "".join(f"{level:>18}" for level in levels))
    rows: dict[str, list[str]] = {}
    for level in levels:
        token = city.tokens[level]
        for kind, typed in city.typed.items():
            paths = [f"/residents?q={quote(one)}" for one in typed]
            asked = gets(partial(_in_turn, paths), token)
            _ask_once(paths, token)
            taken = run(Load(OUR_PORT, 1, SECONDS, asked))
            rows.setdefault(kind, []).append(f"{taken.p50_ms:.1f} / {taken.p99_ms:.1f}")
        one_row = f"/areas/{city.community}"
        taken = run(Load(OUR_PORT, 1, SECONDS, always(one_row, token)))
        rows.setdefault("(one row)", []).append(f"{taken.p50_ms:.1f} / {taken.p99_ms:.1f}")
    for kind, cells in rows.items():
        print(f"{kind:>22}" + "".join(f"{cell:>18}" for cell in cells))


def bench_pages(city: City, small: City) -> None:
    """A community's pages, in the city and in a city of that community alone, in turns."""
    print(f"\na community's pages: {city.size} ({city.households} households) and S ({small.households}), in turns")
    print(f"{'':>22} {city.size + ' p50':>9} {'p99':>8} {'S p50':>9} {'p99':>8} {'ratio':>7}")
    pages = {
        "households": "/households?community_code={}&limit=50",
        "buildings": "/buildings?community_code={}",
        "care": "/care-households?community_code={}",
        "coverage, buildings": "/coverage?area={}",
    }
    for name, path in pages.items():
        taken: dict[str, list[Any]] = {"large": [], "small": []}
        for _ in range(ROUNDS):
            for who, one, port in (("large", city, OUR_PORT), ("small", small, SMALL_PORT)):
                asked = always(path.format(one.community), one.tokens["community"])
                taken[who].append(run(Load(port, 1, SECONDS, asked)))
        ratio = statistics.median(a.p50_ms / b.p50_ms for a, b in zip(taken["large"], taken["small"], strict=True))
        cells = [statistics.median(getattr(o, f) for o in taken[w]) for w in taken for f in ("p50_ms", "p99_ms")]
        print(f"{name:>22} {cells[0]:>9.1f} {cells[1]:>8.1f} {cells[2]:>9.1f} {cells[3]:>8.1f} {ratio:>7.2f}")


def bench_pull(city: City, small: City) -> None:
    """First pulls, each of an area nobody has loaded yet."""
    took: dict[str, list[float]] = {city.size: [], "S": []}
    for one, port, wanted in ((city, OUR_PORT, PULLS), (small, SMALL_PORT, 4)):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False) as client:
            for area, token, _ in holders(one, wanted):
                headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
                client.get("/sync/areas", headers=headers).raise_for_status()
                started = time.perf_counter()
                answer = client.get(f"/sync/areas/{area}", headers=headers)
                elapsed = (time.perf_counter() - started) * 1000
                households = len(answer.raise_for_status().json()["upserts"]["households"]["i"])
                took[one.size].append(elapsed / households * 100)
    large, little = statistics.median(took[city.size]), statistics.median(took["S"])
    print(f"\nfirst pull, ms for 100 households: {city.size} {large:.1f} (of {len(took[city.size])} areas), "
          f"S {little:.1f} (of {len(took['S'])}), ratio {large / little:.2f}")  # fmt: skip


def bench_coverage(city: City) -> None:
    """Coverage of the whole city, beside a bare FastAPI route that sums the same rows, in turns."""
    print(
        f"\ncoverage of the city, {city.communities:,} communities: ms over HTTP, in turns with a bare sum of the rows"
    )
    print(f"{'by':>12} {'ours p50':>9} {'bare p50':>9} {'ratio':>7}")
    bare = f"/sum?round={city.round_id}"
    for level in ("district", "town", "community"):
        ours, bares = [], []
        path = f"/coverage?area={city.city}&level={level}&limit=500"
        for _ in range(ROUNDS):
            ours.append(run(Load(OUR_PORT, 1, SECONDS, always(path, city.tokens["city"]))).p50_ms)
            bares.append(
                run(Load(BARE_PORT, 1, SECONDS, lambda _: iter(lambda: request("GET", bare, None), None))).p50_ms
            )
        ratio = statistics.median(a / b for a, b in zip(ours, bares, strict=True))
        print(f"{level:>12} {statistics.median(ours):>9.1f} {statistics.median(bares):>9.1f} {ratio:>7.2f}")


def bench_risk(city: City) -> None:
    """What is known of households for a risk area: counts by community, a community's households, the round made."""
    print(f"\nrisk areas, {city.size}: median ms of {RISK_TURNS}; made, all pages and the round: once")
    print(f"{'asked about for':>22} {'made':>9} {'counts, 100':>12} {'all pages':>17} {'households':>11} {'round':>9}")
    made: list[str] = []
    rounds: list[str] = []
    for level in ("community", "town", "district", "city"):
        headers, code = {"Authorization": f"Bearer {city.tokens[level]}"}, city.at(level)
        url = f"http://127.0.0.1:{OUR_PORT}/api/v1"
        with httpx.Client(base_url=url, trust_env=False, timeout=120, headers=headers) as client:
            days = {"from_on": str(DAY - timedelta(days=15)), "to_on": str(DAY)}
            body = {"division_code": code, "place": {"name": "武汉市"}} | days
            create, answer = _timed(partial(client.post, "/risk-areas", json=body))
            made.append(answer["id"])
            path = f"/risk-areas/{made[-1]}"
            page, answer = _timed(partial(client.get, f"{path}/communities?area={code}&limit=100"), RISK_TURNS)
            pages, communities = page, len(answer["items"])
            while cursor := answer["next_cursor"]:
                took, answer = _timed(partial(client.get, f"{path}/communities?area={code}&limit=100&cursor={cursor}"))
                pages, communities = pages + took, communities + len(answer["items"])
            homes = took_round = ""
            if level == "community":
                of_one = partial(client.get, f"{path}/households?community_code={code}&limit=50")
                homes = f"{_timed(of_one, RISK_TURNS)[0]:.1f}"
            if level != "city":
                took, answer = _timed(partial(client.post, f"{path}/round", json={"division_code": code}))
                rounds.append(answer["id"])
                took_round = f"{took:.0f}"
        whole = f"{pages:.0f} ({communities:,})"
        print(f"{level:>22} {create:>9.1f} {page:>12.1f} {whole:>17} {homes:>11} {took_round:>9}", flush=True)
    with psycopg.connect(city.url) as connection:
        for table, column, ids in (
            ("risk_area_round", "risk_area_id", made), ("risk_area", "id", made),
            ("round_target", "round_id", rounds), ("round_form", "round_id", rounds), ("screening_round", "id", rounds),
        ):  # fmt: skip
            connection.execute(f"DELETE FROM {table} WHERE {column} = ANY (%s::uuid[])".encode(), (ids,))


def _timed(ask: Callable[[], httpx.Response], times: int = 1) -> tuple[float, Any]:
    """Median milliseconds of some calls, asked once before where there are several, and the last answer."""
    took = []
    for _ in range(times + (times > 1)):
        started = time.perf_counter()
        answer = ask()
        took.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    return statistics.median(took[-times:]), answer.json()


def bench_tallies(city: City) -> None:
    """All tallies against a recount of all rows, as `pioneer tally verify` does it."""

    async def verify() -> tuple[int, float]:
        database = Database(city.url, 2)
        await database.open()
        started = time.perf_counter()
        async with database.session(EVERYWHERE) as session:
            connection = await session.connection()
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            drift = [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)]
        elapsed = time.perf_counter() - started
        await database.close()
        return len(drift), elapsed

    drift, elapsed = asyncio.run(verify())
    print(f"\ntally verify, {city.size}: {drift} differ, {elapsed:.1f} s")


def statements(city: City) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """What is compared: name to (scope, statement, parameters)."""

    def searched(typed: str, prefix: str) -> tuple[str, str, dict[str, Any]]:
        meant = search.understand(typed)
        params = {
            "text": meant.text, "end": meant.text + search._END, "low": prefix.ljust(12, "0"), "limit": 51,
            "high": prefix.ljust(12, "9"), "tag": None, "after_key": "", "after_code": "", "after_id": None,
            "after_person": None, "indexes": [bytes(16)], "home_indexes": [],
        }  # fmt: skip
        is_one = len(prefix) == 12
        return prefix, search._statement(meant.ways[0], meant.ways, is_one_community=is_one, has_tag=False), params

    community, town, district = city.community, city.town[:9], city.district[:6]
    area = {"community": community, "area": city.area, "since": -1}
    clocks = "SELECT sum(household_count), sum(resident_count) FROM community_clock WHERE community_code LIKE %(like)s"
    visits = """
        INSERT INTO sync_command (community_code, id, name, account_id, device_id, status, recorded_at, received_at)
        SELECT %(community)s, gen_random_uuid(), 'x', gen_random_uuid(), gen_random_uuid(), 'accepted', now(), now()
        FROM generate_series(1, 50)
    """
    return {
        "a row by its key": (community, "SELECT * FROM community_clock WHERE community_code = %(community)s", area),
        "search, community": searched("王", community),
        "search, town": searched("wf", town),
        "search, district": searched("wf", district),
        "search, city": searched("wf", city.city[:4]),
        "search, address": searched(city.typed["address, begun"][0], district),
        "an area's households": (community, pull._CHANGED + pull._HOUSEHOLDS, area),
        "an area's residents": (community, pull._CHANGED + pull._RESIDENTS, area),
        "the city's clocks": (city.city[:4], clocks, {"like": f"{city.city[:4]}%"}),
        "50 rows inserted": (community, visits, area),
    }


def bench_security(city: City) -> None:
    """Each statement as the service's role, and as the owner, for whom there is no row-level security."""
    print(f"\nrow-level security, {city.size}: the same statement with it and without, in turns, median of {TURNS}")
    print(f"{'':>22} {'with ms':>9} {'without ms':>11} {'ratio':>7}")
    options = "-c jit=off -c timezone=UTC"
    with (
        psycopg.connect(city.url, options=f"{options} -c role={APP_ROLE}", cursor_factory=ClientCursor) as guarded,
        psycopg.connect(city.url, options=options, cursor_factory=ClientCursor) as bare,
    ):
        for name, (scope, statement, params) in statements(city).items():
            took: dict[int, list[float]] = {0: [], 1: []}
            rows = []
            for turn in range(TURNS + 5):
                for at, connection in enumerate((guarded, bare)):
                    setting = scope if len(scope) == 12 else f"{scope}%"
                    connection.execute(f"SET LOCAL app.scope = '{setting}'".encode())
                    started = time.perf_counter()
                    cursor = connection.execute(statement.encode(), params)
                    rows.append(len(cursor.fetchall()) if cursor.description else cursor.rowcount)
                    if turn >= 5:
                        took[at].append((time.perf_counter() - started) * 1000)
                    connection.rollback()
            assert len(set(rows)) == 1, (name, set(rows))
            with_it, without = statistics.median(took[0]), statistics.median(took[1])
            print(f"{name:>22} {with_it:>9.2f} {without:>11.2f} {with_it / without:>7.2f}")


def main() -> None:
    """Prepare, measure, print."""
    install_hooks()
    server_url = start_embedded(RUN)
    small = open_city(server_url, Size.S)
    city = open_city(server_url, SIZE, small)
    print(f"{city.size}: {city.communities:,} communities, {city.residents:,} residents")
    parts: dict[str, Callable[[], None]] = {
        "pull": partial(bench_pull, city, small),
        "search": partial(bench_search, city),
        "pages": partial(bench_pages, city, small),
        "coverage": partial(bench_coverage, city),
        "risk": partial(bench_risk, city),
        "security": partial(bench_security, city),
        "tallies": partial(bench_tallies, city),
    }
    servers = [
        start_server("tests.benchmarks.served:app", OUR_PORT, city.url),
        start_server("tests.benchmarks.served:app", SMALL_PORT, small.url),
        start_server("tests.benchmarks.bare:app", BARE_PORT, city.url),
    ]
    try:
        for part in PARTS:
            parts[part]()
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        forget_cities(server_url)


if __name__ == "__main__":
    main()
