"""Reading the registry, correcting it, and what other rooms ask of it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import OVERSEERS, Actor, in_scope
from app.core import crypto
from app.core.clock import today
from app.core.errors import NotFound
from app.core.paging import cursor_uuid, decode_cursor, encode_cursor
from app.people.models import Dwelling, Household, HouseholdKind, HouseholdTag, IdKind, Resident
from app.people.naming import address_text, tidy
from app.people.schemas import (
    BuildingRead,
    DoorRead,
    HouseholdName,
    HouseholdRead,
    ResidentRead,
)

RESIDENT_ID = "resident.id"
RESIDENT_PHONE = "resident.phone"
HOUSEHOLD_PHONE = "household.phone"
HOUSEHOLD_NOTE = "household.note"
"""Contexts of sealed values and blind indexes: table.column."""

MAX_DOORS = 2000
MAX_BUILDINGS = 500

_BUILDINGS = text("""
    SELECT d.compound, d.building,
        array_agg(DISTINCT d.stair ORDER BY d.stair) AS stairs,
        count(*) AS dwelling_count,
        coalesce(sum(h.households), 0)::int AS household_count,
        coalesce(sum(h.residents), 0)::int AS resident_count,
        count(*) FILTER (WHERE d.is_vacant) AS vacant_count,
        count(*) FILTER (WHERE d.responsibility_area_id IS NULL) AS unassigned_count
    FROM dwelling d
    LEFT JOIN (
        SELECT dwelling_id, count(*) AS households, sum(resident_count) AS residents
        FROM household WHERE community_code = :c AND NOT is_closed GROUP BY 1
    ) h ON h.dwelling_id = d.id
    WHERE d.community_code = :c
    GROUP BY d.compound, d.building ORDER BY min(d.sort_key) LIMIT :limit
""")

_DOORS = text("""
    SELECT d.id AS dwelling_id, d.compound, d.building, d.stair, d.floor, d.room, d.address, d.is_vacant,
        count(h.id)::int AS household_count, coalesce(sum(h.resident_count), 0)::int AS resident_count,
        d.responsibility_area_id
    FROM dwelling d
    LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
    WHERE d.community_code = :c AND d.compound = :compound AND d.building = :building
    GROUP BY d.community_code, d.id ORDER BY d.sort_key, d.id LIMIT :limit
""")


async def list_buildings(session: AsyncSession, actor: Actor, community_code: str) -> list[BuildingRead]:
    """A community's buildings in natural order, at most 500."""
    actor.demand(community_code, OVERSEERS)
    rows = await session.execute(_BUILDINGS, {"c": community_code, "limit": MAX_BUILDINGS})
    return [BuildingRead(**row) for row in rows.mappings()]


async def list_doors(
    session: AsyncSession, actor: Actor, community_code: str, compound: str, building: str
) -> list[DoorRead]:
    """The doors of one building, stair by stair, floor by floor, at most 2,000."""
    actor.demand(community_code, OVERSEERS)
    params = {"c": community_code, "compound": compound, "building": building, "limit": MAX_DOORS}
    return [DoorRead(**row) for row in (await session.execute(_DOORS, params)).mappings()]


@dataclass(frozen=True, slots=True)
class HouseholdFilter:
    """Which households of a community are meant; None is any."""

    compound: str | None = None
    building: str | None = None
    stair: str | None = None
    text: str | None = None
    tag: HouseholdTag | None = None
    responsibility_area_id: UUID | None = None


async def list_households(
    session: AsyncSession, actor: Actor, community_code: str, wanted: HouseholdFilter, limit: int, cursor: str | None
) -> tuple[list[HouseholdRead], str | None]:
    """A community's households in the order of their doors.

    `text` finds heads and members by name and pinyin, whole phone and ID numbers, and doors by their address.
    """
    actor.demand(community_code, OVERSEERS)
    statement = _filtered(community_code, wanted)
    if cursor:
        sort_key, after = decode_cursor(cursor, str, str)
        same_door = (col(Dwelling.sort_key) == sort_key) & (col(Household.id) > cursor_uuid(after))
        statement = statement.where(or_(col(Dwelling.sort_key) > sort_key, same_door))
    statement = statement.order_by(col(Dwelling.sort_key), col(Household.id)).limit(limit + 1)
    rows = (await session.execute(statement)).all()
    items = [household_read(household, dwelling) for household, dwelling in rows[:limit]]
    if len(rows) <= limit:
        return items, None
    return items, encode_cursor(rows[limit - 1][1].sort_key, str(rows[limit - 1][0].id))


def _filtered(community_code: str, wanted: HouseholdFilter) -> Select[Household, Dwelling]:
    statement = _joined().where(col(Household.community_code) == community_code)
    if wanted.compound is not None:
        statement = statement.where(col(Dwelling.compound) == wanted.compound)
    if wanted.building is not None:
        statement = statement.where(col(Dwelling.building) == wanted.building)
    if wanted.stair is not None:
        statement = statement.where(col(Dwelling.stair) == wanted.stair)
    if wanted.tag is not None:
        statement = statement.where(col(Household.tags).contains([wanted.tag.value]))
    if wanted.responsibility_area_id is not None:
        statement = statement.where(col(Dwelling.responsibility_area_id) == wanted.responsibility_area_id)
    if wanted.text:
        statement = statement.where(_matches(community_code, wanted.text))
    return statement


async def find_household_ids(
    session: AsyncSession, actor: Actor, community_code: str, wanted: HouseholdFilter, limit: int
) -> list[UUID]:
    """The ids of a community's households, `limit` at most, that a filter means."""
    actor.demand(community_code, OVERSEERS)
    ids = _filtered(community_code, wanted).with_only_columns(col(Household.id)).limit(limit)
    return list((await session.scalars(ids)).all())


def _joined() -> Select[Household, Dwelling]:
    return _at_doors().where(col(Household.is_closed).is_(False))


def _at_doors() -> Select[Household, Dwelling]:
    same = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    return select(Household, Dwelling).join(Dwelling, same)


def _matches(community_code: str, typed: str) -> ColumnElement[bool]:
    """Heads and members by name or pinyin, whole phone and ID numbers, doors by any part of their address."""
    wanted = tidy(typed)
    pattern = f"%{wanted.replace('%', '').replace('_', '')}%"
    members = select(col(Resident.household_id)).where(
        col(Resident.community_code) == community_code,
        col(Resident.is_gone).is_(False),
        or_(
            col(Resident.name).like(pattern),
            col(Resident.name_initials).like(pattern),
            col(Resident.name_pinyin).like(pattern[1:]),
            col(Resident.id_index).in_(crypto.blind_indexes(wanted.upper(), RESIDENT_ID)),
            col(Resident.phone_index).in_(crypto.blind_indexes(wanted, RESIDENT_PHONE)),
        ),
    )
    return or_(
        col(Household.head_name).like(pattern),
        col(Household.head_initials).like(pattern),
        col(Household.phone_index).in_(crypto.blind_indexes(wanted, HOUSEHOLD_PHONE)),
        col(Dwelling.search_key).like(f"%{address_text(typed).replace('%', '').replace('_', '')}%"),
        col(Household.id).in_(members),
    )


def household_read(household: Household, dwelling: Dwelling) -> HouseholdRead:
    """A household and its door, masked."""
    return HouseholdRead(
        id=household.id,
        community_code=household.community_code,
        dwelling_id=dwelling.id,
        compound=dwelling.compound,
        building=dwelling.building,
        stair=dwelling.stair,
        floor=dwelling.floor,
        room=dwelling.room,
        address=dwelling.address,
        kind=HouseholdKind(household.kind),
        head_name=household.head_name,
        phone_masked=crypto.mask_phone(crypto.open_text(household.phone_sealed, HOUSEHOLD_PHONE)),
        tags=[HouseholdTag(tag) for tag in household.tags],
        note=crypto.open_text(household.note_sealed, HOUSEHOLD_NOTE),
        resident_count=household.resident_count,
        responsibility_area_id=dwelling.responsibility_area_id,
        version=household.version,
    )


def age_on(birth_on: date | None, day: date) -> int | None:
    """Full years lived on a day."""
    if birth_on is None:
        return None
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def resident_read(resident: Resident) -> ResidentRead:
    """A resident, masked; the birth year alone, because a masked ID and a birth date are the whole number."""
    return ResidentRead(
        id=resident.id,
        household_id=resident.household_id,
        name=resident.name,
        sex=resident.sex,
        birth_year=resident.birth_on.year if resident.birth_on else None,
        age=age_on(resident.birth_on, today()),
        relation=resident.relation,
        id_kind=IdKind(resident.id_kind),
        id_masked=crypto.mask_id(crypto.open_text(resident.id_sealed, RESIDENT_ID)),
        phone_masked=crypto.mask_phone(crypto.open_text(resident.phone_sealed, RESIDENT_PHONE)),
        needs_id_check=resident.needs_id_check,
        tags=resident.tags,
    )


async def get_household(
    session: AsyncSession, actor: Actor, household_id: UUID, roles: frozenset[Role] = OVERSEERS
) -> tuple[Household, Dwelling]:
    """A household where the actor holds one of `roles`, with its door; NotFound otherwise."""
    statement = _joined().where(
        col(Household.id) == household_id, in_scope(col(Household.community_code), actor, roles)
    )
    row = (await session.execute(statement)).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


async def get_household_standing(
    session: AsyncSession, actor: Actor, household_id: UUID, roles: frozenset[Role] = OVERSEERS
) -> tuple[Household, Dwelling]:
    """As `get_household` for what a phone recorded before it heard: of one that was merged away the household that
    stands for it, and one that has left the registry."""
    mine = in_scope(col(Household.community_code), actor, roles)
    community = await session.scalar(
        select(col(Household.community_code)).where(col(Household.id) == household_id, mine)
    )
    if community is None:
        raise NotFound
    roots = await find_roots(session, community, [household_id])
    own = (col(Household.id) == roots.get(household_id, household_id)) & (col(Household.community_code) == community)
    row = (await session.execute(_at_doors().where(own, mine))).one()
    return row[0], row[1]


async def name_households(session: AsyncSession, community_code: str, ids: Sequence[UUID]) -> dict[UUID, HouseholdName]:
    """Addresses and heads of a community's households by id; closed ones are named too."""
    same = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    statement = (
        select(Household.id, Household.head_name, Dwelling)  # type: ignore[call-overload]
        .join(Dwelling, same)
        .where(col(Household.community_code) == community_code, col(Household.id).in_(list(ids)))
    )
    rows = (await session.execute(statement)).all()
    return {found: HouseholdName(address=address_of(door), head_name=head) for found, head, door in rows}


async def name_residents(session: AsyncSession, community_code: str, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names of a community's people by id, gone or not."""
    if not ids:
        return {}
    rows = await session.execute(
        text("SELECT id, name FROM resident WHERE community_code = :c AND id = ANY(:ids)"),
        {"c": community_code, "ids": list(ids)},
    )
    return {row.id: row.name for row in rows}


class Addressed(Protocol):
    """What has the parts of an address: a door, a row of one, one as it is given."""

    compound: str
    building: str
    stair: str
    room: str
    address: str


def address_of(door: Addressed) -> str:
    """A door as people write it: 花园小区 3号楼 2单元 502, or its free address."""
    parts = [
        door.compound,
        f"{door.building}号楼" if door.building.isdigit() else door.building,
        f"{door.stair}单元" if door.stair.isdigit() else door.stair,
        door.room,
    ]
    return door.address or " ".join(part for part in parts if part)


async def get_resident(session: AsyncSession, actor: Actor, resident_id: UUID, roles: frozenset[Role]) -> Resident:
    """A resident where the actor holds one of `roles`.

    Raises NotFound outside the actor's scope, Forbidden where the actor is in scope in another role.
    """
    statement = select(Resident).where(
        col(Resident.id) == resident_id,
        in_scope(col(Resident.community_code), actor),
        col(Resident.is_gone).is_(False),
    )
    resident = (await session.scalars(statement)).first()
    if resident is None:
        raise NotFound
    actor.demand(resident.community_code, roles)
    return resident


async def list_residents(session: AsyncSession, actor: Actor, household_id: UUID) -> list[ResidentRead]:
    """The people of a household, its head first."""
    household, _ = await get_household(session, actor, household_id)
    statement = (
        select(Resident)
        .where(
            col(Resident.community_code) == household.community_code,
            col(Resident.household_id) == household_id,
            col(Resident.is_gone).is_(False),
        )
        .order_by(col(Resident.name) != household.head_name, col(Resident.id))
        .limit(500)
    )
    return [resident_read(r) for r in (await session.scalars(statement)).all()]


# privacy puts here: (session, actor, resident, fields, reason) when facts are corrected and somebody says why.
corrected_hooks: list[Callable[[AsyncSession, Actor, Resident, list[str], str], Awaitable[None]]] = []

# posts puts here: (session, community, area ids, version) when doors inside areas change.
area_touched_hooks: list[Callable[[AsyncSession, str, list[UUID], int], Awaitable[None]]] = []


_NOTE_CHANGES = text("""
    INSERT INTO field_change AS f (community_code, subject_id, field, version, actor_id, actor_name, changed_at)
    SELECT :c, subject_id, field, :version, :actor, :actor_name, coalesce(cast(:at AS timestamptz), now())
    FROM jsonb_to_recordset(cast(:changes AS jsonb)) AS r(subject_id uuid, field text)
    ON CONFLICT (community_code, subject_id, field) DO UPDATE SET version = excluded.version,
        actor_id = excluded.actor_id, actor_name = excluded.actor_name, changed_at = excluded.changed_at
""")


async def note_changes(
    session: AsyncSession,
    doer: audit.Doer,
    community_code: str,
    version: int,
    changes: Iterable[tuple[UUID, str]],
    at: datetime | None = None,
) -> None:
    """Keep who changed which facts (subject id, field) last, at which version and when: now, or what a list says that
    is of `at`."""
    rows = [{"subject_id": subject, "field": name} for subject, name in sorted(set(changes))]
    if rows:
        params = {"c": community_code, "version": version, "actor": doer.id, "actor_name": doer.name, "at": at}
        await session.execute(_NOTE_CHANGES, params | {"changes": orjson.dumps(rows).decode()})


async def touch_areas(
    session: AsyncSession, community_code: str, area_ids: Iterable[UUID | None], version: int
) -> None:
    """Tell the room above that something inside these responsibility areas changed at `version`."""
    ids = sorted({area for area in area_ids if area is not None})
    for hook in area_touched_hooks if ids else ():
        await hook(session, community_code, ids, version)


# screening puts here: (session, community, household ids, version) when there are more people in households.
household_grown_hooks: list[Callable[[AsyncSession, str, list[UUID], int], Awaitable[None]]] = []


async def tell_grown(session: AsyncSession, community_code: str, household_ids: Iterable[UUID], version: int) -> None:
    """Tell the room above that these households have people whom nobody has asked yet."""
    ids = sorted(household_ids)
    for hook in household_grown_hooks if ids else ():
        await hook(session, community_code, ids, version)


async def list_merged_into(session: AsyncSession, community: str, row_id: UUID) -> list[UUID]:
    """A row's id and those of all that were merged into it, however often."""
    rows = await session.scalars(
        text("""
        WITH RECURSIVE merged AS (
            SELECT cast(:id AS uuid) AS id
            UNION
            SELECT x.id FROM merged m JOIN LATERAL (
                SELECT r.id FROM resident r WHERE r.community_code = :c AND r.merged_into_id = m.id
                UNION ALL
                SELECT h.id FROM household h WHERE h.community_code = :c AND h.merged_into_id = m.id
            ) x ON true
        ) SELECT id FROM merged
    """),
        {"c": community, "id": row_id},
    )
    return list(rows)


_ROOTS = text("""
    SELECT id, resident_root(community_code, id) AS root FROM resident
    WHERE community_code = :c AND id = ANY(:ids) AND merged_into_id IS NOT NULL
    UNION ALL
    SELECT id, household_root(community_code, id) FROM household
    WHERE community_code = :c AND id = ANY(:ids) AND merged_into_id IS NOT NULL
""")


async def find_roots(session: AsyncSession, community: str, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Of these people and households those that were merged away, and who or what stands for them."""
    rows = await session.execute(_ROOTS, {"c": community, "ids": sorted(set(ids))})
    return {row.id: row.root for row in rows}


@dataclass(frozen=True, slots=True)
class AreaCut:
    """What a set of doors is: how many, how many households and people, and the areas some already lie in."""

    dwellings: int
    households: int
    taken: int


async def measure_doors(session: AsyncSession, community_code: str, ids: Sequence[UUID], own: UUID | None) -> AreaCut:
    """Count known doors among `ids`, the households behind them, and those that lie in an area other than `own`."""
    row = (
        await session.execute(
            text("""
            SELECT count(DISTINCT d.id) AS dwellings, count(h.id) AS households,
                count(DISTINCT d.id) FILTER (WHERE d.responsibility_area_id IS NOT NULL
                    AND d.responsibility_area_id IS DISTINCT FROM cast(:own AS uuid)) AS taken
            FROM dwelling d
            LEFT JOIN household h ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
            WHERE d.community_code = :c AND d.id = ANY(:ids)
        """),
            {"c": community_code, "ids": list(ids), "own": own},
        )
    ).one()
    return AreaCut(row.dwellings, row.households, row.taken)


async def find_doors(
    session: AsyncSession, community_code: str, stairs: Sequence[tuple[str, str, str | None]]
) -> list[UUID]:
    """Doors of whole stairs: (compound, building, stair), stair None for the whole building."""
    found: list[UUID] = []
    for compound, building, stair in stairs:
        statement = select(col(Dwelling.id)).where(
            col(Dwelling.community_code) == community_code,
            col(Dwelling.compound) == compound,
            col(Dwelling.building) == building,
        )
        if stair is not None:
            statement = statement.where(col(Dwelling.stair) == stair)
        found += (await session.scalars(statement)).all()
    return sorted(set(found))


async def set_responsibility_area(
    session: AsyncSession, community_code: str, ids: Sequence[UUID], area_id: UUID | None, version: int
) -> int:
    """Put doors into an area, or take them out of theirs (None); answers how many changed."""
    result = await session.execute(
        text("""
        WITH changed AS (
            UPDATE dwelling SET responsibility_area_id = cast(:area AS uuid), version = :version
            WHERE community_code = :c AND id = ANY(:ids)
                AND responsibility_area_id IS DISTINCT FROM cast(:area AS uuid)
            RETURNING id
        ) SELECT count(*) FROM changed
    """),
        {"c": community_code, "ids": list(ids), "area": area_id, "version": version},
    )
    return int(result.scalar_one())


async def list_places(session: AsyncSession, area_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Short texts that say where areas lie: building and stair, at most six each."""
    rows = await session.execute(
        text("""
        SELECT responsibility_area_id AS area, compound, building, stair, min(sort_key) AS first FROM dwelling
        WHERE responsibility_area_id = ANY(:ids) GROUP BY 1, 2, 3, 4 ORDER BY 5
    """),
        {"ids": list(area_ids)},
    )
    places: dict[UUID, list[str]] = {}
    for row in rows:
        named = [row.compound, f"{row.building}号楼" if row.building.isdigit() else row.building]
        named.append(f"{row.stair}单元" if row.stair else "")
        listed = places.setdefault(row.area, [])
        if len(listed) < 6:
            listed.append(" ".join(part for part in named if part))
    return places


@dataclass(frozen=True, slots=True)
class TallyDrift:
    """A tally that differs from its recount."""

    community_code: str
    name: str
    tally: int
    recount: int


_RECOUNT = text("""
    WITH doors AS (
        SELECT community_code, count(*) AS dwelling_count, count(*) FILTER (WHERE is_vacant) AS vacant_count,
            count(*) FILTER (WHERE responsibility_area_id IS NULL) AS unassigned_count
        FROM dwelling GROUP BY 1
    ), homes AS (
        SELECT community_code, count(*) AS household_count FROM household WHERE NOT is_closed GROUP BY 1
    ), persons AS (
        SELECT community_code, count(*) AS resident_count FROM resident WHERE NOT is_gone GROUP BY 1
    )
    SELECT c.community_code, f.* FROM community_clock c
    LEFT JOIN doors d USING (community_code) LEFT JOIN homes h USING (community_code)
    LEFT JOIN persons p USING (community_code)
    CROSS JOIN LATERAL (VALUES
        ('dwelling_count', c.dwelling_count, coalesce(d.dwelling_count, 0)),
        ('vacant_count', c.vacant_count, coalesce(d.vacant_count, 0)),
        ('unassigned_count', c.unassigned_count, coalesce(d.unassigned_count, 0)),
        ('household_count', c.household_count, coalesce(h.household_count, 0)),
        ('resident_count', c.resident_count, coalesce(p.resident_count, 0))
    ) AS f(name, tally, recount)
    WHERE f.tally <> f.recount ORDER BY 1, 2 LIMIT 1000
""")


async def find_tally_drift(session: AsyncSession) -> list[TallyDrift]:
    """Registry tallies that differ from a recount of the rows in the session's scope (at most 1,000)."""
    return [TallyDrift(*row) for row in await session.execute(_RECOUNT)]
