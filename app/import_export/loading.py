"""What is done with a file once it is read: compared with the registry for a preview, or put into it.

A roster is sorted by community, and each community's doors become one put into its registry; a division list becomes
one into the division tree. Both tell the same counts whether they write or not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.areas.codes import read_current_codes
from app.areas.service import DivisionEntry
from app.audit import service as audit
from app.core import crypto
from app.core.area_code import ancestors_of, level_of, prefix_of
from app.core.clock import now, today
from app.enrolment.new_doors import NewDoors
from app.import_export.divisions import DivisionsReading
from app.import_export.readings import DwellingRow, HouseholdRow, PersonRow, RosterReading, RowProblem, problem
from app.import_export.schemas import ImportCounts, PreviewDoor, PreviewPerson
from app.import_export.staging import door_input
from app.people import registry
from app.people.registry import DwellingInput, PutConflict, PutCounts
from app.residence import timeline

PREVIEW_DOORS = 20
_CHUNK = 20_000
_ENDING = re.compile(r"(社区|村)?(居民|村民)?(委员会|居委会|村委会)?$")


@dataclass(slots=True)
class Loaded:
    """What a load did, or would do: its counts, its problems."""

    counts: ImportCounts
    problems: list[RowProblem]


async def load_roster(
    session: AsyncSession,
    doer: audit.Doer,
    code: str,
    reading: RosterReading,
    *,
    is_dry_run: bool,
    as_of: datetime | None = None,
) -> Loaded:
    """Put a roster into the registry of its community, or of each community under a division, or tell what that
    would do, in one transaction. What cannot stand beside what is registered becomes a problem of its row."""
    await lift_bounds(session)
    columns = columns_of([asdict(sheet) for sheet in reading.sheets])
    sorter = await Sorter.of(session, code, columns)
    by_community = await sorter.sort(session, reading.dwellings)
    counts = ImportCounts(rows=reading.counts["rows"], rejected=reading.counts["rejected"] + sorter.refused)
    problems = reading.problems + sorter.problems
    for community, rows in sorted(by_community.items()):
        doors = [door_input(row) for row in rows]
        put = await put_part(session, doer, community, doors, is_dry_run=is_dry_run, as_of=as_of or now())
        add_counts(counts, registry.vars_of(put))
        problems += [conflict_problem(conflict, columns) for conflict in put.conflicts]
    order = {sheet.name: at for at, sheet in enumerate(reading.sheets)}
    problems.sort(key=lambda one: (order.get(one.sheet, 0), one.row))
    return Loaded(counts, problems)


async def put_part(
    session: AsyncSession,
    doer: audit.Doer,
    community_code: str,
    doors: Sequence[DwellingInput],
    *,
    is_dry_run: bool,
    as_of: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> PutCounts:
    """Put one community's doors into its registry, or compare them with it. `on_progress` hears how many are done."""
    new, departed = NewDoors(), timeline.find_departed
    if is_dry_run:
        return await registry.compare_dwellings(
            session, community_code, doors, on_progress, as_of=as_of, newcomers=new, find_departed=departed
        )
    return await registry.put_dwellings(
        session, doer, community_code, doors, "import_roster", on_progress, as_of=as_of, newcomers=new,
        find_departed=departed,
    )  # fmt: skip


def add_counts(counts: ImportCounts, more: Mapping[str, int]) -> None:
    """Add what was done for one community."""
    for name, count in more.items():
        setattr(counts, name, getattr(counts, name) + count)


async def load_divisions(
    session: AsyncSession,
    doer: audit.Doer,
    code: str,
    reading: DivisionsReading,
    *,
    is_dry_run: bool,
    on_progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Put a division list into the tree, or tell what that would do. `code` is where the trail says so."""
    await lift_bounds(session)
    entries = [DivisionEntry(row.code, row.name, row.level, row.parent_code) for row in reading.rows]
    counts = ImportCounts(rows=reading.row_count, rejected=reading.rejected_count)
    async with session.begin_nested() as attempt:
        for start in range(0, len(entries), _CHUNK):
            put = await areas.put_divisions(session, entries[start : start + _CHUNK], today())
            for name, count in put.items():
                setattr(counts, name, getattr(counts, name) + count)
            if on_progress:
                on_progress(start + _CHUNK)
        if is_dry_run:
            await attempt.rollback()
        elif counts.created or counts.updated:
            await audit.append_entry(session, doer, code, "import_divisions", [], counts.model_dump())
    return Loaded(counts, reading.problems)


async def known_codes(session: AsyncSession, prefix: str) -> set[str]:
    """The codes the tree already has under a prefix."""
    statement = text("SELECT code FROM division WHERE code LIKE :pattern")
    return set((await session.execute(statement, {"pattern": f"{prefix}%"})).scalars())


async def lift_bounds(session: AsyncSession) -> None:
    """A large file takes longer than any request may."""
    await session.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"))


# whose rows these are


class Sorter:
    """Tells to which community a roster's doors belong, batch by batch.

    `code` is a community, whose doors all are unless a row names another one; or a division above, and then each
    row has to say which of its communities it belongs to.
    """

    def __init__(self, code: str, known: "_Communities", columns: Mapping[tuple[str, str], str]) -> None:
        self.problems: list[RowProblem] = []
        self.refused = 0
        self._code = code
        self._is_one = level_of(code) == "community"
        self._known = known
        self._columns = columns
        self._told: set[str] = set()

    @classmethod
    async def of(cls, session: AsyncSession, code: str, columns: Mapping[tuple[str, str], str]) -> "Sorter":
        """The sorter of a community or division."""
        return cls(code, await _communities_around(session, code), columns)

    async def sort(self, session: AsyncSession, doors: Sequence[DwellingRow]) -> dict[str, list[DwellingRow]]:
        """Doors by community code; what is nobody's here is counted in `refused` and told in `problems`."""
        found: dict[str, list[DwellingRow]] = {}
        codes = await current_codes(session, {door.community_code for door in doors if door.community_code})
        for door in doors:
            if door.community_code:
                door.community_code = codes[door.community_code]
            its, wrong = self._known.own(door, self._code) if self._is_one else self._known.find(door)
            column = self._columns.get((door.sheet, "community"), "")
            if its is None:
                self.problems.append(problem(wrong, door.sheet, door.row, column))
                self.refused += len({(p.sheet, p.row) for home in door.households for p in home.persons}) or 1
                continue
            if wrong and door.community_name not in self._told:
                self._told.add(door.community_name)
                self.problems.append(problem(wrong, door.sheet, door.row, column))
            found.setdefault(its, []).append(door)
        return found


async def current_codes(_session: AsyncSession, stated: set[str]) -> dict[str, str]:
    """What community codes of any year are called today; one that nobody knows stays as it is.

    The place where codes that have changed are understood, for every row of every import.
    """
    return {code: code for code in stated}


class _Communities:
    """The communities a roster may speak of, by code and by name."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.names = {row.code: _plain_name(row.name) for row in rows if row.level == "community"}
        self.towns = {row.code: _plain_town(row.name) for row in rows if row.level == "town"}
        self.ended: Mapping[str, str] = {}
        self.by_name: dict[str, list[str]] = {}
        for code, name in self.names.items():
            self.by_name.setdefault(name, []).append(code)

    def own(self, door: DwellingRow, code: str) -> tuple[str | None, str]:
        """The one community that is meant, unless the row names another; a name nobody knows is only told."""
        name = _plain_name(door.community_name)
        named = door.community_code or code
        if self.ended.get(named, named) != code:
            return None, "community_other"
        if not name or name == self.names.get(code):
            return code, ""
        return (None, "community_other") if name in self.by_name else (code, "community_name_differs")

    def find(self, door: DwellingRow) -> tuple[str | None, str]:
        """The community a row names, or what is wrong."""
        if door.community_code:
            named = self.ended.get(door.community_code, door.community_code)
            return (named, "") if named in self.names else (None, "community_unknown")
        if not door.community_name:
            return None, "community_missing"
        codes = self.by_name.get(_plain_name(door.community_name), [])
        town = _plain_town(door.town_name)
        if town:
            codes = [code for code in codes if self.towns.get(ancestors_of(code)[-1]) == town or code[:9] == town[:9]]
        if len(codes) == 1:
            return codes[0], ""
        return None, "community_ambiguous" if codes else "community_unknown"


async def _communities_around(session: AsyncSession, code: str) -> _Communities:
    """Those under a division; of a community itself and its neighbours in the same town."""
    under = prefix_of(ancestors_of(code)[-1] if level_of(code) == "community" else code)
    statement = text(
        "SELECT code, name, level FROM division WHERE code LIKE :under AND valid_to IS NULL OR code = :code"
    )
    found = _Communities((await session.execute(statement, {"under": f"{under}%", "code": code})).all())
    found.ended = await read_current_codes(session)
    return found


def _plain_name(name: str) -> str:
    """花园路社区居民委员会, 花园路社区, 花园路 are the same."""
    return _ENDING.sub("", name.replace(" ", "")) or name


def _plain_town(name: str) -> str:
    """花园街道办事处, 花园街道 are the same; a code stays one."""
    return re.sub(r"(街道)?(办事处)$", "街道", name.replace(" ", ""))


# into the words of files and back


def columns_of(sheets: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The letter of the column that holds a field, by sheet and field; none where several hold it."""
    letters: dict[tuple[str, str], list[str]] = {}
    for sheet in sheets:
        for column in sheet["columns"]:
            letters.setdefault((sheet["name"], column["field"]), []).append(column["letter"])
    return {key: found[0] for key, found in letters.items() if len(found) == 1}


def conflict_problem(conflict: PutConflict, columns: Mapping[tuple[str, str], str]) -> RowProblem:
    """What cannot stand beside what is registered, as a problem of its row."""
    if conflict.code == "id_duplicate":
        column = columns.get((conflict.sheet, "id_number"), "")
        return replace(problem("id_registered", conflict.sheet, conflict.row, column), code="id_duplicate")
    return problem(conflict.code, conflict.sheet, conflict.row, "")


# what a person sees before


def preview_doors(rows: Sequence[DwellingRow]) -> list[PreviewDoor]:
    """The first doors as they are read, masked; a door with two households stands there twice."""
    return [
        PreviewDoor(
            sheet=row.sheet,
            row=row.row,
            address=_address(row),
            is_vacant=row.is_vacant,
            head_name=home.head_name,
            phone_masked=crypto.mask_phone(home.phone),
            tags=home.tags,
            persons=[_preview_person(person) for person in home.persons],
        )
        for row in rows[:PREVIEW_DOORS]
        for home in row.households or [HouseholdRow()]
    ]


def _preview_person(person: PersonRow) -> PreviewPerson:
    return PreviewPerson(
        name=person.name,
        relation=person.relation,
        sex=person.sex,
        birth_year=person.birth_on.year if person.birth_on else None,
        id_kind=person.id_kind,
        id_masked=crypto.mask_id(person.id_number),
        phone_masked=crypto.mask_phone(person.phone),
        needs_id_check=person.needs_id_check,
        tags=person.tags,
    )


def _address(row: DwellingRow) -> str:
    """A door as people write it: 3号楼 2单元 501, or its free address."""
    parts = [
        row.compound,
        f"{row.building}号楼" if row.building.isdigit() else row.building,
        f"{row.stair}单元" if row.stair.isdigit() else row.stair,
        row.room,
    ]
    return " ".join(part for part in parts if part) if row.room else row.address or " ".join(filter(None, parts))
