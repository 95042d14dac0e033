"""Making risk areas, looking at what is known of households, and making the round that asks the others."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from procrastinate import JobContext
from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.models import Role
from app.auth.service import DESK, Actor
from app.core import jobs
from app.core.area_code import code_of, prefix_of
from app.core.clock import now, today
from app.core.crypto import mask_name
from app.core.db import EVERYWHERE, Database
from app.core.errors import Invalid, NotFound
from app.core.paging import cursor_uuid, decode_cursor, decode_id_cursor, encode_cursor
from app.people import service as people
from app.questions.models import QuestionKind
from app.questions.schemas import Place, Question
from app.risk_areas.finding import BATCH, JUDGED, JUDGED_BY_FACTS, find_params, place_key, prepare
from app.risk_areas.models import Knowledge, RiskArea, RiskAreaRound
from app.risk_areas.schemas import (
    RiskAreaCount,
    RiskAreaCreate,
    RiskAreaHousehold,
    RiskAreaRead,
    RiskAreaRoundIn,
)
from app.rounds import service as rounds
from app.rounds.schemas import RoundCreate, RoundRead
from app.screening.models import RoundStatus, ScreeningRound, Target
from app.screening.service import covering

COMMITTEE = frozenset({Role.COMMITTEE})
"""Whose households these are; above them counts are read."""
KEPT = timedelta(days=180)
"""How long after its last day a risk area stays."""
PAGE = 100
"""Communities of a page of counts."""
WIDEST = 500
"""Communities of one round that is made from a risk area: a district's."""
DAYS = timedelta(days=2)


async def create_risk_area(session: AsyncSession, actor: Actor, new: RiskAreaCreate) -> RiskAreaRead:
    """Ask about a place for a part of the tree; asked again it is the same one, with the newer number of days.

    Raises NotFound for an unknown division, Invalid (`risk_area_dates`, `risk_area_place`).
    """
    actor.demand(new.division_code, DESK)
    if new.to_on < new.from_on or new.from_on > today():
        zh, en = (
            "请核对起止日期：不能晚于今天开始，也不能先止后起。",
            "It begins today at the latest and ends after that.",
        )
        raise Invalid("risk_area_dates", zh, en, "from_on")
    names = await areas.name_divisions(session, [new.division_code, *([new.place.code] if new.place.code else [])])
    if new.division_code not in names:
        raise NotFound
    name = new.place.name or names.get(new.place.code or "", "")
    if len(place_key(name)) < 2:
        zh, en = "请写明地名（至少两个字），或选择已有的区划代码。", "Name the place with two characters at least."
        raise Invalid("risk_area_place", zh, en, "place.name")
    prefix = prefix_of(new.division_code)
    row = await session.scalar(
        text("""
        INSERT INTO risk_area (id, division_prefix, place_name, place_code, from_on, to_on, stale_after_days,
            created_by_name, created_at, delete_by)
        VALUES (:id, :prefix, :name, :code, :from_on, :to_on, :days, :by, :at, :delete_by)
        ON CONFLICT (division_prefix, place_name, place_code, from_on, to_on)
        DO UPDATE SET stale_after_days = excluded.stale_after_days RETURNING id
    """),
        {
            "id": RiskArea(**new.model_dump(include={"from_on", "to_on", "stale_after_days"})).id, "prefix": prefix,
            "name": name, "code": new.place.code or "", "from_on": new.from_on, "to_on": new.to_on,
            "days": new.stale_after_days, "by": actor.name, "at": now(), "delete_by": max(new.to_on, today()) + KEPT,
        },
    )  # fmt: skip
    found = await session.get_one(RiskArea, row)
    payload = {"place": name, "from_on": new.from_on, "to_on": new.to_on}
    await audit.append_entry(session, actor.doer, new.division_code, "create_risk_area", [found.id], payload)
    (read,) = await _read(session, [found], prefix)
    return read


async def _read(session: AsyncSession, found: Sequence[RiskArea], prefix: str) -> list[RiskAreaRead]:
    names = await areas.name_divisions(session, sorted({code_of(one.division_prefix) for one in found}))
    made = select(RiskAreaRound).where(
        col(RiskAreaRound.risk_area_id).in_([one.id for one in found]), col(RiskAreaRound.division_prefix) == prefix
    )
    linked = {one.risk_area_id: one.round_id for one in (await session.scalars(made)).all()}
    there = select(col(ScreeningRound.id)).where(col(ScreeningRound.id).in_(list(linked.values())))
    standing = set((await session.scalars(there)).all())
    return [
        RiskAreaRead(
            **one.model_dump(exclude={"place_code"}), place_code=one.place_code or None,
            division_code=code_of(one.division_prefix), division_name=names.get(code_of(one.division_prefix), ""),
            round_id=linked[one.id] if linked.get(one.id) in standing else None,
        )
        for one in found
    ]  # fmt: skip


async def list_risk_areas(
    session: AsyncSession, actor: Actor, area: str, limit: int, cursor: str | None
) -> tuple[list[RiskAreaRead], str | None]:
    """Risk areas that were asked about for a division, for one above it or for one below, newest first."""
    actor.demand(area, DESK)
    prefix = prefix_of(area)
    column = col(RiskArea.division_prefix)
    statement = select(RiskArea).where(
        or_(column.like(f"{prefix}%"), column.in_(covering(area))), col(RiskArea.delete_by) > today()
    )
    if cursor:
        statement = statement.where(col(RiskArea.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(RiskArea.id).desc()).limit(limit + 1))).all())
    items = await _read(session, rows[:limit], prefix)
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def _find(
    session: AsyncSession, actor: Actor, risk_area_id: UUID, area: str | None, *, is_locked: bool = False
) -> tuple[RiskArea, str]:
    """A risk area and the prefix that is meant of it: that of `area`, by default of the actor's part. Raises NotFound
    where the two have nothing to do with each other."""
    area = area or actor.only_part()
    actor.demand(area, DESK)
    found = await session.get(RiskArea, risk_area_id, with_for_update=is_locked or None)
    prefix = prefix_of(area)
    if found is None or found.delete_by <= today():
        raise NotFound
    if not (prefix.startswith(found.division_prefix) or found.division_prefix.startswith(prefix)):
        raise NotFound
    return found, max(prefix, found.division_prefix, key=len)


async def _note_look(session: AsyncSession, actor: Actor, prefix: str, found: RiskArea, what: str) -> None:
    await audit.append_entry(session, actor.doer, code_of(prefix), f"look_{what}", [found.id])


async def get_risk_area(session: AsyncSession, actor: Actor, risk_area_id: UUID, area: str | None) -> RiskAreaRead:
    """A risk area as it concerns a division."""
    found, prefix = await _find(session, actor, risk_area_id, area)
    (read,) = await _read(session, [found], prefix)
    return read


async def _communities(session: AsyncSession, prefix: str, after: str, limit: int) -> list[str]:
    rows = await session.scalars(
        text("""
        SELECT community_code FROM community_clock WHERE community_code LIKE :below AND community_code > :after
        ORDER BY community_code LIMIT :limit
    """),
        {"below": f"{prefix}%", "after": after, "limit": limit},
    )
    return list(rows.all())


def _batches(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    return (codes[at : at + BATCH] for at in range(0, len(codes), BATCH))


_HOUSEHOLDS = text("""
    SELECT community_code, household_count FROM community_clock WHERE community_code = ANY(:codes) ORDER BY 1
""")
_KNOWN = text(f"""{JUDGED_BY_FACTS}
    SELECT community_code, knowledge, count(*) FROM judged WHERE knowledge <> 'unknown' GROUP BY 1, 2
""")


async def list_risk_area_counts(
    session: AsyncSession, actor: Actor, risk_area_id: UUID, area: str | None, limit: int, cursor: str | None
) -> tuple[list[RiskAreaCount], str | None]:
    """What is known of the households of each community, by code. Raises NotFound."""
    found, prefix = await _find(session, actor, risk_area_id, area)
    limit = min(limit, PAGE)
    codes = await _communities(session, prefix, decode_cursor(cursor, str)[0] if cursor else "", limit + 1)
    page = codes[:limit]
    searched = await prepare(session, found)
    households = await session.execute(_HOUSEHOLDS, {"codes": page})
    counted: dict[str, dict[str, int]] = {code: {Knowledge.UNKNOWN: count} for code, count in households}
    for batch in _batches(page):
        rows = await session.execute(_KNOWN, await find_params(session, searched, batch))
        for code, knowledge, count in rows:
            counted[code][knowledge] = count
            counted[code][Knowledge.UNKNOWN] -= count
    await _note_look(session, actor, prefix, found, "at_risk_area")
    names = await areas.name_divisions(session, page)
    items = [
        RiskAreaCount(
            community_code=code, community_name=names.get(code, ""), **{one: n.get(one, 0) for one in Knowledge},
            to_ask=n.get("stale", 0) + n.get("unknown", 0),
        )
        for code, n in counted.items()
    ]  # fmt: skip
    return items, encode_cursor(page[-1]) if len(codes) > limit else None


async def list_risk_area_households(
    session: AsyncSession, actor: Actor, risk_area_id: UUID, community_code: str, knowledge: Knowledge | None,
    limit: int, cursor: str | None,
) -> tuple[list[RiskAreaHousehold], str | None]:  # fmt: skip
    """What is known of each household of a community, for its committee. Raises NotFound, and Forbidden for others."""
    found, prefix = await _find(session, actor, risk_area_id, community_code)
    actor.demand(community_code, COMMITTEE)
    params = await find_params(session, await prepare(session, found), [community_code])
    where = ""
    if knowledge:
        where, params = "AND j.knowledge = :knowledge", params | {"knowledge": knowledge.value}
    if cursor:
        key, last = decode_cursor(cursor, str, str)
        where += " AND (d.sort_key, j.id) > (:key, :last)"
        params |= {"key": key, "last": cursor_uuid(last)}
    result = await session.execute(
        text(f"""{JUDGED} SELECT j.*, d.sort_key FROM judged j
            JOIN dwelling d ON d.community_code = j.community_code AND d.id = j.dwelling_id
            WHERE j.community_code = :c {where} ORDER BY d.sort_key, j.id LIMIT :limit"""),
        params | {"c": community_code, "limit": limit + 1},
    )
    rows = result.mappings().all()
    await _note_look(session, actor, prefix, found, "at_risk_area_households")
    homes = await people.name_households(session, community_code, [row["id"] for row in rows[:limit]])
    items = [_household(row, homes[row["id"]].address) for row in rows[:limit]]
    more = encode_cursor(rows[limit - 1]["sort_key"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return items, more


def _household(row: Any, address: str) -> RiskAreaHousehold:
    known_on: date | None = row["known_on"]
    return RiskAreaHousehold(
        community_code=row["community_code"], household_id=row["id"], address=address,
        head_masked=mask_name(row["head_name"]) if row["head_name"] else "", knowledge=row["knowledge"],
        fact=row["fact"], known_on=known_on, age_days=(today() - known_on).days if known_on else None,
    )  # fmt: skip


async def make_round(session: AsyncSession, actor: Actor, risk_area_id: UUID, wanted: RiskAreaRoundIn) -> RoundRead:
    """Make the round that asks the stale and the unknown households of a division one question: a draft, or published
    at once by who names the minutes it costs. Asked again, the draft's list is written anew and a round that is open is
    answered as it is.

    Raises NotFound, Invalid (`risk_area_too_wide`, `round_nobody`), and what creating and publishing a round raises.
    """
    found, prefix = await _find(session, actor, risk_area_id, wanted.division_code, is_locked=True)
    if prefix != prefix_of(wanted.division_code):
        # it was asked about for a part of this division only
        raise NotFound
    codes = await _communities(session, prefix, "", WIDEST + 1)
    if len(codes) > WIDEST:
        zh, en = "范围太大，请由各区县分别发起。", "That is too many communities; let each district make its own."
        raise Invalid("risk_area_too_wide", zh, en, "division_code")
    link = await session.get(RiskAreaRound, (found.id, prefix))
    before = await session.get(ScreeningRound, link.round_id) if link else None
    if before is not None and before.status == RoundStatus.OPEN:
        (read,) = await rounds.read_rounds(session, [before])
        return read
    if before is not None and before.status == RoundStatus.DRAFT:
        round_id = before.id
    else:
        made = await rounds.create_round(session, actor, await _round_of(session, found, wanted))
        round_id = made.id
        await session.merge(RiskAreaRound(risk_area_id=found.id, division_prefix=prefix, round_id=round_id))
    if not await _put_list(session, found, round_id, codes):
        raise Invalid("round_nobody", "没有需要再问的住户。", "There is nobody left to ask.", "division_code")
    await _note_look(session, actor, prefix, found, "at_risk_area")
    if wanted.minutes is not None:
        return await rounds.publish_round(session, actor, round_id, wanted.minutes)
    (read,) = await rounds.read_rounds(session, [await session.get_one(ScreeningRound, round_id)])
    return read


# Nothing is known of most: all but who is spared, in the order of the table's key.
_ASK = text(f"""{JUDGED_BY_FACTS}
    INSERT INTO round_target (community_code, round_id, household_id)
    SELECT h.community_code, :round, h.id FROM household h
    WHERE h.community_code = ANY(cast(:codes AS bpchar[])) AND NOT h.is_closed AND h.id NOT IN (
        SELECT id FROM judged WHERE knowledge IN ('there', 'not_there'))
    ORDER BY 1, 3
""")


async def _put_list(session: AsyncSession, found: RiskArea, round_id: UUID, codes: Sequence[str]) -> int:
    await session.execute(text("DELETE FROM round_target WHERE round_id = :round"), {"round": round_id})
    searched = await prepare(session, found)
    count = 0
    for batch in _batches(codes):
        result = await session.execute(_ASK, await find_params(session, searched, batch) | {"round": round_id})
        count += int(getattr(result, "rowcount", 0))
    return count


async def _round_of(session: AsyncSession, found: RiskArea, wanted: RiskAreaRoundIn) -> RoundCreate:
    names = await areas.name_divisions(session, [code_of(found.division_prefix)])
    days = f"{found.from_on:%m-%d} 至 {found.to_on:%m-%d}"
    place = Place(name=found.place_name, code=found.place_code or None)
    asked = Question(
        id="been_there", text=f"{days}，家中有人到过{found.place_name}或从那里来吗？", kind=QuestionKind.YES_NO,
        is_required=True, owner=names.get(code_of(found.division_prefix), "")[:60] or "防控办",
        definition="期间到过、住过、途经停留或从该地来，有一人即为“是”。", place=place,
    )  # fmt: skip
    return RoundCreate(
        division_code=wanted.division_code, is_draft=True, title=f"{found.place_name}相关人员补问（{days}）",
        starts_on=today(), ends_on=wanted.ends_on or today() + DAYS, target=Target.LIST, standard=[],
        questions=[asked],
    )  # fmt: skip


async def delete_risk_areas(database: Database) -> int:
    """Delete risk areas whose day has come; the rounds that were made from them stay."""
    async with database.session(EVERYWHERE) as session:
        statement = delete(RiskArea).where(col(RiskArea.delete_by) <= today())
        result = await session.execute(statement.returning(col(RiskArea.id), col(RiskArea.division_prefix)))
        gone = result.all()
        for risk_area_id, prefix in gone:
            await audit.append_entry(session, audit.SYSTEM, code_of(prefix), "delete_risk_area", [risk_area_id])
    return len(gone)


@jobs.queue.periodic(cron="23 19 * * *")
@jobs.queue.task(name="risk_areas.delete_due", queueing_lock="risk_areas_delete_due", pass_context=True)
async def delete_due(context: JobContext, timestamp: int) -> Any:  # noqa: ARG001 - given by the queue
    """At 3:23 in Shanghai, as other data with an end."""
    return await delete_risk_areas(jobs.database_of(context))
