"""Corrections, wherever they come from: the desk overwrites what it sees, a phone's edit is merged field by field.

A phone says which version it had seen. A field that nobody else has changed since takes the phone's value; one that
somebody else has changed keeps the server's, and a conflict with both values is filed for the committee.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.paging import decode_id_cursor, encode_cursor
from app.people import registry
from app.people.models import Dwelling, EditConflict, FieldChange, Household, Resident
from app.people.naming import initials, pinyin
from app.people.schemas import (
    ConflictRead,
    ConflictSide,
    HouseholdRead,
    HouseholdUpdate,
    ResidentRead,
    ResidentUpdate,
)
from app.people.service import (
    HOUSEHOLD_NOTE,
    HOUSEHOLD_PHONE,
    RESIDENT_PHONE,
    address_of,
    corrected_hooks,
    find_roots,
    get_household,
    get_resident,
    household_read,
    note_changes,
    resident_read,
    touch_areas,
)
from app.rules import service as rules

SERVER_VALUE = "edit_conflict.server"
PHONE_VALUE = "edit_conflict.phone"
RULE = "retention.edits"

Subject = Literal["household", "resident"]


class ConflictResolved(Conflict):
    """A conflict is decided once."""

    def __init__(self) -> None:
        super().__init__("conflict_resolved", "这处冲突已经处理过了。", "This conflict has been resolved already.")


@dataclass(frozen=True, slots=True)
class Edit:
    """Changed facts of one household or person; `base_version` None: made on what stands there now."""

    id: UUID
    subject: Subject
    subject_id: UUID
    changes: dict[str, Any]
    base_version: int | None = None
    recorded_at: datetime | None = None


@dataclass(slots=True)
class _Registry:
    """What the edits are about, as it stands: rows, their doors' areas, and when which field changed last."""

    households: dict[UUID, Household] = field(default_factory=dict)
    residents: dict[UUID, Resident] = field(default_factory=dict)
    areas: dict[UUID, UUID | None] = field(default_factory=dict)
    changes: dict[tuple[UUID, str], FieldChange] = field(default_factory=dict)

    def find(self, edit: Edit) -> tuple[Household | Resident, Household] | None:
        """The row an edit is about, and its household."""
        row = (
            self.residents.get(edit.subject_id) if edit.subject == "resident" else self.households.get(edit.subject_id)
        )
        if row is None:
            return None
        home = row if isinstance(row, Household) else self.households.get(row.household_id)
        return (row, home) if home is not None else None


async def take_edits(
    session: AsyncSession, doer: audit.Doer, community_code: str, edits: Sequence[Edit], *, is_late: bool = False
) -> dict[UUID, str | None]:
    """Merge edits into a community's registry, in their order; answers for each id None, `edit_conflict`,
    `household_not_found` or `resident_not_found`. The caller has checked the scope and writes the trail.

    `is_late`: made by somebody who may not have heard that a household is closed or a person gone; it is written down
    all the same, and answered `household_closed` or `resident_gone`.

    The clock is taken first: nobody else changes a row between its reading and its writing.
    """
    version = await areas.advance_clock(session, community_code)
    # what a phone says of somebody who has been merged away is said of who stands for them
    roots = await find_roots(session, community_code, (edit.subject_id for edit in edits))
    edits = [replace(edit, subject_id=roots.get(edit.subject_id, edit.subject_id)) for edit in edits]
    known = await _load(session, community_code, edits, is_late)
    answers: dict[UUID, str | None] = {}
    changed: set[tuple[UUID, str]] = set()
    touched: set[UUID] = set()
    for edit in edits:
        found = known.find(edit)
        if found is None:
            answers[edit.id] = f"{edit.subject}_not_found"
            continue
        row, home = found
        is_gone = isinstance(row, Resident) and row.is_gone
        answers[edit.id] = "resident_gone" if is_gone else "household_closed" if home.is_closed else None
        for name, value in edit.changes.items():
            before = _value_of(row, name)
            if before == value:
                continue
            if (other := _changed_meanwhile(known, doer, edit, name)) is not None:
                session.add(_conflict(doer, edit, home, name, (before, value), other, version))
                answers[edit.id] = "edit_conflict"
            else:
                _set_value(row, home, name, value, version)
                changed.add((row.id, name))
        # also where nothing was taken over: a phone that had it otherwise fetches what stands
        row.version = version
        if not (home.is_closed or is_gone):
            # of these it says since when
            row.updated_at = now()
        touched.add(home.id)
    await session.flush()
    await note_changes(session, doer, community_code, version, changed)
    await touch_areas(session, community_code, [known.areas[home] for home in touched], version)
    return answers


async def _load(session: AsyncSession, community: str, edits: Sequence[Edit], is_late: bool) -> _Registry:
    known = _Registry()
    ids = {e.subject_id for e in edits}
    people = select(Resident).where(col(Resident.community_code) == community, col(Resident.id).in_(ids))
    if not is_late:
        people = people.where(col(Resident.is_gone).is_(False))
    known.residents = {r.id: r for r in await session.scalars(people.execution_options(populate_existing=True))}
    homes = ids | {r.household_id for r in known.residents.values()}
    same = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    joined = (
        select(Household, col(Dwelling.responsibility_area_id))
        .join(Dwelling, same)
        .where(col(Household.community_code) == community, col(Household.id).in_(homes))
    )
    if not is_late:
        joined = joined.where(col(Household.is_closed).is_(False))
    for household, area_id in await session.execute(joined.execution_options(populate_existing=True)):
        known.households[household.id] = household
        known.areas[household.id] = area_id
    if any(e.base_version is not None for e in edits):
        changes = select(FieldChange).where(
            col(FieldChange.community_code) == community, col(FieldChange.subject_id).in_(ids)
        )
        known.changes = {(c.subject_id, c.field): c for c in await session.scalars(changes)}
    return known


def _changed_meanwhile(known: _Registry, doer: audit.Doer, edit: Edit, name: str) -> FieldChange | None:
    """Somebody else's change of a field that the phone had not seen."""
    change = known.changes.get((edit.subject_id, name))
    if edit.base_version is None or change is None:
        return None
    return change if change.version > edit.base_version and change.actor_id != doer.id else None


def _value_of(row: Household | Resident, name: str) -> Any:
    """A fact as edits give it."""
    if isinstance(row, Household):
        if name == "phone":
            return crypto.open_text(row.phone_sealed, HOUSEHOLD_PHONE)
        return crypto.open_text(row.note_sealed, HOUSEHOLD_NOTE) if name == "note" else row.tags
    if name == "phone":
        return crypto.open_text(row.phone_sealed, RESIDENT_PHONE)
    return getattr(row, name)


def _set_value(row: Household | Resident, home: Household, name: str, value: Any, version: int) -> None:
    if name == "phone":
        context = HOUSEHOLD_PHONE if isinstance(row, Household) else RESIDENT_PHONE
        row.phone_sealed = crypto.seal_text(value, context)
        row.phone_index = crypto.blind_index(value, context)
    elif isinstance(row, Household) and name == "note":
        row.note_sealed = crypto.seal_text(value, HOUSEHOLD_NOTE)
    elif isinstance(row, Resident) and name == "name":
        if home.head_name == row.name:
            home.head_name, home.head_initials, home.version = value, initials(value), version
        row.name, row.name_initials, row.name_pinyin = value, initials(value), pinyin(value)
    else:
        setattr(row, name, value)


def _conflict(
    doer: audit.Doer, edit: Edit, home: Household, name: str, values: tuple[Any, Any], other: FieldChange, version: int
) -> EditConflict:
    return EditConflict(
        community_code=home.community_code,
        id=new_id(),
        command_id=edit.id,
        subject=edit.subject,
        subject_id=edit.subject_id,
        household_id=home.id,
        field=name,
        server_sealed=_seal_value(values[0], SERVER_VALUE),
        phone_sealed=_seal_value(values[1], PHONE_VALUE),
        server_actor_name=other.actor_name,
        server_changed_at=other.changed_at,
        actor_id=doer.id,
        actor_name=doer.name,
        device_id=doer.device_id,
        base_version=edit.base_version or 0,
        recorded_at=edit.recorded_at or now(),
        filed_at=now(),
        version=version,
    )


def _seal_value(value: Any, context: str) -> bytes:
    return crypto.key_ring().seal(orjson.dumps(value), context)


def tidy_changes(given: dict[str, Any]) -> dict[str, Any]:
    """Changes as they are kept: tags once each and in order, an empty number or note taken away, and of what
    everybody has (name, sex, relation) no taking away."""
    changes = {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NOBODYS}
    if "tags" in changes:
        changes["tags"] = sorted({str(tag) for tag in changes["tags"]})
    return {name: (value or None) if name in ("phone", "note") else value for name, value in changes.items()}


_MAY_BE_NOBODYS = frozenset({"phone", "note", "birth_on"})


async def update_household(
    session: AsyncSession, actor: Actor, household_id: UUID, change: HouseholdUpdate
) -> HouseholdRead:
    """Correct a household's phone, tags or note at the desk; what is not named stays."""
    household, dwelling = await get_household(session, actor, household_id, DESK)
    changes = tidy_changes(change.model_dump(exclude_unset=True))
    edit = Edit(new_id(), "household", household_id, changes)
    if (await take_edits(session, actor.doer, household.community_code, [edit]))[edit.id]:
        raise NotFound  # closed meanwhile
    await audit.append_entry(
        session, actor.doer, household.community_code, "update_household", [household_id], sorted(changes)
    )
    return household_read(household, dwelling)


async def update_resident(
    session: AsyncSession, actor: Actor, resident_id: UUID, change: ResidentUpdate
) -> ResidentRead:
    """Correct a resident's facts at the desk; what is not named stays."""
    resident = await get_resident(session, actor, resident_id, DESK)
    changes = tidy_changes(change.model_dump(exclude_unset=True, exclude={"reason"}))
    edit = Edit(new_id(), "resident", resident_id, changes)
    if (await take_edits(session, actor.doer, resident.community_code, [edit]))[edit.id]:
        raise NotFound  # gone meanwhile
    given = sorted(changes)
    await audit.append_entry(
        session, actor.doer, resident.community_code, "update_resident", [resident_id], [given, change.reason]
    )
    for hook in corrected_hooks if change.reason else ():
        await hook(session, actor, resident, given, change.reason or "")
    return resident_read(resident)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person found at a door; `id` is the command's, and the person's too unless the phone has made one apart."""

    id: UUID
    household_id: UUID
    name: str
    sex: int = 0
    birth_on: date | None = None
    relation: str = ""
    phone: str | None = None
    resident_id: UUID | None = None

    @property
    def person_id(self) -> UUID:
        """The id of the person in the registry."""
        return self.resident_id or self.id


async def add_newcomers(
    session: AsyncSession, doer: audit.Doer, community_code: str, newcomers: Sequence[Newcomer]
) -> dict[UUID, str | None]:
    """Add people to households; answers for each id None, `person_known` (added, and somebody of that name is
    there already), `household_not_found` or `id_taken`. The caller has checked the scope and writes the trail."""
    await areas.lock_clock(session, community_code)
    roots = await find_roots(session, community_code, (n.household_id for n in newcomers))
    newcomers = [replace(n, household_id=roots.get(n.household_id, n.household_id)) for n in newcomers]
    same = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    doors = (
        select(Household, Dwelling)
        .join(Dwelling, same)
        .where(
            col(Household.community_code) == community_code,
            col(Household.id).in_({n.household_id for n in newcomers}),
            col(Household.is_closed).is_(False),
        )
    )
    homes = {household.id: (household, door) for household, door in await session.execute(doors)}
    taken = set(
        await session.scalars(
            select(col(Resident.id)).where(
                col(Resident.community_code) == community_code, col(Resident.id).in_({n.person_id for n in newcomers})
            )
        )
    )
    names = {
        (home, name)
        for home, name in await session.execute(
            select(col(Resident.household_id), col(Resident.name)).where(
                col(Resident.community_code) == community_code,
                col(Resident.household_id).in_(homes),
                col(Resident.is_gone).is_(False),
            )
        )
    }
    answers: dict[UUID, str | None] = {}
    given: list[registry.DwellingInput] = []
    for newcomer in newcomers:
        if newcomer.household_id not in homes:
            answers[newcomer.id] = "household_not_found"
        elif newcomer.person_id in taken:
            answers[newcomer.id] = "id_taken"
        else:
            taken.add(newcomer.person_id)
            household, door = homes[newcomer.household_id]
            is_known = (newcomer.household_id, newcomer.name) in names
            answers[newcomer.id] = "person_known" if is_known else None
            names.add((newcomer.household_id, newcomer.name))
            given.append(_at_door(newcomer, household, door))
    await registry.put_dwellings(session, doer, community_code, given, None, is_entered=True)
    return answers


def _at_door(newcomer: Newcomer, household: Household, door: Dwelling) -> registry.DwellingInput:
    person = registry.PersonInput(
        id=newcomer.person_id, name=newcomer.name, relation=newcomer.relation, sex=newcomer.sex,
        birth_on=newcomer.birth_on, phone=newcomer.phone, is_new=True,
    )  # fmt: skip
    home = registry.HouseholdInput(
        id=household.id, head_name="" if household.head_name else newcomer.name, persons=[person]
    )
    return registry.DwellingInput(
        door.compound, door.building, door.stair, door.floor, door.room, door.address, households=[home]
    )


# Conflicts, for the committee.


async def list_conflicts(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None
) -> tuple[list[ConflictRead], str | None]:
    """A community's open conflicts, oldest first; numbers masked, the server's side as it stands now."""
    actor.demand(community_code, DESK)
    same_home = (col(Household.community_code) == col(EditConflict.community_code)) & (
        col(Household.id) == col(EditConflict.household_id)
    )
    same_door = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    same_person = (col(Resident.community_code) == col(EditConflict.community_code)) & (
        col(Resident.id) == col(EditConflict.subject_id)
    )
    statement = (
        select(EditConflict, Household, Dwelling, Resident)
        .join(Household, same_home)
        .join(Dwelling, same_door)
        .outerjoin(Resident, same_person)
        .where(col(EditConflict.community_code) == community_code, col(EditConflict.kept).is_(None))
    )
    if cursor:
        statement = statement.where(col(EditConflict.id) > decode_id_cursor(cursor))
    rows = (await session.execute(statement.order_by(col(EditConflict.id)).limit(limit + 1))).all()
    items = [_conflict_read(*row) for row in rows[:limit]]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


def _conflict_read(found: EditConflict, home: Household, door: Dwelling, person: Resident | None) -> ConflictRead:
    return ConflictRead(
        **found.model_dump(include={"id", "community_code", "subject", "subject_id", "household_id", "field"}),
        address=address_of(door),
        head_name=home.head_name,
        resident_name=person.name if person else None,
        server=ConflictSide(
            value=_shown(found.field, _value_of(person or home, found.field)),
            actor_name=found.server_actor_name,
            at=found.server_changed_at,
        ),
        phone=ConflictSide(
            value=_shown(found.field, _phone_value(found)), actor_name=found.actor_name, at=found.recorded_at
        ),
        filed_at=found.filed_at,
    )


def _phone_value(found: EditConflict) -> Any:
    value = orjson.loads(crypto.open_text(found.phone_sealed, PHONE_VALUE) or "null")
    return date.fromisoformat(value) if found.field == "birth_on" and value else value


def _shown(name: str, value: Any) -> str | list[str] | None:
    """A value as the desk sees it: numbers masked, of a birth date the year alone."""
    if name == "phone":
        return crypto.mask_phone(value)
    if name == "birth_on":
        return str(value.year) if value else None
    return value if isinstance(value, list) or value is None else str(value)


async def resolve_conflict(
    session: AsyncSession, actor: Actor, conflict_id: UUID, keep: Literal["server", "phone"]
) -> None:
    """Decide a conflict. The phone's value is written as an ordinary edit of the one who decides, and phones fetch it.

    Raises NotFound outside the actor's desk, ConflictResolved when somebody has decided before.
    """
    found = (await session.scalars(select(EditConflict).where(col(EditConflict.id) == conflict_id))).first()
    if found is None or not actor.may(found.community_code, DESK):
        raise NotFound
    await areas.lock_clock(session, found.community_code)
    await session.refresh(found)
    if found.kept is not None:
        raise ConflictResolved
    if keep == "phone":
        subject: Subject = "resident" if found.subject == "resident" else "household"
        edit = Edit(new_id(), subject, found.subject_id, {found.field: _phone_value(found)})
        if (await take_edits(session, actor.doer, found.community_code, [edit]))[edit.id]:
            raise NotFound
    found.delete_by = (await rules.read_rules(session)).day_after(RULE, today())
    found.kept, found.resolved_by, found.resolved_by_name, found.resolved_at = keep, actor.id, actor.name, now()
    subjects = [found.id, found.subject_id]
    await audit.append_entry(
        session, actor.doer, found.community_code, "resolve_conflict", subjects, [found.field, keep]
    )


DUE_CONFLICTS = "edit_conflict WHERE delete_by <= :on AND (server_sealed IS NOT NULL OR phone_sealed IS NOT NULL)"


async def delete_due_conflicts(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty the values of conflicts that were decided and whose day has come, `limit` at most."""
    result = await session.execute(
        text(f"""
        WITH due AS (SELECT id FROM {DUE_CONFLICTS} AND community_code = :c ORDER BY id LIMIT :limit), emptied AS (
            UPDATE edit_conflict e SET server_sealed = NULL, phone_sealed = NULL, version = :version
            FROM due WHERE e.community_code = :c AND e.id = due.id RETURNING e.id
        ) SELECT count(*) FROM emptied
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())
