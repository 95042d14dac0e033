"""What is done with a file once it is read: compared with the registry for a preview, or put into it.

A roster becomes one put into its community's registry, a division list one into the division tree; both tell the
same counts whether they write or not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.audit import service as audit
from app.core import crypto
from app.core.area_code import ancestors_of
from app.core.clock import today
from app.import_export.divisions import DivisionsReading
from app.import_export.readings import DwellingRow, HouseholdRow, PersonRow, RosterReading, RowProblem, problem
from app.import_export.schemas import ImportCounts, PreviewDoor, PreviewPerson
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput, PutConflict

PREVIEW_DOORS = 20
_CHUNK = 20_000
_ENDING = re.compile(r"(社区|村)?(居民|村民)?(委员会|居委会|村委会)?$")


@dataclass(slots=True)
class Loaded:
    """What a load did, or would do: its counts, its problems, the first doors as they are read."""

    counts: ImportCounts
    problems: list[RowProblem]
    preview: list[PreviewDoor] = field(default_factory=list)


async def load_roster(
    session: AsyncSession,
    doer: audit.Doer,
    community_code: str,
    reading: RosterReading,
    *,
    is_dry_run: bool,
    on_progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Put a roster into its community's registry, or tell what that would do.

    Rows that name another community are left out; what cannot stand beside what is registered becomes a
    problem of its row. `on_progress` hears how many doors are done.
    """
    await _lift_bounds(session)
    rows, refused, problems = await _own_doors(session, community_code, reading)
    doors = [_door_input(row) for row in rows]
    if is_dry_run:
        put = await registry.compare_dwellings(session, community_code, doors, on_progress)
    else:
        put = await registry.put_dwellings(session, doer, community_code, doors, "import_roster", on_progress)
    problems += [_conflict(conflict, reading) for conflict in put.conflicts]
    counts = ImportCounts(
        rows=reading.counts["rows"],
        dwellings=put.dwellings,
        vacant=sum(row.is_vacant for row in rows),
        households=put.households,
        persons=put.persons,
        created=put.created,
        updated=put.updated,
        unchanged=put.unchanged,
        rejected=reading.counts["rejected"] + refused,
    )
    order = {sheet.name: at for at, sheet in enumerate(reading.sheets)}
    problems.sort(key=lambda found: (order.get(found.sheet, 0), found.row))
    return Loaded(counts, problems, preview_doors(rows))


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
    await _lift_bounds(session)
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


async def _lift_bounds(session: AsyncSession) -> None:
    """A large file takes longer than any request may."""
    await session.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"))


# whose rows these are


async def _own_doors(
    session: AsyncSession, community_code: str, reading: RosterReading
) -> tuple[list[DwellingRow], int, list[RowProblem]]:
    """The doors that are this community's, how many rows are somebody else's, and all problems so far."""
    problems = list(reading.problems)
    if not any(door.community_code or door.community_name for door in reading.dwellings):
        return reading.dwellings, 0, problems
    own, others = await _names_around(session, community_code)
    kept: list[DwellingRow] = []
    refused = 0
    told: set[str] = set()
    for door in reading.dwellings:
        name = _plain_name(door.community_name)
        column = _column(reading, door.sheet, "community")
        if (door.community_code or community_code) != community_code or (name and name != own and name in others):
            problems.append(problem("community_other", door.sheet, door.row, column))
            refused += len({(p.sheet, p.row) for home in door.households for p in home.persons}) or 1
            continue
        if name and name != own and name not in told:
            told.add(name)
            problems.append(problem("community_name_differs", door.sheet, door.row, column))
        kept.append(door)
    return kept, refused, problems


async def _names_around(session: AsyncSession, community_code: str) -> tuple[str, set[str]]:
    """The community's name and its neighbours' in the same town, without their endings."""
    town = ancestors_of(community_code)[-1]
    statement = text("SELECT code, name FROM division WHERE parent_code = :town OR code = :code")
    rows = (await session.execute(statement, {"town": town, "code": community_code})).all()
    own = next((row.name for row in rows if row.code == community_code), "")
    return _plain_name(own), {_plain_name(row.name) for row in rows if row.code != community_code}


def _plain_name(name: str) -> str:
    """花园路社区居民委员会, 花园路社区, 花园路 are the same."""
    return _ENDING.sub("", name.replace(" ", "")) or name


# into the words of the registry


def _door_input(row: DwellingRow) -> DwellingInput:
    return DwellingInput(
        row.compound, row.building, row.stair, row.floor, row.room, row.address, row.is_vacant,
        [_household_input(home) for home in row.households], row.sheet, row.row,
    )  # fmt: skip


def _household_input(home: HouseholdRow) -> HouseholdInput:
    kind = "collective" if "collective_household" in home.tags else "family"
    persons = [_person_input(person) for person in home.persons]
    return HouseholdInput(home.head_name, home.phone, home.tags, home.note, persons, kind)


def _person_input(person: PersonRow) -> PersonInput:
    return PersonInput(
        person.name, person.relation, person.sex, person.birth_on, person.id_kind, person.id_number, person.phone,
        person.needs_id_check, person.workplace or "", person.tags, person.sheet, person.row,
    )  # fmt: skip


def _conflict(conflict: PutConflict, reading: RosterReading) -> RowProblem:
    if conflict.code == "id_duplicate":
        column = _column(reading, conflict.sheet, "id_number")
        return replace(problem("id_registered", conflict.sheet, conflict.row, column), code="id_duplicate")
    return problem(conflict.code, conflict.sheet, conflict.row, "")


def _column(reading: RosterReading, sheet: str, name: str) -> str:
    """The letter of the column that holds a field, empty when several or none do."""
    letters = [c.letter for s in reading.sheets if s.name == sheet for c in s.columns if c.field == name]
    return letters[0] if len(letters) == 1 else ""


# what a person sees before


def preview_doors(rows: list[DwellingRow]) -> list[PreviewDoor]:
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
