"""A download that breaks off, or that a phone neither reads nor hangs up, takes nothing from anybody else."""

import time

import httpx

from app.core.db import Database
from tests.benchmarks.load import cut_downloads, request
from tests.makers import make_area, make_homes, stair_of
from tests.personas import PERSONAS, A, Caller, token_of
from tests.sync.phones import serving

CUT = 40
"""More than the connections the service has to the database."""


async def test_a_normal_pull_answers_within_a_second_after_many_cut_ones(
    call: Caller, database: Database, database_url: str
) -> None:
    rooms = [f"{floor}{door:02d}" for floor in range(1, 31) for door in range(1, 21)]
    homes = await make_homes(database, A, stair_of("3", "1", rooms))
    area = await make_area(call, homes, "worker")
    path = f"/api/v1/sync/areas/{area['id']}"
    token = token_of(PERSONAS["worker"])
    async with serving(database_url) as url:
        # not compressed, so that far more is to be sent than lies in a socket
        hung = await cut_downloads(int(url.rsplit(":", 1)[1]), request("GET", path, token), CUT)
        assert len(hung) == CUT // 2
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as http:
                started = time.perf_counter()
                answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
                took = time.perf_counter() - started
        finally:
            for phone in hung:
                phone.close()
    assert answer.status_code == 200
    assert len(answer.json()["upserts"]["households"]["i"]) == len(rooms)
    assert took < 1.0
