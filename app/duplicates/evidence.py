"""What speaks for two people, or two households, being one. No score: reasons, and an order to look at them in."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from app.core import crypto
from app.people import service as people
from app.people.naming import address_text

_PAIRS = UUID("6f1c1d7e-6a51-5c0e-9d2a-3a1c7b7f0e11")
_NUMBER = re.compile(r"\d+")
_WORDS = re.compile(r"[\d\W_]+|小区|社区|号楼|单元|室|栋|幢|座|楼|号|路|街|弄|巷")


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared of somebody."""

    id: UUID
    household_id: UUID
    dwelling_id: UUID
    birth_on: date | None
    id_kind: str
    id_index: bytes | None
    id_sealed: bytes | None
    phone_index: bytes | None
    home_phone_index: bytes | None
    is_collective: bool
    members: int
    address: str


@dataclass(frozen=True, slots=True)
class Found:
    """A pair worth a look."""

    one: UUID
    other: UUID
    reasons: tuple[str, ...]
    rank: int

    @property
    def id(self) -> UUID:
        """The same for the same two rows, whoever finds them."""
        return pair_id(self.one, self.other)


def pair_id(one: UUID, other: UUID) -> UUID:
    """The id of a pair, told by its rows' ids."""
    return uuid5(_PAIRS, "".join(sorted((str(one), str(other)))))


def judge_people(one: Person, other: Person) -> Found | None:
    """Two people of one community with the same name or the same document; None where it says nothing.

    Twins have names of their own. Somebody of the same name behind another door needs the same birth date, or the same
    number to ring where that is not known. Two valid numbers of the same kind that differ are two people, unless one
    looks like a slip of the other and the place agrees. In a dormitory door and telephone are everybody's.
    """
    has_both = one.id_index is not None and other.id_index is not None and one.id_kind == other.id_kind
    if has_both and one.id_index == other.id_index:
        return Found(one.id, other.id, ("same_id", *_place(one, other)), 0)
    place = _place(one, other)
    reasons: list[str] = ["same_name"]
    if has_both:
        if not place or not _is_slip(_number(one), _number(other)):
            return None
        reasons.append("id_typo")
    if one.birth_on and other.birth_on:
        if one.birth_on == other.birth_on:
            return Found(one.id, other.id, (*reasons, "same_birth_date", *place), 1 if place else 2)
        if "same_door" in place and _is_close(one.birth_on, other.birth_on):
            return Found(one.id, other.id, (*reasons, "birth_date_close", *place), 3)
        return None
    if "same_door" in place or "same_phone" in place:
        return Found(one.id, other.id, (*reasons, *place), 2)
    return None


def _place(one: Person, other: Person) -> tuple[str, ...]:
    """How far the places agree."""
    if one.is_collective or other.is_collective:
        return ()
    found = []
    if one.dwelling_id == other.dwelling_id:
        found.append("same_door")
    elif is_near(one.address, other.address):
        found.append("near_address")
    phones = {one.phone_index, one.home_phone_index} & {other.phone_index, other.home_phone_index}
    if one.household_id != other.household_id and phones - {None}:
        found.append("same_phone")
    return tuple(found)


def is_near(one: str, other: str) -> bool:
    """Whether two addresses may be the same written differently: the same numbers in the same order, and words of
    which one holds the other."""
    a, b = address_text(one), address_text(other)
    numbers = [n.lstrip("0") or "0" for n in _NUMBER.findall(a)]
    if not numbers or numbers != [n.lstrip("0") or "0" for n in _NUMBER.findall(b)]:
        return False
    words, others = _WORDS.sub("", a), _WORDS.sub("", b)
    return words in others or others in words


def _number(person: Person) -> str:
    return crypto.open_text(person.id_sealed, people.RESIDENT_ID) or ""


def _is_slip(one: str, other: str) -> bool:
    """Whether two ID numbers differ as by one slip of the finger, the check digit following: one digit, or two
    neighbours the wrong way round."""
    if len(one) != len(other) or len(one) < 8:
        return False
    end = -1 if len(one) == 18 else None
    return _is_one_slip(one[:end], other[:end])


def _is_one_slip(one: str, other: str) -> bool:
    wrong = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(wrong) == 2:
        first, second = wrong
        return second == first + 1 and one[first] == other[second] and one[second] == other[first]
    return len(wrong) == 1


def _is_close(one: date, other: date) -> bool:
    """Whether two birth dates differ as by a slip: one digit, neighbours swapped, day and month exchanged."""
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return True
    return _is_one_slip(f"{one:%Y%m%d}", f"{other:%Y%m%d}")


def judge_households(pairs: Sequence[tuple[Person, Person, Found]]) -> tuple[list[Found], dict[UUID, UUID]]:
    """Households of which several people seem to be the same; answers them, and by which of them pairs of people are
    covered.

    Two people at least and half of the smaller household; one is enough where the place agrees. Somebody who stands
    alone behind another door is a person entered twice, not a household.
    """
    shared: dict[tuple[UUID, UUID], list[tuple[Person, Person, Found]]] = defaultdict(list)
    for one, other, found in pairs:
        if one.household_id != other.household_id and not (one.is_collective or other.is_collective):
            a, b = sorted((one, other), key=lambda p: p.household_id)
            shared[a.household_id, b.household_id].append((a, b, found))
    homes: list[Found] = []
    covered: dict[UUID, UUID] = {}
    for (first, second), group in shared.items():
        a, b, _ = group[0]
        place = tuple(
            r for r in ("same_door", "near_address", "same_phone") if any(r in f.reasons for _, _, f in group)
        )
        known = min(_distinct(p.id for p, _, _ in group), _distinct(p.id for _, p, _ in group))
        is_same_place = "same_door" in place or "near_address" in place
        if known * 2 < min(a.members, b.members) or not (known >= 2 or is_same_place):
            continue
        home = Found(first, second, ("same_people", *place), 0 if is_same_place else 1)
        homes.append(home)
        covered |= {found.id: home.id for _, _, found in group}
    return homes, covered


def _distinct(ids: Iterable[UUID]) -> int:
    return len(set(ids))
