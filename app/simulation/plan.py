"""What is to be made: how large, on which tree, and what each community is given of what is given only once.

Communities are made independently of each other, in any order; ID numbers and phone numbers must still each be
given once in the whole city. So everybody is counted first, by age and sex, and each community gets its share of
the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.areas.service import DivisionEntry
from app.core.area_code import ancestors_of, level_of
from app.core.resident_id import check_character
from app.simulation.draws import Draw
from app.simulation.families import MALE, MAX_AGE
from app.simulation.places import Door, settle


class Size(StrEnum):
    """How large a city: a community, a street, a district, or a city like Jinan."""

    S = "S"
    M = "M"
    L = "L"
    XL = "XL"


# communities, households
SIZES = {Size.S: (1, 500), Size.M: (37, 20_000), Size.L: (428, 230_000), Size.XL: (5_758, 3_100_000)}
HOUSEHOLDS_EACH = 538
MAX_COMMUNITIES = 10_000
"""Beyond, a day of birth has not enough numbers for all who were born on it."""

_VILLAGE_WEIGHT, _TOWN_WEIGHT = 1.0, 9.0
_COLLECTIVE = ((0.8, 0.004), (0.2, 0.074))
_TOWNS_OF_A_DISTRICT, _COMMUNITIES_OF_A_TOWN = 13, 36
_CITY = "990100000000"
_DIRECTIONS = ["泉东", "泉西", "泉南", "泉北", "历湖", "槐山", "柳河", "明水", "长清河", "华山", "鹊山", "云翠", "龙洞"]
_STREETS = [
    "槐荫路",
    "明湖路",
    "舜耕路",
    "文化东路",
    "解放桥",
    "泉城路",
    "千佛山路",
    "趵突泉路",
    "环城路",
    "二环南路",
    "工业北路",
    "洪楼",
    "甸柳",
    "建新",
    "经十路",
]
_TOWNS = [
    "柳埠",
    "仲宫",
    "西营",
    "彩石",
    "董家",
    "唐王",
    "高官寨",
    "垛庄",
    "文祖",
    "官庄",
    "普集",
    "绣惠",
    "刁镇",
    "水寨",
    "黄河",
]
_COMMUNITIES = [
    "泉景",
    "柳岸",
    "明湖",
    "舜耕",
    "历山",
    "和平",
    "建设",
    "益寿",
    "环山",
    "翠屏",
    "锦绣",
    "阳光",
    "百花",
    "七里",
    "东仓",
    "石榴",
    "燕翔",
]
_VILLAGES = [
    "柳埠",
    "东坡",
    "西坡",
    "南泉",
    "北泉",
    "石匣",
    "大门牙",
    "小门牙",
    "桃园",
    "杏峪",
    "核桃园",
    "槐树底",
    "井子峪",
    "黄钱",
    "出泉沟",
    "药乡",
    "水帘峡",
]
_DAYS, _SEQUENCES = 365, 500
_SLOTS = _DAYS * _SEQUENCES
# Coprime to the number of slots: neighbours are not born on the same day, nor the first of each age.
_STRIDE, _START = 78_541, 977
_PHONE_STRIDE = 61_803_397
_PHONES = 10**8


@dataclass(frozen=True, slots=True)
class CommunityPlan:
    """One community to be made: how many households it has, and where in the city's order it stands."""

    code: str
    name: str
    ordinal: int
    is_village: bool
    families: int
    collectives: int
    seed: int

    def draw(self, what: str) -> Draw:
        """A source of chance of this community's own for one kind of thing."""
        return Draw(self.seed, self.code, what)

    def doors(self) -> list[Door]:
        """Its doors and who lives behind them: the same whenever asked."""
        return settle(
            self.draw("doors"), is_village=self.is_village, families=self.families, collectives=self.collectives
        )


Census = list[int]
"""How many there are of each age and sex: men of age a at 2a, women at 2a + 1."""


def count_people(doors: Sequence[Door]) -> Census:
    """A community's people by age and sex."""
    counts = [0] * (2 * (MAX_AGE + 1))
    for door in doors:
        for home in door.families:
            for one in home.members:
                counts[2 * one.age + (one.sex != MALE)] += 1
    return counts


class Numbers:
    """The ID numbers, birth dates and phone numbers that a community may give, each once in the city."""

    def __init__(self, on: date, taken: Census) -> None:
        self._next = list(taken)
        self._phone = sum(taken)
        self._newest = {age: _years_before(on, age) for age in range(MAX_AGE + 1)}

    def identify(self, age: int, sex: int) -> tuple[str, str]:
        """The birth date (YYYY-MM-DD) and ID number of the next person of that age and sex."""
        at = 2 * age + (sex != MALE)
        slot = (self._next[at] + at * _START) * _STRIDE % _SLOTS
        self._next[at] += 1
        born = (self._newest[age] - timedelta(days=slot % _DAYS)).isoformat()
        digits = f"379999{born.replace('-', '')}{slot // _DAYS * 2 + (sex == MALE):03d}"
        return born, digits + check_character(digits)

    def phone(self) -> str:
        """The next phone number: no operator has ever had 154, a tap on one must not ring somebody."""
        self._phone += 1
        return f"154{self._phone * _PHONE_STRIDE % _PHONES:08d}"


def _years_before(day: date, years: int) -> date:
    """The day so many years before: who was born on it has that age today. A leap day falls back to the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def invented_tree(communities: int) -> list[DivisionEntry]:
    """A city of that many communities in Jinan's shape: 36 in a town, 13 towns in a district."""
    entries = [DivisionEntry(_CITY, "示范市", "city", None)]
    for number in range(communities):
        town_at, place = divmod(number, _COMMUNITIES_OF_A_TOWN)
        district_at, town_in = divmod(town_at, _TOWNS_OF_A_DISTRICT)
        district, is_rural = f"9901{district_at + 1:02d}000000", town_in % 5 > 1
        town = f"{district[:6]}{town_in + (100 if is_rural else 1):03d}000"
        again = f"{district_at // len(_DIRECTIONS) + 1}" if district_at >= len(_DIRECTIONS) else ""
        if place == 0:
            if town_in == 0:
                name = f"{_DIRECTIONS[district_at % len(_DIRECTIONS)]}{again}区"
                entries.append(DivisionEntry(district, name, "district", _CITY))
            names, end = (_TOWNS, "镇") if is_rural else (_STREETS, "街道")
            name = f"{names[(district_at + town_in) % len(names)]}{end}"
            entries.append(DivisionEntry(town, name, "town", district))
        is_village = place % 8 > 0 if is_rural else place % 4 == 3
        names, end = (_VILLAGES, "村村民委员会") if is_village else (_COMMUNITIES, "社区居民委员会")
        turn = place // len(names)
        word = f"{names[(place + town_at) % len(names)]}{'东西南北'[turn - 1] if turn else ''}"
        code = f"{town[:9]}{place + (201 if is_village else 1):03d}"
        entries.append(DivisionEntry(code, f"{word}{end}", "community", town))
    return entries


def cut_tree(tree: Sequence[DivisionEntry], communities: int) -> list[DivisionEntry]:
    """The first communities of a tree, by code, and what stands above them. Raises ValueError when it has fewer."""
    chosen = sorted(entry.code for entry in tree if entry.level == "community")[:communities]
    if len(chosen) < communities:
        raise ValueError(f"the tree has {len(chosen):,} communities, {communities:,} are asked for")
    kept = {code for one in chosen for code in (one, *ancestors_of(one))}
    return [entry for entry in tree if entry.code in kept]


def plan_communities(tree: Sequence[DivisionEntry], households: int, seed: int) -> list[CommunityPlan]:
    """How many households each community of the tree gets, by code: towns nine times as many as villages."""
    entries = sorted((entry for entry in tree if entry.level == "community"), key=lambda entry: entry.code)
    # residents' committees are numbered from 001, villagers' committees from 200
    villages = [int(entry.code[9:]) >= 200 for entry in entries]
    draw = Draw(seed, "sizes")
    weights = [
        (_VILLAGE_WEIGHT if is_village else _TOWN_WEIGHT) * (0.4 + draw.next() * 0.6 + draw.next() * 0.6)
        for is_village in villages
    ]
    total = sum(weights)
    plans = []
    placed, weight_so_far = 0, 0.0
    for ordinal, (entry, is_village, weight) in enumerate(zip(entries, villages, weights, strict=True)):
        weight_so_far += weight
        count = max(round(households * weight_so_far / total) - placed, 1)
        placed += count
        share = 0.0 if is_village else _COLLECTIVE[draw.next() >= _COLLECTIVE[0][0]][1]
        collectives = int(count * share)
        plans.append(CommunityPlan(entry.code, entry.name, ordinal, is_village, count - collectives, collectives, seed))
    return plans


def city_of(tree: Sequence[DivisionEntry]) -> DivisionEntry:
    """The one city of a tree. Raises ValueError for none or several."""
    cities = [entry for entry in tree if level_of(entry.code) == "city"]
    if len(cities) != 1:
        raise ValueError("the division list must hold one city")
    return cities[0]
