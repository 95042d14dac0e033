"""Quick entry: rows of a walk sheet as the commands that the walker's phone would have sent.

They are taken by the same push, under the walker's name and the area's epoch of the day it was printed, so that they
count, are flagged and are answered once as any record is. Who typed them stands beside the visit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from app.audit import service as audit
from app.auth import service as auth
from app.auth.service import Actor
from app.core.clock import day_of, now
from app.core.db import Database
from app.questions.forms import Form
from app.screening.service import ASKED
from app.sync import push
from app.sync.schemas import CommandIn, PushIn
from app.walk_sheets.models import WalkSheet
from app.walk_sheets.schemas import WalkEntriesOut, WalkEntry, WalkEntryResult
from app.walk_sheets.service import find_form, find_walk_sheet

COMMAND = "screening.record_door_visit"
# the same minutes as `clock_skew` leaves a phone's clock
AHEAD = timedelta(minutes=15)

_MARK = text("""
    INSERT INTO paper_entry (
        community_code, visit_id, household_id, walk_sheet_id, entered_by, entered_by_name, entered_at)
    SELECT :c, id, household_id, :sheet, :by, :name, now()
    FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r(id uuid, household_id uuid)
    ON CONFLICT (community_code, visit_id) DO NOTHING
""")
_ASKED = text("""
    SELECT household_id, asked_at FROM household_screening
    WHERE community_code = :c AND round_id = :round AND household_id = ANY(:ids) AND outcome = 'answered_all'
        AND asked_at IS NOT NULL
""")
_KNOWN = text("SELECT id FROM sync_command WHERE community_code = :c AND id = ANY(:ids)")


async def enter_walk_sheet(
    database: Database, actor: Actor, sheet_id: UUID, entries: Sequence[WalkEntry], request_id: str
) -> WalkEntriesOut:
    """Enter rows of a sheet; answers each. For its walker, and for a desk over the community.

    What would ask all of a household a second time on its day without a reason (`asked_again`), lies ahead
    (`date_in_future`) or does not stand on the sheet (`not_on_sheet`) is not taken. Raises NotFound for the sheet,
    Invalid (`account_not_here`) when its walker has no grant any more.
    """
    async with database.session(actor.scope) as session:
        sheet = await find_walk_sheet(session, actor, sheet_id)
        params = {"c": sheet.community_code, "round": sheet.round_id}
        homes = [one.household_id for one in entries]
        asked = {row.household_id: row.asked_at for row in await session.execute(_ASKED, params | {"ids": homes})}
        ids = [one.id for one in entries]
        known = {row.id for row in await session.execute(_KNOWN, params | {"ids": ids})}
        form = await find_form(session, sheet.round_id, sheet.form_version)
        walker = actor if sheet.walker_id == actor.id else await auth.act_as(session, sheet.walker_id)
    on_sheet = {UUID(one) for one in sheet.household_ids}
    left: dict[UUID, str] = {}
    for one in entries:
        if one.household_id not in on_sheet:
            left[one.id] = "not_on_sheet"
        elif one.recorded_at > now() + AHEAD:
            left[one.id] = "date_in_future"
        elif one.id not in known and _is_second(one, asked):
            left[one.id] = "asked_again"
    taken = [one for one in entries if one.id not in left]
    answers = {
        one.id: WalkEntryResult(id=one.id, status=one.status, code=one.code, detail=one.detail)
        for one in await _take(database, actor, walker, sheet, form, taken, request_id)
    }
    return WalkEntriesOut(
        results=[
            answers.get(one.id) or WalkEntryResult(id=one.id, status="not_taken", code=left[one.id], detail=None)
            for one in entries
        ]
    )


def _is_second(entry: WalkEntry, asked: dict[UUID, datetime]) -> bool:
    if entry.again_reason or entry.outcome not in ASKED or entry.household_id not in asked:
        return False
    return day_of(asked[entry.household_id]) == day_of(entry.recorded_at)


async def _take(
    database: Database,
    actor: Actor,
    walker: Actor,
    sheet: WalkSheet,
    form: Form | None,
    entries: Sequence[WalkEntry],
    request_id: str,
) -> list[push.Result]:
    """Mark the rows as typed by the actor, then push them as the walker: a mark without a visit says nothing."""
    if not entries:
        return []
    community = sheet.community_code
    async with database.session(actor.scope) as session:
        session.info["request_id"] = request_id
        marks = {
            "c": community, "sheet": sheet.id, "by": actor.id, "name": actor.name,
            "rows": orjson.dumps([{"id": one.id, "household_id": one.household_id} for one in entries]).decode(),
        }  # fmt: skip
        await session.execute(_MARK, marks)
        await audit.append_entry(
            session, actor.doer, community, "enter_walk_sheet", [sheet.id, *(one.id for one in entries)]
        )
    commands = [
        CommandIn(
            id=one.id, name=COMMAND, recorded_at=one.recorded_at, epoch=sheet.epoch, community_code=community,
            payload=_payload(one, sheet, form),
        )
        for one in entries
    ]  # fmt: skip
    device = actor.device_id or sheet.id
    return (
        await push.take_push(database, walker, PushIn(device_id=device, commands=commands), request_id, is_heard=False)
    ).results


def _payload(entry: WalkEntry, sheet: WalkSheet, form: Form | None) -> dict[str, Any]:
    """A row as the walker's phone would have sent it: answers name the version that stood on the paper, and where
    nobody answered, nobody was asked."""
    payload = entry.model_dump(mode="json", exclude={"id", "recorded_at", "answers"})
    if form is not None and entry.outcome in ASKED:
        payload |= {"form_version": form.version, "answers": [one.model_dump(mode="json") for one in entry.answers]}
    return payload | {"round_id": str(sheet.round_id)}
