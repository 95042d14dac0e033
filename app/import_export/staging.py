"""What a file holds for each community, kept sealed between reading and writing.

A worker that dies while it writes goes on with the community it was at: what others have is done, and what was
read need not be read again.
"""

import zlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.core import crypto
from app.core.clock import now
from app.import_export.models import ImportDoors, ImportPart, PartStatus
from app.import_export.readings import DwellingRow, HouseholdRow, PersonRow
from app.people.registry import DwellingInput, HouseholdInput, PersonInput

DOORS = "import_doors.content"
_DOORS_IN_A_PIECE = 2_000


async def forget_doors(session: AsyncSession, import_id: UUID) -> None:
    """Take away what was read of an import and is not written yet."""
    await session.execute(delete(ImportDoors).where(col(ImportDoors.import_id) == import_id))
    waiting = col(ImportPart.status) == PartStatus.STAGED
    await session.execute(delete(ImportPart).where(col(ImportPart.import_id) == import_id, waiting))


async def stage_doors(
    session: AsyncSession, community_code: str, import_id: UUID, doors: Sequence[DwellingRow]
) -> None:
    """Keep the doors of a community, behind those of it that are kept already."""
    await session.execute(
        text("INSERT INTO import_part (community_code, import_id) VALUES (:c, :id) ON CONFLICT DO NOTHING"),
        {"c": community_code, "id": import_id},
    )
    last = await session.scalar(
        text("SELECT max(seq) FROM import_doors WHERE community_code = :c AND import_id = :id"),
        {"c": community_code, "id": import_id},
    )
    for seq, start in enumerate(range(0, len(doors), _DOORS_IN_A_PIECE), (last or 0) + 1):
        session.add(
            ImportDoors(
                community_code=community_code,
                import_id=import_id,
                seq=seq,
                content_sealed=_pack(doors[start : start + _DOORS_IN_A_PIECE]),
            )
        )
        await session.flush()


async def staged_communities(session: AsyncSession, import_id: UUID) -> list[str]:
    """The communities whose part is not written yet, in code order."""
    statement = select(col(ImportPart.community_code)).where(
        col(ImportPart.import_id) == import_id, col(ImportPart.status) == PartStatus.STAGED
    )
    return list((await session.scalars(statement.order_by(col(ImportPart.community_code)))).all())


async def staged_doors(session: AsyncSession, community_code: str, import_id: UUID) -> list[DwellingInput]:
    """The doors of a community that wait, in the words of the registry."""
    statement = (
        select(col(ImportDoors.content_sealed))
        .where(col(ImportDoors.community_code) == community_code, col(ImportDoors.import_id) == import_id)
        .order_by(col(ImportDoors.seq))
    )
    return [door for sealed in (await session.scalars(statement)).all() for door in _unpack(sealed)]


async def lock_part(session: AsyncSession, community_code: str, import_id: UUID) -> bool:
    """Take a community's part for this transaction; whether it still waits."""
    statement = select(ImportPart).where(
        col(ImportPart.community_code) == community_code, col(ImportPart.import_id) == import_id
    )
    part = (await session.scalars(statement.with_for_update())).one_or_none()
    return part is not None and part.status == PartStatus.STAGED


async def part_compared(session: AsyncSession, community_code: str, import_id: UUID, counts: dict[str, int]) -> None:
    """Write down what would be done for a community."""
    await session.execute(
        update(ImportPart)
        .where(col(ImportPart.community_code) == community_code, col(ImportPart.import_id) == import_id)
        .values(counts=counts)
    )


async def part_done(
    session: AsyncSession, community_code: str, import_id: UUID, counts: dict[str, int], version: int
) -> None:
    """Write down what was done for a community, and let go of what was staged for it."""
    is_its = (col(ImportDoors.community_code) == community_code, col(ImportDoors.import_id) == import_id)
    await session.execute(delete(ImportDoors).where(*is_its))
    values = {"status": PartStatus.DONE, "counts": counts, "version": version, "finished_at": now()}
    await session.execute(
        update(ImportPart)
        .where(col(ImportPart.community_code) == community_code, col(ImportPart.import_id) == import_id)
        .values(values)
    )


async def count_parts(session: AsyncSession, import_id: UUID) -> int:
    """How many communities an import is for."""
    statement = select(func.count()).select_from(ImportPart).where(col(ImportPart.import_id) == import_id)
    return (await session.execute(statement)).scalar_one()


async def counts_of_parts(session: AsyncSession, import_id: UUID) -> list[dict[str, int]]:
    """What was done for each community."""
    statement = select(col(ImportPart.counts)).where(col(ImportPart.import_id) == import_id)
    return list((await session.scalars(statement)).all())


def door_input(row: DwellingRow) -> DwellingInput:
    """A door as it was read in the words of the registry."""
    homes = [
        HouseholdInput(h.head_name, h.phone, h.tags, h.note, [_person_words(p) for p in h.persons], _kind(h))
        for h in row.households
    ]
    return DwellingInput(
        row.compound, row.building, row.stair, row.floor, row.room, row.address, row.is_vacant, homes, row.sheet,
        row.row,
    )  # fmt: skip


def _person_words(p: PersonRow) -> PersonInput:
    return PersonInput(
        p.name, p.relation, p.sex, p.birth_on, p.id_kind, p.id_number, p.phone, p.needs_id_check, p.workplace or "",
        p.tags, p.sheet, p.row,
    )  # fmt: skip


def _kind(home: HouseholdRow) -> str:
    return "collective" if "collective_household" in home.tags else "family"


# Lists, not objects with names: a million people are sealed and opened in this form.


def _pack(doors: Sequence[DwellingRow]) -> bytes:
    rows = [
        (d.compound, d.building, d.stair, d.floor, d.room, d.address, d.is_vacant, d.sheet, d.row,
         [_home(home) for home in d.households])
        for d in doors
    ]  # fmt: skip
    return crypto.key_ring().seal(zlib.compress(orjson.dumps(rows), 1), DOORS)


def _home(home: HouseholdRow) -> tuple[Any, ...]:
    return (home.head_name, home.phone, home.tags, home.note, _kind(home), [_person(person) for person in home.persons])


def _person(p: PersonRow) -> tuple[Any, ...]:
    return (
        p.name, p.relation, p.sex, p.birth_on, p.id_kind, p.id_number, p.phone, p.needs_id_check, p.workplace or "",
        p.tags, p.sheet, p.row,
    )  # fmt: skip


def _unpack(sealed: bytes) -> Iterator[DwellingInput]:
    for door in orjson.loads(zlib.decompress(crypto.key_ring().open(sealed, DOORS))):
        compound, building, stair, floor, room, address, is_vacant, sheet, row, homes = door
        households = [_home_input(home) for home in homes]
        yield DwellingInput(compound, building, stair, floor, room, address, is_vacant, households, sheet, row)


def _home_input(home: list[Any]) -> HouseholdInput:
    head, phone, tags, note, kind, persons = home
    return HouseholdInput(head, phone, tags, note, [_person_input(person) for person in persons], kind)


def _person_input(person: list[Any]) -> PersonInput:
    if person[3]:
        person[3] = date.fromisoformat(person[3])
    return PersonInput(*person)
