"""Push: commands up, one answer each. Accept always, judge later; the same id gets the same answer."""

import time
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary, ref

import orjson
import psycopg
import sqlalchemy.exc
from pydantic import ValidationError
from sqlalchemy import text

from app.areas import service as areas
from app.areas.codes import read_codes
from app.audit.service import Doer
from app.auth.service import DESK, PEOPLE, Actor
from app.core.clock import now, today
from app.core.coalescing import Coalescer
from app.core.db import EVERYWHERE, NOWHERE, Database, Scope
from app.rules import service as rules
from app.rules.service import RuleBook
from app.sync import edits
from app.sync.registry import KINDS, Command
from app.sync.schemas import CommandIn, PushIn
from app.taken_out import service as taken_out

REFUSED = "refused"
EDITS = "edits"
_TAKE = (
    "SELECT group_no, command_id, answer, code, detail, is_repeat, confirmed FROM take_commands("
    "%(groups)s::jsonb, %(commands)s::jsonb)"
)
# A community whose roster is being imported holds its clock for long; its neighbours do not wait for it.
_TAKE_AT_ONCE = f"SET LOCAL lock_timeout = '250ms'; {_TAKE}"
_LOCATE = "SELECT id, community_code FROM household WHERE id = ANY(%(ids)s)"
_CONFIRMED = (
    "SELECT coalesce(sum(confirmed_count), 0) FROM confirmed_day WHERE account_id = %(actor)s AND day = %(day)s "
    "AND community_code LIKE ANY (string_to_array(current_setting('app.scope', true), ','))"
)
_HEARTBEAT = (
    "UPDATE device SET last_contact_at = now(), oldest_unsent_at = %(oldest)s, "
    "app_version = coalesce(%(version)s, app_version), keeps_storage = coalesce(%(keeps)s, keeps_storage), "
    "clock_error_s = coalesce(%(clock)s, clock_error_s) "
    "WHERE account_id = %(account)s AND id = %(device)s"
)
HEARTBEAT_SECONDS = 60.0
FLIGHT = 256
"""Commands in a flight: five whole pushes of different communities, some fifty milliseconds of the database's work."""
CLOCK_SLACK = timedelta(minutes=15)
"""A phone whose clock is wrong by no more is right: a push over a thin line takes its time too."""
_INT4 = 2**31 - 1
UNDONE = "household_undone"
_NOT_HERE = frozenset({"household_not_found", "resident_not_found"})
# a refusal that was premature
_FORGET = text(
    "DELETE FROM sync_command WHERE community_code = :c AND id = ANY(:ids) AND account_id = :actor "
    "AND status = 'rejected'"
)
_FLAG = tuple(
    text(f"UPDATE {table} SET {change} WHERE community_code = :c AND id = ANY(:ids)")
    for table, change in (
        ("door_visit", f"flag_code = '{UNDONE}'"),
        ("care_visit", f"flag_code = '{UNDONE}'"),
        ("sync_command", f"status = 'flagged', code = '{UNDONE}'"),
    )
)

# PostgreSQL's classes for "this row cannot be", as against "not now": 22 data, 23 constraint.
_IMPOSSIBLE = (
    psycopg.DataError, psycopg.IntegrityError, sqlalchemy.exc.DataError, sqlalchemy.exc.IntegrityError,
)  # fmt: skip


@dataclass(slots=True)
class Judged:
    """A command on its way: what it is, where it goes, or why it goes nowhere."""

    given: CommandIn
    command: Command | None
    community: str | None
    refusal: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Group:
    """A phone's commands of one kind for one community: whose (`head`), and what (`rows`, as SQL reads them)."""

    community: str
    head: dict[str, Any]
    rows: list[dict[str, Any]]


Answer = tuple[UUID, str, str | None, str | None, bool, int]
"""Command id, status, code, detail, whether it was known, the account's confirmed of today in the community."""


@dataclass(slots=True)
class Result:
    """A command's answer, field by field as `CommandResult` shows it."""

    id: UUID
    status: str
    code: str | None
    detail: str | None
    first_status: str | None = None


@dataclass(slots=True)
class Pushed:
    """What a push is answered, field by field as `PushOut` shows it; orjson writes it as it stands."""

    results: list[Result]
    server_time: datetime
    confirmed_today: int


_together: WeakKeyDictionary[Database, Coalescer[Group, list[Answer]]] = WeakKeyDictionary()


async def take_push(
    database: Database, actor: Actor, push: PushIn, request_id: str, *, is_heard: bool = True
) -> Pushed:
    """Take a batch: check shapes, find communities, write set by set, answer each id once.

    `is_heard`: the phone itself is speaking, so this is its last contact.

    A set the database refuses is tried again command by command, so that one impossible command does not
    take its neighbours down. What fails for the moment (no connection, a restart) is raised: nothing is
    answered, the phone keeps everything and asks again.
    """
    device = actor.device_id or push.device_id
    clock_error = _clock_error(push.sent_at)
    judged = _check_shapes(push.commands, clock_error is not None and abs(clock_error) > CLOCK_SLACK)
    await _locate(database, actor, judged)
    _check_roles(actor, judged)
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for item in judged.values():
        community = item.community or NOWHERE
        groups[community, _group_of(item)].append(item)
    answers: dict[UUID, Result] = {}
    confirmed: dict[str, int] = {}
    back: set[UUID] = set()
    # edits first: a knock may speak of somebody whom the same batch adds
    for (community, kind), items in sorted(
        groups.items(), key=lambda group: (group[0][0], group[0][1] != EDITS, group[0][1])
    ):
        rows = await _take_group(database, actor, device, community, kind, items, request_id)
        if kind not in (EDITS, REFUSED) and any(row[2] in _NOT_HERE for row in rows):
            rows = await _take_again(database, actor, device, community, kind, items, request_id, rows)
        if back or any(row[2] == UNDONE for row in rows):
            rows = await _flag_undone(database, community, items, rows, back)
        for command_id, status, code, detail, is_repeat, count in rows:
            answers[command_id] = _result(command_id, status, code, detail, is_repeat)
            confirmed[community] = count
    if is_heard:
        said = (push.app_version, push.keeps_storage, push.oldest_unsent_at)
        await note_contact(database, actor, device, *said, clock_error)
    confirmed_today = confirmed.get(actor.scope.only_community or "", 0)
    if confirmed_today == 0:
        confirmed_today = await count_confirmed(database, actor)
    results = _in_order(push.commands, answers)
    return Pushed(results=results, server_time=now(), confirmed_today=confirmed_today)


def _clock_error(sent_at: datetime | None) -> timedelta | None:
    """How far the phone's clock is ahead of ours, None where it did not say what it shows."""
    return sent_at - now() if sent_at is not None and sent_at.tzinfo is not None else None


def _check_shapes(commands: Sequence[CommandIn], is_off: bool) -> dict[UUID, Judged]:
    """Each id once, its payload checked against its kind's shape. `is_off`: the phone's clock is wrong now; a command
    may say that it was when it was made."""
    judged: dict[UUID, Judged] = {}
    for given in commands:
        if given.id in judged:
            continue
        item = judged[given.id] = Judged(given, None, given.community_code)
        kind = KINDS.get(given.name)
        if kind is None:
            item.refusal, item.detail = "command_unknown", given.name
            continue
        if given.recorded_at.tzinfo is None:
            item.refusal, item.detail = "shape_invalid", "recorded_at"
            continue
        try:
            payload = kind.payload.model_validate(given.payload)
        except ValidationError as error:
            item.refusal = "shape_invalid"
            first = error.errors()[0]
            item.detail = ".".join(str(part) for part in first["loc"]) or str(first["type"])
            continue
        error_s = given.clock_error_s and max(-_INT4, min(given.clock_error_s, _INT4))
        was_off = error_s is not None and abs(error_s) > CLOCK_SLACK.total_seconds()
        item.command = Command(given.id, given.recorded_at, given.epoch, payload, is_off or was_off, error_s)
    return judged


def _group_of(item: Judged) -> str:
    """With which others a command is taken: its kind, all edits of the registry together."""
    if item.refusal:
        return REFUSED
    return item.given.name if KINDS[item.given.name].as_rows else EDITS


async def _locate(database: Database, actor: Actor, judged: dict[UUID, Judged]) -> None:
    """Give each command its community: the one it names if in scope, the actor's only one, or its household's.

    A phone that loaded its doors before they got another code names the old one: they are found by the household.
    """
    only = actor.scope.only_community
    book = await read_codes(database)
    unknown: list[Judged] = []
    known = {
        code: book.is_settled(code) and actor.scope.covers(code)
        for code in {item.community for item in judged.values() if item.community is not None}
    }
    for item in judged.values():
        if item.community is not None and not known[item.community]:
            item.community = None
            if item.command is None:
                item.refusal, item.detail = item.refusal or "household_not_found", "community_code"
            else:
                unknown.append(item)
                item.detail = "community_code"
        elif item.community is None and only is not None:
            item.community = only
        elif item.community is None and item.command is not None:
            unknown.append(item)
    if not unknown:
        return
    ids = [item.command.payload.household_id for item in unknown if item.command is not None]
    found = dict(await database.call(actor.scope, _LOCATE, {"ids": ids}))
    for item in unknown:
        household_id = item.command.payload.household_id if item.command else None
        item.community = found.get(household_id)
        if item.community is None:
            item.refusal = item.refusal or "household_not_found"
        else:
            item.detail = None


def _check_roles(actor: Actor, judged: dict[UUID, Judged]) -> None:
    """Refuse what is for a community where the actor may look, but not work."""
    allowed: dict[str, bool] = {}
    for item in judged.values():
        code = item.community
        if code is None:
            continue
        if code not in allowed:
            allowed[code] = actor.may(code, PEOPLE)
        if item.refusal is None and not allowed[code]:
            item.refusal = "not_allowed"


async def _take_group(
    database: Database,
    actor: Actor,
    device: UUID,
    community: str,
    kind: str,
    items: list[Judged],
    request_id: str,
) -> list[Answer]:
    """A community's commands of one kind in one transaction; row by row when the set is refused."""
    try:
        if kind == EDITS:
            return await _take_edits(database, actor, device, community, items, request_id)
        return await _take_rows(database, actor, device, community, kind, items, request_id)
    except _IMPOSSIBLE:
        if len(items) == 1:
            if kind == REFUSED:
                raise
            items[0].refusal = "value_invalid"
            return await _take_group(database, actor, device, community, REFUSED, items, request_id)
    answers = []
    for item in items:
        answers += await _take_group(database, actor, device, community, kind, [item], request_id)
    return answers


async def _take_again(
    database: Database,
    actor: Actor,
    device: UUID,
    community: str,
    kind: str,
    items: list[Judged],
    request_id: str,
    rows: list[Answer],
) -> list[Answer]:
    """What was refused because a household or a person is not there, once more, where an undone import has taken them
    out: they are there again and the records count."""
    refused = {row[0] for row in rows if row[1] == "rejected" and row[2] in _NOT_HERE}
    lost = [item for item in items if item.given.id in refused and item.command is not None]
    named: dict[UUID, set[UUID]] = defaultdict(set)
    for payload in (item.command.payload for item in lost if item.command is not None):
        people = {person.resident_id for person in getattr(payload, "persons", ())}
        person = getattr(payload, "resident_id", None)
        named[payload.household_id] |= people | {person} if person else people
    doer = Doer(actor.id, actor.name, device)
    async with database.session(Scope((NOWHERE, community))) as session:
        session.info["request_id"] = request_id
        back = await taken_out.bring_back(session, doer, community, named)
        again = [item for item in lost if item.command and item.command.payload.household_id in back]
        params = {"c": community, "actor": actor.id, "ids": [item.given.id for item in again]}
        await session.execute(_FORGET, params)
    if not again:
        return rows
    answers = await _take_group(database, actor, device, community, kind, again, request_id)
    ids = {item.given.id for item in again}
    return [row for row in rows if row[0] not in ids] + [
        (row[0], row[1], UNDONE if row[1] == "accepted" else row[2], *row[3:]) for row in answers
    ]


async def _flag_undone(
    database: Database, community: str, items: list[Judged], rows: list[Answer], back: set[UUID]
) -> list[Answer]:
    """Have somebody look at what was taken about households that this push has brought `back`."""
    home_of = {item.given.id: item.command.payload.household_id for item in items if item.command is not None}
    back |= {home_of[row[0]] for row in rows if row[2] == UNDONE}
    flagged = [row[0] for row in rows if row[1] == "accepted" and not row[4] and home_of[row[0]] in back]
    if not flagged:
        return rows
    async with database.session(Scope((NOWHERE, community))) as session:
        await areas.lock_clock(session, community)
        for statement in _FLAG:
            await session.execute(statement, {"c": community, "ids": flagged})
    return [(row[0], "flagged", UNDONE, *row[3:]) if row[0] in flagged else row for row in rows]


async def _take_edits(
    database: Database, actor: Actor, device: UUID, community: str, items: list[Judged], request_id: str
) -> list[Answer]:
    doer = Doer(actor.id, actor.name, device)
    commands = [(item.given.name, item.command) for item in items if item.command is not None]
    taken, confirmed = await edits.take_edits(
        database, doer, community, actor.may(community, DESK), commands, request_id
    )
    return [(one.id, one.status, one.code, one.detail, one.is_repeat, confirmed) for one in taken]


async def _take_rows(
    database: Database,
    actor: Actor,
    device: UUID,
    community: str,
    kind: str,
    items: list[Judged],
    request_id: str,
) -> list[Answer]:
    """Commands that one SQL function takes, together with those of other phones that arrive meanwhile."""
    await _judge(database, kind, items)
    rows = _as_rows(kind, items, await rules.find_rules(database))
    head = {
        "community": community,
        "actor": actor.id,
        "actor_name": actor.name,
        "device": device,
        "is_desk": community != NOWHERE and actor.may(community, DESK),
        "is_off": any("is_off" in row for row in rows),
        "request": request_id,
        "name": kind,
    }
    coalescer = _together.get(database)
    if coalescer is None:
        coalescer = _together[database] = Coalescer(
            partial(_take_groups, ref(database)),
            key=lambda group: group.community,
            weight=lambda group: len(group.rows),
            size=FLIGHT,
            flights=max(2, database.calls.max_size // 4),
        )
    return await coalescer.do(Group(community, head, rows))


async def _judge(database: Database, kind: str, items: Sequence[Judged]) -> None:
    """Let commands be judged that a shape alone does not tell enough of."""
    judge = KINDS[kind].judge if kind != REFUSED else None
    if judge is None:
        return
    found = await judge(database, [(item.given.id, item.command.payload) for item in items if item.command])
    for item in items if found else ():
        if item.command is not None:
            item.command = replace(item.command, judged=found.get(item.given.id))


async def _take_groups(where: "ref[Database]", groups: Sequence[Group], is_patient: bool) -> list[list[Answer]]:
    """Groups of different communities in one round trip and one transaction, whose scope is these communities."""
    database = where()
    if database is None:
        raise RuntimeError("the database is gone")
    # in code order, in which every transaction takes the clocks
    order = sorted(range(len(groups)), key=lambda at: groups[at].community)
    commands = []
    for number, at in enumerate(order, 1):
        group = groups[at]
        for row in group.rows:
            row["g"] = number
        body = orjson.dumps(group.rows)
        group.head["digest"] = sha256(body).hexdigest()
        commands.append(body[1:-1])
    scope = Scope(tuple(sorted({NOWHERE, *(group.community for group in groups)})))
    params = {
        "groups": orjson.dumps([groups[at].head for at in order]).decode(),
        "commands": f"[{b','.join(commands).decode()}]",
    }
    answers: list[list[Answer]] = [[] for _ in groups]
    taken = await database.call(scope, _TAKE if is_patient else _TAKE_AT_ONCE, params)
    for number, command_id, status, code, detail, is_repeat, confirmed in taken:
        answers[order[number - 1]].append((command_id, status, code, detail, is_repeat, confirmed))
    return answers


def _as_rows(kind: str, items: Sequence[Judged], book: RuleBook) -> list[dict[str, Any]]:
    as_rows = KINDS[kind].as_rows if kind != REFUSED else None
    if as_rows:
        commands = [item.command for item in items if item.command is not None]
        rows = as_rows(commands, book)
        for command, row in zip(commands, rows, strict=True):
            if command.is_off:
                row |= {"is_off": True, "clock_error_s": command.clock_error_s}
        return rows
    return [
        {
            "id": item.given.id,
            "recorded_at": item.given.recorded_at,
            "refusal": item.refusal,
            "refusal_detail": (item.detail or item.given.name)[:200].replace("\x00", ""),
        }
        for item in items
    ]


def _result(command_id: UUID, status: Any, code: str | None, detail: str | None, is_repeat: bool) -> Result:
    if is_repeat and status != "rejected":
        return Result(command_id, "duplicate", code, detail, status)
    return Result(command_id, status, code, detail)


def _in_order(commands: Sequence[CommandIn], answers: dict[UUID, Result]) -> list[Result]:
    """Answers in the order asked; an id that came twice in one batch is a duplicate the second time."""
    results = []
    seen: set[UUID] = set()
    for given in commands:
        answer = answers[given.id]
        if given.id in seen and answer.status in ("accepted", "flagged"):
            answer = _result(answer.id, answer.status, answer.code, answer.detail, True)
        seen.add(given.id)
        results.append(answer)
    return results


_heartbeats: OrderedDict[tuple[UUID, UUID], tuple[float, tuple[Any, ...]]] = OrderedDict()


async def note_contact(
    database: Database,
    actor: Actor,
    device: UUID,
    app_version: str | None,
    keeps_storage: bool | None,
    oldest_unsent_at: datetime | None,
    clock_error: timedelta | None = None,
) -> None:
    """Note a phone's last contact and what it says of itself, at most once a minute while nothing changes."""
    key = (actor.id, device)
    error_s = None if clock_error is None else max(-_INT4, min(round(clock_error.total_seconds()), _INT4))
    error = error_s and round(error_s / CLOCK_SLACK.total_seconds())
    said = (oldest_unsent_at is None, app_version, keeps_storage, error)
    at, before = _heartbeats.get(key, (0.0, ()))
    if time.monotonic() - at < HEARTBEAT_SECONDS and said == before:
        return
    _heartbeats[key] = (time.monotonic(), said)
    while len(_heartbeats) > 50_000:
        _heartbeats.popitem(last=False)
    await database.call(
        EVERYWHERE,
        _HEARTBEAT + " RETURNING 1",
        {
            "oldest": oldest_unsent_at,
            # text in a column may hold no NUL
            "version": app_version and app_version.replace("\x00", ""),
            "keeps": keeps_storage,
            "clock": error_s,
            "account": actor.id,
            "device": device,
        },
    )


async def count_confirmed(database: Database, actor: Actor) -> int:
    """How many of the account's records were confirmed today."""
    rows = await database.call(actor.scope, _CONFIRMED, {"actor": actor.id, "day": today()})
    return int(rows[0][0])
