"""Edits of the registry and notices left at doors: judged, merged and answered in one transaction a community.

They are rare beside knocks and care, and their merging reads what stands field by field, so they take this way
instead of `take_commands`; what holds there holds here: the community's clock first, each id answered once, the trail,
the day's count.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.audit.service import Doer
from app.core.clock import SHANGHAI, today
from app.core.db import NOWHERE, Database, Scope
from app.flagged_edits import service as flagged_edits
from app.flagged_edits.service import NewFlag
from app.not_home import confirming
from app.not_home import service as not_home
from app.not_home.confirming import Confirmation
from app.not_home.schemas import ConfirmSelfReportPayload, LeaveDoorNoticePayload
from app.not_home.service import LeftNotice
from app.people import edits as people
from app.people.edits import Edit, Newcomer
from app.people.schemas import AddResidentPayload, UpdateHouseholdPayload, UpdateResidentPayload
from app.residence import entry, moving
from app.residence.entry import FoundHousehold
from app.residence.models import ReasonOut
from app.residence.moving import GoneMark
from app.residence.schemas import AddHouseholdPayload, MarkResidentGonePayload
from app.sync.registry import Command
from app.taken_out import service as taken_out

_KNOWN = text(
    "SELECT id, status, code, detail FROM sync_command WHERE community_code IN (:c, :nowhere) AND id = ANY(:ids)"
)
# Made by somebody who held the door's area then, or why somebody should look; as for knocks.
_FLAGS = text("""
    SELECT e.id, CASE
        WHEN e.is_off OR e.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
        WHEN NOT :is_desk AND a.holder_id IS DISTINCT FROM :actor THEN nullif(
            assignment_flag(:c, :actor, a.id, a.holder_id, e.recorded_at), '')
    END AS flag
    FROM jsonb_to_recordset(cast(:edits AS jsonb))
        AS e(id uuid, household_id uuid, resident_id uuid, dwelling_id uuid, area_id uuid, recorded_at timestamptz,
            is_off boolean)
    LEFT JOIN resident r ON r.community_code = :c AND r.id = e.resident_id
    LEFT JOIN household h ON h.community_code = :c AND h.id = coalesce(r.household_id, e.household_id)
    LEFT JOIN dwelling d ON d.community_code = :c AND d.id = coalesce(h.dwelling_id, e.dwelling_id)
    LEFT JOIN responsibility_area a ON a.community_code = :c
        AND a.id = CASE WHEN d.id IS NULL THEN e.area_id ELSE d.responsibility_area_id END
    WHERE d.id IS NOT NULL OR a.id IS NOT NULL
""")
_FILE = text("""
    INSERT INTO sync_command (
        community_code, id, name, account_id, device_id, status, code, recorded_at, clock_error_s, received_at)
    SELECT :c, id, name, :actor, :device, status, code, recorded_at, clock_error_s, now()
    FROM jsonb_to_recordset(cast(:answers AS jsonb))
        AS a(id uuid, name text, status text, code text, recorded_at timestamptz, clock_error_s int)
""")
_COUNT = text("""
    INSERT INTO confirmed_day AS d (community_code, account_id, day, confirmed_count)
    VALUES (:c, :actor, :day, :count)
    ON CONFLICT (community_code, account_id, day)
        DO UPDATE SET confirmed_count = d.confirmed_count + excluded.confirmed_count
    RETURNING confirmed_count
""")

_REJECTING = frozenset({"household_not_found", "resident_not_found", "round_not_found", "id_taken", "self_report_gone"})


@dataclass(frozen=True, slots=True)
class EditAnswer:
    """What an edit came to: the first time, or again."""

    id: UUID
    status: str
    code: str | None
    detail: str | None
    is_repeat: bool


async def take_edits(
    database: Database,
    doer: Doer,
    community: str,
    is_desk: bool,
    commands: Sequence[tuple[str, Command]],
    request_id: str,
) -> tuple[list[EditAnswer], int]:
    """Take a phone's edits (name and command, oldest first) in one community; answers each, and how many records of
    the account the community has confirmed today."""
    async with database.session(Scope((NOWHERE, community))) as session:
        session.info["request_id"] = request_id
        await areas.lock_clock(session, community)
        ids = [command.id for _, command in commands]
        rows = await session.execute(_KNOWN, {"c": community, "nowhere": NOWHERE, "ids": ids})
        answers = [EditAnswer(row.id, row.status, row.code, row.detail, True) for row in rows]
        known = {answer.id for answer in answers}
        fresh = [(name, command) for name, command in commands if command.id not in known]
        if not fresh:
            return answers, await _confirm(session, community, doer, 0)
        back = await _bring_back(session, doer, community, [command for _, command in fresh])
        flags = await _flags(session, community, doer, is_desk, [command for _, command in fresh])
        verdicts = await _merge(session, community, doer, is_desk, fresh)
        filed = []
        to_check = []
        for name, command in fresh:
            undone = "household_undone" if command.payload.household_id in back else None
            code = verdicts[command.id] or flags.get(command.id) or undone
            status = "rejected" if code in _REJECTING else "flagged" if code else "accepted"
            answers.append(EditAnswer(command.id, status, code, None, False))
            if status == "flagged" and not _is_listed_elsewhere(name, verdicts[command.id]):
                to_check.append(_to_check(name, command, str(code)))
            filed.append(
                {
                    "id": command.id, "name": name, "status": status, "code": code,
                    "recorded_at": command.recorded_at, "clock_error_s": command.clock_error_s,
                }
            )  # fmt: skip
        await flagged_edits.file_edits(session, doer, community, to_check)
        await session.execute(
            _FILE,
            {"c": community, "actor": doer.id, "device": doer.device_id, "answers": orjson.dumps(filed).decode()},
        )
        for kind in sorted({name for name, _ in fresh}):
            own = [command for name, command in fresh if name == kind]
            subjects = {str(s) for c in own for s in (c.id, _subject_of(c.payload))}
            payload = [command.payload.model_dump(exclude_unset=True) | {"id": command.id} for command in own]
            await audit.append_entry(session, doer, community, kind, sorted(subjects), payload)
        taken = sum(one["status"] != "rejected" for one in filed)
        return answers, await _confirm(session, community, doer, taken)


async def _bring_back(session: AsyncSession, doer: Doer, community: str, commands: Sequence[Command]) -> set[UUID]:
    """Have households there again that an undone import has taken out and these edits speak of; that somebody does not
    live there does not bring them back."""
    named: dict[UUID, set[UUID]] = defaultdict(set)
    for command in commands:
        if not isinstance(command.payload, MarkResidentGonePayload | AddHouseholdPayload):
            person = getattr(command.payload, "resident_id", None)
            named[command.payload.household_id] |= {person} if person else set()
    return await taken_out.bring_back(session, doer, community, named) if named else set()


def _is_listed_elsewhere(name: str, verdict: str | None) -> bool:
    """Whether the desk finds it in another list: a conflict, or the visit that a confirmed self-report became."""
    return verdict == "edit_conflict" or (name == "screening.confirm_self_report" and verdict is not None)


def _to_check(name: str, command: Command, code: str) -> NewFlag:
    payload = command.payload
    person = getattr(payload, "resident_id", None)
    if isinstance(payload, AddResidentPayload):
        person = person or command.id
    changes = getattr(payload, "changes", None)
    fields = sorted(changes.model_fields_set) if changes else []
    return NewFlag(
        command.id, payload.household_id, person, name, fields, code, command.recorded_at, command.clock_error_s
    )


def _subject_of(payload: Any) -> UUID:
    """Whom an edit is about: the person it changes, else the household."""
    subject: UUID = getattr(payload, "resident_id", None) or payload.household_id
    return subject


async def _flags(
    session: AsyncSession, community: str, doer: Doer, is_desk: bool, commands: Sequence[Command]
) -> dict[UUID, str | None]:
    given = [
        {
            "id": command.id,
            "household_id": command.payload.household_id,
            "resident_id": getattr(command.payload, "resident_id", None),
            "dwelling_id": getattr(command.payload, "dwelling_id", None),
            "area_id": getattr(command.payload, "responsibility_area_id", None),
            "recorded_at": command.recorded_at,
            "is_off": command.is_off,
        }
        for command in commands
    ]
    params = {"c": community, "actor": doer.id, "is_desk": is_desk, "edits": orjson.dumps(given).decode()}
    return {row.id: row.flag for row in await session.execute(_FLAGS, params)}


async def _merge(
    session: AsyncSession, community: str, doer: Doer, is_desk: bool, commands: Sequence[tuple[str, Command]]
) -> dict[UUID, str | None]:
    """Households and newcomers first: what is changed about them in the same batch comes after; who goes, last."""
    own = defaultdict(list)
    for _, command in commands:
        own[type(command.payload)].append(command)
    verdicts: dict[UUID, str | None] = {}
    if found := [_found(command) for command in own[AddHouseholdPayload]]:
        allowed = await _areas_held(session, community, doer, is_desk, found)
        verdicts |= await entry.add_households(
            session, doer, community, [one if one.area_id in allowed else replace(one, area_id=None) for one in found]
        )
    reopened: set[UUID] = set()
    if own[AddResidentPayload]:
        reopened = await entry.reopen_households(
            session, doer, community, {command.payload.household_id for command in own[AddResidentPayload]}
        )
    if newcomers := [
        Newcomer(command.id, **command.payload.model_dump() | {"phone": command.payload.phone or None})
        for command in own[AddResidentPayload]
    ]:
        added = await people.add_newcomers(session, doer, community, newcomers)
        late = {one.id for one in newcomers if one.household_id in reopened}
        verdicts |= {one: code or ("household_closed" if one in late else None) for one, code in added.items()}
    if confirmed := [
        Confirmation(
            command.id,
            command.payload.household_id,
            command.payload.self_report_id,
            command.recorded_at,
            command.epoch,
            command.payload,
        )
        for command in own[ConfirmSelfReportPayload]
    ]:
        verdicts |= await confirming.confirm_self_reports(session, doer, is_desk, community, confirmed)
    if left := [
        LeftNotice(command.id, command.payload.household_id, command.payload.round_id, command.recorded_at)
        for command in own[LeaveDoorNoticePayload]
    ]:
        verdicts |= await not_home.leave_door_notices(session, doer, community, left)
    if edits := [
        _edit(command)
        for _, command in commands
        if isinstance(command.payload, UpdateHouseholdPayload | UpdateResidentPayload)
    ]:
        verdicts |= await people.take_edits(session, doer, community, edits, is_late=True)
    if marks := [_mark(command) for command in own[MarkResidentGonePayload]]:
        marked = await moving.mark_residents_gone(session, doer, community, marks)
        # who is not there because an import was undone does not live there, as the phone says
        lost = {one.resident_id for one in marks if marked[one.id] == "resident_not_found"}
        undone = await taken_out.find_people(session, community, lost)
        verdicts |= marked | {one.id: None for one in marks if one.resident_id in undone}
    return verdicts


def _found(command: Command) -> FoundHousehold:
    payload: AddHouseholdPayload = command.payload
    return FoundHousehold(
        command.id, payload.household_id, payload.dwelling_id, payload.door, payload.responsibility_area_id,
        payload.phone or None, [str(tag) for tag in payload.tags], payload.note, payload.residents,
    )  # fmt: skip


def _mark(command: Command) -> GoneMark:
    payload: MarkResidentGonePayload = command.payload
    on = payload.on or command.recorded_at.astimezone(SHANGHAI).date()
    return GoneMark(command.id, payload.household_id, payload.resident_id, ReasonOut(payload.reason), on, payload.place)


_HELD = text("""
    SELECT id FROM responsibility_area
    WHERE community_code = :c AND id = ANY(:ids) AND NOT is_removed AND (:is_desk OR holder_id = :actor)
""")


async def _areas_held(
    session: AsyncSession, community: str, doer: Doer, is_desk: bool, found: Sequence[FoundHousehold]
) -> set[UUID]:
    """Of the areas that found new doors, those that may take them: the phone's own, and for a desk any."""
    ids = [one.area_id for one in found if one.area_id]
    params = {"c": community, "ids": ids, "is_desk": is_desk, "actor": doer.id}
    return set(await session.scalars(_HELD, params)) if ids else set()


def _edit(command: Command) -> Edit:
    payload = command.payload
    is_household = isinstance(payload, UpdateHouseholdPayload)
    recorded_at: datetime = command.recorded_at
    return Edit(
        command.id,
        "household" if is_household else "resident",
        payload.household_id if is_household else payload.resident_id,
        people.tidy_changes(payload.changes.model_dump(exclude_unset=True)),
        payload.base_version,
        recorded_at,
    )


async def _confirm(session: AsyncSession, community: str, doer: Doer, count: int) -> int:
    """Add to the account's confirmed records of today in the community; answers how many there are."""
    if count == 0:
        statement = text(
            "SELECT confirmed_count FROM confirmed_day WHERE community_code = :c AND account_id = :actor AND day = :day"
        )
        return int((await session.execute(statement, {"c": community, "actor": doer.id, "day": today()})).scalar() or 0)
    params = {"c": community, "actor": doer.id, "day": today(), "count": count}
    return int((await session.execute(_COUNT, params)).scalar_one())
