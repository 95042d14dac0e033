"""The demo: a small invented town with two communities, its people, accounts and a day's work laid out.

Nobody in it exists; names are drawn from lists, ID numbers carry division code 990101, which is nobody's.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.audit.service import SYSTEM
from app.auth import service as auth
from app.auth import sessions
from app.auth.models import Role
from app.auth.schemas import AccountCreate
from app.core.clock import day_start, today
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from app.posts import claims
from app.posts import service as posts
from app.posts.schemas import PostCreate, ResponsibilityAreaCreate, StairSelection
from app.rounds import service as rounds
from app.rounds.schemas import RoundCreate

PASSWORD = "pioneer-demo"  # noqa: S105 - the demo's, known to everybody; a demo binds loopback only
CITY, DISTRICT, STREET = "990100000000", "990101000000", "990101001000"
TOWN_COMMUNITY, VILLAGE = "990101001001", "990101001201"

DIVISIONS = [
    DivisionEntry(CITY, "示范市", "city", None),
    DivisionEntry(DISTRICT, "泉东区", "district", CITY),
    DivisionEntry(STREET, "槐荫路街道", "town", DISTRICT),
    DivisionEntry(TOWN_COMMUNITY, "泉景社区居民委员会", "community", STREET),
    DivisionEntry(VILLAGE, "柳埠村村民委员会", "community", STREET),
]
ACCOUNTS = [
    ("demo-worker", "周敏", Role.GRID_WORKER, TOWN_COMMUNITY),
    ("demo-worker2", "李建国", Role.PARTY_MEMBER, TOWN_COMMUNITY),
    ("demo-committee", "王芳", Role.COMMITTEE, TOWN_COMMUNITY),
    ("demo-street", "赵志强", Role.STREET, STREET),
    ("demo-city", "孙丽", Role.CITY, CITY),
    ("demo-client", "泉东区数据平台", Role.API_CLIENT, DISTRICT),
]

_FAMILY_NAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国志文秀云海燕梅林峰雪晨宇轩涵怡梓欣浩然子墨"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _check_digit(digits: str) -> str:
    """GB 11643: ISO 7064 MOD 11-2."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]


class Inventor:
    """Invents people, the same ones for the same seed."""

    def __init__(self, seed: int, on: date) -> None:
        self.random = random.Random(seed)  # noqa: S311 - invented people, not secrets
        self.on = on

    def name(self) -> str:
        """A name."""
        given = "".join(self.random.sample(_GIVEN, self.random.choice((1, 2, 2))))
        return self.random.choice(_FAMILY_NAMES) + given

    def person(self, relation: str, age: int, sex: int) -> PersonInput:
        """A person of about that age, with an ID number that checks."""
        birth = self.on - timedelta(days=age * 365 + self.random.randrange(365))
        sequence = self.random.randrange(0, 499) * 2 + (sex % 2)
        digits = f"990101{birth:%Y%m%d}{sequence:03d}"
        # no operator has ever had 154: a tap on an invented number must not ring somebody
        phone = "154" + f"{self.random.choice('35789')}{self.random.randrange(10**9):09d}"[-8:]
        return PersonInput(
            name=self.name(),
            relation=relation,
            sex=sex,
            birth_on=birth,
            id_kind="resident_id",
            id_number=digits + _check_digit(digits),
            phone=phone if age >= 16 and self.random.random() < 0.7 else None,
        )

    def household(self) -> HouseholdInput:
        """A household as one meets them: couples, families, elders alone."""
        draw = self.random.random()
        sex = self.random.choice((1, 2))
        tags: list[str] = []
        if draw < 0.09:
            persons = [self.person("户主", self.random.randrange(68, 90), sex)]
            tags = ["living_alone_elder"]
        elif draw < 0.2:
            persons = [self.person("户主", self.random.randrange(22, 45), sex)]
            tags = ["tenant"] if self.random.random() < 0.5 else []
        else:
            age = self.random.randrange(26, 70)
            persons = [self.person("户主", age, sex), self.person("配偶", age - self.random.randrange(-3, 5), 3 - sex)]
            for _ in range(self.random.choice((0, 1, 1, 1, 2))):
                child = max(age - self.random.randrange(23, 32), 0)
                child_sex = self.random.choice((1, 2))
                persons.append(self.person("子" if child_sex == 1 else "女", child, child_sex))
            if self.random.random() < 0.15:
                persons.append(self.person("母", min(age + self.random.randrange(22, 30), 95), 2))
            if self.random.random() < 0.05:
                tags = ["household_in_hardship"]
        head = persons[0]
        return HouseholdInput(head_name=head.name, phone=head.phone, tags=tags, note=None, persons=persons)

    def compound(self, compound: str, buildings: int, stairs: int, floors: int, doors: int) -> Iterator[DwellingInput]:
        """The doors of a compound of flats, some of them vacant."""
        for building in range(1, buildings + 1):
            for stair in range(1, stairs + 1):
                for floor in range(1, floors + 1):
                    for door in range(1, doors + 1):
                        is_vacant = self.random.random() < 0.06
                        yield DwellingInput(
                            compound=compound,
                            building=str(building),
                            stair=str(stair),
                            floor=floor,
                            room=f"{floor}{door:02d}",
                            is_vacant=is_vacant,
                            households=[] if is_vacant else [self.household()],
                        )

    def village(self, lanes: list[str], doors: int) -> Iterator[DwellingInput]:
        """The doors of a village, lane by lane."""
        for lane in lanes:
            for door in range(1, doors + 1):
                yield DwellingInput(building=lane, room=f"{door}号", households=[self.household()])


async def has_demo(database: Database) -> bool:
    """Whether the database holds demo accounts."""
    async with database.session(EVERYWHERE) as session:
        return bool((await session.execute(text("SELECT EXISTS (SELECT FROM account WHERE is_demo)"))).scalar())


async def is_empty(database: Database) -> bool:
    """Whether nobody has an account yet."""
    async with database.session(EVERYWHERE) as session:
        return not (await session.execute(text("SELECT EXISTS (SELECT FROM account)"))).scalar()


async def load_demo(database: Database) -> None:
    """Load the invented town into a database without accounts, as one transaction."""
    password_hash = await sessions.hash_password(PASSWORD)
    async with database.session(EVERYWHERE) as session:
        await areas.put_divisions(session, DIVISIONS, today())
        ids: dict[str, UUID] = {}
        for login, name, role, code in ACCOUNTS:
            new = AccountCreate(login=login, name=name, role=role, division_code=code)
            account = await auth.create_account(session, None, new, password_hash, is_demo=True)
            ids[login] = account.id
        inventor = Inventor(2020, today())
        await registry.put_dwellings(session, SYSTEM, TOWN_COMMUNITY, list(inventor.compound("泉景园", 3, 2, 6, 2)))
        await registry.put_dwellings(session, SYSTEM, VILLAGE, list(inventor.village(["前街", "后街", "柳巷"], 12)))
        await _lay_out_work(session, ids)


async def _lay_out_work(session: AsyncSession, ids: dict[str, UUID]) -> None:
    """One area held, one open to be claimed, the rest without an owner; a post; a round that has begun."""
    committee = await auth.load_actor(session, ids["demo-committee"], None, 0)
    city = await auth.load_actor(session, ids["demo-city"], None, 0)
    if committee is None or city is None:
        raise RuntimeError("the demo's accounts are missing")
    for building, holder in (("1", ids["demo-worker"]), ("2", None)):
        await posts.create_responsibility_area(
            session,
            committee,
            ResponsibilityAreaCreate(
                community_code=TOWN_COMMUNITY,
                name=f"泉景园{building}号楼",
                stairs=[StairSelection(compound="泉景园", building=building)],
                is_open=holder is None,
                assign_to=holder,
            ),
        )
    begins = day_start(today() + timedelta(days=1)) + timedelta(hours=8)
    await claims.create_post(
        session,
        committee,
        PostCreate(
            community_code=TOWN_COMMUNITY,
            title="北门体温检测先锋岗",
            kind="checkpoint",
            duty="测体温、查出入证、登记来访车辆",
            place="泉景园北门",
            starts_at=begins,
            ends_at=begins + timedelta(hours=4),
            wanted_count=3,
            is_published=True,
        ),
    )
    first = RoundCreate(
        division_code=CITY,
        title="首轮入户排查",
        starts_on=today() - timedelta(days=1),
        ends_on=today() + timedelta(days=6),
        is_draft=True,
    )
    draft = await rounds.create_round(session, city, first)
    cost = (await rounds.get_round(session, city, draft.id)).estimate
    await rounds.publish_round(session, city, draft.id, cost.minutes)


def describe_accounts() -> str:
    """The demo accounts, as `pioneer demo` prints them."""
    lines = [f"  {login:<15} {role.value:<13} {name}" for login, name, role, _ in ACCOUNTS]
    return "\n".join([f"Demo accounts (password {PASSWORD}):", *lines])
