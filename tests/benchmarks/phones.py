"""Many phones at once: `python -m tests.benchmarks.phones`. Part of `make bench`; `BENCH_PARTS` names some parts of it.

`batched`: commands a second and p99 in batches of 50 at 32 connections. `cut`: 200 downloads are cut half-way and a
normal pull is timed. `reconnect`: `BENCH_PHONES` (5,000) phones come back within `BENCH_MINUTES` (10), each with 50 to
400 records of its own (`fleet.py`), in a copy of a simulated city (`BENCH_SIZE`, `BENCH_CITY`: see `city.py`). A tenth
of the phones in a tenth of the time is the same load: `BENCH_PHONES=500 BENCH_MINUTES=1`.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.db import start_embedded
from app.hooks import install_hooks
from app.simulation.plan import Size
from tests.benchmarks.__main__ import OUR_PORT, RUN, Worked, bench_batched, create_bench, prepare, start_server
from tests.benchmarks.city import copy_city, forget_cities, open_city
from tests.benchmarks.fleet import bench_reconnect
from tests.benchmarks.load import cut_downloads, read_answer, request

PARTS = os.environ.get("BENCH_PARTS", "batched,cut,reconnect").split(",")
SIZE = Size(os.environ.get("BENCH_SIZE", "M"))
PHONES = int(os.environ.get("BENCH_PHONES", "5000"))
MINUTES = float(os.environ.get("BENCH_MINUTES", "10"))
CUT = 200


async def bench_cut(large: Worked) -> None:
    """Downloads cut half-way, then a normal pull."""
    message = request("GET", f"/api/v1/sync/areas/{large.area_id}", large.token)
    hung = await cut_downloads(OUR_PORT, message, CUT)
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", OUR_PORT)
    writer.write(message)
    status, body = await read_answer(reader)
    took = time.perf_counter() - started
    writer.close()
    for phone in hung:
        phone.close()
    print(f"\n{CUT} downloads cut half-way, {len(hung)} of them neither read nor hung up; then a normal pull of")
    print(f"  {len(body)} bytes: {status} after {took * 1000:.0f} ms (aim 1,000)")


@contextmanager
def _served(url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The service over a database."""
    # of a phone that hangs up on what it has asked for uvicorn writes a page
    server = start_server("tests.benchmarks.served:app", OUR_PORT, url, subprocess.DEVNULL)
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def _bench_communities(server_url: str) -> None:
    url = create_bench(server_url, f"city_bench_{os.getpid()}")
    print("preparing: a city of 5,758 communities …", flush=True)
    worked, large, round_id, _ = asyncio.run(prepare(url))
    with _served(url):
        if "batched" in PARTS:
            bench_batched(worked, round_id, (32,))
        if "cut" in PARTS:
            asyncio.run(bench_cut(large))


def main() -> None:
    """Prepare, measure, print."""
    install_hooks()
    server_url = start_embedded(RUN)
    try:
        if {"batched", "cut"} & set(PARTS):
            _bench_communities(server_url)
        if "reconnect" in PARTS:
            city = open_city(server_url, SIZE)
            print(
                f"\n{city.size}: {city.communities:,} communities, {city.residents:,} residents; copying …", flush=True
            )
            url = copy_city(server_url, city.url)
            bench_reconnect(url, PHONES, MINUTES, _served)
    finally:
        forget_cities(server_url)


if __name__ == "__main__":
    main()
