"""Making walk sheets and reading them: doors in walking order, names masked."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth import service as auth
from app.auth.service import DESK, PEOPLE, Actor
from app.core import crypto
from app.core.clock import now, today
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.ids import new_id
from app.core.paging import decode_id_cursor, encode_cursor
from app.not_home.codes import qr_of
from app.people.models import HouseholdTag
from app.posts import service as posts
from app.questions import service as questions
from app.questions.forms import Form
from app.questions.models import Standard
from app.rules import service as rules
from app.screening.models import ScreeningRound
from app.walk_sheets.models import WalkSheet
from app.walk_sheets.schemas import (
    MAX_ROWS,
    WalkEntryRead,
    WalkForm,
    WalkMember,
    WalkSheetBrief,
    WalkSheetCreate,
    WalkSheetRead,
    WalkSheetRow,
)

ON_PAPER = frozenset(
    {HouseholdTag.LIVING_ALONE_ELDER, HouseholdTag.TENANT, HouseholdTag.INFANT, HouseholdTag.COLLECTIVE_HOUSEHOLD}
)
"""Tags that say how to knock. What speaks of health or of means stays off a sheet that may be lost."""

# Of those the round is for, not settled yet; first what is to be knocked at now (as a phone's list has it: never yet,
# in another part of the day than nobody opened in, or somebody missing for two hours), then as doors stand.
_DUE = text("""
    SELECT h.id FROM household h
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    JOIN screening_round q ON q.id = :round
    LEFT JOIN household_screening s ON s.community_code = h.community_code AND s.household_id = h.id
        AND s.round_id = :round
    WHERE h.community_code = :c AND d.responsibility_area_id = :area AND NOT h.is_closed
        AND (q.target = 'all' OR EXISTS (SELECT FROM round_target g WHERE g.community_code = h.community_code
            AND g.round_id = coalesce(q.parent_id, q.id) AND g.household_id = h.id))
        AND (s.outcome IS NULL OR s.outcome NOT IN ('answered_all', 'vacant'))
    ORDER BY NOT (s.outcome IS NULL OR s.last_at <= now() - interval '2 hours' AND (
            s.outcome = 'answered_part'
            OR s.outcome = 'no_answer' AND CASE WHEN s.missed_parts = 7 THEN day_part(s.last_at) <> day_part(now())
                ELSE s.missed_parts & (1 << day_part(now())) = 0 END)),
        d.sort_key, h.id
    LIMIT :limit
""")
_IN_AREA = text("""
    SELECT h.id FROM household h JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE h.community_code = :c AND d.responsibility_area_id = :area AND h.id = ANY(:ids)
""")
_ROWS = text("""
    SELECT h.id AS household_id, d.compound, d.building, d.stair, d.floor, d.room, d.address, h.is_closed AS is_gone,
        h.head_name, h.tags, s.outcome, coalesce(s.attempts, 0) AS attempts, s.asked_at,
        coalesce(s.asked_by, '') AS asked_by
    FROM household h
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    LEFT JOIN household_screening s ON s.community_code = h.community_code AND s.household_id = h.id
        AND s.round_id = :round
    WHERE h.community_code = :c AND h.id = ANY(:ids)
""")
_MEMBERS = text("""
    SELECT r.household_id, r.id, r.relation FROM resident r
    JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    WHERE r.community_code = :c AND r.household_id = ANY(:ids) AND NOT r.is_gone
    ORDER BY r.household_id, (r.name <> h.head_name), r.id
""")
_ENTRIES = text("""
    SELECT DISTINCT ON (v.household_id) v.household_id, v.id AS visit_id, v.outcome, v.recorded_at, p.entered_by_name
    FROM paper_entry p JOIN door_visit v ON v.community_code = p.community_code AND v.id = p.visit_id
    WHERE p.community_code = :c AND p.walk_sheet_id = :sheet AND v.verdict IS DISTINCT FROM 'set_aside'
    ORDER BY v.household_id, p.entered_at DESC, v.id DESC
""")
_ENTERED = text("""
    SELECT p.walk_sheet_id, count(DISTINCT v.household_id) FROM paper_entry p
    JOIN door_visit v ON v.community_code = p.community_code AND v.id = p.visit_id
    WHERE p.community_code = :c AND p.walk_sheet_id = ANY(:sheets) AND v.verdict IS DISTINCT FROM 'set_aside'
    GROUP BY 1
""")


def code_for(sheet_id: UUID) -> str:
    """What somebody types to find a sheet: eight letters and digits out of its id's last forty random bits; a phone
    makes the same of the id it gave."""
    return base64.b32encode(sheet_id.bytes[-5:]).decode()


async def print_walk_sheet(session: AsyncSession, actor: Actor, new: WalkSheetCreate, base_url: str) -> WalkSheetRead:
    """A sheet of an area's doors that are not done in a round, for who holds the area or its desk; into the trail.

    A phone that printed by itself says which doors in which order; under the same `id` the same sheet stands.
    Raises NotFound, Forbidden, Invalid (`walker_needed`, `account_not_here`).
    """
    area = await posts.get_responsibility_area(session, actor, new.responsibility_area_id)
    community = area.community_code
    is_desk = actor.may(community, DESK)
    if not is_desk and not actor.may(community, PEOPLE):
        raise Forbidden
    version = await areas.advance_clock(session, community)
    if new.id and (found := await session.get(WalkSheet, (community, new.id))):
        return await read_walk_sheet(session, actor, found.id, base_url)
    round_ = await session.get(ScreeningRound, new.round_id)
    if round_ is None or not community.startswith(round_.division_prefix):
        raise NotFound("round_not_found", "没有这一轮排查。", "There is no such round here.")
    walker_id = (new.account_id if is_desk else None) or (area.holder.id if area.holder else None)
    walker_id = walker_id if is_desk else actor.id
    if walker_id is None:
        raise Invalid("walker_needed", "请选择由谁上门。", "Say who is going to walk.", "account_id")
    walker = await auth.get_worker(session, walker_id, community)
    ids = await _doors(session, community, new)
    # a phone says which version it printed; one that says nothing has printed none
    form = await find_form(session, round_.id, (new.form_version or 0) if new.id else new.form_version)
    sheet_id = new.id or new_id()
    at = min(new.printed_at or now(), now() + timedelta(minutes=15))
    sheet = WalkSheet(
        community_code=community, id=sheet_id, code=code_for(sheet_id), area_id=area.id,
        area_name=area.name, epoch=area.epoch, round_id=round_.id, form_version=form.version if form else 0,
        household_ids=[str(one) for one in ids],
        walker_id=walker.id, walker_name=walker.name, made_by=actor.id, made_by_name=actor.name,
        printed_at=at, version=version,
    )  # fmt: skip
    session.add(sheet)
    await session.flush()
    await audit.append_entry(session, actor.doer, community, "print_walk_sheet", [sheet.id, *ids])
    return await read_walk_sheet(session, actor, sheet.id, base_url)


async def _doors(session: AsyncSession, community: str, new: WalkSheetCreate) -> list[UUID]:
    """The sheet's households in their order: those due, or of those a phone named the ones that are in the area."""
    params: dict[str, Any] = {"c": community, "area": new.responsibility_area_id}
    if new.household_ids is None:
        due = params | {"round": new.round_id, "limit": MAX_ROWS}
        return [row.id for row in await session.execute(_DUE, due)]
    here = {row.id for row in await session.execute(_IN_AREA, params | {"ids": new.household_ids})}
    return [one for one in dict.fromkeys(new.household_ids) if one in here]


async def find_form(session: AsyncSession, round_id: UUID, version: int | None) -> Form | None:
    """A version of what a round asks beyond the standard questions, by default the newest; None where there is nothing
    of the kind."""
    forms = {form.version: form for form in (await questions.load_forms(session, [round_id])).values()}
    form = forms.get(max(forms, default=0) if version is None else version)
    return form if form and form.questions else None


async def find_walk_sheet(session: AsyncSession, actor: Actor, sheet_id: UUID) -> WalkSheet:
    """A sheet that the actor may see: its walker, or a desk over the community. Raises NotFound."""
    found = (await session.scalars(select(WalkSheet).where(col(WalkSheet.id) == sheet_id))).first()
    if found is None or not (found.walker_id == actor.id or actor.may(found.community_code, DESK)):
        raise NotFound
    return found


async def read_walk_sheet(session: AsyncSession, actor: Actor, sheet_id: UUID, base_url: str) -> WalkSheetRead:
    """A sheet with its doors as they stand now, in the order of the paper."""
    sheet = await find_walk_sheet(session, actor, sheet_id)
    community, ids = sheet.community_code, [UUID(one) for one in sheet.household_ids]
    params = {"c": community, "ids": ids, "round": sheet.round_id, "sheet": sheet.id}
    homes = {row["household_id"]: row for row in (await session.execute(_ROWS, params)).mappings()}
    entries = {
        row["household_id"]: WalkEntryRead(**{k: row[k] for k in WalkEntryRead.model_fields})
        for row in (await session.execute(_ENTRIES, params)).mappings()
    }
    members: dict[UUID, list[WalkMember]] = {}
    for row in await session.execute(_MEMBERS, params):
        members.setdefault(row.household_id, []).append(WalkMember(resident_id=row.id, relation=row.relation))
    book = await rules.read_rules(session)
    form = await find_form(session, sheet.round_id, sheet.form_version)
    (brief,) = await _briefs(session, community, [sheet])
    url = f"{base_url}/sheets/{sheet.id}"
    return WalkSheetRead(
        **brief.model_dump(),
        community_name=(await areas.name_divisions(session, [community])).get(community, ""),
        fever_from=book.in_force("finding.temperature_c", today()).value,
        url=url,
        qr_svg=qr_of(url),
        form=form
        and WalkForm(
            version=form.version, standard=[Standard(one) for one in form.standard], questions=list(form.questions)
        ),
        rows=[
            _row(number, homes[one], members.get(one, []), entries.get(one))
            for number, one in enumerate(ids, 1)
            if one in homes
        ],
    )


def _row(number: int, home: Any, members: list[WalkMember], entry: WalkEntryRead | None) -> WalkSheetRow:
    shown = {name: home[name] for name in WalkSheetRow.model_fields if name in home and name != "tags"}
    return WalkSheetRow(
        **shown,
        number=number,
        head_masked=crypto.mask_name(home["head_name"]) if home["head_name"] else "",
        tags=[tag for tag in home["tags"] if tag in ON_PAPER],
        members=members,
        entry=entry,
    )


async def list_walk_sheets(
    session: AsyncSession, actor: Actor, community_code: str, code: str | None, limit: int, cursor: str | None
) -> tuple[list[WalkSheetBrief], str | None]:
    """Sheets of a community, newest first: for its desk all, for a worker their own. `code` is what is printed."""
    actor.demand(community_code, DESK | PEOPLE)
    statement = select(WalkSheet).where(col(WalkSheet.community_code) == community_code)
    if not actor.may(community_code, DESK):
        statement = statement.where(col(WalkSheet.walker_id) == actor.id)
    if code:
        statement = statement.where(col(WalkSheet.code) == code.strip().upper())
    if cursor:
        statement = statement.where(col(WalkSheet.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(WalkSheet.id).desc()).limit(limit + 1))).all())
    items = await _briefs(session, community_code, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def _briefs(session: AsyncSession, community: str, sheets: Sequence[WalkSheet]) -> list[WalkSheetBrief]:
    rounds = col(ScreeningRound.id).in_({one.round_id for one in sheets})
    titles = {row.id: row.title for row in (await session.scalars(select(ScreeningRound).where(rounds))).all()}
    asked = {"c": community, "sheets": [one.id for one in sheets]}
    entered: dict[UUID, int] = {row[0]: row[1] for row in await session.execute(_ENTERED, asked)}
    shown = set(WalkSheetBrief.model_fields)
    return [
        WalkSheetBrief(
            **one.model_dump(include=shown),
            round_title=titles.get(one.round_id, ""),
            door_count=len(one.household_ids),
            entered_count=entered.get(one.id, 0),
        )
        for one in sheets
    ]
