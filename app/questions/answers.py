"""Judging what a visit answered, against the version of the questions it was given to.

The same rules stand in the phone (`frontend/src/questions/form.ts`): what is shown, what is required, what fits.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from app.core import crypto
from app.questions.forms import Form
from app.questions.models import FaultCode, QuestionKind, Subject
from app.questions.schemas import Question, QuestionAnswer

TEXTS = "door_answer.texts"
_NOBODY: tuple[None] = (None,)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a visit answered: as stored plainly, in words (with what did not fit), and what is wrong."""

    form_version: int
    answers: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    faults: list[dict[str, Any]]

    def as_row(self) -> dict[str, Any]:
        """As SQL reads it: words sealed, the first fault as the visit's flag."""
        row: dict[str, Any] = {"form_version": self.form_version, "answers": self.answers}
        if self.texts:
            row["texts"] = crypto.seal_base64(orjson.dumps(self.texts).decode(), TEXTS)
        if self.faults:
            row |= {"faults": self.faults, "answer_flag": self.faults[0]["code"]}
        return row


def judge(
    form: Form | None, version: int, given: Sequence[QuestionAnswer], asked: Iterable[UUID], named: Iterable[UUID]
) -> Judged:
    """Judge answers given to a version of a form (None: nobody knows it). `asked` are the people who were there to be
    asked, of whom required answers are due; `named` all of whom something may have been said."""
    if form is None:
        kept = [_said(one.question, one.resident_id, one.value) for one in given]
        return Judged(version, [], kept, [{"q": "", "r": None, "code": FaultCode.FORM_UNKNOWN}])
    values = {(one.question, one.resident_id): one.value for one in given}
    due, known = list(asked), {*named}
    answers: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    fitting: dict[tuple[str, UUID | None], Any] = {}
    for question in form.questions:
        is_person = question.per == Subject.PERSON
        subjects: Sequence[UUID | None] = due if is_person else _NOBODY
        # who was not there may have been answered for by the others
        extra = [r for q, r in values if q == question.id and r in known and r not in due] if is_person else []
        for subject in (*subjects, *extra):
            value = values.pop((question.id, subject), None)
            shown = is_shown(question, subject, fitting)
            if value is None or value == "":
                if shown and question.is_required and subject not in extra:
                    faults.append(_fault(question.id, subject, FaultCode.MISSING))
                continue
            if not shown or not fits(question, value):
                faults.append(_fault(question.id, subject, FaultCode.UNEXPECTED if not shown else FaultCode.VALUE))
                texts.append(_said(question.id, subject, value))
                continue
            fitting[question.id, subject] = value
            is_text = question.kind == QuestionKind.TEXT
            answers.append(_said(question.id, subject, None if is_text else value))
            if is_text:
                texts.append(_said(question.id, subject, value))
    for (question_id, subject), value in values.items():
        faults.append(_fault(question_id, subject, FaultCode.UNEXPECTED))
        texts.append(_said(question_id, subject, value))
    return Judged(version, answers, texts, faults)


def is_shown(question: Question, subject: UUID | None, fitting: Mapping[tuple[str, UUID | None], Any]) -> bool:
    """Whether a question is asked of somebody, by what has been answered before it."""
    condition = question.shown_when
    if condition is None:
        return True
    for key in ((condition.question, subject), (condition.question, None)):
        if key in fitting:
            value = fitting[key]
            return any(value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
                       for wanted in condition.values)  # fmt: skip
    return False


def fits(question: Question, value: Any) -> bool:
    """Whether a value is one of the question's answers."""
    match question.kind:
        case QuestionKind.YES_NO:
            return isinstance(value, bool)
        case QuestionKind.CHOICE:
            return isinstance(value, str) and any(option.id == value for option in question.options)
        case QuestionKind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return False
            most = math.inf if question.most is None else question.most
            return (-math.inf if question.least is None else question.least) <= value <= most and abs(value) < 1e12
        case QuestionKind.DATE:
            return isinstance(value, str) and _is_day(value)
        case _:
            return isinstance(value, str)


def _is_day(value: str) -> bool:
    try:
        return len(value) == 10 and 1900 <= date.fromisoformat(value).year <= 2100
    except ValueError:
        return False


def _said(question: str, subject: UUID | None, value: Any) -> dict[str, Any]:
    return {"q": question, "r": subject, "v": value}


def _fault(question: str, subject: UUID | None, code: FaultCode) -> dict[str, Any]:
    return {"q": question, "r": subject, "code": code}
