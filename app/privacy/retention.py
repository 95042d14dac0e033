"""Health data ends: the daily job, what it deletes, and the record that it did.

Each batch is one transaction in one community, under its clock like any other change: what phones hold of it is
fetched anew. The fact that a door was visited and a person answered for stays, and so do the figures.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from procrastinate import JobContext
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.care import service as care
from app.core import jobs
from app.core.clock import today
from app.core.db import EVERYWHERE, Database, Scope
from app.core.ids import new_id
from app.core.logging import get_logger
from app.core.paging import decode_id_cursor, encode_cursor
from app.flagged_edits import service as flagged_edits
from app.followups import service as followups
from app.lapsing import service as lapsing
from app.merges import merging, undoing
from app.not_home import self_reports
from app.people import edits as people_edits
from app.photos import service as photos
from app.privacy.models import DeletionKind, DeletionRecord
from app.privacy.schemas import DeletionRead, RetentionRead
from app.questions import service as questions
from app.rules import service as rules
from app.screening import service as screening

log = get_logger()

BATCH = 500
"""Rows of a kind in one transaction."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A kind of data that ends: its rule, its fields, what it is kept for, where it is due, how a batch of it goes."""

    kind: DeletionKind
    rule: str
    fields: tuple[str, ...]
    zh: str
    en: str
    due: str
    delete: Callable[[AsyncSession, str, date, int, int], Awaitable[int]]


ENDINGS = (
    Ending(
        DeletionKind.PERSON_CHECKS, screening.RULE, ("status", "temperature_c", "symptoms", "risk_area"),
        "入户排查中发现发热、症状和接触史，并安排随访。",
        "To find fever, symptoms and contacts during screening, and to follow them up.",
        screening.DUE_CHECKS, screening.delete_due_checks,
    ),
    Ending(
        DeletionKind.DOOR_VISITS, screening.RULE, ("persons", "note"),
        "保存上门时所说的内容，便于核对和随访。",
        "To keep what was said at the door, for checking and follow-up.",
        screening.DUE_VISITS, screening.delete_due_visits,
    ),
    Ending(
        DeletionKind.ANSWERS, screening.RULE, ("answers",),
        "回答上级排查中的自定义问题，逐级只看计数。",
        "To answer the own questions of rounds; higher levels see counts.",
        questions.DUE_ANSWERS, questions.delete_due_answers,
    ),
    Ending(
        DeletionKind.CARE_VISITS, care.RULE, ("needs", "note"),
        "关爱帮扶的连续性：下次走访时知道上次的情况和需求。",
        "For care that goes on: the next visitor knows what the last one found and what was needed.",
        care.DUE_VISITS, care.delete_due_visits,
    ),
    Ending(
        DeletionKind.FINDINGS, followups.RULE, ("reasons", "temperature_c", "symptoms", "risk_area"),
        "对发热、有症状和有接触史的人进行随访。",
        "To follow up people with fever, symptoms or contacts.",
        followups.DUE_FINDINGS, followups.delete_due_findings,
    ),
    Ending(
        DeletionKind.FOLLOW_UP_NOTES, followups.RULE, ("note",),
        "说明一次随访如何办结。",
        "To say how a follow-up was closed.",
        followups.DUE_NOTES, followups.delete_due_notes,
    ),
    Ending(
        DeletionKind.SELF_REPORTS, self_reports.RULE, ("persons", "note"),
        "住户扫码自报的内容，供网格员核实和随访。",
        "What households report by their code, for a worker to confirm and for follow-up.",
        self_reports.DUE_REPORTS, self_reports.delete_due_reports,
    ),
    Ending(
        DeletionKind.PHOTOS, photos.RULE, ("content",),
        "上门时拍下的情况，供社区核实和处理。",
        "What was seen at a door, for the committee to check and to act on.",
        photos.DUE_PHOTOS, photos.delete_due_photos,
    ),
    Ending(
        DeletionKind.FLAGGED_EDITS, flagged_edits.RULE, ("resident_id", "command", "fields", "reason"),
        "核对手机上对登记的更正；从核对之日起计算。",
        "To check what phones changed in the registry; counted from the day it was checked.",
        flagged_edits.DUE_EDITS, flagged_edits.delete_due_edits,
    ),
    Ending(
        DeletionKind.EDIT_CONFLICTS, people_edits.RULE, ("server", "phone"),
        "两人改了同一项时供社区选定；从选定之日起计算。",
        "For the committee to choose between two values; counted from the day it chose.",
        people_edits.DUE_CONFLICTS, people_edits.delete_due_conflicts,
    ),
    Ending(
        DeletionKind.MERGES, merging.RULE, ("before", "id_number", "phone", "birth_on", "workplace", "tags", "note"),
        "以便撤销合并；期满后合并前的内容和被并入的一方只留姓名。",
        "So that a merge can be undone; then that goes, and of the entry that was merged away all but the name.",
        undoing.DUE_MERGES, undoing.delete_due_merges,
    ),
    Ending(
        DeletionKind.TAGS, lapsing.TAGS_RULE, ("tags",),
        "找到需要关爱的住户；从最近一次确认或走访之日起计算，到期前列出供社区确认。",
        "To find households that need care; from when somebody last said so or cared for them, and listed before.",
        lapsing.DUE_TAGS, lapsing.delete_due_tags,
    ),
    Ending(
        DeletionKind.NOTES, lapsing.NOTES_RULE, ("note",),
        "住户备注；从最近一次填写或确认之日起计算，到期前列出供社区确认。",
        "What the committee notes of a household; counted from when somebody last said so, and listed before.",
        lapsing.DUE_NOTES, lapsing.delete_due_notes,
    ),
    Ending(
        DeletionKind.DEPARTED, lapsing.DEPARTED_RULE, ("id_number", "phone", "workplace", "tags", "note"),
        "已搬走或去世的人，便于回来或补登时核对；此后只留姓名和居住起止。",
        "Of people who have left, to recognise them when they come back; then name and stays alone are kept.",
        lapsing.DUE_DEPARTED, lapsing.delete_due_departed,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deleted:
    """How much of a kind was deleted in a community, or would be."""

    community_code: str
    kind: DeletionKind
    count: int


@jobs.queue.periodic(cron="7 19 * * *")
@jobs.queue.task(name="privacy.delete_due", queueing_lock="delete_due", pass_context=True)
async def delete_due(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - given by the queue
    """Delete what is due, daily at 3:07 in Shanghai."""
    done = await run_retention(jobs.database_of(context), today())
    log.info(
        "privacy.delete_due", count=sum(one.count for one in done), communities=len({d.community_code for d in done})
    )


async def find_due(database: Database, on: date) -> list[Deleted]:
    """What is to be deleted by a day, by community and kind; reads every row that can end once."""
    found: list[Deleted] = []
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        for ending in ENDINGS:
            rows = await session.execute(
                text(f"SELECT community_code, count(*) FROM {ending.due} GROUP BY 1 ORDER BY 1"), {"on": on}
            )
            found += [Deleted(code, ending.kind, count) for code, count in rows]
    return found


async def run_retention(database: Database, on: date, batch: int = BATCH) -> list[Deleted]:
    """Delete everything whose day has come by `on`; answers what went. Run again it finds nothing left to do."""
    endings = {ending.kind: ending for ending in ENDINGS}
    done: list[Deleted] = []
    for due in await find_due(database, on):
        total = 0
        while count := await _delete_batch(database, endings[due.kind], due.community_code, on, batch):
            total += count
        done.append(Deleted(due.community_code, due.kind, total))
    return [one for one in done if one.count]


async def _delete_batch(database: Database, ending: Ending, community: str, on: date, batch: int) -> int:
    async with database.session(Scope((community,))) as session:
        due = f"SELECT EXISTS (SELECT FROM {ending.due} AND community_code = :c)"
        if not await session.scalar(text(due), {"on": on, "c": community}):
            return 0
        version = await areas.advance_clock(session, community)
        count = await ending.delete(session, community, on, version, batch)
        rule = (await rules.read_rules(session)).in_force(ending.rule, on)
        await session.execute(
            text("""
            INSERT INTO deletion_record AS r (community_code, id, kind, upto, deleted_count, rule_key,
                rule_effective_on, rule_days, rule_source)
            VALUES (:c, :id, :kind, :upto, :count, :key, :effective_on, :days, :source)
            ON CONFLICT (community_code, kind, upto)
                DO UPDATE SET deleted_count = r.deleted_count + excluded.deleted_count, deleted_at = now()
        """),
            {
                "c": community, "id": new_id(), "kind": ending.kind, "upto": on, "count": count, "key": rule.key,
                "effective_on": rule.effective_on, "days": int(rule.value), "source": rule.source,
            },
        )  # fmt: skip
        counts = {"kind": ending.kind, "upto": on, "count": count}
        await audit.append_entry(session, audit.SYSTEM, community, "delete_due", [], counts)
    return count


async def list_retention(session: AsyncSession, *, english: bool) -> list[RetentionRead]:
    """What is kept how long, what for, and which document says so."""
    book = await rules.read_rules(session)
    items = []
    for ending in ENDINGS:
        rule = book.in_force(ending.rule, today())
        items.append(
            RetentionRead(
                kind=ending.kind,
                fields=list(ending.fields),
                purpose=ending.en if english else ending.zh,
                days=int(rule.value),
                effective_on=rule.effective_on,
                source=rule.source,
            )
        )
    return items


async def list_deletions(
    session: AsyncSession, actor: Actor, community_code: str, limit: int, cursor: str | None
) -> tuple[list[DeletionRead], str | None]:
    """What was deleted in a community, newest first."""
    actor.demand(community_code, DESK)
    statement = select(DeletionRecord).where(col(DeletionRecord.community_code) == community_code)
    if cursor:
        statement = statement.where(col(DeletionRecord.id) < decode_id_cursor(cursor))
    rows = list((await session.scalars(statement.order_by(col(DeletionRecord.id).desc()).limit(limit + 1))).all())
    items = [
        DeletionRead(
            id=row.id,
            community_code=row.community_code,
            kind=DeletionKind(row.kind),
            deleted_count=row.deleted_count,
            upto=row.upto,
            days=row.rule_days,
            effective_on=row.rule_effective_on,
            source=row.rule_source,
            deleted_at=row.deleted_at,
        )
        for row in rows[:limit]
    ]
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None
