"""What became of each code: the list that is in force beside the one that is to be."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.core.area_code import LEVELS, Level, level_of

NOWHERE_ELSE = "-"
"""In a mapping: the code ends and nothing comes after it."""

MANY = 20
"""From so many divisions on, a list that lacks more than half of them is a part of a list."""

By = Literal["rest", "compound", "building", "area"]
BYS: tuple[By, ...] = ("rest", "compound", "building", "area")


@dataclass(frozen=True, slots=True)
class Known:
    """A division in force, how many doors are registered in it or below, and whether anything at all stands under its
    code: posts, counts, grants."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    doors: int = 0
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A division of the new list."""

    code: str
    name: str
    level: Level
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """Where some of a community's doors go: those of a compound, a building (`compound|building`) or an area by its
    name, or the rest."""

    new_code: str
    by: By = "rest"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A code of which the list alone does not say what became; `candidates` are what it may be, and why."""

    old: Known
    why: Literal["gone", "reused"]
    candidates: tuple[str, ...]

    @property
    def must_be_answered(self) -> bool:
        """Whether something stands there. Where nothing does, the code may simply end."""
        return self.old.doors > 0 or self.old.is_used


@dataclass(slots=True)
class Plan:
    """What adopting a list would do."""

    added: list[Listed] = field(default_factory=list)
    renamed: list[tuple[Known, Listed]] = field(default_factory=list)
    moved: list[tuple[Known, Listed]] = field(default_factory=list)
    merged: list[tuple[Known, Listed]] = field(default_factory=list)
    split: list[tuple[Known, tuple[Part, ...]]] = field(default_factory=list)
    ended: list[Known] = field(default_factory=list)
    unchanged: int = 0
    questions: list[Question] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        """Whether it can be applied: nothing wrong, and all is answered that has to be."""
        return not self.problems and not any(question.must_be_answered for question in self.questions)

    @property
    def is_empty(self) -> bool:
        """Whether the list says nothing new."""
        return not (self.added or self.renamed or self.moved or self.merged or self.split or self.ended)


def make_plan(known: Sequence[Known], listed: Sequence[Listed], answers: Mapping[str, Sequence[Part]]) -> Plan:
    """Compare what is in force with a list, both of one city or more, with a person's answers by old code.

    Certain without an answer is only: the same code; and a code that is gone while, below what its parent became,
    exactly one new code bears exactly its name.
    """
    return _Planner(known, listed, answers).plan()


class _Planner:
    def __init__(self, known: Sequence[Known], listed: Sequence[Listed], answers: Mapping[str, Sequence[Part]]) -> None:
        self.known = {one.code: one for one in known}
        self.listed = {one.code: one for one in listed}
        self.answers = answers
        self.fresh = {code: one for code, one in self.listed.items() if code not in self.known}
        self.children: dict[str | None, list[Known]] = defaultdict(list)
        for one in known:
            self.children[one.parent_code].append(one)
        self.new_below: dict[str | None, list[Listed]] = defaultdict(list)
        for fresh in self.fresh.values():
            self.new_below[fresh.parent_code].append(fresh)
        self.became: dict[str, str | None] = {}
        self.made = Plan()

    def plan(self) -> Plan:
        """Level by level from the top, so that what a parent became is known."""
        for level in LEVELS:
            for one in sorted(self.known.values(), key=lambda one: one.code):
                if one.level == level:
                    self._decide(one)
        taken = {new.code for _, new in (*self.made.moved, *self.made.merged)}
        taken |= {part.new_code for _, parts in self.made.split for part in parts}
        self.made.added = [one for code, one in sorted(self.fresh.items()) if code not in taken]
        self._sort_merges()
        self._find_problems()
        return self.made

    def _decide(self, one: Known) -> None:
        answer = self.answers.get(one.code)
        if answer:
            self._take_answer(one, tuple(answer))
        elif one.code in self.listed:
            self._stay(one)
        else:
            self._follow(one)

    def _stay(self, one: Known) -> None:
        new = self.listed[one.code]
        self.became[one.code] = one.code
        if new.name == one.name:
            self.made.unchanged += 1
            return
        # its name stands at a new code beside it: is this the old place renamed, or another that took its code?
        elsewhere = [f for f in self.new_below[new.parent_code] if f.name == one.name]
        if elsewhere:
            self._ask(one, "reused", [*elsewhere, new])
        else:
            self.made.renamed.append((one, new))

    def _follow(self, one: Known) -> None:
        parent = one.parent_code
        if parent is not None and parent in self.known and parent not in self.became:
            # the question about its parent comes first; where nothing stands both may simply end
            if not (self.known[parent].doors or self.known[parent].is_used):
                self.made.questions.append(Question(one, "gone", ()))
            return
        above = self.became.get(parent, parent) if parent else None
        if parent is not None and above is None:
            self._ask(one, "gone", self._same_names(one))
            return
        same = [f for f in self.new_below[above] if f.name == one.name and f.level == one.level]
        rivals = [k for k in self.children[parent] if k.name == one.name and k.code not in self.listed and k is not one]
        if len(same) == 1 and not rivals:
            self.became[one.code] = same[0].code
            self.made.moved.append((one, same[0]))
        else:
            beside = [f for f in self.new_below[above] if f.level == one.level]
            self._ask(one, "gone", [*self._same_names(one), *beside])

    def _same_names(self, one: Known) -> list[Listed]:
        return [f for f in self.fresh.values() if f.name == one.name and f.level == one.level]

    def _ask(self, one: Known, why: Literal["gone", "reused"], candidates: Iterable[Listed]) -> None:
        told = [f"{c.code} {c.name}{self._evidence(one, c)}" for c in dict.fromkeys(candidates)]
        self.made.questions.append(Question(one, why, tuple(told[:12])))
        if why == "reused":
            self.became[one.code] = one.code

    def _evidence(self, one: Known, candidate: Listed) -> str:
        """How many of what lies below have the same names: a reason for a person, not for a program."""
        names = {child.name for child in self.children[one.code]}
        if not names:
            return ""
        same = names & {child.name for child in self.listed.values() if child.parent_code == candidate.code}
        return f" ({len(same)}/{len(names)})"

    def _take_answer(self, one: Known, parts: tuple[Part, ...]) -> None:
        if [part.new_code for part in parts] == [NOWHERE_ELSE]:
            self.became[one.code] = None
            if one.doors or one.is_used:
                self.made.problems.append(
                    f"{one.code} {one.name}: something stands there ({one.doors} doors); it cannot just end"
                )
            elif one.code in self.listed:
                self.made.problems.append(f"{one.code} {one.name}: the list still has it")
            else:
                self.made.ended.append(one)
            return
        for part in parts:
            new = self.listed.get(part.new_code)
            if new is None:
                self.made.problems.append(f"{one.code} {one.name}: the list has no {part.new_code}")
            elif new.level != one.level:
                self.made.problems.append(f"{one.code} {one.name}: {part.new_code} is no {one.level}")
        if any(part.new_code not in self.listed for part in parts):
            return
        if len(parts) > 1 or parts[0].by != "rest":
            self._take_split(one, parts)
        elif parts[0].new_code == one.code:
            new = self.listed[one.code]
            self.became[one.code] = one.code
            self.made.renamed += [(one, new)] if new.name != one.name else []
        else:
            self.became[one.code] = parts[0].new_code
            self.made.moved.append((one, self.listed[parts[0].new_code]))
            if one.code in self.listed:
                self.made.problems.append(
                    f"{one.code} {one.name}: its code is somebody else's in the list; adopt a list without that first"
                )

    def _take_split(self, one: Known, parts: tuple[Part, ...]) -> None:
        rests = [part for part in parts if part.by == "rest"]
        if one.level != "community":
            self.made.problems.append(f"{one.code} {one.name}: only communities are divided; say it of those below")
        elif len(rests) != 1:
            self.made.problems.append(f"{one.code} {one.name}: one line says where the rest goes, and only one")
        elif one.code in self.listed and rests[0].new_code != one.code:
            self.made.problems.append(f"{one.code} {one.name}: the list still has it, so the rest stays there")
        else:
            self.became[one.code] = None
            self.made.split.append((one, parts))

    def _sort_merges(self) -> None:
        """Several that became one, or one that became part of what was there already, are merged."""
        count: dict[str, int] = defaultdict(int)
        for _, new in self.made.moved:
            count[new.code] += 1
        for _, parts in self.made.split:
            for code in {part.new_code for part in parts}:
                count[code] += 1
        merged = {code for code in count if count[code] > 1 or code in self.known}
        self.made.merged = [pair for pair in self.made.moved if pair[1].code in merged]
        self.made.moved = [pair for pair in self.made.moved if pair[1].code not in merged]

    def _find_problems(self) -> None:
        leaving = {old.code for old, _ in (*self.made.moved, *self.made.merged)}
        for old, new in (*self.made.moved, *self.made.merged):
            if new.code in leaving:
                self.made.problems.append(f"{old.code} {old.name}: {new.code} is itself left; adopt that first")
        for code, one in self.listed.items():
            if level_of(code) != one.level:
                self.made.problems.append(f"{code} {one.name}: the code is not of a {one.level}")
        gone = sum(question.why == "gone" for question in self.made.questions)
        if len(self.known) > MANY and gone > len(self.known) / 2:
            self.made.problems.append(f"the list lacks {gone} of {len(self.known)} codes; say what it covers (--under)")
        for code in sorted(set(self.answers) - set(self.known)):
            self.made.problems.append(f"{code}: the mapping speaks of a code that is not in force")
