"""Adopting a list: what it would do, and doing it in two steps.

The first step puts the new codes into the tree, ends the old ones, and gives who held an old code the new one beside
it. Then every process has time to hear of it. The second takes the rows along and ends the old grants, all in one
transaction. Killed between them, the command goes on where it was when it is run again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

import orjson
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.adoption import carrying
from app.adoption.plan import Known, Listed, Part, Plan, make_plan
from app.areas import codes
from app.areas.models import ChangeKind
from app.audit import service as audit
from app.auth.guards import CACHE_SECONDS
from app.core.area_code import code_of, prefix_of
from app.core.db import EVERYWHERE, NOWHERE, Database
from app.core.ids import new_id
from app.reports import service as reports

HEARD_SECONDS = max(CACHE_SECONDS, codes.SECONDS) + 1
"""After that every process knows the grants and the codes of the first step."""

_KNOWN = text("""
    SELECT d.code, d.name, d.level, d.parent_code, coalesce((
        SELECT sum(c.dwelling_count) FROM community_clock c
        WHERE c.community_code LIKE CASE d.level WHEN 'city' THEN left(d.code, 4) WHEN 'district' THEN left(d.code, 6)
            WHEN 'town' THEN left(d.code, 9) ELSE d.code END || '%'), 0)::int AS doors
    FROM division d WHERE d.valid_to IS NULL AND d.code LIKE :under ORDER BY d.code
""")


_NAMED = text("""
    SELECT division_prefix FROM role_grant UNION SELECT division_prefix FROM screening_round WHERE status <> 'closed'
    UNION SELECT division_prefix FROM round_template UNION SELECT division_prefix FROM risk_area
""")


async def read_known(session: AsyncSession, metadata: MetaData, under: str) -> list[Known]:
    """The divisions in force whose codes begin with `under`: how many doors are registered below each, and whether
    anything else stands under its code."""
    rows = (await session.execute(_KNOWN, {"under": f"{under}%"})).mappings().all()
    empty = [row["code"] for row in rows if row["level"] == "community" and not row["doors"]]
    used = await carrying.find_used(session, metadata, empty)
    used |= {code_of(prefix) for prefix in (await session.scalars(_NAMED)).all()}
    return [Known(**row, is_used=row["doors"] > 0 or row["code"] in used) for row in rows]


async def plan_adoption(
    database: Database,
    metadata: MetaData,
    listed: Sequence[Listed],
    answers: Mapping[str, Sequence[Part]],
    under: str,
) -> tuple[Plan, list[Known]]:
    """What adopting a list would do, and the divisions it was held against; nothing is written."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        known = await read_known(session, metadata, under)
        # what was answered for a list that is adopted already says nothing about this one
        ended = set((await session.scalars(text("SELECT code FROM division WHERE valid_to IS NOT NULL"))).all())
        plan = make_plan(known, listed, {code: parts for code, parts in answers.items() if code not in ended})
        for old, parts in plan.split:
            try:
                await carrying.divide(session, old.code, parts)
            except carrying.CannotDivideError as error:
                plan.problems.append(str(error))
    return plan, known


async def apply_adoption(
    database: Database,
    metadata: MetaData,
    plan: Plan,
    listed: Sequence[Listed],
    *,
    on: date,
    source: str,
    wait: float = HEARD_SECONDS,
) -> int:
    """Do what a plan says, from day `on`; answers how many communities' rows went along.

    Goes on with an adoption that was cut off, too: then the plan may be empty.
    """
    if not plan.is_ready:
        raise ValueError("a plan with open questions or problems is not applied")
    if not plan.is_empty:
        async with database.session(EVERYWHERE) as session:
            await _begin(session, plan, listed, on, source)
    codes.forget(database)
    async with database.session(EVERYWHERE) as session:
        is_left = await session.scalar(text("SELECT EXISTS (SELECT FROM division_change WHERE carried_at IS NULL)"))
    if not is_left:
        return 0
    await asyncio.sleep(wait)
    async with database.session(EVERYWHERE) as session:
        return await _carry(session, metadata)


async def _begin(session: AsyncSession, plan: Plan, listed: Sequence[Listed], on: date, source: str) -> None:
    """The tree, the clocks of new communities, the grants beside the old ones, the history."""
    by_code = {one.code: one for one in listed}
    targets = {new.code for _, new in (*plan.moved, *plan.merged)}
    targets |= {part.new_code for _, parts in plan.split for part in parts}
    entering = [one for one in listed if one in plan.added or one.code in targets]
    entering += [new for _, new in plan.renamed]
    await session.execute(
        text("""
        INSERT INTO division (code, name, level, parent_code, valid_from)
        SELECT code, name, level, parent_code, :on FROM jsonb_to_recordset(cast(:rows AS jsonb))
            AS d(code char(12), name text, level text, parent_code char(12))
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, parent_code = excluded.parent_code,
            valid_from = CASE WHEN division.valid_to IS NULL THEN division.valid_from ELSE excluded.valid_from END,
            valid_to = NULL, successor_code = NULL
    """),
        {"on": on, "rows": orjson.dumps([_row(one) for one in {one.code: one for one in entering}.values()]).decode()},
    )
    await session.execute(
        text("""
        INSERT INTO community_clock (community_code, changed_xid)
        SELECT unnest(cast(:codes AS bpchar[])), pg_current_xact_id()::text::bigint ON CONFLICT DO NOTHING
    """),
        {"codes": [one.code for one in entering if one.level == "community"]},
    )
    ended: list[tuple[Known, str | None]] = [(old, new.code) for old, new in (*plan.moved, *plan.merged)]
    ended += [(old, None) for old in plan.ended] + [(old, None) for old, _ in plan.split if old.code not in by_code]
    ended += [(q.old, None) for q in plan.questions if q.why == "gone"]
    for old, successor in ended:
        await session.execute(
            text("UPDATE division SET valid_to = :on, successor_code = :successor WHERE code = :code"),
            {"on": on, "successor": successor, "code": old.code},
        )
    await session.execute(
        text("DELETE FROM community_clock WHERE community_code = ANY(:codes)"),
        {"codes": [old.code for old in (*plan.ended, *(q.old for q in plan.questions if q.why == "gone"))]},
    )
    await _write_history(session, plan, by_code, on, source)
    for old, heirs in _heirs(plan):
        for heir in heirs:
            await session.execute(
                text("""
                INSERT INTO role_grant (account_id, role, division_prefix)
                SELECT account_id, role, :new FROM role_grant WHERE division_prefix = :old ON CONFLICT DO NOTHING
            """),
                {"old": prefix_of(old.code), "new": prefix_of(heir)},
            )
    payload = {"source": source, "on": on, "moved": len(plan.moved), "merged": len(plan.merged)}
    payload |= {"split": len(plan.split), "renamed": len(plan.renamed), "added": len(plan.added)}
    await audit.append_entry(session, audit.SYSTEM, NOWHERE, "adopt_divisions", [], payload)


def _row(one: Listed) -> dict[str, str | None]:
    return {"code": one.code, "name": one.name, "level": one.level, "parent_code": one.parent_code}


def _heirs(plan: Plan) -> list[tuple[Known, list[str]]]:
    """Codes that others come after, and which: of a division that was divided, all of them."""
    heirs = [(old, [new.code]) for old, new in (*plan.moved, *plan.merged)]
    return heirs + [(old, sorted({part.new_code for part in parts})) for old, parts in plan.split]


async def _write_history(
    session: AsyncSession, plan: Plan, by_code: Mapping[str, Listed], on: date, source: str
) -> None:
    rows: list[tuple[ChangeKind, Known | None, Listed | None, Sequence[Part]]] = []
    rows += [(ChangeKind.NEW, None, new, ()) for new in plan.added]
    rows += [(ChangeKind.RENAMED, old, new, ()) for old, new in plan.renamed]
    rows += [(ChangeKind.MOVED, old, new, ()) for old, new in plan.moved]
    rows += [(ChangeKind.MERGED, old, new, ()) for old, new in plan.merged]
    rows += [(ChangeKind.ENDED, old, None, ()) for old in plan.ended]
    rows += [(ChangeKind.ENDED, q.old, None, ()) for q in plan.questions if q.why == "gone"]
    for old, parts in plan.split:
        codes_of = sorted({part.new_code for part in parts})
        # the first line of a split carries how it is done; the others are history alone
        rows += [(ChangeKind.SPLIT, old, by_code[code], parts if n == 0 else ()) for n, code in enumerate(codes_of)]
    for kind, before, new, said in rows:
        is_left = kind in (ChangeKind.MOVED, ChangeKind.MERGED) or bool(said)
        one = before or new
        await session.execute(
            text("""
            INSERT INTO division_change (id, kind, level, old_code, old_name, new_code, new_name, effective_on, source,
                parts, carried_at)
            VALUES (:id, :kind, :level, :old, :old_name, :new, :new_name, :on, :source, cast(:parts AS jsonb),
                CASE WHEN :is_left THEN NULL ELSE now() END)
        """),
            {
                "id": new_id(), "kind": kind.value, "level": one.level if one else "", "on": on, "source": source,
                "old": before.code if before else None, "old_name": before.name if before else "",
                "new": new.code if new else None, "new_name": new.name if new else "",
                "parts": orjson.dumps([[p.new_code, p.by, p.value] for p in said]).decode(), "is_left": is_left,
            },
        )  # fmt: skip


async def _carry(session: AsyncSession, metadata: MetaData) -> int:
    """The second step, all of it: rows, tallies, trails, rounds; then the old grants go."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("SET LOCAL lock_timeout = 0"))
    # some tables are written once for the service's role; these are their owner's
    await session.execute(text("SET LOCAL ROLE NONE"))
    left = (
        await session.execute(
            text("SELECT * FROM division_change WHERE carried_at IS NULL ORDER BY old_code, id FOR UPDATE")
        )
    ).all()
    communities = [row for row in left if row.level == "community"]
    parts_of = {row.id: [Part(*part) for part in row.parts] for row in communities}
    targets = {part.new_code for parts in parts_of.values() for part in parts} | {row.new_code for row in communities}
    await carrying.lock_clocks(session, {row.old_code for row in communities} | targets)
    taken = set(
        (
            await session.scalars(
                text("SELECT DISTINCT community_code FROM dwelling WHERE community_code = ANY(:codes)"),
                {"codes": sorted(targets)},
            )
        ).all()
    )
    for row in communities:
        about = {"kind": row.kind, "effective_on": row.effective_on, "source": row.source}
        parts = parts_of[row.id]
        if parts:
            given = await carrying.carry_parts(session, metadata, row.old_code, parts, name=row.old_name, taken=taken)
        else:
            is_merge = row.kind == ChangeKind.MERGED
            went = await carrying.carry_all(
                session, metadata, row.old_code, row.new_code, name=row.old_name, is_merge=is_merge
            )
            given = {row.new_code: went}
        taken |= set(given)
        await carrying.write_trails(session, audit.SYSTEM, row.old_code, given, about)
    stays = {row.old_code for row in communities} & targets
    for code in sorted(targets | stays):
        await carrying.settle(session, code)
    await session.execute(
        text("UPDATE community_clock SET carried_at = clock_timestamp() WHERE community_code = ANY(:codes)"),
        {"codes": sorted(stays)},
    )
    for row in left:
        await _hand_on(session, row.old_code, row.old_name, row.new_code, parts_of.get(row.id, []))
    await session.execute(text("UPDATE division_change SET carried_at = now() WHERE carried_at IS NULL"))
    await reports.note_expected(session)
    return len(communities)


async def _hand_on(session: AsyncSession, old: str, old_name: str, new: str, parts: Sequence[Part]) -> None:
    """What a level keeps for itself and those below goes to who comes after (of a division that was divided, to the
    rest): rounds, templates, risk areas. Old grants end."""
    heir = next((part.new_code for part in parts if part.by == "rest"), new)
    if heir == old:
        return
    prefixes = {"old": prefix_of(old), "new": prefix_of(heir)}
    await session.execute(
        text("UPDATE screening_round SET division_prefix = :new WHERE division_prefix = :old"), prefixes
    )
    # a name stands once at a level: the one that comes says whose it was
    await session.execute(
        text("""
        UPDATE round_template t SET division_prefix = cast(:new AS text), name = CASE WHEN EXISTS (
            SELECT FROM round_template k WHERE k.division_prefix = cast(:new AS text) AND k.name = t.name)
            THEN t.name || '（' || cast(:old_name AS text) || '）' ELSE t.name END
        WHERE t.division_prefix = :old
    """),
        prefixes | {"old_name": old_name},
    )
    await carrying.carry_risk_areas(session, **prefixes)
    await session.execute(text("DELETE FROM role_grant WHERE division_prefix = :old"), {"old": prefixes["old"]})
