"""What desks decide of what may be registered twice: merge, dismiss, settle between two communities, search anew."""

from collections.abc import Sequence
from uuid import UUID

from procrastinate import JobContext
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto, jobs
from app.core.clock import now, today
from app.core.db import Scope
from app.core.errors import Conflict, Invalid, NotFound
from app.duplicates import finding
from app.duplicates.models import Answer, Duplicate, DuplicateKind, DuplicateStatus
from app.duplicates.reading import REASON, read_duplicates, span_of
from app.duplicates.schemas import AnswerIn, DuplicateRead, MergeIn, SearchRead
from app.merges import merging, undoing
from app.merges.merging import RowsChanged
from app.merges.models import RegistryMerge
from app.merges.schemas import PersonMerge
from app.residence import service as residence
from app.residence.models import ReasonOut


class DuplicateDecided(Conflict):
    """A pair is decided once; what was decided is taken back first."""

    def __init__(self) -> None:
        super().__init__("duplicate_decided", "这一条已经处理过了。", "This one has been decided already.")


class AnswersContradict(Conflict):
    """Nobody lives nowhere, and nobody in two places at once."""

    def __init__(self) -> None:
        super().__init__(
            "answers_contradict",
            "一人只能登记为在一处居住。",
            "A person lives in one of the two places, and in one of them only.",
        )


async def load_duplicate(session: AsyncSession, actor: Actor, duplicate_id: UUID) -> Duplicate:
    """A pair in the actor's desk, under its community's clock; NotFound otherwise."""
    own = (col(Duplicate.id) == duplicate_id) & in_scope(col(Duplicate.community_code), actor, DESK)
    statement = select(Duplicate).where(own).order_by(col(Duplicate.community_code))
    found = (await session.scalars(statement)).first()
    if found is None:
        raise NotFound
    await areas.lock_clock(session, found.community_code)
    await session.refresh(found)
    return found


async def merge_duplicate(session: AsyncSession, actor: Actor, duplicate_id: UUID, asked: MergeIn) -> RegistryMerge:
    """Merge a pair that was found: `keep` is the id that stays, `take` the facts that are taken from the other row.

    Raises NotFound, DuplicateDecided, RowsChanged, Invalid (`duplicate_elsewhere`, `keep_unknown`,
    `persons_mismatch`).
    """
    found = await load_duplicate(session, actor, duplicate_id)
    if found.kind == DuplicateKind.ELSEWHERE or found.other_id is None:
        raise Invalid(
            "duplicate_elsewhere",
            "跨村居的重复登记不合并，请由双方分别确认。",
            "What stands in two communities is settled on each side, not merged.",
        )
    if found.status != DuplicateStatus.OPEN:
        raise DuplicateDecided
    if asked.keep not in (found.subject_id, found.other_id):
        raise Invalid("keep_unknown", "请选择保留哪一方。", "Say which of the two stays.", "keep")
    gone = found.other_id if asked.keep == found.subject_id else found.subject_id
    pair = PersonMerge(keep=asked.keep, gone=gone, take=asked.take)
    where = (session, actor.doer, found.community_code, found.id)
    if found.kind == DuplicateKind.PERSON:
        record = await merging.merge_people(*where, pair)
    else:
        record = await merging.merge_households(*where, pair, asked.persons)
    _decide(found, actor, DuplicateStatus.MERGED)
    await session.flush()
    return record


async def undo_merge(session: AsyncSession, actor: Actor, merge_id: UUID) -> RegistryMerge:
    """Undo a merge; its pair waits for somebody again.

    Raises NotFound, MergeUndone, MergeNotLast, MergeHouseholdClosed, MergeDoorTaken.
    """
    own = (col(RegistryMerge.id) == merge_id) & in_scope(col(RegistryMerge.community_code), actor, DESK)
    record = (await session.scalars(select(RegistryMerge).where(own))).first()
    if record is None:
        raise NotFound
    await areas.lock_clock(session, record.community_code)
    await session.refresh(record)
    await undoing.undo_merge(session, actor.doer, record)
    found = await session.get(Duplicate, (record.community_code, record.duplicate_id), populate_existing=True)
    if found is not None and found.status == DuplicateStatus.MERGED:
        _reopen(found)
    await session.flush()
    return record


async def dismiss_duplicate(session: AsyncSession, actor: Actor, duplicate_id: UUID, reason: str) -> DuplicateRead:
    """Say that the two are not the same; it is remembered, and the pair never comes back.

    Of a person who stands in two communities the other side hears that it is somebody else. Raises NotFound and
    DuplicateDecided.
    """
    found = await load_duplicate(session, actor, duplicate_id)
    if found.status not in (DuplicateStatus.OPEN, DuplicateStatus.ANSWERED):
        raise DuplicateDecided
    found.reason_sealed = crypto.seal_text(reason, REASON)
    _decide(found, actor, DuplicateStatus.DISMISSED)
    if found.kind == DuplicateKind.ELSEWHERE:
        found.answer = Answer.NOT_SAME
        await _tell_other_side(session, found)
    await session.flush()
    subjects = [found.id, *(one for one in (found.subject_id, found.other_id) if one)]
    await audit.append_entry(session, actor.doer, found.community_code, "dismiss_duplicate", subjects, reason)
    return await _one(session, actor, found)


async def reopen_duplicate(session: AsyncSession, actor: Actor, duplicate_id: UUID) -> DuplicateRead:
    """Take back that two are not the same, or what this side has answered: the pair waits again.

    Who was said to have moved away stays where the registry has them; they come back by the registry's own way.
    Raises NotFound, and Conflict (`duplicate_decided`) for a merge, which is undone instead.
    """
    found = await load_duplicate(session, actor, duplicate_id)
    if found.status not in (DuplicateStatus.DISMISSED, DuplicateStatus.ANSWERED):
        raise DuplicateDecided
    _reopen(found)
    if found.kind == DuplicateKind.ELSEWHERE:
        await _tell_other_side(session, found)
    await session.flush()
    await audit.append_entry(session, actor.doer, found.community_code, "reopen_duplicate", [found.id])
    return await _one(session, actor, found)


def _reopen(found: Duplicate) -> None:
    found.status, found.answer, found.reason_sealed = DuplicateStatus.OPEN, None, None
    found.decided_by, found.decided_by_name, found.decided_at = None, "", None


def _decide(found: Duplicate, actor: Actor, status: DuplicateStatus) -> None:
    found.status = status
    found.decided_by, found.decided_by_name, found.decided_at = actor.id, actor.name, now()


async def _one(session: AsyncSession, actor: Actor, found: Duplicate) -> DuplicateRead:
    read = await read_duplicates(session, actor, [(found.community_code, found.id)])
    if not read:
        raise RowsChanged
    return read[0]


async def settle_duplicate(
    session: AsyncSession, actor: Actor, duplicate_id: UUID, answers: Sequence[AnswerIn]
) -> DuplicateRead:
    """Say of a person who stands in two communities what is so here; who is in charge of both may say it of both.

    Only the answering side's own row changes: who moved away or is only registered here leaves its list of residents.
    The other side hears the answer and nothing else. Raises NotFound, DuplicateDecided, AnswersContradict, RowsChanged.
    """
    by_code = {one.community_code: one.answer for one in answers}
    if len(by_code) != len(answers) or [*by_code.values()].count("lives_here") > 1:
        raise AnswersContradict
    for code in by_code:
        if not actor.may(code, DESK):
            raise NotFound
    # in code order, in which every transaction takes the clocks
    rows = []
    for code in sorted(by_code):
        await areas.lock_clock(session, code)
        row = await session.get(Duplicate, (code, duplicate_id), populate_existing=True)
        if row is None:
            raise NotFound
        if row.kind != DuplicateKind.ELSEWHERE:
            raise Invalid(
                "duplicate_here",
                "同一村居内的重复登记请合并，或说明不是同一人。",
                "What stands twice in one community is merged, or said to be different.",
            )
        if row.status not in (DuplicateStatus.OPEN, DuplicateStatus.ANSWERED):
            raise DuplicateDecided
        rows.append(row)
    said = {row.community_code: by_code[row.community_code] for row in rows}
    for row in rows:
        other = said.get(str(row.other_community_code), row.other_answer)
        await _answer(session, actor, row, Answer(said[row.community_code]), Answer(other) if other else None)
    if len(rows) == 1:
        await _tell_other_side(session, rows[0])
    await session.flush()
    return await _one(session, actor, rows[0])


_LEAVES = {Answer.MOVED_AWAY: ReasonOut.MOVED_AWAY, Answer.REGISTERED_ONLY: ReasonOut.NOT_LIVING_HERE}


async def _answer(session: AsyncSession, actor: Actor, row: Duplicate, answer: Answer, other: Answer | None) -> None:
    """Write one side's answer, and what follows for its own person."""
    row.answer, row.other_answer = answer, other
    is_settled = answer != Answer.LIVES_HERE or other in (Answer.MOVED_AWAY, Answer.REGISTERED_ONLY, Answer.NOT_SAME)
    _decide(row, actor, DuplicateStatus.SETTLED if is_settled else DuplicateStatus.ANSWERED)
    if answer in _LEAVES:
        change = residence.PlaceChange(
            resident_id=row.subject_id, on=today(), reason_out=_LEAVES[answer], to_community=row.other_community_code,
            keeps_registration=answer == Answer.REGISTERED_ONLY, is_lenient=True,
        )  # fmt: skip
        codes = await residence.change_places(session, actor.doer, row.community_code, [change])
        if codes[change.id] is not None:
            raise RowsChanged
    await audit.append_entry(
        session, actor.doer, row.community_code, "settle_duplicate", [row.id, row.subject_id], answer
    )


async def _tell_other_side(session: AsyncSession, row: Duplicate) -> None:
    """Let the other community hear this side's answer: a job does it, no request writes outside its scope."""
    told = await jobs.deferrer_on(session, tell_other_side, lock="duplicates")
    await told.defer_async(duplicate_id=str(row.id), community_code=str(row.other_community_code), answer=row.answer)


@jobs.queue.task(name="duplicates.tell_other_side", lock="duplicates", pass_context=True)
async def tell_other_side(context: JobContext, duplicate_id: str, community_code: str, answer: str | None) -> None:
    """Write what one side has said beside the other's row, under the other's scope and no more."""
    database = jobs.database_of(context)
    async with database.session(Scope((community_code,))) as session:
        row = await session.get(Duplicate, (community_code, UUID(duplicate_id)), with_for_update=True)
        if row is None:
            return
        row.other_answer = answer
        goes = (Answer.MOVED_AWAY, Answer.REGISTERED_ONLY, Answer.NOT_SAME)
        if row.status == DuplicateStatus.ANSWERED and answer in goes:
            row.status = DuplicateStatus.SETTLED
        elif row.status == DuplicateStatus.SETTLED and answer is None and row.answer == Answer.LIVES_HERE:
            row.status = DuplicateStatus.ANSWERED
        elif row.status == DuplicateStatus.OPEN and answer == Answer.MOVED_AWAY:
            # the other side has let go: nothing is left to decide here
            row.status, row.answer, row.decided_at = DuplicateStatus.SETTLED, Answer.LIVES_HERE, now()


async def search_duplicates(session: AsyncSession, actor: Actor, area: str) -> SearchRead:
    """Have a division searched now; answers how much of it waits."""
    actor.demand(area, DESK)
    span = span_of(area)
    await finding.want_search(session, span["low"], span["high"])
    await finding.start_search(session)
    return await get_search(session, actor, area)


async def get_search(session: AsyncSession, actor: Actor, area: str) -> SearchRead:
    """How far a division has been searched."""
    actor.demand(area, DESK)
    row = (
        await session.execute(
            text("""
            SELECT count(*) AS communities,
                count(*) FILTER (WHERE s.wanted_at > coalesce(s.searched_at, '-infinity')) AS waiting,
                CASE WHEN count(s.searched_at) = count(*) THEN min(s.searched_at) END AS searched_at
            FROM community_clock c LEFT JOIN duplicate_search s USING (community_code)
            WHERE c.community_code BETWEEN :low AND :high
        """),
            span_of(area),
        )
    ).one()
    return SearchRead(area=area, communities=row.communities, waiting=row.waiting, searched_at=row.searched_at)
