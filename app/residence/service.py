"""The one way in which places change: `change_places`, for moves, leaving, returning, splits and merges, as sets.

It reads people, households and doors under the community's clock, judges each change in its order, writes the
difference with one statement a table, and moves tallies, areas and rounds with it. The caller checks the scope and
writes the trail.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid, NotFound, Problem
from app.core.ids import new_id
from app.people import service as people
from app.people.models import Dwelling, Household, Resident
from app.people.naming import initials
from app.residence.models import ReasonIn, ReasonOut, Residence, ResidenceKind

HEAD = "户主"
"""The relation of a head, as rosters have it."""
FROM_PLACE = "residence.from_place"
TO_PLACE = "residence.to_place"


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """One person's change of place on a day: into a household of the community, or (None) out of all of them.

    `id` becomes the new stay's id. `is_mistake` takes the last leaving back as if it had not been: the stay goes on.
    `is_lenient`: a day that cannot be (in the future, before the stay began) is taken for the nearest that can; what
    a phone recorded is not refused for its clock.
    """

    resident_id: UUID
    on: date
    to_household: UUID | None = None
    reason_in: ReasonIn | None = None
    reason_out: ReasonOut | None = None
    relation: str | None = None
    is_mistake: bool = False
    is_lenient: bool = False
    keeps_registration: bool = False
    from_place: str | None = None
    from_community: str | None = None
    from_resident_id: UUID | None = None
    to_place: str | None = None
    to_community: str | None = None
    to_resident_id: UUID | None = None
    transfer_id: UUID | None = None
    transfer_status: str | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a set of changes touched: people, households (their members differ), and of each household that closed the
    one that most of its last people went to, if any."""

    residents: list[UUID]
    households: list[UUID]
    successors: dict[UUID, UUID]


# screening and care put here: (session, community, what moved, version) after people have changed places.
places_changed_hooks: list[Callable[[AsyncSession, str, Moved, int], Awaitable[None]]] = []

PROBLEMS: dict[str, Callable[[], Problem]] = {
    "resident_not_found": NotFound,
    "household_not_found": lambda: NotFound(
        "household_not_found", "没有找到这户，或已注销。", "There is no such household, or it is closed."
    ),
    "already_gone": lambda: Conflict("already_gone", "此人已登记为不在此居住。", "This person has left already."),
    "already_there": lambda: Conflict("already_there", "此人已住在这一户。", "This person lives in that household."),
    "not_gone": lambda: Conflict("not_gone", "此人仍登记为在此居住。", "This person has not left."),
    "date_in_future": lambda: Invalid("date_in_future", "日期不能晚于今天。", "The day has not come yet.", "on"),
    "date_before_start": lambda: Invalid(
        "date_before_start", "日期早于开始居住的日期。", "The day is before the stay began.", "on"
    ),
}
"""What may speak against a change, as the desk hears it."""


class _Places:
    """Who lives where, as it stands and as it will."""

    def __init__(self) -> None:
        self.people: dict[UUID, Resident] = {}
        self.homes: dict[UUID, Household] = {}
        self.doors: dict[UUID, Dwelling] = {}
        self.members: dict[UUID, dict[UUID, Resident]] = {}
        self.stays: dict[UUID, Residence] = {}
        self.registered: dict[UUID, Residence] = {}
        self.new_rows: list[Residence] = []
        self.touched: set[UUID] = set()
        self.moved: dict[UUID, UUID | None] = {}
        self.went: dict[UUID, list[UUID]] = {}
        self.left: dict[UUID, set[str]] = {}
        self.heads: dict[UUID, tuple[UUID, str]] = {}
        self.relations: list[tuple[UUID, str]] = []

    async def load(self, session: AsyncSession, community: str, changes: Sequence[PlaceChange]) -> None:
        """Read what the changes are about; rows already in the session are read anew, others may have written."""
        ids = {change.resident_id for change in changes}
        found = await _rows(session, Resident, community, col(Resident.id), ids)
        homes = {r.household_id for r in found} | {c.to_household for c in changes if c.to_household}
        self.homes = {h.id: h for h in await _rows(session, Household, community, col(Household.id), homes)}
        doors = {h.dwelling_id for h in self.homes.values()}
        self.doors = {d.id: d for d in await _rows(session, Dwelling, community, col(Dwelling.id), doors)}
        for other in await _rows(session, Household, community, col(Household.dwelling_id), doors):
            self.homes.setdefault(other.id, other)
        self.members = {home: {} for home in self.homes}
        for person in await _rows(session, Resident, community, col(Resident.household_id), homes):
            if not person.is_gone:
                self.members[person.household_id][person.id] = person
        self.people = {r.id: r for r in found}
        for row in await _rows(session, Residence, community, col(Residence.resident_id), ids):
            if row.kind != ResidenceKind.LIVES_HERE:
                if row.ended_on is None:
                    self.registered[row.resident_id] = row
            elif row.ended_on is None or self._is_later(row):
                self.stays[row.resident_id] = row

    def _is_later(self, row: Residence) -> bool:
        other = self.stays.get(row.resident_id)
        if other is None:
            return True
        return other.ended_on is not None and (row.ended_on, row.id) > (other.ended_on, other.id)

    def judge(self, change: PlaceChange) -> str | None:
        """The code of what speaks against a change, if anything does."""
        person = self.people.get(change.resident_id)
        if person is None:
            return "resident_not_found"
        home = self.homes.get(change.to_household) if change.to_household else None
        is_back = person.is_gone and change.to_household == person.household_id
        if change.to_household and (home is None or (home.is_closed and not is_back)):
            return "household_not_found"
        if change.is_mistake and not person.is_gone:
            return "not_gone"
        if person.is_gone and change.to_household is None:
            return "already_gone"
        if not person.is_gone and change.to_household == person.household_id:
            return "already_there"
        if change.is_mistake or change.is_lenient:
            return None
        if change.on > today():
            return "date_in_future"
        earliest = self._earliest(change.resident_id)
        return "date_before_start" if earliest and change.on < earliest else None

    def _earliest(self, resident_id: UUID) -> date | None:
        """The first day on which the person can change places: that of the last change."""
        stay = self.stays.get(resident_id)
        return (stay.ended_on or stay.started_on) if stay else None

    def make(self, community: str, change: PlaceChange, by: str) -> None:
        """Change the rows; `judge` has nothing against it."""
        person = self.people[change.resident_id]
        before = person.household_id
        on = change.on
        self.heads.setdefault(person.id, (before, self.homes[before].head_name))
        if change.is_lenient:
            on = max(min(on, today()), self._earliest(person.id) or date.min)
        self.touched |= {before} | ({change.to_household} if change.to_household else set())
        if change.is_mistake:
            self._take_back(person)
        else:
            if not person.is_gone:
                self._end(community, person, change, on, by)
            if change.to_household:
                self._begin(community, change.to_household, change, on, by)
        if not person.is_gone:
            self.members[before].pop(person.id, None)
            self.left.setdefault(before, set()).add(person.name)
        person.is_gone = change.to_household is None
        if change.to_household:
            person.household_id = change.to_household
            self.members[change.to_household][person.id] = person
            self.went.setdefault(before, []).append(change.to_household)
        if change.relation is not None:
            self._relate(person, change.relation)
            self.heads.pop(person.id)
        self.moved[person.id] = change.to_household

    def _end(self, community: str, person: Resident, change: PlaceChange, on: date, by: str) -> None:
        stay = self.stays.get(person.id)
        if stay is None or stay.ended_on is not None:
            stay = Residence(community_code=community, resident_id=person.id, household_id=person.household_id)
            self.new_rows.append(stay)
        stay.ended_on, stay.reason_out, stay.ended_by_name = on, change.reason_out, by
        stay.to_community, stay.to_resident_id = change.to_community, change.to_resident_id
        stay.transfer_id, stay.transfer_status = change.transfer_id, change.transfer_status
        stay.to_place_sealed = crypto.seal_text(change.to_place or None, TO_PLACE)
        self.stays[person.id] = stay
        if change.keeps_registration and person.id not in self.registered:
            kept = Residence(
                community_code=community, resident_id=person.id, household_id=person.household_id,
                kind=ResidenceKind.REGISTERED_HERE, started_by_name=by,
            )  # fmt: skip
            self.registered[person.id] = kept
            self.new_rows.append(kept)
        elif change.reason_out == ReasonOut.DIED and person.id in self.registered:
            registered = self.registered.pop(person.id)
            registered.ended_on, registered.ended_by_name = max(on, registered.started_on or on), by
            registered.reason_out = ReasonOut.DIED

    def _begin(self, community: str, home: UUID, change: PlaceChange, on: date, by: str) -> None:
        stay = Residence(
            community_code=community, id=change.id, resident_id=change.resident_id, household_id=home,
            started_on=on, reason_in=change.reason_in, from_community=change.from_community,
            from_resident_id=change.from_resident_id, started_by_name=by,
            from_place_sealed=crypto.seal_text(change.from_place or None, FROM_PLACE),
        )  # fmt: skip
        self.stays[change.resident_id] = stay
        self.new_rows.append(stay)

    def _take_back(self, person: Resident) -> None:
        """The last stay goes on as if nobody had ended it."""
        stay = self.stays.get(person.id)
        if stay is not None:
            stay.ended_on, stay.reason_out, stay.ended_by_name = None, None, ""
            stay.to_place_sealed, stay.to_community, stay.to_resident_id = None, None, None
            stay.transfer_id, stay.transfer_status = None, None

    def settle(self) -> dict[str, int]:
        """Households and doors as they stand with their new members; answers how the tallies move."""
        tallies = {"residents": 0, "households": 0, "vacant": 0}
        for home_id in sorted(self.touched):
            home, members = self.homes[home_id], self.members[home_id]
            tallies["residents"] += len(members) - home.resident_count
            is_closed = home.is_closed
            if members:
                is_closed = False
            elif home.resident_count > 0:
                is_closed = True
            tallies["households"] += int(home.is_closed) - int(is_closed)
            home.is_closed = is_closed
            home.resident_count = len(members)
            head = _new_head(home, list(members.values()), self.left.get(home_id, set()))
            if head is not None:
                home.head_name, home.head_initials = head.name, initials(head.name)
                self._relate(head, HEAD)
        self._relate_moved()
        for door_id in sorted({self.homes[home].dwelling_id for home in self.touched}):
            door = self.doors[door_id]
            is_vacant = all(h.is_closed for h in self.homes.values() if h.dwelling_id == door_id)
            tallies["vacant"] += int(is_vacant) - int(door.is_vacant)
            door.is_vacant = is_vacant
        return tallies

    def _relate(self, person: Resident, relation: str) -> None:
        if relation != person.relation:
            person.relation = relation
            self.relations.append((person.id, "relation"))

    def _relate_moved(self) -> None:
        """What somebody was to the head they have left says nothing of the head they live with now."""
        for person_id, (before, head) in self.heads.items():
            person = self.people[person_id]
            home = self.homes[person.household_id]
            if person.is_gone or person.household_id == before or home.head_name == head != person.name:
                continue
            self._relate(person, HEAD if person.name == home.head_name else "")

    def moved_to(self) -> Moved:
        """What has changed, for the rooms above."""
        closed = {home for home in self.touched if self.homes[home].is_closed}
        successors = {home: max(went, key=went.count) for home, went in self.went.items() if home in closed}
        return Moved(sorted(self.moved), sorted(self.touched), successors)


def _new_head(home: Household, members: list[Resident], left: set[str]) -> Resident | None:
    """Who is the head now that the one before has left: by relation, else the oldest. A household whose last member has
    left keeps its name, and so does one called after somebody who was never a member."""
    if not members or any(m.name == home.head_name for m in members):
        return None
    if home.head_name and home.head_name not in left:
        return None
    return min(members, key=lambda m: (m.relation not in (HEAD, "本人"), m.birth_on or date.max, m.id))


async def change_places(
    session: AsyncSession, doer: audit.Doer, community_code: str, changes: Sequence[PlaceChange]
) -> dict[UUID, str | None]:
    """Make changes of place in their order; answers for each change's id None, or the code of what speaks against it
    (keys of `PROBLEMS`). Those that nothing speaks against are made whatever becomes of the others.

    The caller has checked the scope and writes the trail.
    """
    await areas.lock_clock(session, community_code)
    places = _Places()
    await places.load(session, community_code, changes)
    answers: dict[UUID, str | None] = {}
    for change in changes:
        answers[change.id] = code = places.judge(change)
        if code is None:
            places.make(community_code, change, doer.name)
    if places.moved:
        await _write(session, doer, community_code, places)
    return answers


async def _write(session: AsyncSession, doer: audit.Doer, community: str, places: _Places) -> None:
    vacant_before = {door.id: door.is_vacant for door in places.doors.values()}
    version = await areas.advance_clock(session, community, **places.settle())
    at = now()
    doors = {places.homes[home].dwelling_id for home in places.touched}
    rows: list[Any] = [places.people[one] for one in places.moved] + [places.homes[home] for home in places.touched]
    rows += [places.doors[door] for door in doors if places.doors[door].is_vacant != vacant_before[door]]
    for row in rows:
        row.version, row.updated_at = version, at
    for row in [*places.stays.values(), *places.registered.values(), *places.new_rows]:
        if row in places.new_rows or row in session.dirty:
            row.version, row.recorded_at = version, at
    # what ends is written before what begins: nobody has two stays at once, not even for a moment
    await session.flush()
    session.add_all(places.new_rows)
    await session.flush()
    await people.note_changes(session, doer, community, version, places.relations)
    touched = [places.doors[door].responsibility_area_id for door in doors]
    await people.touch_areas(session, community, touched, version)
    moved = places.moved_to()
    for hook in places_changed_hooks:
        await hook(session, community, moved, version)


def demand_all(answers: dict[UUID, str | None]) -> None:
    """Raise the problem of the first change that was not made: at the desk all are made, or none."""
    for code in answers.values():
        if code is not None:
            raise PROBLEMS[code]()


async def find_person(session: AsyncSession, actor: Actor, resident_id: UUID) -> Resident:
    """A person of the registry, gone or not, where the actor has a desk; raises NotFound and Forbidden otherwise."""
    statement = select(Resident).where(col(Resident.id) == resident_id, in_scope(col(Resident.community_code), actor))
    found = (await session.scalars(statement)).first()
    if found is None:
        raise NotFound
    actor.demand(found.community_code, DESK)
    return found


async def find_home(session: AsyncSession, actor: Actor, household_id: UUID) -> tuple[Household, Dwelling]:
    """A household, closed or not, where the actor has a desk, with its door; raises NotFound and Forbidden."""
    same = (col(Dwelling.community_code) == col(Household.community_code)) & (
        col(Dwelling.id) == col(Household.dwelling_id)
    )
    statement = (
        select(Household, Dwelling)
        .join(Dwelling, same)
        .where(col(Household.id) == household_id, in_scope(col(Household.community_code), actor))
    )
    row = (await session.execute(statement)).first()
    if row is None:
        raise NotFound
    actor.demand(row[0].community_code, DESK)
    return row[0], row[1]


async def find_by_number(session: AsyncSession, community_code: str, number: str | None) -> Resident | None:
    """The person of a community with this ID number, who lives here before who has left."""
    if not number:
        return None
    statement = (
        select(Resident)
        .where(
            col(Resident.community_code) == community_code,
            col(Resident.id_index).in_(crypto.blind_indexes(number, people.RESIDENT_ID)),
        )
        .order_by(col(Resident.is_gone), col(Resident.updated_at).desc())
        .limit(1)
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).first()


_BEGIN = text("""
    INSERT INTO residence (community_code, id, resident_id, household_id, kind, started_on, reason_in,
        from_place_sealed, from_community, from_resident_id, started_by_name, version)
    SELECT r.community_code, s.id, r.id, r.household_id, 'lives_here', s.on, s.reason, decode(s.place, 'base64'),
        s.from_community, s.from_resident_id, :by, r.version
    FROM jsonb_to_recordset(cast(:stays AS jsonb)) AS s("on" date, id uuid, resident_id uuid, reason text, place text,
        from_community char(12), from_resident_id uuid)
    JOIN resident r ON r.community_code = :c AND r.id = s.resident_id
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Since when a person who has just been entered lives where they were entered, and how they came."""

    resident_id: UUID
    on: date
    reason: ReasonIn
    place: str | None = None
    from_community: str | None = None
    from_resident_id: UUID | None = None


async def begin_stays(
    session: AsyncSession, doer: audit.Doer, community_code: str, arrivals: Sequence[Arrival]
) -> None:
    """Write the first stays of people who have just been put into the registry, whose clock the caller holds."""
    stays = [
        {
            "id": new_id(), "resident_id": a.resident_id, "on": a.on, "reason": a.reason,
            "place": crypto.seal_base64(a.place or None, FROM_PLACE), "from_community": a.from_community,
            "from_resident_id": a.from_resident_id,
        }
        for a in arrivals
    ]  # fmt: skip
    params = {"c": community_code, "by": doer.name, "stays": orjson.dumps(stays).decode()}
    await session.execute(_BEGIN, params)


async def _rows(session: AsyncSession, table: type[Any], community: str, column: Any, ids: Iterable[Any]) -> list[Any]:
    """A community's rows of a table, those whose column is among `ids`, as the database has them now."""
    wanted = list(set(ids))
    if not wanted:
        return []
    statement = select(table).where(col(table.community_code) == community, column.in_(wanted)).order_by(table.id)
    return list((await session.scalars(statement.execution_options(populate_existing=True))).all())
