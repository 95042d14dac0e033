"""Where people live: compounds of flats in towns, hamlets with lanes and house numbers in villages, dormitories."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.simulation.draws import Draw, Weighted
from app.simulation.families import Family, collective, family

_SPRINGS = [
    "泉景",
    "柳岸",
    "槐荫",
    "明湖",
    "舜耕",
    "历山",
    "文化",
    "和平",
    "建设",
    "益寿",
    "环山",
    "绿地",
    "翠屏",
    "锦绣",
    "阳光",
    "百花",
    "七里",
    "东仓",
    "名士",
    "花园",
    "石榴",
    "甸柳",
    "燕翔",
    "鲁能",
    "中海",
]
_KINDS = ("小区", "花园", "家园", "新村", "苑", "公寓", "宿舍", "园")
_DORMITORIES = ("学生公寓", "职工宿舍", "人才公寓", "工地宿舍")
_HAMLETS = tuple("王李张刘陈孙赵马")
_HAMLET_ENDS = ("家庄", "家洼", "家峪", "家寨")
_LANES = [
    "前街",
    "后街",
    "中心街",
    "东街",
    "西街",
    "南巷",
    "北巷",
    "槐树巷",
    "柳巷",
    "井台巷",
    "石桥街",
    "祠堂巷",
    "小学路",
    "东河沿",
    "西河沿",
    "场院街",
    "新村一排",
    "新村二排",
    "新村三排",
]
# floors, stairs, doors on a floor, and how many of a hundred buildings are so
_BUILDINGS: Weighted[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = Weighted([
    (((5, 7), (2, 5), (2, 3)), 62.0), (((9, 12), (1, 3), (2, 2)), 14), (((17, 28), (1, 2), (2, 4)), 20),
    (((29, 33), (1, 2), (3, 4)), 4),
])  # fmt: skip
_DOORS_OF_A_COMPOUND = (150, 700)
_DOORS_OF_A_LANE = (14, 46)


@dataclass(slots=True)
class Door:
    """A door and who lives behind it; nobody: it is vacant."""

    compound: str
    building: str
    stair: str
    floor: int | None
    room: str
    families: list[Family] = field(default_factory=list)


def _flats(draw: Draw) -> Iterator[Door]:
    """The doors of one compound after another, without end."""
    first = draw.below(len(_SPRINGS))
    for number in range(1_000_000):
        word = _SPRINGS[(first + number) % len(_SPRINGS)]
        again = number // len(_SPRINGS)
        compound = f"{word}{draw.one_of(_KINDS)}{f'{again + 1}期' if again else ''}"
        room_for = draw.between(*_DOORS_OF_A_COMPOUND)
        building = made = 0
        while made < room_for:
            building += 1
            floors, stairs, doors = (draw.between(*span) for span in draw.pick(_BUILDINGS))
            for stair in range(1, stairs + 1):
                for floor in range(1, floors + 1):
                    for door in range(1, doors + 1):
                        made += 1
                        yield Door(compound, str(building), str(stair), floor, f"{floor}{door:02d}")


def _dormitory(draw: Draw) -> Iterator[Door]:
    """The floors of dormitories, without end: each is one collective household."""
    first = draw.below(len(_DORMITORIES))
    for number in range(1_000_000):
        for floor in range(1, draw.between(4, 8) + 1):
            kind = _DORMITORIES[(first + number // 20) % len(_DORMITORIES)]
            part = f"{number // 80 + 1}区" if number >= 80 else ""
            yield Door(f"{kind}{part}", str(number % 20 + 1), "", floor, f"{floor}层")


def _lanes(draw: Draw) -> Iterator[Door]:
    """The doors of a village, hamlet by hamlet, lane by lane, without end."""
    first = draw.below(len(_HAMLETS))
    for number in range(1_000_000):
        hamlet = _HAMLETS[(first + number) % len(_HAMLETS)] + _HAMLET_ENDS[number // len(_HAMLETS) % len(_HAMLET_ENDS)]
        lanes = draw.between(3, 9)
        start = draw.below(len(_LANES))
        for lane in range(lanes):
            for house in range(1, draw.between(*_DOORS_OF_A_LANE) + 1):
                yield Door(hamlet, _LANES[(start + lane) % len(_LANES)], "", None, f"{house}号")


def settle(draw: Draw, *, is_village: bool, families: int, collectives: int) -> list[Door]:
    """The doors of a community with so many households behind them, some vacant, a few shared by two."""
    doors: list[Door] = []
    vacancy = draw.next() * (0.16 if is_village else 0.22) + 0.02
    shared = 0.004 if is_village else 0.015
    places = _lanes(draw) if is_village else _flats(draw)
    left = families
    while left:
        door = next(places)
        doors.append(door)
        if draw.next() < vacancy:
            continue
        for _ in range(2 if left > 1 and draw.next() < shared else 1):
            door.families.append(family(draw, is_village=is_village))
            left -= 1
    dormitories = _dormitory(draw)
    for _ in range(collectives):
        door = next(dormitories)
        door.families.append(collective(draw))
        doors.append(door)
    return doors
