"""Bring the registry to what is given."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core.clock import SHANGHAI
from app.core.errors import Invalid
from app.core.resident_id import is_resident_id
from app.people.models import IdKind
from app.people.registry.comparing import Comparison
from app.people.registry.given import DATED, FACTS, DwellingInput, HouseholdInput, PersonInput, Subject
from app.people.registry.known import Known, load_known
from app.people.registry.outcome import FindDeparted, PutCounts, vars_of
from app.people.registry.tables import say_again, write_changed, write_new
from app.people.schemas import ResidentCreate, ResidentRead
from app.people.service import get_household, list_residents, note_changes, tell_grown, touch_areas

_BREATH = 50
"""Doors compared at one go."""


class Newcomers(Protocol):
    """Doors nobody knows yet, taken out of a long list to be written as sets; `app.enrolment` makes them."""

    def take(self, known: Known, doors: Sequence[DwellingInput]) -> list[DwellingInput]:
        """Take what is plainly new; answers the rest, to be compared one by one."""

    def count(self, counts: "PutCounts", tallies: Counter[str]) -> None:
        """Add what was taken."""

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What was taken as rows by table, in the order of `COLUMNS`."""


async def put_dwellings(
    session: AsyncSession,
    doer: audit.Doer,
    community_code: str,
    doors: Sequence[DwellingInput],
    action: str | None = "put_dwellings",
    on_progress: Callable[[int], None] | None = None,
    *,
    as_of: datetime | None = None,
    is_entered: bool = False,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> PutCounts:
    """Bring a community's registry to what is given about some of its doors; answers what it did.

    The community's clock row is locked first, so two puts of the same list do not both find nothing. Nothing
    to change moves no version and leaves no entry in the trail; with `action` None the caller writes the entry.
    `on_progress` hears how many doors are compared. `as_of` is of when the list is: facts that somebody has changed
    later stand. `is_entered`: a person writes down now what they see, so new facts are dated like changed ones.
    `newcomers` takes the doors of a long list that are plainly new; with `find_departed` nobody who has moved or gone
    is added anew.
    """
    await areas.lock_clock(session, community_code)
    change = await _compare(session, community_code, doors, on_progress, as_of, newcomers, find_departed)
    if as_of is not None:
        await say_again(session, community_code, change.said_again, as_of.astimezone(SHANGHAI).date())
    # sealing thousands of numbers takes a moment in which others want to be served
    fresh = await asyncio.to_thread(newcomers.rows) if newcomers else {}
    if change.dwellings or change.households or change.residents or any(fresh.values()):
        version = await areas.advance_clock(session, community_code, **change.tallies)
        change.counts.version = version
        await write_new(session, community_code, version, fresh, as_of)
        await write_changed(session, community_code, version, change.rows, as_of)
        _tell_made(change, fresh)
        if is_entered:
            change.changes += _entered_facts(change)
        elif as_of is not None:
            await _tell_changed(session, community_code, change)
        await note_changes(session, doer, community_code, version, change.changes, as_of)
        await touch_areas(session, community_code, change.touched, version)
        await tell_grown(session, community_code, change.grown, version)
        if action is None:
            return change.counts
        subjects = sorted({row["id"] for row in change.households} | {row["id"] for row in change.dwellings})
        subjects += [row[0] for table in ("household", "dwelling") for row in fresh.get(table, ())]
        await audit.append_entry(session, doer, community_code, action, subjects, vars_of(change.counts))
    return change.counts


async def compare_dwellings(
    session: AsyncSession,
    community_code: str,
    doors: Sequence[DwellingInput],
    on_progress: Callable[[int], None] | None = None,
    *,
    as_of: datetime | None = None,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> PutCounts:
    """What `put_dwellings` would do now; writes and locks nothing."""
    return (await _compare(session, community_code, doors, on_progress, as_of, newcomers, find_departed)).counts


def _tell_made(change: Comparison, fresh: dict[str, list[tuple[Any, ...]]]) -> None:
    """Say which rows are new and what the others said before."""
    counts = change.counts
    made = [one for ids in counts.created_ids.values() for one in ids]
    counts.made.update({name: len(ids) for name, ids in counts.created_ids.items()})
    counts.made.update({name: len(rows) for name, rows in fresh.items()})
    new = set(made)
    counts.before = [before for before in change.before.values() if before.id not in new]
    # ids of one set rise
    made += [row[0] for rows in fresh.values() if rows for row in (rows[0], rows[-1])]
    counts.span = (min(made), max(made)) if made else None


async def _tell_changed(session: AsyncSession, community: str, change: Comparison) -> None:
    """Say who had last changed the facts that change now, before that is written over."""
    facts: dict[UUID, list[str]] = defaultdict(list)
    for subject, name in change.changes:
        facts[subject].append(name)
    if not facts:
        return
    last = "SELECT * FROM field_change WHERE community_code = :c AND subject_id = ANY(:ids)"
    rows = (await session.execute(text(last), {"c": community, "ids": sorted(facts)})).mappings()
    known = {(row["subject_id"], row["field"]): dict(row) for row in rows}
    for before in change.counts.before:
        for name in facts.get(before.id, ()):
            row = known.get((before.id, name))
            kept = ("version", "actor_id", "actor_name", "changed_at")
            before.changes[name] = {key: row[key] for key in kept} if row else None


def _entered_facts(change: Comparison) -> list[tuple[UUID, str]]:
    """The facts of new rows that somebody gave, each with its subject."""
    new = change.counts.created_ids
    subjects: tuple[tuple[Subject, list[dict[str, Any]]], ...] = (
        ("household", change.households), ("resident", change.residents),
    )  # fmt: skip
    return [
        (row["id"], name)
        for subject, rows in subjects
        for row in rows
        if row["id"] in new[subject]
        for name in DATED[subject]
        if row.get(FACTS[subject][name][0]) and (name != "note" or row.get("note_sealed"))
    ]


async def _compare(
    session: AsyncSession,
    community: str,
    doors: Sequence[DwellingInput],
    on_progress: Callable[[int], None] | None,
    as_of: datetime | None,
    newcomers: Newcomers | None = None,
    find_departed: FindDeparted | None = None,
) -> Comparison:
    known = await load_known(session, community, doors, as_of, find_departed)
    change = Comparison(known)
    taken = len(doors)
    if newcomers is not None:
        doors = newcomers.take(known, doors)
        newcomers.count(change.counts, change.tallies)
    taken -= len(doors)
    if on_progress and taken:
        on_progress(taken)
    for count, door in enumerate(doors, taken + 1):
        change.put_door(door)
        if count % _BREATH == 0:
            # sealing and comparing a large list takes seconds, in which others want to be served
            await asyncio.sleep(0)
            if on_progress:
                on_progress(count)
    return change


def person_input(new: ResidentCreate) -> PersonInput:
    """A person from a desk's form; a number that is no number is refused, not kept."""
    number = new.id_number.upper() if new.id_number else None
    if number and new.id_kind == IdKind.RESIDENT_ID and not is_resident_id(number):
        raise Invalid("id_checksum", "身份证号校验位不对。", "The ID number's check digit is wrong.", "id_number")
    return PersonInput(
        name=new.name,
        relation=new.relation,
        sex=int(new.sex),
        birth_on=new.birth_on,
        id_kind=str(new.id_kind),
        id_number=number,
        phone=new.phone,
    )


async def create_resident(session: AsyncSession, actor: Actor, household_id: UUID, new: ResidentCreate) -> ResidentRead:
    """Add a person to a household; the same person again is the one who is there."""
    household, dwelling = await get_household(session, actor, household_id, DESK)
    person = person_input(new)
    given = HouseholdInput(head_name=household.head_name, persons=[person], id=household_id)
    door = DwellingInput(
        dwelling.compound, dwelling.building, dwelling.stair, dwelling.floor, dwelling.room, dwelling.address,
        households=[given],
    )  # fmt: skip
    await put_dwellings(session, actor.doer, household.community_code, [door], "create_resident", is_entered=True)
    await session.refresh(household)
    found = [r for r in await list_residents(session, actor, household_id) if r.name == new.name]
    return found[-1]
