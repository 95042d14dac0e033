"""Making rounds: drafts, publishing, corrections, days of daily rounds, closing; reading them and their counts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from procrastinate import JobContext
from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, OVERSEERS, Actor
from app.core import jobs
from app.core.area_code import PREFIX_LENGTH, Level, code_of, level_of, next_level, prefix_of
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_ids
from app.core.paging import decode_id_cursor, encode_cursor
from app.people.models import HouseholdTag
from app.questions import forms
from app.questions import service as questions
from app.questions.forms import Form
from app.questions.models import RoundForm, Standard
from app.questions.schemas import STANDARD, AnswerCount, FormContent, FormEstimate, FormRead, Question
from app.rounds.schemas import RoundContent, RoundCreate, RoundDetail, RoundEstimateIn, RoundRead, RoundUpdate
from app.rounds.targets import count_targets, put_listed, put_tagged
from app.screening.models import Rhythm, RoundStatus, ScreeningRound, Target
from app.screening.service import covering

PLAIN = tuple(STANDARD[:3])
"""What a round asks that says nothing else."""
MAX_DAYS = 62
"""Days of a daily round."""


class RoundAlreadyClosed(Conflict):
    """A closed round does not close again."""

    def __init__(self) -> None:
        super().__init__("round_already_closed", "这一轮排查已经结束。", "This round is closed already.")


class RoundNotDraft(Conflict):
    """Published once, a round is corrected or closed, not published again or thrown away."""

    def __init__(self) -> None:
        super().__init__("round_not_draft", "这一轮排查已经发布。", "This round has been published.")


class RoundRunning(Conflict):
    """What people were sent out for does not change under their feet."""

    def __init__(self) -> None:
        zh = "已发布的排查，频次和对象不能再改，开始后开始日期也不能改；请结束后另起一轮。"
        en = "Rhythm and target of a published round stay, and once it has begun its start; close it and begin anew."
        super().__init__("round_running", zh, en)


class EstimateMissing(Invalid):
    """Nobody sends people out without having seen what it costs them."""

    def __init__(self) -> None:
        zh, en = "请先看过预计用时。", "See first how many minutes it would take."
        super().__init__("round_needs_estimate", zh, en, "minutes")


class EstimateChanged(Conflict):
    """The minutes that were seen are not what it would cost now."""

    def __init__(self, minutes: int) -> None:
        zh = f"预计用时已变为 {minutes} 分钟，请看过再发布。"
        super().__init__("estimate_changed", zh, f"It would take {minutes} minutes now; look again before publishing.")


def _check(content: RoundContent, *, is_final: bool) -> None:
    """Raise Invalid for a round that cannot be: dates, target, questions."""
    if content.ends_on < content.starts_on:
        raise Invalid("round_dates", "结束日期早于开始日期。", "The round would end before it begins.", "ends_on")
    if content.rhythm == Rhythm.DAILY and (content.ends_on - content.starts_on).days >= MAX_DAYS:
        zh, en = f"每日排查最长 {MAX_DAYS} 天。", f"A daily round has at most {MAX_DAYS} days."
        raise Invalid("round_too_long", zh, en, "ends_on")
    if (content.target == Target.TAGS) != bool(content.tags):
        raise Invalid("round_tags", "请选择标签。", "Choose the tags it is for.", "tags")
    if content.household_ids and content.target != Target.LIST:
        raise Invalid(
            "round_list", "只有名单排查可以指定住户。", "Only a round by list names households.", "household_ids"
        )
    forms.check_form(content, is_final=is_final)


def _correct_dates(found: ScreeningRound, change: RoundUpdate) -> None:
    """Other dates for a published round: its first day until that has come, its last as long as it is open. Neither may
    be one that is over: what was recorded would be judged anew, and who wants it to stop closes it. Raises RoundRunning
    and Invalid (`round_dates`)."""
    if change.starts_on != found.starts_on:
        if found.starts_on <= today():
            raise RoundRunning
        if change.starts_on < today():
            zh, en = "开始日期不能早于今天。", "It cannot have begun before today."
            raise Invalid("round_dates", zh, en, "starts_on")
    if change.ends_on != found.ends_on and change.ends_on < today():
        zh, en = "截止日期已过；要停止排查请直接结束。", "That day is over; to stop the round, close it."
        raise Invalid("round_dates", zh, en, "ends_on")
    found.starts_on, found.ends_on = change.starts_on, change.ends_on


async def create_round(session: AsyncSession, actor: Actor, new: RoundCreate) -> RoundRead:
    """Write a draft, or open a round of standard questions at once.

    Raises Invalid (`round_dates`, `round_too_long`, `round_tags`, `round_list`, `round_needs_draft`,
    `round_needs_estimate`, faults of questions), EstimateChanged, and NotFound for an unknown division.
    """
    actor.demand(new.division_code, DESK)
    _check(new, is_final=not new.is_draft)
    if new.questions and not new.is_draft:
        zh = "有自定义问题的排查请先存为草稿，看过预计用时再发布。"
        raise Invalid("round_needs_draft", zh, "With questions of its own a round begins as a draft.", "is_draft")
    names = await areas.name_divisions(session, [new.division_code])
    if new.division_code not in names:
        raise NotFound
    made = ScreeningRound(
        division_prefix=prefix_of(new.division_code),
        title=new.title, note=new.note, starts_on=new.starts_on, ends_on=new.ends_on, rhythm=new.rhythm,
        target=new.target, tags=[str(tag) for tag in new.tags], status=RoundStatus.DRAFT,
        created_by=actor.id, created_at=now(),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await _write_form(session, actor, made, 1, new, "")
    if new.target == Target.LIST:
        await put_listed(session, new.division_code, made.id, new.household_ids)
    if not new.is_draft:
        await _demand_estimate(session, made, new, new.minutes)
        await _open(session, made, new)
    await _audit_round(session, actor, made, "create_round")
    (read,) = await read_rounds(session, [made], names)
    return read


async def _write_form(
    session: AsyncSession, actor: Actor, made: ScreeningRound, version: int, content: FormContent, reason: str
) -> None:
    stored = [question.model_dump(mode="json", exclude_defaults=True) for question in content.questions]
    form = RoundForm(
        round_id=made.id, version=version, standard=[str(one) for one in content.standard], questions=stored,
        reason=reason, created_by_name=actor.name, created_at=now(),
    )  # fmt: skip
    await session.merge(form)
    await session.flush()


async def _demand_estimate(
    session: AsyncSession, found: ScreeningRound, content: FormContent, minutes: int | None
) -> None:
    """Raise EstimateMissing or EstimateChanged unless `minutes` is what these questions would cost now."""
    code = code_of(found.division_prefix)
    doors, persons = await count_targets(session, code, found.target, found.tags, found.id)
    cost = forms.estimate(_as_form(content), doors, persons).minutes
    if minutes is None:
        raise EstimateMissing
    if cost != minutes:
        raise EstimateChanged(cost)


def _as_form(content: FormContent) -> Form:
    """What is still being written, as it would be asked."""
    return Form(0, tuple(str(one) for one in content.standard), tuple(content.questions))


async def _open(session: AsyncSession, made: ScreeningRound, content: FormContent) -> None:
    """Let the phones have it: put its target, its days, and whether there is anything to fetch beyond its title."""
    if made.target == Target.TAGS:
        await put_tagged(session, code_of(made.division_prefix), made.id, made.tags)
    is_plain = tuple(content.standard) == PLAIN and not content.questions and made.target == Target.ALL
    made.revision = 0 if is_plain else 1
    made.status = RoundStatus.OPEN
    await _lay_days(session, made)
    await session.flush()


async def _lay_days(session: AsyncSession, made: ScreeningRound) -> None:
    """A row for each day of a daily round from today on; days before its start and behind its end are closed."""
    if made.rhythm != Rhythm.DAILY:
        return
    rows = (await session.scalars(select(ScreeningRound).where(col(ScreeningRound.parent_id) == made.id))).all()
    known = {row.starts_on: row for row in rows}
    first = max(made.starts_on, today())
    wanted = [first + timedelta(days=n) for n in range((made.ends_on - first).days + 1)]
    fresh = [day for day in wanted if day not in known]
    for day, day_id in zip(fresh, new_ids(len(fresh)), strict=True):
        session.add(
            ScreeningRound(
                id=day_id, division_prefix=made.division_prefix, title=_day_title(made, day), note=made.note,
                starts_on=day, ends_on=day, status=RoundStatus.OPEN, created_by=made.created_by, created_at=now(),
                parent_id=made.id, target=made.target, tags=made.tags, revision=made.revision,
            )
        )  # fmt: skip
    for day, row in known.items():
        if row.status == RoundStatus.CLOSED and day in wanted:
            row.status, row.closed_at = RoundStatus.OPEN, None
        elif row.status == RoundStatus.OPEN and not made.starts_on <= day <= made.ends_on:
            row.status, row.closed_at = RoundStatus.CLOSED, now()
        row.title, row.note, row.revision = _day_title(made, day), made.note, made.revision


async def tell_phones(session: AsyncSession, found: ScreeningRound) -> None:
    """Let phones fetch anew what they know of a running round and of its days: whose doors it is for has changed."""
    found.revision += 1
    await session.flush()
    await _lay_days(session, found)
    await session.flush()


def _day_title(made: ScreeningRound, day: date) -> str:
    return f"{made.title}（{day:%m-%d}）"


async def find_own(session: AsyncSession, actor: Actor, round_id: UUID) -> ScreeningRound:
    """A round of the actor's part, locked; the days of a daily round are changed with it alone. Raises NotFound."""
    found = await session.get(ScreeningRound, round_id, with_for_update=True)
    if found is None or found.parent_id is not None or not actor.may(code_of(found.division_prefix), DESK):
        raise NotFound
    return found


async def update_round(session: AsyncSession, actor: Actor, round_id: UUID, change: RoundUpdate) -> RoundDetail:
    """Write a draft anew, or correct a published round: title, note, end, until it begins its start, questions; those
    get a new version.

    Other questions of a running round cost others' time: they need the minutes that were shown. Raises RoundRunning,
    RoundAlreadyClosed, and what `create_round` raises; Invalid (`question_changed`).
    """
    found = await find_own(session, actor, round_id)
    if found.status == RoundStatus.CLOSED:
        raise RoundAlreadyClosed
    is_draft = found.status == RoundStatus.DRAFT
    _check(change, is_final=not is_draft)
    newest, *older = await _versions(session, found.id)
    if is_draft:
        found.starts_on, found.ends_on = change.starts_on, change.ends_on
        found.rhythm, found.target = change.rhythm, change.target
        found.tags = [str(tag) for tag in change.tags]
        await _write_form(session, actor, found, newest.version, change, "")
        if change.household_ids or change.target != Target.LIST:
            await put_listed(session, code_of(found.division_prefix), found.id, change.household_ids)
    else:
        tags = {str(tag) for tag in change.tags}
        if (found.rhythm, found.target, set(found.tags)) != (change.rhythm, change.target, tags):
            raise RoundRunning
        _correct_dates(found, change)
        before = _content(newest)
        if (before.standard, before.questions) != (change.standard, change.questions):
            asked = {q.id: q for version in (*reversed(older), newest) for q in _content(version).questions}
            forms.check_correction(list(asked.values()), change.questions)
            await _demand_estimate(session, found, change, change.minutes)
            await _write_form(session, actor, found, newest.version + 1, change, change.reason)
            found.revision += 1
    found.title, found.note = change.title, change.note
    if not is_draft:
        await _lay_days(session, found)
    await session.flush()
    await _audit_round(session, actor, found, "update_round")
    return await get_round(session, actor, round_id)


async def publish_round(session: AsyncSession, actor: Actor, round_id: UUID, minutes: int) -> RoundRead:
    """Open a draft, by whoever has seen what it costs. Raises RoundNotDraft, EstimateChanged, Invalid for what a draft
    may still lack."""
    found = await find_own(session, actor, round_id)
    if found.status != RoundStatus.DRAFT:
        raise RoundNotDraft
    (form,) = await _versions(session, found.id)
    content = _content(form)
    forms.check_form(content, is_final=True)
    if found.ends_on < today():
        raise Invalid("round_dates", "截止日期已过。", "Its last day is over.", "ends_on")
    doors, _ = await count_targets(
        session, code_of(found.division_prefix), found.target, found.tags, found.id
    )  # fmt: skip
    if found.target != Target.ALL and doors == 0:
        raise Invalid("round_nobody", "没有符合条件的住户。", "There is no household it would be for.", "target")
    await _demand_estimate(session, found, content, minutes)
    await _open(session, found, content)
    await _audit_round(session, actor, found, "publish_round")
    (read,) = await read_rounds(session, [found])
    return read


async def delete_round(session: AsyncSession, actor: Actor, round_id: UUID) -> None:
    """Throw a draft away; raises RoundNotDraft."""
    found = await find_own(session, actor, round_id)
    if found.status != RoundStatus.DRAFT:
        raise RoundNotDraft
    await _audit_round(session, actor, found, "delete_round")
    await session.execute(text("DELETE FROM round_target WHERE round_id = :id"), {"id": round_id})
    await session.execute(delete(RoundForm).where(col(RoundForm.round_id) == round_id))
    await session.delete(found)


async def close_round(session: AsyncSession, actor: Actor, round_id: UUID) -> RoundRead:
    """Close a round and its days; work recorded before that is still accepted when it arrives."""
    found = await find_own(session, actor, round_id)
    if found.status == RoundStatus.CLOSED:
        raise RoundAlreadyClosed
    if found.status == RoundStatus.DRAFT:
        raise Conflict("round_is_draft", "草稿还没有发布，可以删除。", "A draft is not open; throw it away.")
    found.status = RoundStatus.CLOSED
    found.closed_at = now()
    await session.execute(
        text("UPDATE screening_round SET status = 'closed', closed_at = :at WHERE parent_id = :id AND status = 'open'"),
        {"id": found.id, "at": found.closed_at},
    )
    await session.flush()
    await _audit_round(session, actor, found, "close_round")
    (read,) = await read_rounds(session, [found])
    return read


async def _audit_round(session: AsyncSession, actor: Actor, found: ScreeningRound, action: str) -> None:
    """A round above communities belongs to none; its entry stands in the chain of its division's code."""
    payload = {"title": found.title, "starts_on": found.starts_on, "ends_on": found.ends_on}
    await audit.append_entry(session, actor.doer, code_of(found.division_prefix), action, [found.id], payload)


async def _versions(session: AsyncSession, round_id: UUID) -> list[RoundForm]:
    """The versions of a round's questions, newest first; a round from before there were any has the plain one."""
    own = select(RoundForm).where(col(RoundForm.round_id) == round_id).order_by(col(RoundForm.version).desc())
    rows = list((await session.scalars(own)).all())
    return rows or [RoundForm(round_id=round_id, version=0, standard=[str(s) for s in PLAIN], questions=[])]


def _content(form: RoundForm) -> FormContent:
    return FormContent(standard=[Standard(s) for s in form.standard], questions=form.questions)


def _form(row: RoundForm) -> Form:
    return questions.read_form(row.version, row.standard, row.questions)


async def read_rounds(
    session: AsyncSession, found: Sequence[ScreeningRound], names: dict[str, str] | None = None
) -> list[RoundRead]:
    """Rounds as they are read: named, with the version of their questions and the day that is worked on now."""
    if names is None:
        names = await areas.name_divisions(session, sorted({code_of(r.division_prefix) for r in found}))
    rows = await session.execute(
        text("""
        SELECT q.id, f.version, jsonb_array_length(f.questions) AS own, (
            SELECT d.id FROM screening_round d WHERE d.parent_id = q.id AND d.starts_on <= :today
            ORDER BY d.starts_on DESC LIMIT 1) AS day_id
        FROM screening_round q LEFT JOIN LATERAL (
            SELECT version, questions FROM round_form WHERE round_id = coalesce(q.parent_id, q.id)
            ORDER BY version DESC LIMIT 1) f ON true
        WHERE q.id = ANY(:ids)
    """),
        {"ids": [r.id for r in found], "today": today()},
    )
    more = {row.id: row for row in rows}
    reads = []
    for one in found:
        code = code_of(one.division_prefix)
        extra = more.get(one.id)
        reads.append(
            RoundRead(
                id=one.id, division_code=code, division_name=names.get(code, ""), title=one.title, note=one.note,
                starts_on=one.starts_on, ends_on=one.ends_on, status=RoundStatus(one.status),
                created_at=one.created_at, rhythm=Rhythm(one.rhythm), target=Target(one.target),
                tags=[HouseholdTag(tag) for tag in one.tags], parent_id=one.parent_id,
                current_id=(extra.day_id if extra else None) if one.rhythm == Rhythm.DAILY else one.id,
                version=(extra.version or 0) if extra else 0, question_count=(extra.own or 0) if extra else 0,
            )
        )  # fmt: skip
    return reads


async def find_round(session: AsyncSession, actor: Actor, round_id: UUID) -> ScreeningRound:
    """A round that covers or lies in the actor's part; a draft is there for who may publish it. Raises NotFound."""
    found = await session.get(ScreeningRound, round_id)
    if found is None:
        raise NotFound
    prefix = found.division_prefix
    is_near = any(prefix.startswith(p) or p.startswith(prefix) for p in actor.scope.prefixes)
    is_shown = found.status != RoundStatus.DRAFT or actor.may(code_of(prefix), DESK)
    if not (is_near and is_shown):
        raise NotFound
    return found


async def get_round(session: AsyncSession, actor: Actor, round_id: UUID) -> RoundDetail:
    """A round with its questions, versions, and what it costs in the actor's part of it."""
    found = await find_round(session, actor, round_id)
    whole = found.parent_id or found.id
    versions = await _versions(session, whole)
    newest = versions[0]
    doors, persons = await count_targets(
        session, code_of(found.division_prefix), found.target, found.tags, whole
    )  # fmt: skip
    (read,) = await read_rounds(session, [found])
    content = _content(newest)
    return RoundDetail(
        **read.model_dump(), standard=content.standard, questions=content.questions,
        estimate=forms.estimate(_form(newest), doors, persons),
        versions=[_form_read(one) for one in versions] if newest.version else [],
    )  # fmt: skip


def _form_read(form: RoundForm) -> FormRead:
    content = _content(form)
    return FormRead(
        version=form.version, standard=content.standard, questions=content.questions, reason=form.reason,
        created_by_name=form.created_by_name, created_at=form.created_at,
    )  # fmt: skip


async def estimate_round(session: AsyncSession, actor: Actor, asked: RoundEstimateIn) -> FormEstimate:
    """What a round would cost that is still being written."""
    actor.demand(asked.division_code, DESK)
    if asked.target == Target.LIST and asked.round_id is not None:
        draft = await find_round(session, actor, asked.round_id)
        doors, persons = await count_targets(session, asked.division_code, Target.LIST, [], draft.id)
    elif asked.target == Target.LIST:
        doors, persons = asked.household_count, round(asked.household_count * 2.7)
    else:
        doors, persons = await count_targets(session, asked.division_code, asked.target, asked.tags, None)
    return forms.estimate(_as_form(asked), doors, persons)


async def list_rounds(
    session: AsyncSession, actor: Actor, area: str | None, status: str | None, days_of: UUID | None, limit: int,
    cursor: str | None,
) -> tuple[list[RoundRead], str | None]:  # fmt: skip
    """Rounds that cover or lie under `area` (or the actor's grants), newest first; drafts for who may publish them,
    the days of a daily round (`days_of`) when they are asked for."""
    prefixes = [prefix_of(area)] if area else list(actor.scope.prefixes)
    if area and not actor.scope.covers(prefix_of(area)):
        raise NotFound
    column = col(ScreeningRound.division_prefix)
    own = [column.like(f"{p}%") for p in actor.prefixes(DESK)]
    statement = select(ScreeningRound).where(
        or_(*(or_(column.like(f"{p}%"), column.in_(covering(code_of(p)))) for p in prefixes)),
        or_(col(ScreeningRound.status) != RoundStatus.DRAFT, *own),
        col(ScreeningRound.parent_id) == days_of if days_of else col(ScreeningRound.parent_id).is_(None),
    )
    if status:
        statement = statement.where(col(ScreeningRound.status) == status)
    if cursor:
        statement = statement.where(col(ScreeningRound.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(ScreeningRound.id).desc()).limit(limit + 1))).all())
    items = await read_rounds(session, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def list_answer_counts(
    database: Database, actor: Actor, round_id: UUID, area: str | None, level: Level | None, limit: int,
    cursor: str | None,
) -> tuple[list[AnswerCount], str | None]:  # fmt: skip
    """How often each answer stands in a round, by the divisions of `level` (None: the next below, of a community
    itself). Raises NotFound for a round or a division that does not exist here, Invalid (`level_not_below`)."""
    async with database.session(actor.scope) as session:
        found = await find_round(session, actor, round_id)
        versions = await _versions(session, found.parent_id or found.id)
        days = select(col(ScreeningRound.id)).where(col(ScreeningRound.parent_id) == found.id)
        rounds = [found.id, *await session.scalars(days)]
    whole = code_of(found.division_prefix)
    area = area or (whole if actor.scope.covers(found.division_prefix) else actor.only_part())
    actor.demand(area, OVERSEERS)
    prefix = prefix_of(area)
    if not (prefix.startswith(found.division_prefix) or found.division_prefix.startswith(prefix)):
        raise NotFound
    below = max(prefix, found.division_prefix, key=len)
    own = level_of(area)
    level = level or next_level(own) or own
    if PREFIX_LENGTH[level] < PREFIX_LENGTH[own]:
        raise Invalid("level_not_below", "所选级别不在该区划之下。", "The level is not below the division.", "level")
    merged: dict[str, Question] = {}
    for version in versions:
        for question in _form(version).questions:
            known = merged.setdefault(question.id, question)
            if known is not question and (more := [o for o in question.options if o.id not in _ids(known)]):
                merged[question.id] = known.model_copy(update={"options": [*known.options, *more]})
    form = Form(0, (), tuple(merged.values()))
    return await questions.count_answers(database, actor.scope, rounds, form, f"{below}%", level, limit, cursor)


def _ids(question: Question) -> set[str]:
    return {option.id for option in question.options}


async def keep_rounds(database: Database) -> dict[str, int]:
    """End the days that are over, and put who has been given a tag since on the rounds that ask for it."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        closed = await session.execute(
            text("""
            UPDATE screening_round SET status = 'closed', closed_at = now()
            WHERE parent_id IS NOT NULL AND status = 'open' AND ends_on < :today
        """),
            {"today": today()},
        )
        tagged = select(ScreeningRound).where(
            col(ScreeningRound.status) == RoundStatus.OPEN, col(ScreeningRound.target) == Target.TAGS,
            col(ScreeningRound.parent_id).is_(None),
        )  # fmt: skip
        came = 0
        for found in (await session.scalars(tagged)).all():
            if new := await put_tagged(session, code_of(found.division_prefix), found.id, found.tags):
                came += new
                await tell_phones(session, found)
    return {"days": int(getattr(closed, "rowcount", 0)), "households": came}


@jobs.queue.periodic(cron="13 20 * * *")
@jobs.queue.task(name="rounds.keep", queueing_lock="rounds_keep", pass_context=True)
async def keep(context: JobContext, timestamp: int) -> Any:  # noqa: ARG001 - given by the queue
    """At 4:13 in Shanghai: phones that were out of reach over midnight have had time to send."""
    await keep_rounds(jobs.database_of(context))
