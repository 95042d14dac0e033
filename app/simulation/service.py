"""Making the city: what may be made where, the common part first, then the communities beside each other."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from multiprocessing import get_context
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app import demo
from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.audit import service as audit
from app.audit.models import AuditEntry
from app.audit.service import SYSTEM
from app.auth import sessions
from app.auth.models import Account, Role, RoleGrant
from app.care.service import RULE as CARE_RULE
from app.core.area_code import level_of, prefix_of
from app.core.clock import day_start, today
from app.core.db import EVERYWHERE, NOWHERE, Database
from app.core.errors import Conflict
from app.rules import service as rules
from app.screening.models import ScreeningRound
from app.screening.service import RULE as DOOR_RULE
from app.simulation import community, work, writing
from app.simulation.community import Ids, account_rows, login_of
from app.simulation.draws import Draw
from app.simulation.plan import Census, CommunityPlan, Numbers, city_of, count_people, plan_communities
from app.simulation.work import ROUND_DAYS, Work

BEGUN, FINISHED = "simulate", "finish_simulation"
"""Entries of the trail: what was asked for, so that a run that was cut off can go on, and that it is done."""
_ROLES = {"city": Role.CITY, "district": Role.DISTRICT, "town": Role.STREET}


class NotEmpty(Conflict):
    """Somebody's data is here."""

    def __init__(self) -> None:
        zh, en = (
            "数据库已在使用，模拟城市只能装入空库。",
            "This database is in use; an invented city goes into an empty one only.",
        )
        super().__init__("database_not_empty", zh, en)


class AnotherSimulation(Conflict):
    """A simulation with other parameters was begun here and is not finished."""

    def __init__(self, begun: Sequence[str]) -> None:
        en = (
            f"Another invented city was begun here and is not finished ({', '.join(begun)}); ask for the same to go on."
        )
        super().__init__("another_simulation", "库中有另一个未完成的模拟城市。", en)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for; `on` None is today, or the day an unfinished run was begun for."""

    tree: Sequence[DivisionEntry]
    households: int
    seed: int
    on: date | None = None


@dataclass(frozen=True, slots=True)
class City:
    """What the communities of a city have in common."""

    plans: tuple[CommunityPlan, ...]
    done: frozenset[str]
    on: date
    round_id: UUID
    password_hash: str
    door_days: int
    care_days: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: what it does, how many communities of how many it has done, how many people."""

    step: str
    done: int = 0
    total: int = 0
    people: int = 0


Tell = Callable[[Progress], None]


async def begin(database: Database, wanted: Wanted) -> City:
    """The common part in one transaction: tree, desks, round; or where an unfinished run of the same stands.

    Raises NotEmpty where there is anybody's data, AnotherSimulation where an unfinished run was asked for otherwise.
    """
    password_hash = await sessions.hash_password(demo.PASSWORD)
    async with database.session(EVERYWHERE) as session:
        begun = await _find_begun(session)
        on = wanted.on or (date.fromisoformat(begun[2].removeprefix("on ")) if begun else today())
        asked = _describe(wanted, on)
        if begun is None:
            await _lay_out(session, wanted, asked, on, password_hash)
        elif begun != asked:
            raise AnotherSimulation(begun)
        book = await rules.read_rules(session)
        clocks = await session.execute(text("SELECT community_code FROM community_clock WHERE version > 0"))
        return City(
            plans=tuple(plan_communities(wanted.tree, wanted.households, wanted.seed)),
            done=frozenset(clocks.scalars()),
            on=on,
            round_id=_round_id(wanted.seed, on),
            password_hash=password_hash,
            door_days=int(book.in_force(DOOR_RULE, on).value),
            care_days=int(book.in_force(CARE_RULE, on).value),
        )


def _describe(wanted: Wanted, on: date) -> list[str]:
    """What a run was asked for, as its entry in the trail says it."""
    tree = sha256("\n".join(f"{entry.code} {entry.name}" for entry in wanted.tree).encode()).hexdigest()
    return [f"seed {wanted.seed}", f"households {wanted.households}", f"on {on}", f"tree {tree[:16]}"]


async def _find_begun(session: AsyncSession) -> list[str] | None:
    """What an unfinished run was asked for, None in an empty database; raises NotEmpty otherwise."""
    statement = select(col(AuditEntry.action), col(AuditEntry.subjects)).where(
        col(AuditEntry.community_code) == NOWHERE, col(AuditEntry.action).in_((BEGUN, FINISHED))
    )
    found = {row.action: row.subjects for row in await session.execute(statement)}
    if BEGUN in found and FINISHED not in found:
        return list(found[BEGUN])
    used = "SELECT EXISTS (SELECT FROM account) OR EXISTS (SELECT FROM community_clock WHERE version > 0)"
    if (await session.execute(text(used))).scalar_one():
        raise NotEmpty
    return None


def _round_id(seed: int, on: date) -> UUID:
    return UUID(Ids(Draw(seed, "round"), day_start(on - timedelta(days=ROUND_DAYS))).next())


async def _lay_out(session: AsyncSession, wanted: Wanted, asked: list[str], on: date, password_hash: str) -> None:
    city = city_of(wanted.tree)
    await areas.put_divisions(session, wanted.tree, on)
    since = day_start(on - timedelta(days=30))
    draw = Draw(wanted.seed, "desks")
    ids = Ids(draw, since)
    desks = [(_ROLES[level], entry.code) for entry in wanted.tree if (level := level_of(entry.code)) in _ROLES]
    desks.append((Role.API_CLIENT, city.code))
    accounts: list[dict[str, Any]] = []
    grants: list[dict[str, Any]] = []
    for role, code in sorted(desks, key=lambda desk: desk[1]):
        login = login_of("client" if role is Role.API_CLIENT else prefix_of(code))
        account, grant = account_rows(draw, ids, role, prefix_of(code), login, password_hash, since)
        accounts.append(dict(zip(community.COLUMNS["account"], account, strict=True)))
        grants.append(dict(zip(community.COLUMNS["role_grant"], grant, strict=True)))
    session.add_all(Account(**row | {"id": UUID(row["id"])}) for row in accounts)
    await session.flush()
    session.add_all(RoleGrant(**row | {"account_id": UUID(row["account_id"])}) for row in grants)
    opened = ScreeningRound(
        id=_round_id(wanted.seed, on),
        division_prefix=prefix_of(city.code),
        title="首轮入户排查",
        starts_on=on - timedelta(days=ROUND_DAYS),
        ends_on=on + timedelta(days=5),
        created_by=next(UUID(row["id"]) for row in accounts if row["login"] == login_of(prefix_of(city.code))),
        created_at=day_start(on - timedelta(days=ROUND_DAYS)),
    )
    session.add(opened)
    await session.flush()
    await audit.append_entry(session, SYSTEM, city.code, "create_round", [opened.id])
    await audit.append_entry(session, SYSTEM, NOWHERE, BEGUN, asked)


def people(url: str, city: City, workers: int, tell: Tell) -> None:
    """Make all communities that are not there yet, `workers` at once, then indexes and statistics.

    `url` is the owner's. May be killed and run again at any moment: a community is there whole or not at all.
    """
    with writing.connect(url) as connection:
        writing.drop_indexes(connection)
    with _mapping(url, city, min(workers, len(city.plans))) as run:
        todo, shares = _share_numbers(city, run, tell)
        done, found = len(city.plans) - len(todo), 0
        for made in run(_make, todo, shares):
            done, found = done + 1, found + made
            tell(Progress("communities", done, len(city.plans), found))
    with writing.connect(url) as connection:
        writing.build_indexes(connection, lambda step: tell(Progress(step)))
        writing.analyze(connection, lambda step: tell(Progress(step)))
        writing.append_audit(connection, NOWHERE, FINISHED, [f"communities {len(city.plans)}"], None)


def _share_numbers(
    city: City, run: Callable[..., Iterator[Any]], tell: Tell
) -> tuple[list[CommunityPlan], list[Census]]:
    """Count everybody; what is still to be made, and how many numbers those before each have taken."""
    todo, shares = [], []
    taken: Census = []
    for at, (plan, counted) in enumerate(zip(city.plans, run(_count, city.plans), strict=True), 1):
        taken = taken or [0] * len(counted)
        if plan.code not in city.done:
            todo.append(plan)
            shares.append(taken)
        taken = [before + more for before, more in zip(taken, counted, strict=True)]
        tell(Progress("counting", at, len(city.plans), sum(taken)))
    return todo, shares


# What a worker's process holds: its connection, and the city it works on.
_own: tuple[writing.Connection, City] | None = None


def _start(url: str, city: City) -> None:
    global _own
    _own = (writing.connect(url), city)


@contextmanager
def _mapping(url: str, city: City, workers: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` over that many processes, or over this one."""
    if workers <= 1:
        _start(url, city)
        try:
            yield map
        finally:
            if _own:
                _own[0].close()
        return
    # a process that is forked would share this one's connections
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (url, city)) as pool:
        try:
            yield pool.map
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _count(plan: CommunityPlan) -> Census:
    return count_people(plan.doors())


def _make(plan: CommunityPlan, taken: Census) -> int:
    """Write one community as one transaction; answers how many people it has."""
    if _own is None:
        raise RuntimeError("the worker was not started")
    connection, city = _own
    made = community.make_community(plan, Numbers(city.on, taken), city.on, city.password_hash)
    done = Work(plan, made, city.round_id, city.on, city.door_days, city.care_days)
    rows = done.do()
    with connection.transaction():
        writing.advance_clock(connection, plan.code, made.tallies)
        writing.copy_rows(connection, made.rows)
        writing.advance_clock(connection, plan.code)
        writing.copy_rows(connection, rows)
        connection.execute(
            "UPDATE responsibility_area SET version = %s WHERE community_code = %s AND id = ANY(%s)",
            (work.VERSION, plan.code, done.touched()),
        )
        writing.append_audit(connection, plan.code, BEGUN, [UUID(area.id) for area in made.areas], made.tallies)
    return made.tallies["residents"]


def describe_accounts(city: City) -> str:
    """Some of the accounts, and how the others are called."""
    first = city.plans[0].code
    named = [
        ("city desk", first[:4]), ("district desks", first[:6]), ("street and town desks", first[:9]),
        ("committees", first), ("grid workers and Party members", f"{first}-1"), ("another system", "client"),
    ]  # fmt: skip
    lines = [f"  {login_of(login):<20} {who}" for who, login in named]
    return "\n".join([f"Accounts (password {demo.PASSWORD}), each called after its division's code:", *lines])
