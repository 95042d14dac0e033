"""Taking what stands under one code to another: all of it, or the doors that a division gives away.

The code is the distribution column of every table it stands first in, and such a column is never updated: rows are
inserted under the new code, parents first, and deleted under the old one, children first. Which tables those are is
read from the metadata. All of it runs as the owner of the tables, because some of them are written once for the
service, and no trigger and no deferred key is needed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.adoption.plan import Part
from app.audit import service as audit
from app.core.db import NOWHERE
from app.people.naming import address_key, sort_key

TRAIL = frozenset({"audit_entry", "audit_chain"})
"""An ended code keeps its chain: hashes cover the code. The new one's begins by naming its last link."""
_CLOCK = "community_clock"
_ANSWERS = "sync_command"
_EXPECTED = "expected_headcount"
_PAST = frozenset({_EXPECTED, "import_part", "import_doors", "import_difference"})
"""What was said of a whole community: it goes along whole, and otherwise stays under the code it was said of."""

_ADDED = {
    "confirmed_day": ("community_code, account_id, day", ("confirmed_count",)),
    "deletion_record": ("community_code, kind, upto", ("deleted_count",)),
    "screening_tally": ("community_code, round_id", ("persons_symptoms_deleted",)),
    "answer_tally": ("community_code, round_id, question_id, value", ("deleted_count", "deleted_sum")),
}
"""Of what both sides of a merge may have a row, and which figures of it add up. All other keys are ids."""


class CannotDivideError(ValueError):
    """What a mapping says of a community's doors cannot be done; the message says why."""


def community_tables(metadata: MetaData) -> list[Table]:
    """Tables that stand under a community's code, in an order in which parents come before children."""
    return [
        table
        for table in metadata.sorted_tables
        if next(iter(table.primary_key.columns)).name == "community_code" and table.name not in TRAIL
    ]


def _local_tables(metadata: MetaData) -> list[Table]:
    """Tables that name a community without belonging to one."""
    of_communities = {table.name for table in community_tables(metadata)} | TRAIL
    return [t for t in metadata.sorted_tables if "community_code" in t.columns and t.name not in of_communities]


async def find_used(session: AsyncSession, metadata: MetaData, codes: Sequence[str]) -> set[str]:
    """Those of some codes under which anything stands but a clock."""
    used: set[str] = set()
    for table in community_tables(metadata):
        if table.name != _CLOCK:
            statement = (
                "SELECT code FROM unnest(cast(:codes AS bpchar[])) AS u(code) "
                f"WHERE EXISTS (SELECT FROM {table.name} t WHERE t.community_code = u.code)"
            )
            used |= set((await session.scalars(text(statement), {"codes": list(codes)})).all())
    return used


async def divide(session: AsyncSession, code: str, parts: Sequence[Part]) -> dict[str, list[UUID]]:
    """A community's doors by the code each goes to. Raises CannotDivideError when a part names nothing here, or when a
    responsibility area would be torn."""
    rows = (
        await session.execute(
            text("""
            SELECT d.id, d.compound, d.building, d.responsibility_area_id AS area, a.name AS area_name
            FROM dwelling d LEFT JOIN responsibility_area a
                ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
            WHERE d.community_code = :c ORDER BY d.sort_key, d.id
        """),
            {"c": code},
        )
    ).all()
    rest = next(part.new_code for part in parts if part.by == "rest")
    named = {(part.by, part.value): part.new_code for part in parts if part.by != "rest"}
    met: set[tuple[str, str]] = set()
    doors: dict[str, list[UUID]] = {part.new_code: [] for part in parts}
    by_area: dict[UUID, set[str]] = {}
    for row in rows:
        keys = [
            ("area", row.area_name or ""),
            ("building", f"{row.compound}|{row.building}"),
            ("compound", row.compound),
        ]
        key = next((key for key in keys if key in named), None)
        target = named[key] if key else rest
        met |= {key} if key else set()
        doors[target].append(row.id)
        if row.area is not None:
            by_area.setdefault(row.area, set()).add(target)
    unmet = sorted(set(named) - met)
    if unmet:
        raise CannotDivideError(f"{code}: no door is in {', '.join(f'{by} {value}' for by, value in unmet)}")
    torn = [row.area_name for row in rows if row.area is not None and len(by_area[row.area]) > 1]
    if torn:
        raise CannotDivideError(f"{code}: the area {torn[0]} would be torn; cut it anew first, or give it away whole")
    return doors


async def lock_clocks(session: AsyncSession, codes: Iterable[str]) -> None:
    """Take the clocks of communities in code order, making those that are missing."""
    params = {"codes": sorted(set(codes))}
    await session.execute(
        text(
            "INSERT INTO community_clock (community_code) SELECT unnest(cast(:codes AS bpchar[])) "
            "ON CONFLICT DO NOTHING"
        ),
        params,
    )
    await session.execute(
        text("SELECT FROM community_clock WHERE community_code = ANY(:codes) ORDER BY community_code FOR UPDATE"),
        params,
    )


async def carry_all(
    session: AsyncSession, metadata: MetaData, old: str, new: str, *, name: str, is_merge: bool
) -> dict[str, int]:
    """Take everything of a community to another code; answers how many rows of which table went.

    Where there is something under the new code already, doors with the same address get the old community's name
    (`name`) before it, and official counts, which were of each alone, count no longer.
    """
    if is_merge:
        await _tell_doors_apart(session, old, new, name)
        await session.execute(
            text("UPDATE expected_headcount SET is_newest = false WHERE community_code IN (:old, :new)"),
            {"old": old, "new": new},
        )
    left = _PAST if is_merge else frozenset()
    tables = [t for t in community_tables(metadata) if t.name != _CLOCK and t.name not in left]
    counts = await _take(session, tables, old, new, {})
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name.endswith("_community"):
                statement = f"UPDATE {table.name} SET {column.name} = :new WHERE {column.name} = :old"
                await session.execute(text(statement), {"old": old, "new": new})
    await _rename_local(session, metadata, old, new)
    await _carry_clock(session, old, [new])
    return counts


async def carry_parts(
    session: AsyncSession, metadata: MetaData, old: str, parts: Sequence[Part], *, name: str, taken: set[str]
) -> dict[str, dict[str, int]]:
    """Divide a community among codes; `taken` are those under which something stands already.

    Answers to phones' commands go where they are found from everywhere, because a record alone does not say whose
    door it was of. What belongs to no door (posts, counts of a day, records of deletion) stays with the rest.
    """
    doors = await divide(session, old, parts)
    rest = next(part.new_code for part in parts if part.by == "rest")
    await session.execute(
        text("UPDATE expected_headcount SET is_newest = false WHERE community_code = ANY(:codes)"),
        {"codes": [old, *doors]},
    )
    answers = [t for t in community_tables(metadata) if t.name == _ANSWERS]
    await _take(session, answers, old, NOWHERE, {})
    tables = [t for t in community_tables(metadata) if t.name not in _PAST | {_CLOCK, _ANSWERS}]
    counts: dict[str, dict[str, int]] = {}
    for target, ids in doors.items():
        if target in (rest, old):
            continue
        if target in taken:
            await _tell_doors_apart(session, old, target, name, ids)
        lists = await _lists(session, old, ids)
        chosen = {t.name: where for t in tables if (where := _which(t)) is not None}
        counts[target] = await _take(session, [t for t in tables if t.name in chosen], old, target, lists, chosen)
        await _carry_clock(session, old, [target], keep=True)
    if rest != old:
        if rest in taken:
            await _tell_doors_apart(session, old, rest, name)
        counts[rest] = await _take(session, tables, old, rest, {})
        await _rename_local(session, metadata, old, rest)
        await _carry_clock(session, old, [rest])
    return counts


async def _take(
    session: AsyncSession,
    tables: Sequence[Table],
    old: str,
    new: str,
    params: Mapping[str, Any],
    chosen: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Insert under the new code, parents first; delete under the old one, children first."""
    counts: dict[str, int] = {}
    given = {"old": old, "new": new, **params}
    for table in tables:
        columns = ", ".join(c.name for c in table.columns if c.name != "community_code" and c.computed is None)
        where = f"AND {chosen[table.name]}" if chosen else ""
        result = await session.execute(
            text(
                f"INSERT INTO {table.name} AS t (community_code, {columns}) SELECT :new, {columns} FROM {table.name} "
                f"WHERE community_code = :old {where} {_on_conflict(table)}"
            ),
            given,
        )
        if moved := int(getattr(result, "rowcount", 0)):
            counts["".join(table.name)] = moved
    for table in reversed(tables):
        where = f"AND {chosen[table.name]}" if chosen else ""
        await session.execute(text(f"DELETE FROM {table.name} WHERE community_code = :old {where}"), given)
    return counts


def _on_conflict(table: Table) -> str:
    if table.name == _ANSWERS:
        return "ON CONFLICT DO NOTHING"
    if table.name not in _ADDED:
        return ""
    key, figures = _ADDED[table.name]
    added = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in figures)
    return f"ON CONFLICT ({key}) DO UPDATE SET {added}"


def _which(table: Table) -> str | None:
    """The condition for the rows of a table that go with some doors; None where the rows go with no door."""
    by_name = {"dwelling": "id = ANY(:doors)", "household": "id = ANY(:homes)", "resident": "id = ANY(:people)",
               "responsibility_area": "id = ANY(:areas)"}  # fmt: skip
    by_column = {
        "area_id": "area_id = ANY(:areas)", "household_id": "household_id = ANY(:homes)",
        "dwelling_id": "dwelling_id = ANY(:doors)", "resident_id": "resident_id = ANY(:people)",
        "subject_id": "(subject_id = ANY(:homes) OR subject_id = ANY(:people))",
    }  # fmt: skip
    if table.name in by_name:
        return by_name[table.name]
    return next((where for column, where in by_column.items() if column in table.columns), None)


async def _lists(session: AsyncSession, old: str, doors: Sequence[UUID]) -> dict[str, list[UUID]]:
    """What hangs on some doors: households, people, the areas that lie on them."""
    params: dict[str, Any] = {"c": old, "doors": list(doors)}
    homes = "SELECT id FROM household WHERE community_code = :c AND dwelling_id = ANY(:doors)"
    params["homes"] = list((await session.scalars(text(homes), params)).all())
    people = "SELECT id FROM resident WHERE community_code = :c AND household_id = ANY(:homes)"
    params["people"] = list((await session.scalars(text(people), params)).all())
    areas = (
        "SELECT DISTINCT responsibility_area_id FROM dwelling WHERE community_code = :c AND id = ANY(:doors) "
        "AND responsibility_area_id IS NOT NULL"
    )
    params["areas"] = list((await session.scalars(text(areas), params)).all())
    params.pop("c")
    return params


async def _tell_doors_apart(
    session: AsyncSession, old: str, new: str, name: str, doors: Sequence[UUID] | None = None
) -> None:
    """Where both sides have the same address, the compounds it is in get the old community's name before theirs."""
    which = "" if doors is None else "AND id = ANY(:doors)"
    rows = (
        await session.execute(
            text(f"""
            SELECT id, compound, building, stair, floor, room, address FROM dwelling
            WHERE community_code = :old {which} AND compound IN (
                SELECT o.compound FROM dwelling o JOIN dwelling n ON n.address_key = o.address_key
                WHERE o.community_code = :old AND n.community_code = :new)
        """),
            {"old": old, "new": new, "doors": list(doors or ())} if doors is not None else {"old": old, "new": new},
        )
    ).all()
    for row in rows:
        plain = not (row.compound or row.building or row.stair or row.room)
        compound = "" if plain else f"{name}{row.compound}"
        address = f"{name}{row.address}" if plain else row.address
        await session.execute(
            text(
                "UPDATE dwelling SET compound = :compound, address = :address, address_key = :key, sort_key = :sort "
                "WHERE community_code = :c AND id = :id"
            ),
            {
                "c": old, "id": row.id, "compound": compound, "address": address,
                "key": address_key(compound, row.building, row.stair, row.room, address),
                "sort": sort_key(compound, row.building, row.stair, row.floor, row.room, address),
            },
        )  # fmt: skip


async def _rename_local(session: AsyncSession, metadata: MetaData, old: str, new: str) -> None:
    for table in _local_tables(metadata):
        statement = f"UPDATE {table.name} SET community_code = :new WHERE community_code = :old"
        await session.execute(text(statement), {"old": old, "new": new})


async def _carry_clock(session: AsyncSession, old: str, targets: Sequence[str], *, keep: bool = False) -> None:
    """Let the new codes' clocks stand beyond the old one's, so that no version is given out twice."""
    for target in targets:
        await session.execute(
            text("""
            UPDATE community_clock n SET version = greatest(n.version, o.version) FROM community_clock o
            WHERE n.community_code = :new AND o.community_code = :old
        """),
            {"new": target, "old": old},
        )
    if not keep:
        await session.execute(text("DELETE FROM community_clock WHERE community_code = :old"), {"old": old})


_COUNTED = {
    "dwelling_count": "SELECT count(*) FROM dwelling d WHERE d.community_code = :c",
    "vacant_count": "SELECT count(*) FROM dwelling d WHERE d.community_code = :c AND d.is_vacant",
    "unassigned_count": (
        "SELECT count(*) FROM dwelling d WHERE d.community_code = :c AND d.responsibility_area_id IS NULL"
    ),
    "household_count": "SELECT count(*) FROM household h WHERE h.community_code = :c AND NOT h.is_closed",
    "resident_count": "SELECT count(*) FROM resident r WHERE r.community_code = :c AND NOT r.is_gone",
}
_OUTCOMES = ("answered_all", "answered_part", "no_answer", "refused", "vacant", "wrong_address", "unsafe")
_OF_ROUND = "WHERE x.community_code = t.community_code AND x.round_id = t.round_id"


async def settle(session: AsyncSession, code: str) -> None:
    """Count a community's tallies from its rows, move its clock, and let phones load its areas anew."""
    counted = ", ".join(f"{name} = ({query})" for name, query in _COUNTED.items())
    await session.execute(text(f"UPDATE community_clock SET {counted} WHERE community_code = :c"), {"c": code})
    version = (await session.execute(text("SELECT advance_clock(:c)"), {"c": code})).scalar_one()
    await session.execute(
        text("UPDATE responsibility_area SET version = :v, recut_version = :v WHERE community_code = :c"),
        {"c": code, "v": version},
    )
    await session.execute(
        text("""
        INSERT INTO screening_tally (community_code, round_id)
        SELECT :c, round_id FROM household_screening WHERE community_code = :c
        UNION SELECT :c, round_id FROM door_visit WHERE community_code = :c ON CONFLICT DO NOTHING
    """),
        {"c": code},
    )
    outcomes = ", ".join(
        f"{name} = (SELECT count(*) FROM household_screening x {_OF_ROUND} AND x.outcome = '{name}')"
        for name in _OUTCOMES
    )
    await session.execute(
        text(f"""
        UPDATE screening_tally t SET {outcomes},
            persons_done = (SELECT count(*) FROM person_check x {_OF_ROUND}),
            persons_symptoms = t.persons_symptoms_deleted
                + (SELECT count(*) FROM person_check x {_OF_ROUND} AND x.status = 'symptoms'),
            visit_count = (SELECT count(*) FROM door_visit x {_OF_ROUND} AND x.verdict IS DISTINCT FROM 'set_aside')
        WHERE t.community_code = :c
    """),
        {"c": code},
    )


_SAME = """
    WITH same AS (
        SELECT t.id, k.id AS kept FROM risk_area t JOIN risk_area k ON k.division_prefix = cast(:new AS text)
            AND (k.place_name, k.place_code, k.from_on, k.to_on) = (t.place_name, t.place_code, t.from_on, t.to_on)
        WHERE t.division_prefix = cast(:old AS text)
    )
"""


async def carry_risk_areas(session: AsyncSession, old: str, new: str) -> None:
    """Take what was asked about places from a prefix to another, with the rounds that were made of it. Where the same
    place and days stand there already the two become one, which is kept as long as the longer of them."""
    prefixes = {"old": old, "new": new}
    for statement in (
        f"""{_SAME} INSERT INTO risk_area_round (risk_area_id, division_prefix, round_id)
            SELECT s.kept, r.division_prefix, r.round_id FROM same s JOIN risk_area_round r ON r.risk_area_id = s.id
            ON CONFLICT DO NOTHING""",
        f"""{_SAME}, kept AS (
            UPDATE risk_area k SET delete_by = greatest(k.delete_by, t.delete_by)
            FROM same s JOIN risk_area t ON t.id = s.id WHERE k.id = s.kept
        ) DELETE FROM risk_area USING same s WHERE risk_area.id = s.id""",
        "UPDATE risk_area SET division_prefix = :new WHERE division_prefix = :old",
        """INSERT INTO risk_area_round (risk_area_id, division_prefix, round_id)
            SELECT risk_area_id, cast(:new AS text), round_id FROM risk_area_round WHERE division_prefix = :old
            ON CONFLICT DO NOTHING""",
        "DELETE FROM risk_area_round WHERE division_prefix = :old",
    ):
        given = {name: value for name, value in prefixes.items() if f":{name}" in statement}
        await session.execute(text(statement), given)


async def write_trails(
    session: AsyncSession, doer: audit.Doer, old: str, counts: Mapping[str, Mapping[str, int]], about: Mapping[str, Any]
) -> None:
    """An entry in the old code's chain that says where its rows went, one in each new code's that names that link."""
    await audit.append_entry(session, doer, old, "carry_community", sorted(counts), {**about, "rows": counts})
    link = (
        await session.execute(text("SELECT seq, hash FROM audit_chain WHERE community_code = :c"), {"c": old})
    ).one()
    for new in sorted(counts):
        payload = {**about, "rows": counts[new], "link": link.hash.hex()}
        await audit.append_entry(
            session, doer, new, "receive_community", [old, f"{link.seq}:{link.hash.hex()}"], payload
        )
