"""Looking up forms, judging the answers of visits, reading them back, counting them, and their end."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.core import crypto
from app.core.area_code import PREFIX_LENGTH, Level
from app.core.db import EVERYWHERE, Database
from app.core.paging import decode_cursor, encode_cursor
from app.people import service as people
from app.questions.answers import TEXTS, Judged, judge
from app.questions.forms import Form
from app.questions.models import DoorAnswer, FaultCode, QuestionKind, Subject
from app.questions.schemas import AnswerCount, Answered, AnswerRead, Question

_FORMS = text("""
    SELECT q.id, f.version, f.standard, f.questions FROM screening_round q
    JOIN round_form f ON f.round_id = coalesce(q.parent_id, q.id) WHERE q.id = ANY(:ids) ORDER BY 1, 2
""")
_KEPT = 2000
"""Versions of forms that a process remembers; they never change."""
_forms: WeakKeyDictionary[Database, OrderedDict[tuple[UUID, int], Form]] = WeakKeyDictionary()


def read_form(version: int, standard: Sequence[str], questions: Sequence[Any]) -> Form:
    """A stored version as it is asked."""
    return Form(version, tuple(standard), tuple(Question.model_validate(one) for one in questions))


async def load_forms(session: AsyncSession, round_ids: Iterable[UUID]) -> dict[tuple[UUID, int], Form]:
    """All versions of the questions of some rounds, by round (a day of a daily round has its round's) and version."""
    rows = await session.execute(_FORMS, {"ids": sorted(set(round_ids))})
    return {(row[0], row[1]): read_form(*row[1:]) for row in rows}


class Visit(Protocol):
    """What of a visit is judged here."""

    round_id: UUID
    outcome: str
    persons: Sequence[Any]
    answered: Answered


_HERE = frozenset({"well", "symptoms"})


async def judge_visits(database: Database, visits: Iterable[tuple[UUID, Any]]) -> dict[UUID, Judged]:
    """Judge what visits answered, by their ids (`(id, payload)`); those that name no version are left out, and cost
    no round trip. Forms are looked up once in the life of a process."""
    wanted = [(key, payload) for key, payload in visits if getattr(payload, "form_version", None) is not None]
    if not wanted:
        return {}
    held = _forms.setdefault(database, OrderedDict())
    missing = {p.round_id for _, p in wanted if (p.round_id, p.form_version) not in held}
    if missing:
        async with database.session(EVERYWHERE) as session:
            held.update(await load_forms(session, missing))
    found = {key: _judge(held.get((p.round_id, p.form_version)), p) for key, p in wanted}
    while len(held) > _KEPT:
        held.popitem(last=False)
    return found


async def judge_confirmed(session: AsyncSession, payload: Any) -> Judged | None:
    """Judge what was answered as a self-report was confirmed; None where it names no version: what is missing then is
    found as the visit is recorded, as of any visit."""
    if payload.form_version is None:
        return None
    forms = await load_forms(session, [payload.round_id])
    return _judge(forms.get((payload.round_id, payload.form_version)), payload)


def _judge(form: Form | None, payload: Any) -> Judged:
    is_asked = payload.outcome in ("answered_all", "answered_part")
    named = [person.resident_id for person in payload.persons]
    asked = [person.resident_id for person in payload.persons if person.status in _HERE] if is_asked else []
    if not is_asked:
        # nobody was asked: nothing is due, and nothing can have been answered
        form = form and Form(form.version, (), ())
    return judge(form, payload.form_version, payload.answers, asked, named)


def label_of(question: Question, value: Any) -> str | None:
    """An answer in the words of its question; None for a number, a day or a text, which speak for themselves."""
    if question.kind == QuestionKind.YES_NO:
        return "是" if value is True else "否"
    if question.kind == QuestionKind.CHOICE:
        return next((option.text for option in question.options if option.id == value), None)
    return None


async def read_answers(
    session: AsyncSession, community_code: str, visit_ids: Sequence[UUID], *, with_texts: bool
) -> dict[UUID, list[AnswerRead]]:
    """What visits of a community answered, in the order of the questions; texts only `with_texts`."""
    own = (col(DoorAnswer.community_code) == community_code) & col(DoorAnswer.visit_id).in_(list(visit_ids))
    rows = list((await session.scalars(select(DoorAnswer).where(own))).all()) if visit_ids else []
    forms = await load_forms(session, {row.round_id for row in rows}) if rows else {}
    said = {row.visit_id: _said(row) for row in rows}
    named = {UUID(one["r"]) for row in rows for one in (*row.answers, *row.faults, *said[row.visit_id]) if one["r"]}
    names = await people.name_residents(session, community_code, sorted(named)) if named else {}
    return {
        row.visit_id: _reads(row, forms.get((row.round_id, row.form_version)), said[row.visit_id], names, with_texts)
        for row in rows
    }


def _said(row: DoorAnswer) -> list[dict[str, Any]]:
    opened = crypto.open_text(row.texts_sealed, TEXTS)
    said: list[dict[str, Any]] = orjson.loads(opened) if opened else []
    return said


def _reads(
    row: DoorAnswer, form: Form | None, said: list[dict[str, Any]], names: dict[UUID, str], with_texts: bool
) -> list[AnswerRead]:
    faults = {(one["q"], one["r"]): one["code"] for one in row.faults}
    words = {(one["q"], one["r"]): one["v"] for one in said}
    values = {(one["q"], one["r"]): one["v"] for one in row.answers}
    if "" in {q for q, _ in faults}:
        faults = dict.fromkeys(words, FaultCode.FORM_UNKNOWN.value)
    order = {question.id: at for at, question in enumerate(form.questions)} if form else {}
    reads = []
    for key in sorted({*faults, *values}, key=lambda k: (order.get(k[0], 999), k[0], k[1] or "")):
        question = form.by_id.get(key[0]) if form else None
        value = values.get(key)
        fault = faults.get(key)
        if (fault or value is None) and key in words:
            value = words[key] if with_texts else None
        reads.append(
            AnswerRead(
                question=key[0],
                text=question.text if question else key[0],
                kind=QuestionKind(question.kind) if question else None,
                resident_id=UUID(key[1]) if key[1] else None,
                resident_name=names.get(UUID(key[1])) if key[1] else None,
                value=value,
                label=label_of(question, value) if question and not fault else None,
                fault=FaultCode(fault) if fault else None,
            )
        )
    return reads


# The newest answer of each household and person to each question; visits that were set aside count for nothing. What
# was said under an id that has been merged into another counts once, for who stands for both.
_NEWEST = """
    SELECT DISTINCT ON (a.community_code, a.round_id, a.household_id, coalesce(m.merged_into_id, e.r), e.q)
        a.community_code, a.round_id, a.visit_id, e.q, e.v
    FROM door_answer a
    JOIN door_visit v ON v.community_code = a.community_code AND v.id = a.visit_id
    CROSS JOIN LATERAL jsonb_to_recordset(a.answers) AS e(q text, r uuid, v jsonb)
    LEFT JOIN resident m ON m.community_code = a.community_code AND m.id = e.r
    WHERE a.round_id = ANY({rounds}) AND a.community_code LIKE {below} AND v.verdict IS DISTINCT FROM 'set_aside'
    ORDER BY a.community_code, a.round_id, a.household_id, coalesce(m.merged_into_id, e.r), e.q,
        v.recorded_at DESC, v.id DESC
"""
_KEY = "CASE jsonb_typeof(n.v) WHEN 'boolean' THEN n.v::text WHEN 'string' THEN n.v #>> '{}' ELSE '' END"
# A day is a value of its own only within its question's least and most.
_COUNTS = f"""
    WITH newest AS ({_NEWEST.format(rounds="%(rounds)s", below="%(below)s")}), given AS (
        SELECT n.community_code, n.q, CASE WHEN n.q = ANY(%(days)s) THEN '' ELSE {_KEY} END AS value, 1 AS n,
            CASE WHEN jsonb_typeof(n.v) = 'number' THEN (n.v #>> '{{}}')::float8 END AS number,
            CASE WHEN n.q = ANY(%(days)s) THEN n.v #>> '{{}}' END AS day
        FROM newest n
        UNION ALL
        SELECT community_code, question_id, value, deleted_count, deleted_sum, NULL FROM answer_tally
        WHERE round_id = ANY(%(rounds)s) AND community_code LIKE %(below)s
    ), counted AS (
        SELECT rpad(left(community_code, %(length)s), 12, '0')::char(12) AS code, q, value, sum(n)::bigint AS count,
            sum(number) AS total, min(number) FILTER (WHERE n = 1) AS low, max(number) FILTER (WHERE n = 1) AS high,
            min(day) AS first, max(day) AS last
        FROM given GROUP BY 1, 2, 3
    )
    SELECT c.code, d.name, d.level, c.q, c.value, c.count, c.total, c.low, c.high, c.first, c.last
    FROM counted c JOIN division d ON d.code = c.code
    WHERE c.code > %(after)s::char(12) ORDER BY c.code
"""


async def count_answers(
    database: Database, scope: Any, rounds: Sequence[UUID], form: Form, below: str, level: Level, limit: int,
    cursor: str | None,
) -> tuple[list[AnswerCount], str | None]:  # fmt: skip
    """How often each answer stands, by the divisions of `level` below a prefix pattern; a page ends between divisions.

    `form` gives the words and the order: that of the newest version, with the questions that older ones had.
    """
    days = [q.id for q in form.questions if q.kind == QuestionKind.DATE]
    params = {
        "rounds": list(rounds), "below": below, "length": PREFIX_LENGTH[level], "days": days,
        "after": decode_cursor(cursor, str)[0] if cursor else "",
    }  # fmt: skip
    (rows,) = await database.read(scope, [_COUNTS], params)
    order = {question.id: at for at, question in enumerate(form.questions)}
    by_code: dict[str, list[AnswerCount]] = defaultdict(list)
    for code, name, place_level, q, value, count, total, low, high, first, last in rows:
        question = form.by_id.get(q)
        if question is None:
            continue
        if len(by_code) > 1 and code not in by_code and sum(map(len, by_code.values())) >= limit:
            break
        is_number = question.kind == QuestionKind.NUMBER
        by_code[code].append(
            AnswerCount(
                code=code, name=name, level=place_level, question=q, text=question.text,
                kind=QuestionKind(question.kind), per=Subject(question.per), value=value,
                label=label_of(question, value == "true" if value in ("true", "false") else value) or "",
                count=count, sum=total if is_number else None,
                least=first or (_plain(low) if is_number else None), most=last or (_plain(high) if is_number else None),
            )
        )  # fmt: skip
    items = []
    for found in by_code.values():
        items += sorted(found, key=lambda one: (order[one.question], _place(form.by_id[one.question], one.value)))
    codes = list(by_code)
    more = encode_cursor(codes[-1]) if rows and codes and rows[-1][0] != codes[-1] else None
    return items, more


def _plain(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"


def _place(question: Question, value: str) -> int:
    known = ["true", "false", *(option.id for option in question.options)]
    return known.index(value) if value in known else len(known)


DUE_ANSWERS = "door_answer WHERE delete_by <= :on AND (answers <> '[]' OR texts_sealed IS NOT NULL)"
"""Which rows hold something that has to go by the day `:on`."""


async def delete_due_answers(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty what was answered where its day has come, `limit` visits at most. How often each answer was given stays:
    those that stood when they went are added to the round's tally."""
    params = {"c": community_code, "on": on, "version": version, "limit": limit}
    due = f"SELECT visit_id FROM {DUE_ANSWERS} AND community_code = :c ORDER BY visit_id LIMIT :limit"
    result = await session.execute(
        text(f"""
        WITH due AS ({due}), newest AS (
            {_NEWEST.format(rounds="ARRAY(SELECT DISTINCT round_id FROM door_answer WHERE community_code = :c AND visit_id IN (SELECT visit_id FROM due))", below=":c")}
        ), kept AS (
            INSERT INTO answer_tally AS t (community_code, round_id, question_id, value, deleted_count, deleted_sum)
            SELECT n.community_code, n.round_id, n.q, CASE WHEN {_KEY} ~ '^[0-9]{{4}}-' THEN '' ELSE {_KEY} END,
                count(*), coalesce(sum(CASE WHEN jsonb_typeof(n.v) = 'number' THEN (n.v #>> '{{}}')::float8 END), 0)
            FROM newest n WHERE n.visit_id IN (SELECT visit_id FROM due) GROUP BY 1, 2, 3, 4
            ON CONFLICT (community_code, round_id, question_id, value) DO UPDATE SET
                deleted_count = t.deleted_count + excluded.deleted_count,
                deleted_sum = t.deleted_sum + excluded.deleted_sum
        ), emptied AS (
            UPDATE door_answer a SET answers = '[]', faults = '[]', texts_sealed = NULL, version = :version
            FROM due WHERE a.community_code = :c AND a.visit_id = due.visit_id RETURNING 1
        ) SELECT count(*) FROM emptied
    """),  # noqa: E501
        params,
    )
    return int(result.scalar_one())
