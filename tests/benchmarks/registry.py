"""What the registry costs at the size of a district: search over HTTP, and row-level security statement by statement.

`python -m tests.benchmarks.registry` (part of `make bench`). Invented people are written straight into the tables
of a database of its own: `BENCH_COMMUNITIES` communities (240) of 540 households of three. Everything that is
compared is measured in turns in one run.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import ClientCursor

from app.auth import sessions
from app.auth.models import Role
from app.core.db import APP_ROLE, Database, start_embedded
from app.main import install_hooks
from app.people import search
from app.people.naming import initials, pinyin
from app.sync import pull
from tests.benchmarks.__main__ import OUR_PORT, RUN, SECONDS, _account, migrate_to_head, start_server
from tests.benchmarks.load import Load, request, run

COMMUNITIES = int(os.environ.get("BENCH_COMMUNITIES", "240"))
TURNS = int(os.environ.get("BENCH_TURNS", "150"))
COMMUNITY, TOWN, DISTRICT, CITY = "990101001005", "990101001", "990101", "9901"
TYPED = (
    "王", "王芳", "陈子", "芳", "wf", "w", "z", "lx", "wangf", "zhangw", "wang", "泉景1", "泉景13号楼2单元", "3-2",
    "xyz", "13812345678", "379999198001010011",
)  # fmt: skip
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国志文秀云海燕梅林峰雪晨宇轩涵怡梓欣浩然子墨"

# A name for each id, the same in every run; numbers are blind indexes of nothing.
_FILL = """
    CREATE TEMP TABLE place AS
        SELECT format('9901%%s%%s%%s', lpad((1 + c / 80)::text, 2, '0'), lpad((1 + c %% 80 / 20)::text, 3, '0'),
            lpad((1 + c %% 20)::text, 3, '0'))::char(12) AS code FROM generate_series(0, {communities} - 1) c;
    INSERT INTO division (code, name, level, parent_code)
        SELECT DISTINCT rpad(substr(code, 1, 4), 12, '0'), '示例市', 'city', NULL FROM place
        UNION SELECT DISTINCT rpad(substr(code, 1, 6), 12, '0'), '区', 'district', rpad(substr(code, 1, 4), 12, '0')
            FROM place
        UNION SELECT DISTINCT rpad(substr(code, 1, 9), 12, '0'), '街道', 'town', rpad(substr(code, 1, 6), 12, '0')
            FROM place
        UNION SELECT code, '社区', 'community', rpad(substr(code, 1, 9), 12, '0') FROM place;
    INSERT INTO community_clock (community_code, household_count, resident_count) SELECT code, 540, 1620 FROM place;
    CREATE TEMP TABLE home AS SELECT code, h, {uuid} AS door, {uuid} AS id FROM place, generate_series(0, 539) h;
    INSERT INTO dwelling (community_code, id, compound, building, stair, floor, room, address, address_key, sort_key,
            responsibility_area_id)
        SELECT code, door, '泉景' || h / 180, (1 + h / 36)::text, (1 + h / 12 %% 3)::text, 1 + h / 2 %% 6,
            (1 + h / 2 %% 6) || '0' || (1 + h %% 2), '', h::text, lpad(h::text, 8, '0'), {area} FROM home;
    INSERT INTO household (community_code, id, dwelling_id, head_name, head_initials, phone_index, resident_count)
        SELECT code, home.id, door, n.name, n.initials, substr(sha256(home.id::text::bytea), 1, 16), 3
        FROM home JOIN names n ON n.number = ('x' || substr(md5(home.id::text), 1, 6))::bit(24)::int %% 20000;
    INSERT INTO resident (community_code, id, household_id, name, name_initials, name_pinyin, sex, relation, workplace,
            id_kind, id_index, phone_index, birth_on)
        SELECT code, p.id, p.home, n.name, n.initials, n.pinyin, 1, '', '', 'none',
            substr(sha256(p.id::text::bytea), 1, 16), substr(sha256((p.id || 'p')::bytea), 1, 16), date '1980-01-01'
        FROM (SELECT code, home.id AS home, {uuid} AS id FROM home, generate_series(1, 3)) p
        JOIN names n ON n.number = ('x' || substr(md5(p.id::text), 1, 6))::bit(24)::int %% 20000;
"""
_AREA = "00000000-0000-7000-8000-000000000001"


def fill(url: str) -> int:
    """Write the district; answers how many residents there are."""
    draw = random.Random(7)  # the same town in every run
    names = [draw.choice(_FAMILY) + "".join(draw.sample(_GIVEN, draw.choice((1, 2, 2)))) for _ in range(20_000)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("CREATE TEMP TABLE names (number int, name text, initials text, pinyin text)")
        with cursor.copy("COPY names FROM STDIN") as copy:
            for number, name in enumerate(names):
                copy.write_row((number, name, initials(name), pinyin(name)))
        area = f"CASE WHEN code = '{COMMUNITY}' THEN '{_AREA}'::uuid END"
        # ids of one import rise together, as UUIDv7 do
        uuid = "lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')::text"
        uuid = (
            f"({uuid} || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid"
        )
        script = _FILL.replace("%%", "%").format(communities=COMMUNITIES, uuid=uuid, area=area)
        cursor.execute(script.encode())
        connection.commit()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT count(*) FROM resident").fetchone()
    return int(found[0]) if found else 0


def searches(token: str) -> Callable[[int], Iterator[bytes]]:
    """A desk that searches without a pause."""

    def make(connection: int) -> Iterator[bytes]:
        at = connection
        while True:
            yield request("GET", f"/api/v1/residents?q={quote(TYPED[at % len(TYPED)])}", token)
            at += 1

    return make


def bench_search(tokens: dict[str, str]) -> None:
    """Search over HTTP at each level, beside a call that only signs in and reads one row."""
    print("\nsearch over HTTP, one desk at a time (17 things typed, pages of 50)")
    print(f"{'where':>12} {'per second':>11} {'p50 ms':>8} {'p99 ms':>8}")
    for where, token in tokens.items():
        taken = run(Load(OUR_PORT, 1, SECONDS * 2, searches(token)))
        print(f"{where:>12} {taken.per_second:>11.0f} {taken.p50_ms:>8.1f} {taken.p99_ms:>8.1f}")
    code = f"/api/v1/areas/{COMMUNITY}"
    taken = run(Load(OUR_PORT, 1, SECONDS, lambda _: iter(lambda: request("GET", code, tokens["community"]), None)))
    print(f"{'(one row)':>12} {taken.per_second:>11.0f} {taken.p50_ms:>8.1f} {taken.p99_ms:>8.1f}")


def statements() -> dict[str, tuple[str, str, dict[str, Any]]]:
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

    area = {"community": COMMUNITY, "area": _AREA, "since": -1}
    clocks = "SELECT sum(household_count), sum(resident_count) FROM community_clock WHERE community_code LIKE '9901%%'"
    visits = """
        INSERT INTO sync_command (community_code, id, name, account_id, device_id, status, recorded_at, received_at)
        SELECT %(community)s, gen_random_uuid(), 'x', gen_random_uuid(), gen_random_uuid(), 'accepted', now(), now()
        FROM generate_series(1, 50)
    """
    return {
        "a row by its key": (COMMUNITY, "SELECT * FROM community_clock WHERE community_code = %(community)s", area),
        "search, community": searched("王", COMMUNITY),
        "search, town": searched("wf", TOWN),
        "search, district": searched("wf", DISTRICT),
        "search, address": searched("泉景1", DISTRICT),
        "an area's households": (COMMUNITY, pull._HOUSEHOLDS, area),
        "an area's residents": (COMMUNITY, pull._RESIDENTS, area),
        "the city's clocks": (CITY, clocks, {}),
        "50 rows inserted": (COMMUNITY, visits, area),
    }


def bench_security(url: str) -> None:
    """Each statement as the service's role, and as the owner, for whom there is no row-level security."""
    print(f"\nrow-level security: the same statement with it and without, in turns, median of {TURNS}")
    print(f"{'':>22} {'with ms':>9} {'without ms':>11} {'ratio':>7}")
    options = "-c jit=off -c timezone=UTC"
    with (
        psycopg.connect(url, options=f"{options} -c role={APP_ROLE}", cursor_factory=ClientCursor) as guarded,
        psycopg.connect(url, options=options, cursor_factory=ClientCursor) as bare,
    ):
        for name, (scope, statement, params) in statements().items():
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


async def make_desks(url: str) -> dict[str, str]:
    """Access tokens of a desk at each level."""
    database = Database(url, 2)
    await database.open()
    tokens = {}
    for where, role, prefix in (
        ("community", Role.COMMITTEE, COMMUNITY), ("town", Role.STREET, TOWN), ("district", Role.DISTRICT, DISTRICT),
        ("city", Role.CITY, CITY),
    ):  # fmt: skip
        account, device = await _account(database, role, prefix)
        tokens[where] = sessions.issue_access_token(account, device.id)
    await database.close()
    return tokens


def main() -> None:
    """Prepare, measure, print."""
    url = start_embedded(RUN)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE registry")
    url = url.replace("/postgres?", "/registry?", 1)
    migrate_to_head(url)
    install_hooks()
    print(f"preparing: {COMMUNITIES} communities …", flush=True)
    print(f"{fill(url):,} residents")
    bench_security(url)
    server = start_server("tests.benchmarks.served:app", OUR_PORT, url)
    try:
        bench_search(asyncio.run(make_desks(url)))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
