"""Where a row says somebody lives: building, stair and room out of their columns or out of free text.

`3号楼`, `3#`, `3栋`, `三号楼`, 3.0 are all building `3`; `一单元` is stair `1`; `101室` is room `101`. What does not
have such a form stays as it was written: `综合楼` is a building's name, `前街18号` is compound `前街`, room `18`.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from app.import_export.workbook import Cell

_MAX_PART = 60
_MAX_ADDRESS = 200
_DIGIT = {ch: n for n, ch in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3}
_NUMERAL = "〇零○一二三四五六七八九十百两壹贰叁"
# what a building, stair or room may be called once its 号楼, 单元, 室 is taken away
_NAME = (
    rf"(?:[东西南北中甲乙丙丁新老AaBbCcDd]?(?:[0-9]+[A-Za-z]?|[{_NUMERAL}]+)"
    r"|[A-Za-z]{1,2}[0-9]*|[甲乙丙丁东西南北中])"
)
_DASHED = rf"(?:{_NAME}(?:-[0-9]{{1,4}})?)"
_BUILDING_WORD = r"(?:号住宅楼|号公寓楼|号院楼|号楼|#楼|号栋|号幢|栋楼|[#栋幢座楼])"
_BUILDING = re.compile(rf"[#第]?({_DASHED})(?:{_BUILDING_WORD}|号)?")
_STAIR = re.compile(rf"第?({_NAME})(?:号?单元|单元门|门洞|门|[#号])?")
_ROOM = re.compile(rf"[#]?((?:{_NAME})(?:[-/][0-9A-Za-z]{{1,4}})?)(?:号房间|房间|号房|[室房号户#])?")
_FLOOR = re.compile(rf"第?(-?[0-9]{{1,3}}|[{_NUMERAL}]+)(?:楼|层|F|f)?")
_IN_BUILDING = re.compile(rf"(.*?)({_DASHED}){_BUILDING_WORD}(?:第?({_NAME})(?:号?单元|门))?")
_THREE = re.compile(r"([0-9]{1,3})(?:#-?|-|号楼-?)([0-9]{1,2})(?:-|单元-?)([0-9]{2,5}[A-Za-z]?)(?:室|号|户)?")
_TWO = re.compile(r"([0-9]{1,2})(?:-|单元-?)([0-9]{2,5}[A-Za-z]?)(?:室|号|户)?")
_ADDRESS = re.compile(
    rf"(?P<head>.*?)(?P<building>{_NAME})(?:号住宅楼|号公寓楼|号楼|#楼|号栋|号幢|[#栋幢座])-?"
    rf"(?:第?(?P<stair>{_NAME})(?:号?单元|门)-?)?"
    rf"(?:第?(?P<floor>[0-9]{{1,2}}|[{_NUMERAL}]+)[层楼])?"
    rf"(?P<room>[东西南北中]户|(?:{_NAME})(?:-[0-9A-Za-z]{{1,4}})?)(?:号房间|号房|[室房号户])?"
)
_DASHED_ADDRESS = re.compile(r"(?P<head>.*?)" + _THREE.pattern)
_VILLAGE = re.compile(
    rf"(?P<head>.*?(?:(?:第?(?:[0-9]+|[{_NUMERAL}]+)(?:村民)?[组队])|[街巷道路胡同弄里庄村屯]))"
    rf"(?P<room>[0-9]{{1,5}}(?:-[0-9]{{1,3}})?)号?(?:院|户)?"
)
_REGION = re.compile(
    r"(?:[^\W\d市区县]{2,3}省)?(?:[^\W\d]{2,4}?市(?!中区))?"
    r"(?:[^\W\d]{2,4}?(?:(?<![小社园景校东西南北新])区|县)(?=.))?"
    r"(?:[^\W\d]{2,8}?(?:街道办事处|街道|镇|乡)(?=.))?(?:[^\W\d]{2,12}?(?:社区|居委会|村委会)(?=.))?"
)
# in front of a building's number they belong to it, not to the compound
_AXIS = "甲乙丙丁东西南北中"
_ENDS = "区园苑院号里村城府庭"
_ROAD = re.compile(r".*?(?:大街|大道|胡同|路|街|巷|弄|道)(?:[0-9]+(?:-[0-9]+)?(?:号院?|弄))(?P<rest>.*)")


@dataclass(slots=True)
class Place:
    """A door's address in parts; parts that are not stated are empty."""

    compound: str = ""
    building: str = ""
    stair: str = ""
    floor: int | None = None
    room: str = ""
    address: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it names one door."""
        return bool(self.room or self.address)


def plain(cell: Cell, limit: int = _MAX_PART) -> str:
    """A cell as half-width text without spaces; 3.0 is `3`. Dates are no place and give nothing."""
    if cell is None or isinstance(cell, date | bool):
        return ""
    if isinstance(cell, float):
        cell = int(cell) if cell.is_integer() else repr(cell)
    return _plain(str(cell))[:limit]


@lru_cache(maxsize=50_000)
def _plain(text: str) -> str:
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    text = re.sub(r"^([0-9]+)\.0$", r"\1", text)
    return re.sub(r"[‐‑‒–—―−﹣~]", "-", text).strip("-,.、;:")


def arabic(text: str) -> str:
    """Chinese numerals inside a name as digits: 三 → 3, 十二 → 12, 一〇一 → 101."""
    return re.sub(rf"[{_NUMERAL}]+", lambda match: _number(match[0]), text)


# What is remembered is never changed by who gets it.


@lru_cache(maxsize=20_000, typed=True)
def read_building(cell: Cell) -> Place:
    """A building column's cell; it may name the compound before and the stair behind."""
    text = plain(cell)
    whole = _BUILDING.fullmatch(text)
    if whole:
        return Place(building=arabic(whole[1]).upper())
    parts = _IN_BUILDING.fullmatch(text)
    if parts:
        return Place(
            compound=_compound(parts[1]), building=arabic(parts[2]).upper(), stair=arabic(parts[3] or "").upper()
        )
    return Place(building=text)


@lru_cache(maxsize=20_000, typed=True)
def read_stair(cell: Cell) -> str:
    """A stair column's cell."""
    text = plain(cell)
    match = _STAIR.fullmatch(text)
    return arabic(match[1]).upper() if match else text


@lru_cache(maxsize=50_000, typed=True)
def read_room(cell: Cell, building: str, stair: str) -> Place:
    """A room column's cell; `2-501` and `3-2-501` also give the stair and building where these are not given, and
    only the room where they agree with what is given."""
    text = plain(cell)
    three = _THREE.fullmatch(text)
    if three and building in ("", three[1]) and stair in ("", three[2]):
        return Place(building=three[1], stair=three[2], room=three[3].upper())
    two = _TWO.fullmatch(text)
    if two and building and (stair == two[1] or (not stair and len(two[2]) >= 3)):
        return Place(building=building, stair=two[1], room=two[2].upper())
    match = _ROOM.fullmatch(text)
    if match and re.search(rf"[0-9A-Za-z{_NUMERAL}]", match[1]):
        return Place(building=building, stair=stair, room=arabic(match[1]).upper())
    whole = read_address(text) if not building else Place()
    if whole.room:
        return Place(whole.compound, whole.building, stair or whole.stair, whole.floor, whole.room)
    return Place(building=building, stair=stair, room=text)


@lru_cache(maxsize=20_000, typed=True)
def read_floor(cell: Cell) -> int | None:
    """A floor column's cell, None when it is no number."""
    match = _FLOOR.fullmatch(plain(cell))
    if not match:
        return None
    floor = int(arabic(match[1]))
    return floor if -9 <= floor <= 199 else None


@lru_cache(maxsize=50_000)
def floor_of(room: str) -> int | None:
    """The floor a room number of three or four digits tells: 501 → 5, 1203 → 12."""
    return int(room[:-2]) or None if re.fullmatch(r"[0-9]{3,4}", room) else None


@lru_cache(maxsize=50_000, typed=True)
def read_address(cell: Cell) -> Place:
    """A free-text address in parts as far as its form tells them; the text itself stays beside them.

    花园路12号阳光小区3号楼2单元501室 → compound 阳光小区, 3, 2, 501. 三组12号 → compound 3组, room 12.
    """
    text = plain(cell, _MAX_ADDRESS)
    if not re.search(r"[\w]", text):
        return Place()
    match = _DASHED_ADDRESS.fullmatch(text)
    if match:
        head, building = _axis(match["head"], match[2])
        return Place(_compound(head), building, match[3], floor_of(match[4]), match[4].upper(), text)
    match = _ADDRESS.fullmatch(text)
    if match:
        head, building = _axis(match["head"], match["building"])
        room = arabic(match["room"]).upper()
        floor = read_floor(match["floor"]) if match["floor"] else floor_of(room)
        if match["floor"] and not room[:1].isdigit():
            room = f"{floor}{room}"  # 3楼西户: the floor is part of what the door is called
        return Place(
            _compound(head),
            arabic(building).upper(),
            arabic(match["stair"] or "").upper(),
            floor,
            room,
            text,
        )
    match = _VILLAGE.fullmatch(text)
    if match:
        return Place(compound=arabic_group(_region_off(match["head"])), room=match["room"], address=text)
    return Place(address=text)


@lru_cache(maxsize=20_000, typed=True)
def read_compound(cell: Cell) -> str:
    """A compound column's cell: a compound, or a village's group or lane."""
    return arabic_group(plain(cell))


def read_heading(cell: Cell) -> Place | None:
    """A heading between rows, a label's value or a sheet's name that says only where: `阳光小区3号楼`, `2单元`."""
    text = re.sub(rf"^(?:(?:[{_NUMERAL}]+|[0-9]+)[、.)]|\([^)]*\))", "", plain(cell))
    building = _IN_BUILDING.fullmatch(text)
    if building and len(text) <= 30:
        return replace(read_building(text))
    if re.fullmatch(rf"第?{_NAME}单元", text):
        return Place(stair=read_stair(text))
    if re.fullmatch(r"\w{2,12}(?:小区|花园|家园|新村|苑|新区)", text):
        return Place(compound=text)
    return None


def arabic_group(text: str) -> str:
    """第三村民组, 三组 → 3组; other names stay."""
    match = re.fullmatch(rf"(.*?)第?([0-9]+|[{_NUMERAL}]+)(?:村民)?(小?组|队)", text)
    return f"{match[1]}{arabic(match[2])}{match[3][-1]}" if match else text


def _compound(head: str) -> str:
    """The compound out of what stands before the building: without region, and without road and number unless
    nothing else names the place."""
    text = _region_off(head)
    road = _ROAD.fullmatch(text)
    if road and road["rest"]:
        text = road["rest"]
    return text.strip("-,.、;:()")[:_MAX_PART]


def _axis(head: str, building: str) -> tuple[str, str]:
    """阳光小区东 + 3 → 阳光小区 + 东3."""
    if head and head[-1] in _AXIS and (len(head) == 1 or head[-2] in _ENDS) and building[0].isdigit():
        return head[:-1], head[-1] + building
    return head, building


def _region_off(text: str) -> str:
    match = _REGION.match(text)
    return text[match.end() :] if match and match.end() < len(text) else text


def _number(numerals: str) -> str:
    """三十二 → 32, 一百〇一 → 101, 一〇一 → 101."""
    if not re.search(r"[十百]", numerals):
        return "".join(str(_DIGIT[ch]) for ch in numerals)
    total = digit = 0
    for ch in numerals:
        if ch == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif ch == "百":
            total, digit = total + (digit or 1) * 100, 0
        else:
            digit = _DIGIT[ch]
    return str(total + digit)
