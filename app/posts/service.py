"""Responsibility areas: cutting them out of doors, assigning, claiming, releasing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth import service as auth
from app.auth.models import Account, Role
from app.auth.schemas import HeldArea
from app.auth.service import DESK, OVERSEERS, PEOPLE, WORKERS, Actor, in_scope
from app.core.clock import now
from app.core.db import driver_connection
from app.core.errors import Conflict, Invalid, NotFound
from app.core.paging import decode_id_cursor, encode_cursor
from app.people import service as people
from app.posts.models import Assignment, ResponsibilityArea
from app.posts.schemas import (
    Holder,
    How,
    ResponsibilityAreaCreate,
    ResponsibilityAreaRead,
    ResponsibilityAreaUpdate,
)

MAX_HOUSEHOLDS = 1000
"""What a phone carries well: design 3.4."""


class AreaAlreadyClaimed(Conflict):
    """Somebody was quicker, or the area is not open."""

    def __init__(self) -> None:
        super().__init__(
            "area_already_claimed", "这个责任区刚刚被别人认领了。", "Somebody else has just claimed this area."
        )


class AreaTooLarge(Conflict):
    """More households than a phone carries."""

    def __init__(self, count: int) -> None:
        zh = f"一个责任区最多 {MAX_HOUSEHOLDS} 户，所选有 {count} 户。"
        en = f"An area holds at most {MAX_HOUSEHOLDS} households; the selection has {count}."
        super().__init__("area_too_large", zh, en)


class DoorAlreadyAssigned(Conflict):
    """A door lies in one area only."""

    def __init__(self, count: int) -> None:
        zh, en = f"其中 {count} 户门已属于别的责任区。", f"{count} of the doors lie in another area already."
        super().__init__("door_already_assigned", zh, en)


async def create_responsibility_area(
    session: AsyncSession, actor: Actor, new: ResponsibilityAreaCreate
) -> ResponsibilityAreaRead:
    """Cut an area out of doors or whole stairs, open to be claimed or assigned at once.

    Raises AreaTooLarge, DoorAlreadyAssigned, Invalid (`doors_unknown`) when the selection names no door.
    """
    community = new.community_code
    actor.demand(community, DESK)
    await areas.get_community_name(session, community)
    await areas.lock_clock(session, community)
    stairs = [(s.compound, s.building, s.stair) for s in new.stairs]
    doors = sorted({*new.dwelling_ids, *await people.find_doors(session, community, stairs)})
    cut = await _measure(session, community, doors, None)
    version = await areas.advance_clock(session, community, unassigned=-cut.dwellings)
    area = ResponsibilityArea(
        community_code=community,
        name=new.name,
        note=new.note,
        is_open=new.is_open,
        dwelling_count=cut.dwellings,
        household_count=cut.households,
        version=version,
        recut_version=version,
        created_at=now(),
    )
    session.add(area)
    await session.flush()
    await people.set_responsibility_area(session, community, doors, area.id, version)
    if new.assign_to is not None:
        await _give(session, actor, area, new.assign_to, "assigned", version)
    await audit.append_entry(session, actor.doer, community, "create_responsibility_area", [area.id, *doors])
    return (await _reads(session, [area]))[0]


async def _measure(session: AsyncSession, community: str, doors: Sequence[UUID], own: UUID | None) -> people.AreaCut:
    cut = await people.measure_doors(session, community, doors, own)
    if cut.dwellings == 0 or cut.dwellings < len(doors):
        raise Invalid(
            "doors_unknown", "所选的门在本村居找不到。", "Some of these doors are not in the community.", "dwelling_ids"
        )
    if cut.taken:
        raise DoorAlreadyAssigned(cut.taken)
    if cut.households > MAX_HOUSEHOLDS:
        raise AreaTooLarge(cut.households)
    return cut


async def get_responsibility_area(session: AsyncSession, actor: Actor, area_id: UUID) -> ResponsibilityAreaRead:
    """An area the actor may see: its desk all, a worker the open ones and their own."""
    return (await _reads(session, [await _find(session, actor, area_id)]))[0]


async def _find(
    session: AsyncSession, actor: Actor, area_id: UUID, roles: frozenset[Role] | None = None
) -> ResponsibilityArea:
    statement = select(ResponsibilityArea).where(
        col(ResponsibilityArea.id) == area_id,
        col(ResponsibilityArea.is_removed).is_(False),
        in_scope(col(ResponsibilityArea.community_code), actor, roles or PEOPLE | OVERSEERS),
    )
    area = (await session.scalars(statement)).first()
    if area is None or not (roles or _may_see(actor, area)):
        raise NotFound
    return area


async def _read_again(session: AsyncSession, area: ResponsibilityArea) -> None:
    """The area as it is now that the community's clock is held: it may have been dissolved or given meanwhile."""
    await session.refresh(area, with_for_update=True)
    if area.is_removed:
        raise NotFound


def _may_see(actor: Actor, area: ResponsibilityArea) -> bool:
    is_free = area.is_open and area.holder_id is None
    return is_free or area.holder_id == actor.id or actor.may(area.community_code, OVERSEERS)


async def list_responsibility_areas(
    session: AsyncSession,
    actor: Actor,
    community_code: str | None,
    *,
    is_open: bool | None,
    is_mine: bool | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[ResponsibilityAreaRead], str | None]:
    """Areas in scope, oldest first: desks see all, workers the open ones and their own."""
    table = ResponsibilityArea
    statement = select(table).where(
        col(table.is_removed).is_(False),
        or_(
            in_scope(col(table.community_code), actor, OVERSEERS),
            in_scope(col(table.community_code), actor, PEOPLE)
            & ((col(table.holder_id) == actor.id) | (col(table.is_open) & col(table.holder_id).is_(None))),
        ),
    )
    if community_code:
        if not actor.scope.covers(community_code):
            raise NotFound
        statement = statement.where(col(table.community_code) == community_code)
    if is_open is not None:
        free = col(table.is_open) & col(table.holder_id).is_(None)
        statement = statement.where(free if is_open else ~free)
    if is_mine is not None:
        statement = statement.where((col(table.holder_id) == actor.id).is_(is_mine))
    if cursor:
        statement = statement.where(col(table.id) > decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(table.id)).limit(limit + 1))).all())
    more = encode_cursor(str(rows[limit - 1].id)) if len(rows) > limit else None
    return await _reads(session, rows[:limit]), more


async def _reads(session: AsyncSession, rows: Sequence[ResponsibilityArea]) -> list[ResponsibilityAreaRead]:
    names = await areas.name_divisions(session, sorted({row.community_code for row in rows}))
    places = await people.list_places(session, [row.id for row in rows])
    return [
        ResponsibilityAreaRead(
            **row.model_dump(include=set(ResponsibilityAreaRead.model_fields)),
            community_name=names.get(row.community_code, ""),
            holder=Holder(id=row.holder_id, name=row.holder_name or "") if row.holder_id else None,
            places=places.get(row.id, []),
        )
        for row in rows
    ]


async def update_responsibility_area(
    session: AsyncSession, actor: Actor, area_id: UUID, change: ResponsibilityAreaUpdate
) -> ResponsibilityAreaRead:
    """Rename, open or close an area, add doors or take some away; a phone that holds it loads it anew then."""
    area = await _find(session, actor, area_id, DESK)
    community = area.community_code
    await areas.lock_clock(session, community)
    await _read_again(session, area)
    added = sorted(set(change.add_dwelling_ids))
    if added:
        await _measure(session, community, added, area_id)
    version = await areas.advance_clock(session, community)
    for name in ("name", "note", "is_open"):
        if (value := getattr(change, name)) is not None:
            setattr(area, name, value)
    area.version = version
    if added or change.remove_dwelling_ids:
        moved = await people.set_responsibility_area(session, community, added, area_id, version)
        gone = await _own_doors(session, area, change.remove_dwelling_ids)
        moved -= await people.set_responsibility_area(session, community, gone, None, version)
        await areas.advance_clock(session, community, unassigned=-moved)
        area.recut_version = version
        await _recount(session, area)
    await audit.append_entry(session, actor.doer, community, "update_responsibility_area", [area_id])
    await session.flush()
    return (await _reads(session, [area]))[0]


async def _own_doors(session: AsyncSession, area: ResponsibilityArea, ids: Sequence[UUID] | None) -> list[UUID]:
    rows = await session.scalars(
        text(
            "SELECT id FROM dwelling WHERE community_code = :c AND responsibility_area_id = :a "
            "AND (cast(:ids AS uuid[]) IS NULL OR id = ANY(cast(:ids AS uuid[])))"
        ),
        {"c": area.community_code, "a": area.id, "ids": None if ids is None else list(ids)},
    )
    return list(rows.all())


async def _recount(session: AsyncSession, area: ResponsibilityArea) -> None:
    cut = await people.measure_doors(session, area.community_code, await _own_doors(session, area, None), area.id)
    if cut.households > MAX_HOUSEHOLDS:
        raise AreaTooLarge(cut.households)
    area.dwelling_count, area.household_count = cut.dwellings, cut.households


async def delete_responsibility_area(session: AsyncSession, actor: Actor, area_id: UUID) -> None:
    """Dissolve an area: its doors have no owner again, its history stays."""
    area = await _find(session, actor, area_id, DESK)
    community = area.community_code
    await areas.lock_clock(session, community)
    await _read_again(session, area)
    doors = await _own_doors(session, area, None)
    version = await areas.advance_clock(session, community, unassigned=len(doors))
    await people.set_responsibility_area(session, community, doors, None, version)
    await _take(session, area, version)
    area.is_removed = True
    await audit.append_entry(session, actor.doer, community, "delete_responsibility_area", [area_id])


async def assign_responsibility_area(
    session: AsyncSession, actor: Actor, area_id: UUID, account_id: UUID
) -> ResponsibilityAreaRead:
    """Give an area to somebody who works in the community; whoever held it keeps credit for their work."""
    area = await _find(session, actor, area_id, DESK)
    version = await areas.advance_clock(session, area.community_code)
    await _read_again(session, area)
    await _give(session, actor, area, account_id, "assigned", version)
    await audit.append_entry(
        session, actor.doer, area.community_code, "assign_responsibility_area", [area_id, account_id]
    )
    return (await _reads(session, [area]))[0]


async def _give(
    session: AsyncSession, actor: Actor, area: ResponsibilityArea, account_id: UUID, how: How, version: int
) -> None:
    account: Account = await auth.get_worker(session, account_id, area.community_code)
    await _take(session, area, version)
    area.holder_id, area.holder_name, area.assigned_at = account.id, account.name, now()
    _begin_assignment(session, actor, area, how)
    await session.flush()


async def _take(session: AsyncSession, area: ResponsibilityArea, version: int) -> None:
    """End the standing assignment, if any; the epoch rises with every change of holder."""
    await session.execute(
        update(Assignment)
        .where(
            col(Assignment.community_code) == area.community_code,
            col(Assignment.area_id) == area.id,
            col(Assignment.ended_at).is_(None),
        )
        .values(ended_at=now())
    )
    area.epoch += 1
    area.holder_id = area.holder_name = area.assigned_at = None
    area.version = version
    await session.flush()


def _begin_assignment(session: AsyncSession, actor: Actor, area: ResponsibilityArea, how: How) -> None:
    if area.holder_id is None:
        return
    session.add(
        Assignment(
            community_code=area.community_code,
            area_id=area.id,
            account_id=area.holder_id,
            epoch=area.epoch,
            how=how,
            by_account_id=actor.id,
            started_at=now(),
        )
    )


async def claim_responsibility_area(session: AsyncSession, actor: Actor, area_id: UUID) -> ResponsibilityAreaRead:
    """Claim an open area: one statement compares and sets, so of many at once exactly one gets it.

    Raises AreaAlreadyClaimed when somebody was quicker or the area is not open.
    """
    statement = select(ResponsibilityArea).where(
        col(ResponsibilityArea.id) == area_id,
        col(ResponsibilityArea.is_removed).is_(False),
        in_scope(col(ResponsibilityArea.community_code), actor, WORKERS | DESK),
    )
    area = (await session.scalars(statement)).first()
    if area is None:
        raise NotFound
    version = await areas.advance_clock(session, area.community_code)
    result = await session.execute(
        update(ResponsibilityArea)
        .where(
            col(ResponsibilityArea.community_code) == area.community_code,
            col(ResponsibilityArea.id) == area_id,
            col(ResponsibilityArea.is_open),
            col(ResponsibilityArea.is_removed).is_(False),
            col(ResponsibilityArea.holder_id).is_(None),
        )
        .values(
            holder_id=actor.id,
            holder_name=actor.name,
            assigned_at=now(),
            epoch=ResponsibilityArea.epoch + 1,
            version=version,
        )
        .returning(col(ResponsibilityArea.epoch))
    )
    if result.first() is None:
        raise AreaAlreadyClaimed
    await session.refresh(area)
    _begin_assignment(session, actor, area, "claimed")
    await audit.append_entry(session, actor.doer, area.community_code, "claim_responsibility_area", [area_id])
    return (await _reads(session, [area]))[0]


async def release_responsibility_area(session: AsyncSession, actor: Actor, area_id: UUID) -> ResponsibilityAreaRead:
    """Give an area back: its holder, or its desk for them."""
    area = await _find(session, actor, area_id)
    if area.holder_id != actor.id and not actor.may(area.community_code, DESK):
        raise NotFound
    version = await areas.advance_clock(session, area.community_code)
    await _read_again(session, area)
    if area.holder_id is None:
        raise Conflict("area_not_claimed", "这个责任区现在没有负责人。", "Nobody holds this area.")
    if area.holder_id != actor.id and not actor.may(area.community_code, DESK):
        raise NotFound
    await _take(session, area, version)
    await audit.append_entry(session, actor.doer, area.community_code, "release_responsibility_area", [area_id])
    return (await _reads(session, [area]))[0]


async def list_held_areas(session: AsyncSession, actor: Actor) -> list[HeldArea]:
    """The areas the actor holds, for `/me` and the phone."""
    statement = select(ResponsibilityArea).where(
        col(ResponsibilityArea.holder_id) == actor.id, col(ResponsibilityArea.is_removed).is_(False)
    )
    rows = (await session.scalars(statement.order_by(col(ResponsibilityArea.id)).limit(200))).all()
    return [HeldArea(**row.model_dump(include=set(HeldArea.model_fields))) for row in rows]


async def touch_areas(session: AsyncSession, community_code: str, area_ids: Sequence[UUID], version: int) -> None:
    """Something inside these areas changed at `version`: their phones fetch it, their counts are taken anew."""
    params: dict[str, Any] = {"c": community_code, "ids": list(area_ids), "version": version}
    connection = await driver_connection(session)
    await connection.execute(
        """
        UPDATE responsibility_area a SET version = %(version)s, dwelling_count = f.dwellings,
            household_count = f.households
        FROM (
            SELECT d.responsibility_area_id AS id, count(DISTINCT d.id) AS dwellings, count(h.id) AS households
            FROM dwelling d LEFT JOIN household h
                ON h.community_code = d.community_code AND h.dwelling_id = d.id AND NOT h.is_closed
            WHERE d.community_code = %(c)s AND d.responsibility_area_id = ANY(%(ids)s) GROUP BY 1
        ) f
        WHERE a.community_code = %(c)s AND a.id = f.id
        """,
        params,
    )


async def reload_areas(session: AsyncSession, community_code: str, dwelling_ids: Sequence[UUID], version: int) -> None:
    """Make phones load the areas of these doors anew, as after a re-cut: what they hold of them has to go."""
    await session.execute(
        text("""
        UPDATE responsibility_area SET version = :version, recut_version = :version
        WHERE community_code = :c AND id IN (
            SELECT responsibility_area_id FROM dwelling WHERE community_code = :c AND id = ANY(:ids))
    """),
        {"c": community_code, "ids": list(dwelling_ids), "version": version},
    )
