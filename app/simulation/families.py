"""Who lives together: households by their form, so that the ages of all of them are a city's.

Held against the census of Jinan in 2020: 2.69 persons in a family household, 16.6 % under fifteen, 20.0 % sixty and
older, 9.2 million people of whom a tenth live in dormitories.
"""

from collections.abc import Callable
from typing import NamedTuple

from app.simulation.draws import Draw, Weighted

MALE, FEMALE = 1, 2
ELDER = 60
"""The age from which the law for the protection of the elderly speaks of them."""
MAX_AGE = 104


class Member(NamedTuple):
    """A person before they have a name: relation to the head, full years, sex (1 male, 2 female)."""

    relation: str
    age: int
    sex: int


class Family(NamedTuple):
    """A household before it has a door, its head first."""

    kind: str
    tags: tuple[str, ...]
    members: tuple[Member, ...]


def _band(draw: Draw, bands: Weighted[tuple[int, int]]) -> int:
    low, high = draw.pick(bands)
    return draw.between(low, high)


_YOUNG_ALONE = Weighted([((20, 24), 2.0), ((25, 29), 4), ((30, 39), 5), ((40, 49), 4), ((50, 59), 5)])
_ELDERS = Weighted(
    [((60, 64), 5.0), ((65, 69), 5.5), ((70, 74), 3.6), ((75, 79), 2.2), ((80, 84), 1.3), ((85, 94), 0.5)]
)
_ELDERS_ALONE = Weighted([((60, 64), 2.0), ((65, 69), 3), ((70, 79), 5), ((80, 84), 2.4), ((85, 96), 1.6)])
_COUPLES = Weighted([((24, 29), 2.0), ((30, 34), 1.5), ((35, 44), 1), ((45, 49), 3), ((50, 54), 6), ((55, 59), 7)])
_PARENTS = Weighted(
    [((24, 29), 2.4), ((30, 34), 7.0), ((35, 39), 6.5), ((40, 44), 4.2), ((45, 49), 3.2), ((50, 54), 1.8)]
)
_GROWN = Weighted([((22, 29), 6.0), ((30, 39), 3), ((40, 49), 1)])
_DORMITORIES = Weighted([("students", 6.0), ("workers", 3.4), ("home", 0.6)])


def _sex(draw: Draw) -> int:
    return MALE if draw.next() < 0.52 else FEMALE


def _couple(draw: Draw, age: int) -> list[Member]:
    """A couple of which one is `age`: the head is the man in seven of ten."""
    sex = MALE if draw.next() < 0.7 else FEMALE
    gap = draw.between(-2, 4)
    spouse = age - gap if sex == MALE else age + gap
    return [Member("户主", age, sex), Member("配偶", max(spouse, 20), 3 - sex)]


def _child(draw: Draw, parent: int) -> Member | None:
    """A child of somebody of that age who still lives at home."""
    age = parent - draw.between(23, 33)
    if age < 0:
        age = draw.between(0, 3)
    if age > 20:
        return None
    sex = MALE if draw.next() < 0.525 else FEMALE
    return Member("子" if sex == MALE else "女", age, sex)


def _children(draw: Draw, parent: int) -> list[Member]:
    share = draw.next()
    count = 1 if share < 0.44 else 2 if share < 0.95 else 3
    found = [_child(draw, parent) for _ in range(count)]
    spaced: list[Member] = []
    for one in sorted((one for one in found if one), key=lambda one: one.age):
        spaced.append(one._replace(age=max(one.age, spaced[-1].age + 2)) if spaced else one)
    return spaced[::-1]


def _alone(draw: Draw) -> list[Member]:
    return [Member("户主", _band(draw, _YOUNG_ALONE), _sex(draw))]


def _elder_alone(draw: Draw) -> list[Member]:
    return [Member("户主", _band(draw, _ELDERS_ALONE), MALE if draw.next() < 0.36 else FEMALE)]


def _two(draw: Draw) -> list[Member]:
    return _couple(draw, _band(draw, _COUPLES))


def _two_elders(draw: Draw) -> list[Member]:
    return _couple(draw, _band(draw, _ELDERS))


def _parents_and_children(draw: Draw) -> list[Member]:
    age = _band(draw, _PARENTS)
    return [*_couple(draw, age), *_children(draw, age)]


def _one_parent(draw: Draw) -> list[Member]:
    age = _band(draw, _PARENTS)
    return [Member("户主", age, FEMALE if draw.next() < 0.7 else MALE), *_children(draw, age)]


def _elders_and_grown_child(draw: Draw) -> list[Member]:
    child = _band(draw, _GROWN)
    age = min(child + draw.between(23, 31), MAX_AGE - 8)
    elders = _couple(draw, age) if draw.next() < 0.75 else [Member("户主", age, FEMALE)]
    sex = MALE if draw.next() < 0.6 else FEMALE
    return [*elders, Member("子" if sex == MALE else "女", child, sex)]


def _three_generations(draw: Draw) -> list[Member]:
    """The head is of the middle generation, or, one time in three, the grandfather."""
    age = _band(draw, _PARENTS)
    children = _children(draw, age)
    old = min(age + draw.between(23, 30), MAX_AGE - 8)
    if draw.next() < 0.33:
        elders = [Member("户主", old, MALE), Member("配偶", max(old - draw.between(-1, 4), 45), FEMALE)]
        middle = [Member("子", age, MALE), Member("儿媳", max(age - draw.between(-2, 4), 20), FEMALE)]
        return [*elders, *middle, *(Member("孙子" if c.sex == MALE else "孙女", c.age, c.sex) for c in children)]
    mother = Member("母", old, FEMALE)
    both = draw.next() < 0.5
    elders = [Member("父", min(old + draw.between(0, 4), MAX_AGE), MALE), mother] if both else [mother]
    return [*_couple(draw, age), *children, *elders]


def _flatmates(draw: Draw) -> list[Member]:
    sex = _sex(draw)
    return [Member("户主" if n == 0 else "合租", draw.between(21, 34), sex) for n in range(draw.between(2, 4))]


_Form = Callable[[Draw], list[Member]]
_TOWN: Weighted[_Form] = Weighted([
    (_alone, 14), (_elder_alone, 6), (_two, 13), (_two_elders, 13), (_parents_and_children, 31), (_one_parent, 3.5),
    (_elders_and_grown_child, 5), (_three_generations, 12), (_flatmates, 2.5),
])  # fmt: skip
_VILLAGE: Weighted[_Form] = Weighted([
    (_alone, 8.5), (_elder_alone, 10.5), (_two, 14), (_two_elders, 20), (_parents_and_children, 22), (_one_parent, 2),
    (_elders_and_grown_child, 7), (_three_generations, 16),
])  # fmt: skip


def family(draw: Draw, *, is_village: bool) -> Family:
    """A family household as one meets them."""
    members = draw.pick(_VILLAGE if is_village else _TOWN)(draw)
    tags = set()
    if len(members) == 1 and members[0].age >= ELDER:
        tags.add("living_alone_elder")
    if any(one.age <= 2 for one in members):
        tags.add("infant")
    if draw.next() < (0.035 if is_village else 0.012):
        tags.add("household_in_hardship")
    youngish = members[0].age < 50
    if members[-1].relation == "合租" or draw.next() < (0.01 if is_village else 0.2 if youngish else 0.05):
        tags.add("tenant")
    if draw.next() < (0.2 if any(one.age >= ELDER for one in members) else 0.02):
        tags.add("chronic_illness")
    if draw.next() < 0.018:
        tags.add("disabled")
    if (
        members[-1].relation != "合租"
        and draw.next() < 0.012
        and any(one.sex == FEMALE and 22 <= one.age <= 42 for one in members)
    ):
        tags.add("pregnant")
    return Family("family", tuple(sorted(tags)), tuple(members))


def collective(draw: Draw) -> Family:
    """A floor of a dormitory, or a home for the elderly."""
    what = draw.pick(_DORMITORIES)
    count = draw.between(12, 40)
    sex = _sex(draw)
    if what == "students":
        ages = [draw.between(18, 22) for _ in range(count)]
    elif what == "workers":
        ages = [draw.between(19, 55) for _ in range(count)]
    else:
        ages = [draw.between(70, 95) for _ in range(count)]
    members = tuple(Member("户主" if n == 0 else "集体户成员", age, sex) for n, age in enumerate(ages))
    return Family("collective", ("collective_household",), members)
