"""Reading what was: who lived in a household when, what happened there, where a person has lived, who is registered
elsewhere. Rooms above add what they know of a household's past."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import SHANGHAI, day_start
from app.core.paging import cursor_day, cursor_instant, cursor_uuid, decode_cursor, encode_cursor
from app.people import service as people
from app.people.registry import Departed
from app.residence.models import ResidenceKind
from app.residence.schemas import EventPerson, ResidenceRead, TimelineEvent
from app.residence.service import FROM_PLACE, TO_PLACE, find_home, find_person

# Members without a row have lived here since before anybody wrote it down; their stay has no id.
_STAYS = """
    SELECT * FROM (
        SELECT coalesce(s.id, r.id) AS key, s.id, s.community_code, s.household_id, s.resident_id, r.name, r.relation,
            s.kind, s.started_on, s.ended_on, s.reason_in, s.reason_out, s.from_community, s.from_place_sealed,
            s.to_community, s.to_resident_id, s.to_place_sealed, s.from_resident_id, s.transfer_status, s.ended_by_name,
            s.started_by_name, s.ended_on IS NOT NULL AS is_over,
            coalesce(s.ended_on, '9999-12-31'::date) AS until
        FROM residence s JOIN resident r ON r.community_code = s.community_code AND r.id = s.resident_id
        WHERE s.community_code = :c AND {of_row}
        UNION ALL
        SELECT r.id, NULL, r.community_code, r.household_id, r.id, r.name, r.relation, 'lives_here', NULL,
            NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', false, '9999-12-31'::date
        FROM resident r
        WHERE r.community_code = :c AND {of_person} AND NOT r.is_gone AND NOT EXISTS (
            SELECT FROM residence s WHERE s.community_code = r.community_code AND s.resident_id = r.id
                AND s.kind = 'lives_here' AND s.ended_on IS NULL)
    ) stays
    WHERE (until, key) < (:until, :key) ORDER BY until DESC, key DESC LIMIT :limit
"""
_OF_HOUSEHOLD = text(_STAYS.format(of_row="s.household_id = :id", of_person="r.household_id = :id"))
_OF_PERSON = text(_STAYS.format(of_row="s.resident_id = :id", of_person="r.id = :id"))
_LAST = (date.max, UUID(int=2**128 - 1))


_DEPARTED = text("""
    SELECT r.id, r.household_id, r.name, r.birth_on, r.id_index, r.is_gone, r.updated_at, d.compound, d.building,
        d.stair, d.room, d.address, left_doors.doors, CASE WHEN r.is_gone THEN h.dwelling_id END AS last_door,
        coalesce(stay.ended_on, stay.started_on) AS left_on, stay.reason_out,
        CASE WHEN stay.ended_on IS NULL THEN stay.started_by_name ELSE stay.ended_by_name END AS by_name
    FROM resident r
    JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    LEFT JOIN LATERAL (
        SELECT s.started_on, s.ended_on, s.reason_out, s.started_by_name, s.ended_by_name FROM residence s
        WHERE s.community_code = r.community_code AND s.resident_id = r.id AND s.kind = 'lives_here'
        ORDER BY s.ended_on DESC NULLS FIRST, s.id DESC LIMIT 1
    ) stay ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(g.dwelling_id) AS doors FROM residence s
        JOIN household g ON g.community_code = s.community_code AND g.id = s.household_id
        WHERE s.community_code = r.community_code AND s.resident_id = r.id AND s.kind = 'lives_here'
            AND s.ended_on IS NOT NULL
    ) left_doors ON true
    WHERE r.community_code = :c AND r.merged_into_id IS NULL
        AND (r.is_gone OR EXISTS (
            SELECT FROM residence s WHERE s.community_code = r.community_code AND s.resident_id = r.id
                AND s.kind = 'lives_here' AND s.ended_on IS NOT NULL))
        AND (r.id_index = ANY(:indexes) OR r.name = ANY(:names))
    ORDER BY r.id
""")


async def find_departed(
    session: AsyncSession, community_code: str, indexes: Sequence[bytes], names: Sequence[str]
) -> list[Departed]:
    """Who in a community lives no more where they lived, of those with one of the ID indexes or names."""
    params = {"c": community_code, "indexes": list(indexes), "names": list(names)}
    return [
        Departed(
            id=row.id, household_id=row.household_id, name=row.name, birth_on=row.birth_on,
            id_index=bytes(row.id_index) if row.id_index else None, is_gone=row.is_gone,
            doors=frozenset([*(row.doors or ()), *([row.last_door] if row.last_door else ())]),
            address=people.address_of(row), left_on=row.left_on, left_at=row.updated_at, reason=row.reason_out,
            by=row.by_name or "",
        )
        for row in (await session.execute(_DEPARTED, params)).all()
    ]  # fmt: skip


async def list_household_residences(
    session: AsyncSession, actor: Actor, household_id: UUID, limit: int, cursor: str | None
) -> tuple[list[ResidenceRead], str | None]:
    """Who lives or is registered in a household, and who did, the present ones first."""
    home, _ = await find_home(session, actor, household_id)
    until, key = _after(cursor)
    params = {"c": home.community_code, "id": household_id, "until": until, "key": key, "limit": limit + 1}
    rows = (await session.execute(_OF_HOUSEHOLD, params)).mappings().all()
    items = await _read(session, home.community_code, rows[:limit])
    return items, _more(rows, limit)


async def list_resident_residences(
    session: AsyncSession, actor: Actor, resident_id: UUID, limit: int, cursor: str | None
) -> tuple[list[ResidenceRead], str | None]:
    """Where a person has lived and is registered, in this community and, as far as one's scope reaches, in those they
    came from and went to."""
    person = await find_person(session, actor, resident_id)
    found: list[Any] = []
    waiting = [(person.community_code, person.id)]
    seen: set[tuple[str, UUID]] = set()
    until, key = _after(cursor)
    # a person's places are few; a chain of communities is followed as far as it is in scope
    while waiting and len(seen) < _CHAIN:
        code, one = waiting.pop()
        if (code, one) in seen or not actor.may(code, DESK):
            continue
        seen.add((code, one))
        params = {"c": code, "id": one, "until": _LAST[0], "key": _LAST[1], "limit": _PLACES}
        rows = (await session.execute(_OF_PERSON, params)).mappings().all()
        found += rows
        waiting += [(row[f"{way}_community"], row[f"{way}_resident_id"]) for row in rows for way in ("from", "to")
                    if row[f"{way}_community"] and row[f"{way}_resident_id"]]  # fmt: skip
    rest = sorted((row for row in found if (row["until"], row["key"]) < (until, key)),
                  key=lambda row: (row["until"], row["key"]), reverse=True)  # fmt: skip
    items = []
    for row in rest[:limit]:
        items += await _read(session, row["community_code"], [row])
    return items, _more(rest, limit)


_CHAIN = 20
"""How many communities of one person's are looked into."""
_PLACES = 200


def _after(cursor: str | None) -> tuple[date, UUID]:
    if not cursor:
        return _LAST
    day, key = decode_cursor(cursor, str, str)
    return cursor_day(day), cursor_uuid(key)


def _more(rows: Sequence[Any], limit: int) -> str | None:
    return (
        encode_cursor(rows[limit - 1]["until"].isoformat(), str(rows[limit - 1]["key"])) if len(rows) > limit else None
    )


async def _read(session: AsyncSession, community: str, rows: Sequence[Any]) -> list[ResidenceRead]:
    codes = {community} | {row[key] for row in rows for key in ("from_community", "to_community") if row[key]}
    names = await areas.name_divisions(session, sorted(codes))
    homes = await people.name_households(session, community, sorted({row["household_id"] for row in rows}))
    return [
        ResidenceRead(
            **{key: row[key] for key in _PLAIN},
            community_name=names.get(community, ""),
            address=homes[row["household_id"]].address,
            from_community_name=names.get(row["from_community"] or "", None),
            from_place=crypto.open_text(row["from_place_sealed"], FROM_PLACE),
            to_community_name=names.get(row["to_community"] or "", None),
            to_place=crypto.open_text(row["to_place_sealed"], TO_PLACE),
            by_name=row["ended_by_name"] or row["started_by_name"] or None,
        )
        for row in rows
    ]


_PLAIN = (
    "id", "community_code", "household_id", "resident_id", "name", "relation", "kind", "started_on", "ended_on",
    "reason_in", "reason_out", "from_community", "to_community", "transfer_status",
)  # fmt: skip


# The timeline.


@dataclass(frozen=True, slots=True)
class Event:
    """Something of a household's past, as rooms give it: newest first by (`at`, `key`)."""

    id: UUID
    event: str
    on: date
    at: datetime
    by_name: str
    persons: list[EventPerson]
    outcome: str | None = None
    place: str | None = None
    community: str | None = None

    @property
    def key(self) -> str:
        """What tells events of one instant apart."""
        return f"{self.id}{self.event}"


# (session, community, household, up to and including this instant, how many) → events, newest first
EventSource = Callable[[AsyncSession, str, UUID, datetime, int], Awaitable[list[Event]]]
# screening and care put here what they know of a household.
event_sources: list[EventSource] = []

_SPLIT_NAMES = {("in", "split"): "split_in", ("in", "merged"): "merged_in",
                ("out", "split"): "split_out", ("out", "merged"): "merged_out"}  # fmt: skip

_EVENTS = text("""
    SELECT * FROM (
        SELECT s.id, s.resident_id, r.name, 'in' AS way, s.reason_in AS reason, s.kind, s.started_on AS happened_on,
            s.recorded_at, s.started_by_name AS by_name, s.from_place_sealed AS place, s.from_community AS community
        FROM residence s JOIN resident r ON r.community_code = s.community_code AND r.id = s.resident_id
        WHERE s.community_code = :c AND s.household_id = :h AND s.started_on IS NOT NULL
        UNION ALL
        SELECT s.id, s.resident_id, r.name, 'out', s.reason_out, s.kind, s.ended_on, s.recorded_at, s.ended_by_name,
            s.to_place_sealed, s.to_community
        FROM residence s JOIN resident r ON r.community_code = s.community_code AND r.id = s.resident_id
        WHERE s.community_code = :c AND s.household_id = :h AND s.ended_on IS NOT NULL
        UNION ALL
        SELECT t.id, NULL, '', 'tenure', t.kind, NULL,
            coalesce(t.started_on, (t.recorded_at + interval '8 hours')::date), t.recorded_at, t.recorded_by_name,
            NULL, NULL
        FROM tenure t WHERE t.community_code = :c AND t.household_id = :h
    ) events
    WHERE happened_on <= :day ORDER BY happened_on DESC, id DESC, way DESC LIMIT :limit
""")


async def _own_events(
    session: AsyncSession, community: str, household_id: UUID, until: datetime, limit: int
) -> list[Event]:
    """People who came and went, and tenures; a day's event stands at the day's beginning."""
    day = until.astimezone(SHANGHAI).date()
    params = {"c": community, "h": household_id, "day": day, "limit": limit}
    events = []
    for row in (await session.execute(_EVENTS, params)).mappings():
        persons = []
        if row["resident_id"]:
            persons = [EventPerson(resident_id=row["resident_id"], name=row["name"], status=None)]
        context = FROM_PLACE if row["way"] == "in" else TO_PLACE
        events.append(
            Event(
                id=row["id"],
                event=_event_of(row),
                on=row["happened_on"],
                at=day_start(row["happened_on"]),
                by_name=row["by_name"],
                persons=persons,
                outcome=row["reason"] if row["way"] == "tenure" else None,
                place=crypto.open_text(row["place"], context),
                community=row["community"],
            )
        )
    return events


def _event_of(row: Any) -> str:
    if row["way"] == "tenure":
        return "tenure"
    if row["kind"] != ResidenceKind.LIVES_HERE:
        return "registered" if row["way"] == "in" else "deregistered"
    named = _SPLIT_NAMES.get((row["way"], row["reason"]))
    return named or row["reason"] or ("moved_in" if row["way"] == "in" else "moved")


async def get_timeline(
    session: AsyncSession, actor: Actor, household_id: UUID, limit: int, cursor: str | None
) -> tuple[list[TimelineEvent], str | None]:
    """What happened to a household, closed or not, newest first: people, visits, tenures."""
    home, _ = await find_home(session, actor, household_id)
    until, key = datetime.max.replace(tzinfo=UTC) - timedelta(days=2), ""
    if cursor:
        stamp, key = decode_cursor(cursor, str, str)
        until = cursor_instant(stamp)
    found: list[Event] = []
    for source in (_own_events, *event_sources):
        # of one instant some may have been on the page before
        found += await source(session, home.community_code, household_id, until, limit + 1 + _SAME_INSTANT)
    found.sort(key=lambda event: (event.at, event.key), reverse=True)
    rest = [event for event in found if not key or (event.at, event.key) < (until, key)]
    page = rest[:limit]
    codes = sorted({event.community for event in page if event.community})
    names = await areas.name_divisions(session, codes) if codes else {}
    items = [
        TimelineEvent(
            id=event.id, event=event.event, on=event.on, at=event.at, by_name=event.by_name, persons=event.persons,
            outcome=event.outcome, place=event.place, community_name=names.get(event.community or ""),
        )
        for event in page
    ]  # fmt: skip
    more = encode_cursor(page[-1].at.isoformat(), page[-1].key) if len(rest) > limit else None
    return items, more


_SAME_INSTANT = 200
"""So many things may have happened to a household in one instant or on one day."""


_SEPARATED = text("""
    SELECT s.id AS key, s.id, s.community_code, s.household_id, s.resident_id, r.name, r.relation, s.kind,
        s.started_on, s.ended_on, s.reason_in, s.reason_out, s.from_community, s.from_place_sealed, s.to_community,
        s.to_place_sealed, s.transfer_status, s.ended_by_name, s.started_by_name, s.started_on AS until
    FROM residence s JOIN resident r ON r.community_code = s.community_code AND r.id = s.resident_id
    WHERE s.community_code = :c AND s.ended_on IS NULL AND s.id > :key
        AND s.kind <> 'lives_here'
        AND (s.kind = 'registered_elsewhere' OR r.is_gone OR r.household_id <> s.household_id)
        AND (cast(:kind AS text) IS NULL OR s.kind = :kind)
    ORDER BY s.id LIMIT :limit
""")


async def list_separated(
    session: AsyncSession, actor: Actor, community_code: str, kind: ResidenceKind | None, limit: int, cursor: str | None
) -> tuple[list[ResidenceRead], str | None]:
    """人户分离: who is registered in a community and lives elsewhere, or lives here and is registered elsewhere."""
    actor.demand(community_code, DESK)
    (after,) = decode_cursor(cursor, str) if cursor else (str(UUID(int=0)),)
    params = {"c": community_code, "key": cursor_uuid(after), "kind": kind.value if kind else None, "limit": limit + 1}
    rows = (await session.execute(_SEPARATED, params)).mappings().all()
    items = await _read(session, community_code, rows[:limit])
    return items, encode_cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
