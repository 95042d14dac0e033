"""Rules of a set of questions: what hangs together, what the standard ones are, what it costs to ask them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.core.errors import FieldProblem, Invalid
from app.questions.models import QuestionKind, Standard, Subject
from app.questions.schemas import Condition, FormContent, FormEstimate, Option, Question

RESERVED = "std_"

_WAYS = (
    ("train", "火车"), ("plane", "飞机"), ("coach", "长途客车"), ("car", "自驾"), ("ship", "轮船"), ("other", "其他"),
)  # fmt: skip
ARRIVAL = (
    Question(id="std_came", text="近期从外地来（返）？", kind=QuestionKind.YES_NO, per=Subject.PERSON),
    Question(
        id="std_came_way", text="来的方式", kind=QuestionKind.CHOICE, per=Subject.PERSON,
        options=[Option(id=way, text=text) for way, text in _WAYS],
        shown_when=Condition(question="std_came", values=[True]),
    ),
    Question(
        id="std_came_on", text="到达日期", kind=QuestionKind.DATE, per=Subject.PERSON,
        shown_when=Condition(question="std_came", values=[True]),
    ),
    Question(
        id="std_came_from", text="从哪里来（省市县）", kind=QuestionKind.TEXT, per=Subject.PERSON,
        shown_when=Condition(question="std_came", values=[True]),
    ),
)  # fmt: skip
"""Way and date of coming: a standard question that is asked like own ones."""

_SECONDS = {
    QuestionKind.YES_NO: 6,
    QuestionKind.CHOICE: 9,
    QuestionKind.NUMBER: 11,
    QuestionKind.DATE: 12,
    QuestionKind.TEXT: 25,
}
"""To ask and enter one answer; timed with the phone in one hand."""
_STANDARD_SECONDS = {Standard.TEMPERATURE: 10, Standard.SYMPTOMS: 4, Standard.RISK_AREA: 4, Standard.ARRIVAL: 0}
DOOR_SECONDS = 40
"""To get to the next door, knock, say who one is, and leave."""
_SHOWN = 0.5
"""How much of its time a question that is asked only under a condition is reckoned with."""


@dataclass(frozen=True)
class Form:
    """One version of a round's questions as they are asked: the standard ones that are asked like own ones first."""

    version: int
    standard: tuple[str, ...]
    own: tuple[Question, ...]

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All that is asked beyond temperature, symptoms and contact."""
        return (*(ARRIVAL if Standard.ARRIVAL in self.standard else ()), *self.own)

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Questions by their id."""
        return {question.id: question for question in self.questions}


def check_form(content: FormContent, *, is_final: bool) -> None:
    """Raise Invalid with each fault of a set of questions, by field. `is_final`: it is to be asked now, so every own
    question has its words, a definition and an owner."""
    problems: list[FieldProblem] = []

    def wrong(at: int, name: str, code: str, zh: str, en: str) -> None:
        problems.append(FieldProblem(f"questions.{at}.{name}", code, zh, en))

    seen: dict[str, Question] = {}
    for at, question in enumerate(content.questions):
        if question.id.startswith(RESERVED) or question.id in seen:
            wrong(at, "id", "question_id_taken", "问题编号重复。", "Another question has this id.")
        if is_final and not question.text:
            wrong(at, "text", "question_text_missing", "请写明问题。", "The question has no words.")
        if is_final and not question.definition:
            wrong(at, "definition", "question_definition_missing", "请写明口径。", "Say what counts as which answer.")
        if is_final and not question.owner:
            wrong(at, "owner", "question_owner_missing", "请写明谁要这项数据。", "Say who wants to know.")
        options = {option.id for option in question.options}
        if question.kind == QuestionKind.CHOICE:
            if len(options) != len(question.options) or (is_final and len(options) < 2):
                wrong(
                    at,
                    "options",
                    "question_options",
                    "选项至少两个，且不能重复。",
                    "A choice has two different options.",
                )
        elif options:
            wrong(at, "options", "question_options", "只有选择题有选项。", "Only a choice has options.")
        if question.least is not None and question.most is not None and question.least > question.most:
            wrong(at, "most", "question_bounds", "最大值小于最小值。", "The most is less than the least.")
        if question.place and question.kind != QuestionKind.YES_NO:
            wrong(
                at, "place", "question_place", "只有是非题可以关联地点。", "Only a yes-or-no question is about a place."
            )
        if question.shown_when and not _may_hang_on(question, question.shown_when, seen):
            zh, en = (
                "显示条件须引用前面的是非题或选择题。",
                "It may hang on a yes-or-no question or a choice before it.",
            )
            wrong(at, "shown_when", "question_condition", zh, en)
        seen[question.id] = question
    if problems:
        raise Invalid(problems[0].code, problems[0].zh, problems[0].en).with_fields(problems)


def _may_hang_on(question: Question, condition: Condition, before: dict[str, Question]) -> bool:
    other = before.get(condition.question)
    if other is None or (other.per == Subject.PERSON and question.per == Subject.HOUSEHOLD):
        return False
    if other.kind == QuestionKind.YES_NO:
        return all(isinstance(value, bool) for value in condition.values)
    options = {option.id for option in other.options}
    return other.kind == QuestionKind.CHOICE and all(value in options for value in condition.values)


def check_correction(before: Sequence[Question], after: Sequence[Question]) -> None:
    """Raise Invalid (`question_changed`) when a question that has been asked would mean something else now: its answers
    could no longer be counted together. A new question has a new id."""
    known = {question.id: question for question in before}
    for at, question in enumerate(after):
        old = known.get(question.id)
        if old is not None and (old.kind, old.per) != (question.kind, question.per):
            zh = "已经问过的问题不能改类型或对象，请删去后另加一题。"
            en = "A question that has been asked keeps its kind and subject; remove it and add another."
            raise Invalid("question_changed", zh, en, f"questions.{at}.kind")


def estimate(form: Form, doors: int, persons: int) -> FormEstimate:
    """Worker minutes that a form costs over so many households and persons."""
    household = float(DOOR_SECONDS)
    person = float(sum(_STANDARD_SECONDS[Standard(name)] for name in form.standard))
    for question in form.questions:
        seconds = _SECONDS[QuestionKind(question.kind)] * (_SHOWN if question.shown_when else 1)
        if question.per == Subject.PERSON:
            person += seconds
        else:
            household += seconds
    each = household + person * (persons / doors if doors else 2.7)
    return FormEstimate(
        question_count=len(form.questions),
        household_seconds=round(household),
        person_seconds=round(person),
        doors=doors,
        persons=persons,
        minutes_per_household=round(each / 60, 1),
        minutes=round((household * doors + person * persons) / 60),
    )
