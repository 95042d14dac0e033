"""A stair of households, and how tests ask what became of them."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from app.audit import service as audit
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.people import service as people
from app.screening import service as screening
from tests.makers import Home, make_homes, stair_of
from tests.personas import A, Caller

ROOMS = ["101", "102", "201"]


async def stair(database: Database, community: str = A, persons: int = 3) -> list[Home]:
    """Three households of so many people."""
    return await make_homes(database, community, stair_of("3", "2", ROOMS, persons))


async def post(call: Caller, path: str, who: str = "committee", **body: Any) -> httpx.Response:
    """A call of a desk."""
    return await call(who, "POST", path, json=body)


async def done(call: Caller, path: str, who: str = "committee", **body: Any) -> Any:
    """A call of a desk that works; answers its body."""
    answer = await post(call, path, who, **body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def read(call: Caller, path: str, who: str = "committee", **params: Any) -> Any:
    """What a desk reads."""
    answer = await call(who, "GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def members(call: Caller, home_id: UUID | str) -> list[str]:
    """Names of who lives in a household now."""
    return sorted(one["name"] for one in (await read(call, f"/households/{home_id}/residents"))["items"])


async def assert_sound(database: Database) -> None:
    """Tallies equal their recount, the trail holds, nobody is in two places, a household counts its own people."""
    async with database.session(EVERYWHERE) as session:
        assert await people.find_tally_drift(session) == []
        assert await screening.find_tally_drift(session) == []
        wrong = await session.execute(
            text("""
            SELECT 'stay elsewhere', r.id FROM resident r JOIN residence s
                ON s.community_code = r.community_code AND s.resident_id = r.id
            WHERE s.kind = 'lives_here' AND s.ended_on IS NULL AND (r.is_gone OR s.household_id <> r.household_id)
            UNION ALL
            SELECT 'count', h.id FROM household h WHERE h.resident_count <> (
                SELECT count(*) FROM resident r WHERE r.community_code = h.community_code AND r.household_id = h.id
                    AND NOT r.is_gone)
            UNION ALL
            SELECT 'closed with people', h.id FROM household h WHERE h.is_closed AND h.resident_count > 0
            UNION ALL
            SELECT 'lived in and vacant', d.id FROM dwelling d WHERE d.is_vacant AND EXISTS (
                SELECT FROM household h WHERE h.community_code = d.community_code AND h.dwelling_id = d.id
                    AND NOT h.is_closed)
            UNION ALL
            SELECT 'answers elsewhere', k.resident_id FROM person_check k JOIN resident r
                ON r.community_code = k.community_code AND r.id = k.resident_id
                JOIN screening_round q ON q.id = k.round_id
            WHERE q.status = 'open' AND (k.household_id, k.has_left) <> (r.household_id, r.is_gone)
            UNION ALL
            SELECT 'closed and standing', s.household_id FROM household_screening s JOIN household h
                ON h.community_code = s.community_code AND h.id = s.household_id
                JOIN screening_round q ON q.id = s.round_id
            WHERE q.status = 'open' AND h.is_closed
            UNION ALL
            SELECT 'answered, not standing so', s.household_id FROM household_screening s JOIN household h
                ON h.community_code = s.community_code AND h.id = s.household_id
            WHERE s.outcome IN ('answered_all', 'answered_part')
                AND (s.outcome = 'answered_all') <> (h.resident_count <= (SELECT count(*) FROM person_check k
                    WHERE k.community_code = s.community_code AND k.household_id = s.household_id
                        AND k.round_id = s.round_id AND NOT k.has_left))
        """)
        )
        assert [tuple(row) for row in wrong] == []
        broken = await session.execute(
            text("""
            SELECT a.id FROM responsibility_area a WHERE (a.dwelling_count, a.household_count) <> (
                SELECT count(DISTINCT d.id), count(h.id) FROM dwelling d LEFT JOIN household h
                    ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
                WHERE d.community_code = a.community_code AND d.responsibility_area_id = a.id)
        """)
        )
        assert broken.all() == []
    assert (await audit.verify_chains(database))[1] == []


def this_day() -> str:
    """Today, as the wire says it."""
    return today().isoformat()
