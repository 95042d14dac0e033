"""The yardsticks: bare FastAPI routes that insert one row with psycopg and commit, or sum a row of each community.

No sign-in, scope, audit, tally.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import FastAPI, Request
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel


class Visit(BaseModel):
    """One door visit, nothing else."""

    id: UUID
    household_id: UUID
    round_id: UUID
    outcome: str
    recorded_at: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool."""
    async with AsyncConnectionPool(os.environ["BENCH_URL"], min_size=10, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/visits")
async def insert_visit(request: Request, visit: Visit) -> dict[str, str]:
    """Insert one row."""
    async with request.app.state.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO bare_visit (id, household_id, round_id, outcome, recorded_at) VALUES (%s, %s, %s, %s, %s)",
            (visit.id, visit.household_id, visit.round_id, visit.outcome, visit.recorded_at),
        )
    return {"id": str(visit.id)}


@app.get("/sum")
async def sum_rows(request: Request, round: UUID) -> dict[str, int]:
    """What a city's coverage is made of, added up and nothing else."""
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT sum(c.household_count), sum(c.resident_count), sum(t.answered_all + t.vacant), sum(t.persons_done) "
            "FROM community_clock c LEFT JOIN screening_tally t "
            "ON t.community_code = c.community_code AND t.round_id = %s",
            (round,),
        )
        row = await cursor.fetchone()
    return dict(zip(("households", "residents", "households_done", "persons_done"), row, strict=True))
