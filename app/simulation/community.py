"""One community made whole: its registry, the areas it is shared out in, and who answers for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.auth.models import Role
from app.core import crypto
from app.core.clock import day_start
from app.core.ids import compose
from app.people.naming import address_key, sort_key
from app.people.service import HOUSEHOLD_NOTE, HOUSEHOLD_PHONE, RESIDENT_ID, RESIDENT_PHONE
from app.simulation.draws import Draw
from app.simulation.families import FEMALE, MALE, Family, Member
from app.simulation.names import SURNAMES, Name, name_person
from app.simulation.places import Door
from app.simulation.plan import CommunityPlan, Numbers

COLUMNS = {
    "account": ("id", "kind", "login", "name", "password_hash", "is_demo", "created_at"),
    "role_grant": ("account_id", "role", "division_prefix", "created_at"),
    "dwelling": (
        "community_code", "id", "compound", "building", "stair", "floor", "room", "address", "address_key",
        "sort_key",
        "is_vacant", "responsibility_area_id", "version", "updated_at",
    ),
    "household": (
        "community_code", "id", "dwelling_id", "kind", "head_name", "head_initials", "phone_sealed", "phone_index",
        "tags", "note_sealed", "resident_count", "version", "updated_at",
    ),
    "resident": (
        "community_code", "id", "household_id", "name", "name_initials", "name_pinyin", "sex", "birth_on", "relation",
        "workplace", "id_kind", "id_sealed", "id_index", "phone_sealed", "phone_index", "tags", "version", "updated_at",
    ),
    "responsibility_area": (
        "community_code", "id", "name", "note", "is_open", "holder_id", "holder_name", "assigned_at", "epoch",
        "dwelling_count", "household_count", "version", "recut_version", "created_at",
    ),
    "assignment": (
        "community_code", "id", "area_id", "account_id", "epoch", "how", "by_account_id", "started_at",
    ),
}  # fmt: skip
"""Which columns are written; those left out have the value that the database gives."""

_NOTES = (
    "家里有犬，敲门前请先打电话", "老人听力不好，敲门要久一点", "白天上班，晚七点后在家", "子女在外地，委托邻居照看",
    "行动不便，请上门登记", "租期到年底", "钥匙在对门", "对花粉过敏，口罩要备用", "透析病人，每周二四六去医院",
)  # fmt: skip
_WORKPLACES = (
    "泉东机械厂", "第三中学", "实验小学", "中心医院", "公交公司", "供电所", "大润发超市", "建筑公司", "物业公司",
    "区政府", "农商银行", "快递站", "纺织厂", "个体", "务农", "高新区软件园", "钢铁公司", "村委会", "退休",
)  # fmt: skip
_PERSONAL_TAGS = ("chronic_illness", "disabled", "pregnant")
_DOORS_OF_AN_AREA, _PEOPLE_OF_AN_AREA = (90, 180), 1200
Row = tuple[Any, ...]
Id = str
"""A UUID in 32 hexadecimal digits. Rows hold texts where they can: a city has a hundred million values."""


def array_of(words: Sequence[str]) -> str:
    """A `text[]` of plain words."""
    return f"{{{','.join(words)}}}"


class Ids:
    """UUIDv7 of one moment, rising by random steps as those of one import do (`app.core.ids.new_ids`)."""

    def __init__(self, draw: Draw, at: datetime) -> None:
        self._milliseconds = int(at.timestamp()) * 1000
        self._tail = int(draw.next() * 2**53) << 19
        self._draw = draw

    def next(self) -> Id:
        """The next one."""
        self._tail += 1 + int(self._draw.next() * 16_777_216)
        return f"{compose(self._milliseconds, self._tail):032x}"


@dataclass(slots=True)
class Home:
    """A household that has been written: what the work at its door needs to know."""

    id: Id
    family: Family
    residents: list[Id]


@dataclass(slots=True)
class Area:
    """A responsibility area and the homes in it, door by door; without a holder nobody goes."""

    id: Id
    holder_id: Id | None
    holder_name: str
    homes: list[Home]


@dataclass(slots=True)
class Community:
    """The rows of a community, and what the work there begins from."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    areas: list[Area] = field(default_factory=list)
    tallies: dict[str, int] = field(default_factory=dict)


def login_of(prefix: str, worker: int = 0) -> str:
    """What an account of a division is called: `sim-370102`; workers of a community are numbered from 1."""
    return f"sim-{prefix}" + (f"-{worker}" if worker else "")


def account_rows(
    draw: Draw, ids: Ids, role: Role, prefix: str, login: str, password_hash: str, at: datetime
) -> tuple[Row, Row]:
    """An account with a known password, marked as a demo's, and its grant."""
    name = name_person(draw, draw.pick(SURNAMES), draw.one_of((MALE, FEMALE)), draw.between(1970, 1998)).text
    account = ids.next()
    kind = "client" if role is Role.API_CLIENT else "person"
    return (account, kind, login, name, password_hash, True, at), (account, role.value, prefix, at)


def make_community(plan: CommunityPlan, numbers: Numbers, on: date, password_hash: str) -> Community:
    """The registry of a community as it is on a day, shared out into areas; its version is 1."""
    made = Community()
    registered = day_start(on - timedelta(days=30)) + timedelta(hours=9, seconds=plan.ordinal)
    ids = Ids(plan.draw("ids"), registered)
    written = registered.isoformat()
    doors = plan.doors()
    area_of = _share_out(made, plan, doors, ids, on, password_hash)
    draw = plan.draw("people")
    for door, area in zip(doors, area_of, strict=True):
        dwelling = ids.next()
        key = address_key(door.compound, door.building, door.stair, door.room, "")
        order = sort_key(door.compound, door.building, door.stair, door.floor, door.room, "")
        made.rows["dwelling"].append((
            plan.code, dwelling, door.compound, door.building, door.stair, door.floor, door.room, "", key, order,
            not door.families, area.id if area else None, 1, written,
        ))  # fmt: skip
        for family in door.families:
            home = _move_in(made.rows, plan.code, dwelling, family, draw, ids, numbers, written)
            if area:
                area.homes.append(home)
    made.tallies = {
        "dwellings": len(doors),
        "vacant": sum(not door.families for door in doors),
        "households": len(made.rows["household"]),
        "residents": len(made.rows["resident"]),
        "unassigned": sum(area is None for area in area_of),
    }
    return made


def _move_in(
    rows: dict[str, list[Row]], code: str, dwelling: Id, family: Family, draw: Draw, ids: Ids, numbers: Numbers,
    registered: str,
) -> Home:  # fmt: skip
    household = ids.next()
    own_name, married_name = draw.pick(SURNAMES), draw.pick(SURNAMES)
    is_collective = family.kind == "collective"
    head: Name | None = None
    head_phone: str | None = None
    home = Home(household, family, [])
    tags = [tag for tag in _PERSONAL_TAGS if tag in family.tags]
    whose = {tag: _whose(tag, family.members) for tag in tags}
    for at, member in enumerate(family.members):
        surname = own_name
        if is_collective or member.relation == "合租":
            surname = draw.pick(SURNAMES)
        elif member.relation in ("配偶", "母", "儿媳"):
            surname = married_name if member.relation != "母" else draw.pick(SURNAMES)
        born, number = numbers.identify(member.age, member.sex)
        name = name_person(draw, surname, member.sex, int(born[:4]))
        kind, number_shown = _document(draw, member.age, number)
        phone = numbers.phone() if member.age >= 12 and draw.next() < 0.72 else None
        if at == 0:
            head, head_phone = name, phone
        works = 22 <= member.age < 60 and draw.next() < 0.35
        resident = ids.next()
        home.residents.append(resident)
        rows["resident"].append((
            code, resident, household, name.text, name.initials, name.pinyin, member.sex, born, member.relation,
            draw.one_of(_WORKPLACES) if works else "", kind,
            crypto.seal_text(number_shown, RESIDENT_ID), crypto.blind_index(number_shown, RESIDENT_ID),
            crypto.seal_text(phone, RESIDENT_PHONE), crypto.blind_index(phone, RESIDENT_PHONE),
            array_of([tag for tag in tags if whose[tag] == at]) if tags else "{}", 1, registered,
        ))  # fmt: skip
    note = draw.one_of(_NOTES) if draw.next() < 0.04 else None
    rows["household"].append((
        code, household, dwelling, family.kind, head.text if head else "", head.initials if head else "",
        crypto.seal_text(head_phone, HOUSEHOLD_PHONE), crypto.blind_index(head_phone, HOUSEHOLD_PHONE),
        array_of(family.tags), crypto.seal_text(note, HOUSEHOLD_NOTE), len(family.members), 1, registered,
    ))  # fmt: skip
    return home


def _whose(tag: str, members: Sequence[Member]) -> int:
    """Which member a personal tag speaks of: the woman of an age to bear children, else the oldest."""
    if tag == "pregnant":
        return next(at for at, one in enumerate(members) if one.sex == FEMALE and 22 <= one.age <= 42)
    return max(range(len(members)), key=lambda at: members[at].age)


def _document(draw: Draw, age: int, number: str) -> tuple[str, str | None]:
    """What somebody can show: nearly all their ID, some newborn nothing yet, a few a passport or a permit."""
    share = draw.next()
    if age == 0 and share < 0.2:
        return "none", None
    if share < 0.9975:
        return "resident_id", number
    if share < 0.9985:
        return "passport", f"E{number[9:17]}"
    if share < 0.999:
        return "taiwan_permit", number[9:17]
    return "none", None


def _share_out(
    made: Community, plan: CommunityPlan, doors: Sequence[Door], ids: Ids, on: date, password_hash: str
) -> list[Area | None]:
    """Cut the doors into areas along stairs and lanes; answers which one each door lies in.

    Of a hundred areas four are not cut yet, five wait to be claimed, the others have a worker each.
    """
    draw = plan.draw("areas")
    since = day_start(on - timedelta(days=20)) + timedelta(hours=10)
    rows = made.rows

    def account(role: Role, number: int) -> Row:
        login = login_of(plan.code, number)
        one, grant = account_rows(draw, ids, role, plan.code, login, password_hash, since)
        rows["account"].append(one)
        rows["role_grant"].append(grant)
        return one

    committee = account(Role.COMMITTEE, 0)
    found: list[Area | None] = []
    for number, part in enumerate(_parts(draw, doors), 1):
        fate = draw.next()
        if fate < 0.04 and number > 1:
            found += [None] * len(part)
            continue
        area = Area(ids.next(), None, "", [])
        made.areas.append(area)
        found += [area] * len(part)
        is_held = number == 1 or fate >= 0.09
        is_claimed = is_held and draw.next() < 0.2
        if is_held:
            worker = account(Role.PARTY_MEMBER if is_claimed or draw.next() < 0.1 else Role.GRID_WORKER, number)
            area.holder_id, area.holder_name = worker[0], worker[3]
            how, by = ("claimed", worker[0]) if is_claimed else ("assigned", committee[0])
            rows["assignment"].append((plan.code, ids.next(), area.id, worker[0], 1, how, by, since))
        rows["responsibility_area"].append((
            plan.code, area.id, _area_name(part), "", is_claimed or not is_held, area.holder_id,
            area.holder_name or None, since if is_held else None, int(is_held), len(part),
            sum(len(door.families) for door in part), 1, 1, since,
        ))  # fmt: skip
    return found


def _parts(draw: Draw, doors: Sequence[Door]) -> Iterator[list[Door]]:
    """The doors, stair after stair, until there are enough for one pair of legs."""
    part: list[Door] = []
    wanted = draw.between(*_DOORS_OF_AN_AREA)
    homes = people = 0
    for at, door in enumerate(doors):
        part.append(door)
        homes += len(door.families)
        people += sum(len(family.members) for family in door.families)
        after = doors[at + 1] if at + 1 < len(doors) else None
        at_end = after is None or (after.compound, after.building, after.stair) != (
            door.compound, door.building, door.stair,
        )  # fmt: skip
        if after is None or (at_end and (homes >= wanted or people >= _PEOPLE_OF_AN_AREA)):
            yield part
            part, wanted, homes, people = [], draw.between(*_DOORS_OF_AN_AREA), 0, 0


def _area_name(part: Sequence[Door]) -> str:
    """From its first stair to its last."""
    first, last = _stair_name(part[0]), _stair_name(part[-1])
    if first == last:
        return first
    same = part[0].compound == part[-1].compound
    return f"{first}至{last.removeprefix(part[0].compound) if same else last}"


def _stair_name(door: Door) -> str:
    building = f"{door.building}号楼" if door.building.isdigit() else door.building
    return f"{door.compound}{building}{f'{door.stair}单元' if door.stair else ''}"
