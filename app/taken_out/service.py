"""Keeping what an undo takes out, bringing it back when a record of then comes in, and letting it go."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from procrastinate import JobContext
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.core import crypto, jobs
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.models import Dwelling, Household, Resident
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from app.taken_out.models import TakenOut

CONTENT = "taken_out.content"
KEPT = timedelta(days=7)
"""As long as the file itself: a phone that was out of reach for longer hears that the household is not there."""
_CHUNK = 5_000
_PERSON = ", ".join(
    f"'{name}', r.{name}" for name in ("id", "name", "sex", "birth_on", "relation", "workplace", "tags")
)

# behind doors of areas; a door that went itself lay in none
_GOING = text(f"""
    SELECT h.id AS household_id, h.dwelling_id, g.id IS NOT NULL AS is_home, h.head_name, h.kind, h.tags,
        coalesce(p.people, '[]') AS people
    FROM (SELECT id FROM new_homes UNION SELECT household_id FROM new_people) o
    JOIN household h ON h.community_code = :c AND h.id = o.id
    JOIN dwelling d ON d.community_code = :c AND d.id = h.dwelling_id AND d.responsibility_area_id IS NOT NULL
    LEFT JOIN new_homes g ON g.id = h.id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object({_PERSON}) ORDER BY r.id) AS people
        FROM new_people n JOIN resident r ON r.community_code = :c AND r.id = n.id
        WHERE n.household_id = h.id
    ) p ON true
""")
_KEEP = text("""
    INSERT INTO taken_out (community_code, household_id, dwelling_id, is_home, person_ids, content_sealed, delete_by)
    SELECT :c, household_id, dwelling_id, is_home, person_ids, decode(content, 'base64'), :delete_by
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r(
        household_id uuid, dwelling_id uuid, is_home boolean, person_ids uuid[], content text)
    ON CONFLICT (community_code, household_id) DO UPDATE SET dwelling_id = excluded.dwelling_id,
        is_home = excluded.is_home, person_ids = excluded.person_ids, content_sealed = excluded.content_sealed,
        delete_by = excluded.delete_by
""")


async def keep(session: AsyncSession, community: str) -> None:
    """Keep what is about to go of an import's `new_homes` and `new_people` (tables of the undo) behind doors that
    phones may carry."""
    found = (await session.execute(_GOING, {"c": community})).all()
    for start in range(0, len(found), _CHUNK):
        rows = [
            {
                "household_id": one.household_id, "dwelling_id": one.dwelling_id, "is_home": one.is_home,
                "person_ids": [person["id"] for person in one.people],
                "content": crypto.seal_base64(
                    orjson.dumps(
                        {"head_name": one.head_name, "kind": one.kind, "tags": one.tags, "people": one.people}
                    ).decode(),
                    CONTENT,
                ),
            }
            for one in found[start : start + _CHUNK]
        ]  # fmt: skip
        await session.execute(_KEEP, {"c": community, "rows": orjson.dumps(rows).decode(), "delete_by": today() + KEPT})


async def find_people(session: AsyncSession, community: str, ids: set[UUID]) -> set[UUID]:
    """Of these people those that an undo has taken out and that have not come back."""
    kept = select(col(TakenOut.person_ids)).where(
        col(TakenOut.community_code) == community, col(TakenOut.person_ids).op("&&")(list(ids))
    )
    return ids & {person for people in await session.scalars(kept) for person in people} if ids else set()


async def bring_back(
    session: AsyncSession, doer: audit.Doer, community: str, named: Mapping[UUID, set[UUID]]
) -> set[UUID]:
    """Have households there again, by id with the people a record speaks of; answers those that were known here.

    A household that went comes back whole. Where somebody stands behind its door who it is (the right file has come),
    and of a household that stayed, people come back whom the record names and who are not there under another id; the
    old ids lead to who is. The caller writes the record right after, in this transaction or the next.
    """
    await areas.lock_clock(session, community)
    statement = select(TakenOut, Dwelling).join(
        Dwelling,
        (col(Dwelling.community_code) == col(TakenOut.community_code))
        & (col(Dwelling.id) == col(TakenOut.dwelling_id)),
    )
    own = (col(TakenOut.community_code) == community) & col(TakenOut.household_id).in_(list(named))
    found = (await session.execute(statement.where(own).order_by(col(TakenOut.household_id)))).all()
    for kept, door in found:
        await _bring(session, doer, community, kept, door, named[kept.household_id])
        await session.delete(kept)
    if found:
        back = [kept.household_id for kept, _ in found]
        await session.flush()
        await audit.append_entry(session, doer, community, "bring_back_households", back)
    return {kept.household_id for kept, _ in found}


async def _bring(
    session: AsyncSession, doer: audit.Doer, community: str, kept: TakenOut, door: Dwelling, named: set[UUID]
) -> None:
    content = orjson.loads(crypto.open_text(kept.content_sealed, CONTENT) or "{}")
    people = [person | {"id": UUID(person["id"])} for person in content["people"]]
    home, members = await _standing(session, community, kept, content["head_name"], {one["name"] for one in people})
    there = {member.name: member.id for member in members}
    if home is None and not kept.is_home:
        # it has been closed since: its people are there to be spoken of, and have gone
        closed = await session.get_one(Household, (community, kept.household_id))
        version = await areas.advance_clock(session, community)
        session.add_all(_stub(community, closed, one, version) for one in people)
        await session.flush()
        return
    coming = [one for one in people if one["name"] not in there and (home is None or one["id"] in named)]
    if home is None or coming:
        given = HouseholdInput(
            id=home.id if home else kept.household_id, head_name="" if home else content["head_name"],
            kind=content["kind"], tags=[] if home else content["tags"], is_new=home is None,
            persons=[_person(one) for one in coming],
        )  # fmt: skip
        place = DwellingInput(door.compound, door.building, door.stair, door.floor, door.room, door.address)
        place.households = [given]
        await registry.put_dwellings(session, doer, community, [place], None)
    if home is None:
        return
    version = await areas.advance_clock(session, community)
    if kept.is_home:
        session.add(
            Household(
                community_code=community, id=kept.household_id, dwelling_id=door.id, kind=content["kind"],
                head_name=content["head_name"], is_closed=True, merged_into_id=home.id, version=version,
            )
        )  # fmt: skip
        await session.flush()
    session.add_all(_stub(community, home, one, version, there[one["name"]]) for one in people if one["name"] in there)
    await session.flush()


def _stub(
    community: str, home: Household, one: Mapping[str, Any], version: int, stands: UUID | None = None
) -> Resident:
    """A person under an old id, who is gone, or is somebody who `stands` there."""
    return Resident(
        community_code=community, id=one["id"], household_id=home.id, name=one["name"], is_gone=True,
        merged_into_id=stands, version=version,
    )  # fmt: skip


async def _standing(
    session: AsyncSession, community: str, kept: TakenOut, head: str, names: set[str]
) -> tuple[Household | None, list[Resident]]:
    """The household that it is now, with its people: itself where it stayed, else one behind its door with the same
    head or somebody of theirs."""
    homes = select(Household).where(
        col(Household.community_code) == community, col(Household.dwelling_id) == kept.dwelling_id,
        col(Household.is_closed).is_(False),
    )  # fmt: skip
    nearest = sorted(await session.scalars(homes), key=lambda h: (h.id != kept.household_id, h.head_name != head))
    for home in nearest:
        living = select(Resident).where(
            col(Resident.community_code) == community, col(Resident.household_id) == home.id,
            col(Resident.is_gone).is_(False),
        )  # fmt: skip
        members = list(await session.scalars(living))
        if home.id == kept.household_id or (head and home.head_name == head) or names & {one.name for one in members}:
            return home, members
    return None, []


def _person(one: Mapping[str, Any]) -> PersonInput:
    born = date.fromisoformat(one["birth_on"]) if one["birth_on"] else None
    return PersonInput(
        id=one["id"], name=one["name"], relation=one["relation"], sex=one["sex"], birth_on=born,
        workplace=one["workplace"], tags=one["tags"], is_new=True,
    )  # fmt: skip


async def delete_taken_out(database: Database) -> int:
    """Let go of what has been kept for its week."""
    async with database.session(EVERYWHERE) as session:
        result = await session.execute(delete(TakenOut).where(col(TakenOut.delete_by) <= today()))
        return int(getattr(result, "rowcount", 0))


@jobs.queue.periodic(cron="33 19 * * *")
@jobs.queue.task(name="taken_out.delete_due", queueing_lock="taken_out_delete_due", pass_context=True)
async def delete_due(context: JobContext, timestamp: int) -> Any:  # noqa: ARG001 - given by the queue
    """At 3:33 in Shanghai, as other data with an end."""
    return await delete_taken_out(jobs.database_of(context))
