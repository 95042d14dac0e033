"""What a file and the registry give differently: kept for the committee to look through, listed, and as a workbook."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, case, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.paging import decode_cursor, encode_cursor
from app.import_export.models import ImportDifference
from app.import_export.schemas import ImportDifferenceCounts, ImportDifferenceRead
from app.people.models import Dwelling, Household, Resident
from app.people.registry import Difference
from app.people.service import address_of

LISTED = "import_difference.listed"
REGISTERED = "import_difference.registered"
Outcome = Literal["kept", "taken", "asked"]
_CHUNK = 5_000


async def write_differences(
    session: AsyncSession, community_code: str, import_id: UUID, found: Sequence[Difference]
) -> None:
    """Keep what differed in one community; values sealed."""
    statement = text("""
        INSERT INTO import_difference (community_code, import_id, seq, subject, subject_id, household_id, field,
            is_kept, listed_sealed, registered_sealed, actor_name, changed_at, sheet, row)
        SELECT :c, :id, :start + ordinality, subject, subject_id, household_id, field, is_kept,
            decode(listed, 'base64'), decode(registered, 'base64'), actor_name, changed_at, sheet, row
        FROM ROWS FROM (jsonb_to_recordset(cast(:rows AS jsonb)) AS (subject text, subject_id uuid,
            household_id uuid, field text, is_kept boolean, listed text, registered text, actor_name text,
            changed_at timestamptz, sheet text, row int)) WITH ORDINALITY
    """)
    for start in range(0, len(found), _CHUNK):
        rows = [
            {
                "subject": d.subject, "subject_id": d.subject_id, "household_id": d.household_id, "field": d.field,
                "is_kept": d.is_kept, "listed": _sealed(d.listed, LISTED),
                "registered": _sealed(d.registered, REGISTERED), "actor_name": d.actor_name, "changed_at": d.changed_at,
                "sheet": d.sheet, "row": d.row,
            }
            for d in found[start : start + _CHUNK]
        ]  # fmt: skip
        params = {"c": community_code, "id": import_id, "start": start, "rows": orjson.dumps(rows).decode()}
        await session.execute(statement, params)


def _sealed(value: Any, context: str) -> str | None:
    return crypto.seal_base64(orjson.dumps(value).decode(), context)


async def forget_differences(session: AsyncSession, import_id: UUID) -> None:
    """Take away what an import differed in."""
    await session.execute(delete(ImportDifference).where(col(ImportDifference.import_id) == import_id))


async def forget_old_differences(session: AsyncSession, before: datetime) -> None:
    """Take away what imports made before an instant differed in."""
    statement = text(
        "DELETE FROM import_difference WHERE import_id IN (SELECT id FROM import_job WHERE created_at < :before)"
    )
    await session.execute(statement, {"before": before})


async def list_differences(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    outcome: Outcome | None,
    limit: int | None,
    cursor: str | None = None,
) -> tuple[list[ImportDifferenceRead], str | None]:
    """What an import and the registries of the actor's communities give differently, in the order of communities and
    rows; numbers masked, of a birth date the year alone."""
    same_home = (col(Household.community_code) == col(ImportDifference.community_code)) & (
        col(Household.id) == col(ImportDifference.household_id)
    )
    same_door = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    same_person = (col(Resident.community_code) == col(ImportDifference.community_code)) & (
        col(Resident.id) == col(ImportDifference.subject_id)
    )
    statement = (
        select(ImportDifference, Household, Dwelling, col(Resident.name))
        .outerjoin(Household, same_home)
        .outerjoin(Dwelling, same_door)
        .outerjoin(Resident, same_person)
        .where(
            col(ImportDifference.import_id) == import_id, in_scope(col(ImportDifference.community_code), actor, DESK)
        )
        .order_by(col(ImportDifference.community_code), col(ImportDifference.seq))
    )
    if outcome is not None:
        statement = statement.where(_outcome() == outcome)
    if cursor:
        code, seq = decode_cursor(cursor, str, int)
        statement = statement.where(
            (col(ImportDifference.community_code) > code)
            | ((col(ImportDifference.community_code) == code) & (col(ImportDifference.seq) > seq))
        )
    rows = (await session.execute(statement if limit is None else statement.limit(limit + 1))).all()
    shown = rows if limit is None else rows[:limit]
    items = [_read(*row) for row in shown]
    more = limit is not None and len(rows) > limit
    return items, encode_cursor(shown[-1][0].community_code, shown[-1][0].seq) if more else None


def _outcome() -> ColumnElement[str]:
    """Kept without an instant since when: a question."""
    is_asked = col(ImportDifference.is_kept) & col(ImportDifference.changed_at).is_(None)
    return case((is_asked, "asked"), (col(ImportDifference.is_kept), "kept"), else_="taken")


def _read(
    found: ImportDifference, home: Household | None, door: Dwelling | None, name: str | None
) -> ImportDifferenceRead:
    return ImportDifferenceRead(
        community_code=found.community_code,
        sheet=found.sheet,
        row=found.row,
        subject=found.subject,
        subject_id=found.subject_id,
        household_id=found.household_id,
        address=address_of(door) if door else "",
        name=name or (home.head_name if home else ""),
        field=found.field,
        listed=_shown(found.field, _opened(found.listed_sealed, LISTED)),
        registered=_shown(found.field, _opened(found.registered_sealed, REGISTERED)),
        outcome="taken" if not found.is_kept else "kept" if found.changed_at else "asked",
        actor_name=found.actor_name,
        changed_at=found.changed_at,
    )


def _opened(sealed: bytes, context: str) -> Any:
    return orjson.loads(crypto.key_ring().open(sealed, context))


def _shown(field: str, value: Any) -> str | list[str] | None:
    """A value as the desk sees it: numbers masked, of a birth date the year alone."""
    if value is None or isinstance(value, list):
        return value
    if field == "phone":
        return crypto.mask_phone(value)
    if field == "id_number":
        return crypto.mask_id(value)
    return str(value)[:4] if field == "birth_on" else str(value)


async def count_differences(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportDifferenceCounts:
    """How many facts stood against the file, how many were taken from it, and how many people have to be asked."""
    outcome = _outcome().label("outcome")
    statement = (
        select(outcome, func.count())
        .where(
            col(ImportDifference.import_id) == import_id, in_scope(col(ImportDifference.community_code), actor, DESK)
        )
        .group_by(outcome)
    )
    counts = {str(name): number for name, number in (await session.execute(statement)).all()}
    return ImportDifferenceCounts(
        kept=counts.get("kept", 0), taken=counts.get("taken", 0), asked=counts.get("asked", 0)
    )
