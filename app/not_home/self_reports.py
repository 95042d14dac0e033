"""Self-reports: the challenge at the code, taking a report, confirming it, setting it aside.

A report is what somebody says who knows the room and the head's surname, and no more than that (ADR 0016): it counts
for nothing until a worker confirms it, but what it says above threshold is followed up at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.areas import service as areas
from app.areas.codes import read_codes
from app.audit import service as audit
from app.audit.service import Doer
from app.auth.service import DESK, Actor, in_scope
from app.core import crypto
from app.core.clock import now, today
from app.core.db import NOWHERE, Database, Scope
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.paging import decode_id_cursor, encode_cursor
from app.not_home.codes import SEALED_AS, community_of
from app.not_home.models import SelfReport
from app.not_home.schemas import SelfReportRead
from app.people import service as people
from app.people.naming import tidy
from app.rules import service as rules
from app.screening import service as screening
from app.screening.findings import Threshold
from app.screening.schemas import PersonAnswer
from app.screening.service import CURRENT

NOTE = "self_report.note"
RULE = screening.RULE
TICKET = "self_report.ticket"
TICKET_LIFE = timedelta(minutes=30)
WINDOW = timedelta(hours=1)
MOST_OF_A_CODE = 6
MOST_OF_AN_ADDRESS = 40
"""Attempts within the window; behind one address may be a whole stair's Wi-Fi."""
HOUSEHOLD = Doer(None, "household")


class TooManyAttempts(Exception):  # noqa: N818 - said on a page of its own
    """A code or an address has been tried too often."""


class WrongChallenge(Exception):  # noqa: N818 - said on a page of its own
    """No such code, no round, another room or another name: nobody is told which."""


class TicketSpent(Exception):  # noqa: N818 - said on a page of its own
    """The challenge was too long ago, or its code has been replaced since."""


class AlreadyReported(Exception):  # noqa: N818 - said on a page of its own
    """A report has been made with this ticket, and it stands."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A passed challenge: the ticket for one report, and who is to be answered for, by surname alone."""

    ticket: str
    persons: tuple[str, ...]


async def _count(database: Database, limits: dict[str, int]) -> None:
    """Count an attempt of each subject; raises TooManyAttempts above a limit. What is over is swept on the way."""
    async with database.session(Scope((NOWHERE,))) as session:
        await session.execute(text("DELETE FROM code_attempt WHERE window_ends_at < now() - interval '1 day'"))
        rows = await session.execute(
            text("""
            INSERT INTO code_attempt AS a (subject, attempts, window_ends_at)
            SELECT s, 1, now() + cast(:window AS interval) FROM unnest(cast(:subjects AS text[])) s ORDER BY s
            ON CONFLICT (subject) DO UPDATE SET
                attempts = CASE WHEN a.window_ends_at > now() THEN a.attempts + 1 ELSE 1 END,
                window_ends_at = CASE WHEN a.window_ends_at > now() THEN a.window_ends_at
                    ELSE excluded.window_ends_at END
            RETURNING subject, attempts
        """),
            {"subjects": sorted(limits), "window": WINDOW},
        )
        is_over = any(row.attempts > limits[row.subject] for row in rows)
    if is_over:
        raise TooManyAttempts


def _subject(kind: str, value: str) -> str:
    return f"{kind}:{(crypto.blind_index(value, 'code_attempt') or b'').hex()}"


# The round meant: the one whose notice hangs at the door, else one whose notice is printed or due; without any, the
# newest for all, then the newest that is for this household.
_STANDING = text(f"""
    SELECT k.community_code, k.id AS code_id, h.id AS household_id, h.head_name, d.room, d.address,
        (SELECT q.id FROM screening_round q
            LEFT JOIN door_notice n ON n.community_code = k.community_code AND n.round_id = q.id
                AND n.household_id = h.id AND n.closed_at IS NULL
            WHERE {CURRENT} AND k.community_code LIKE q.division_prefix || '%'
                AND (q.target = 'all' OR n.round_id IS NOT NULL
                    OR EXISTS (SELECT FROM round_target g WHERE g.community_code = k.community_code
                        AND g.round_id = coalesce(q.parent_id, q.id) AND g.household_id = h.id))
            ORDER BY n.round_id IS NOT NULL DESC, n.left_at DESC NULLS LAST, n.printed_at DESC NULLS LAST,
                q.target = 'all' DESC, q.id DESC LIMIT 1) AS round_id
    FROM household_code k
    JOIN household h ON h.community_code = k.community_code AND NOT h.is_closed
        AND h.id = household_root(k.community_code, k.household_id)
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE k.community_code = ANY(:places) AND k.token_index = ANY(:indexes) AND k.revoked_at IS NULL
""")


def _is_answer(row: Any, room: str, surname: str) -> bool:
    """Whether room and surname are the household's: `101` or `101室`, or the free address; `王`, or `欧阳`."""
    given, said = tidy(room).removesuffix("室"), tidy(surname)
    place = tidy(row.room or row.address).removesuffix("室")
    head = tidy(row.head_name)
    is_place = bool(given) and (given == place or (not row.room and place.endswith(given) and given.isdigit()))
    length = len(said)
    return is_place and head.startswith(said) and (length == 1 or (length == 2 and len(head) > 2) or said == head)


async def pass_challenge(database: Database, token: str, room: str, surname: str, address: str) -> Challenge:
    """Check who scans a code; each attempt counts against the code and the caller's address, each is in the trail.

    A notice leads to its household also when the community has got another code since, or was divided, and to the
    household that stands for it when it was merged.

    Raises WrongChallenge and TooManyAttempts.
    """
    code_subject = _subject("code", token)
    await _count(database, {code_subject: MOST_OF_A_CODE, _subject("address", address): MOST_OF_AN_ADDRESS})
    printed_for = community_of(token)
    if printed_for is None:
        raise WrongChallenge
    indexes = crypto.blind_indexes(token, SEALED_AS)
    places = (await read_codes(database)).places_of(printed_for)
    async with database.session(Scope(tuple(places))) as session:
        row = (await session.execute(_STANDING, {"places": places, "indexes": indexes})).first()
        if row is None:
            raise WrongChallenge
        community = row.community_code
        is_passed = row.round_id is not None and _is_answer(row, room, surname)
        await session.execute(
            text("UPDATE household_code SET last_used_at = now() WHERE community_code = :c AND id = :id"),
            {"c": community, "id": row.code_id},
        )
        action = "pass_code_challenge" if is_passed else "fail_code_challenge"
        await audit.append_entry(session, HOUSEHOLD, community, action, [row.household_id])
        members = (
            await session.execute(
                text(
                    "SELECT id, name FROM resident WHERE community_code = :c AND household_id = :h AND NOT is_gone "
                    "ORDER BY id LIMIT 30"
                ),
                {"c": community, "h": row.household_id},
            )
        ).all()
    if not is_passed:
        raise WrongChallenge
    async with database.session(Scope((NOWHERE,))) as session:
        await session.execute(text("DELETE FROM code_attempt WHERE subject = :s"), {"s": code_subject})
    claims = {
        "id": new_id(), "community": community, "household": row.household_id, "round": row.round_id,
        "code": row.code_id, "persons": [one.id for one in members], "until": now() + TICKET_LIFE,
    }  # fmt: skip
    ticket = crypto.key_ring().seal(orjson.dumps(claims), TICKET).hex()
    return Challenge(ticket, tuple(f"{one.name[:1]}**" for one in members))


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says, once opened."""

    id: UUID
    community: str
    household: UUID
    round: UUID
    code: UUID
    persons: tuple[UUID, ...]


def open_ticket(ticket: str) -> Ticket:
    """A ticket of a challenge passed lately; raises TicketSpent."""
    try:
        claims = orjson.loads(crypto.key_ring().open(bytes.fromhex(ticket), TICKET))
    except (ValueError, KeyError, IndexError, UnicodeDecodeError, InvalidTag):
        raise TicketSpent from None
    if datetime.fromisoformat(claims["until"]) < now():
        raise TicketSpent
    return Ticket(
        UUID(claims["id"]), claims["community"], UUID(claims["household"]), UUID(claims["round"]),
        UUID(claims["code"]), tuple(UUID(one) for one in claims["persons"]),
    )  # fmt: skip


async def take_self_report(
    database: Database, ticket: Ticket, persons: Sequence[PersonAnswer], note: str, address: str
) -> None:
    """Keep what a household says, once for each ticket; what is above threshold is followed up in the same transaction.

    Raises TicketSpent when the code was replaced meanwhile, AlreadyReported and TooManyAttempts.
    """
    await _count(database, {_subject("address", address): MOST_OF_AN_ADDRESS})
    async with database.session(Scope((ticket.community,))) as session:
        version = await areas.advance_clock(session, ticket.community)
        book = await rules.read_rules(session)
        delete_by = book.day_after(RULE, today())
        threshold = Threshold.of(book)
        persons = [threshold.with_fever(one) for one in persons]
        # made out before a merge and sent after it: it stands with who stands for them, and says whom it was made for
        everybody = [ticket.household, *(one.resident_id for one in persons)]
        roots = await people.find_roots(session, ticket.community, everybody)
        home = roots.get(ticket.household, ticket.household)
        params = {
            "c": ticket.community, "id": ticket.id, "home": home, "round": ticket.round,
            "code": ticket.code, "persons": orjson.dumps([one.model_dump() for one in persons]).decode(),
            "note": crypto.seal_text(note or None, NOTE), "delete_by": delete_by, "version": version,
        }  # fmt: skip
        kept = (
            await session.execute(
                text("""
                INSERT INTO self_report (community_code, id, household_id, round_id, persons, note_sealed, delete_by,
                    version)
                SELECT :c, :id, :home, :round, cast(:persons AS jsonb), :note, :delete_by, :version
                WHERE EXISTS (SELECT FROM household_code WHERE community_code = :c AND id = :code
                    AND revoked_at IS NULL)
                ON CONFLICT DO NOTHING RETURNING reported_at
            """),
                params,
            )
        ).first()
        if kept is None:
            raise AlreadyReported if await session.get(SelfReport, (ticket.community, ticket.id)) else TicketSpent
        await session.execute(
            text("""
            UPDATE self_report SET status = 'replaced', settled_at = now(), version = :version
            WHERE community_code = :c AND household_id = :home AND status = 'waiting' AND id <> :id
        """),
            params,
        )
        findings = [
            found
            | {
                "g": 1, "source": "self_report", "source_id": ticket.id, "report_id": None,
                "household_id": home, "round_id": ticket.round, "found_by": "", "delete_by": delete_by,
                "recorded_at": kept.reported_at,
            }
            for found in threshold.find([standing(one, roots) for one in persons])
        ]  # fmt: skip
        if findings:
            await session.execute(
                text("SELECT follow_up_findings(cast(ARRAY[:c] AS bpchar[]), :versions, cast(:findings AS jsonb))"),
                {"c": ticket.community, "versions": [version], "findings": orjson.dumps(findings).decode()},
            )
        await session.execute(
            text("SELECT touch_households(:c, :version, ARRAY[cast(:home AS uuid)])"),
            {"c": ticket.community, "version": version, "home": home},
        )
        await audit.append_entry(
            session, HOUSEHOLD, ticket.community, "report_by_code", [ticket.id, home], params["persons"]
        )


def standing(one: PersonAnswer, roots: Mapping[UUID, UUID]) -> PersonAnswer:
    """What was said of somebody, of who stands for them."""
    return one.model_copy(update={"resident_id": roots.get(one.resident_id, one.resident_id)})


def _root(resident_id: str, roots: Mapping[UUID, UUID]) -> str:
    return str(roots.get(UUID(resident_id), resident_id))


class SelfReportSettled(Conflict):
    """Somebody has confirmed it, set it aside, or a newer one stands."""

    def __init__(self) -> None:
        super().__init__("self_report_settled", "这条自报已经处理。", "This self-report is settled already.")


_READ = """
    SELECT r.*, a.holder_name, r.status = 'waiting' AND (s.asked_at IS NULL OR s.asked_at < r.reported_at) AS is_waiting
    FROM self_report r
    JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    LEFT JOIN responsibility_area a ON a.community_code = d.community_code AND a.id = d.responsibility_area_id
    LEFT JOIN household_screening s ON s.community_code = r.community_code AND s.round_id = r.round_id
        AND s.household_id = r.household_id
    WHERE r.community_code = :c
"""


async def list_self_reports(
    session: AsyncSession, actor: Actor, community_code: str, is_waiting: bool | None, limit: int, cursor: str | None
) -> tuple[list[SelfReportRead], str | None]:
    """What households of a community reported, newest first, for the desk."""
    actor.demand(community_code, DESK)
    where, params = "", {"c": community_code, "limit": limit + 1}
    if is_waiting is not None:
        condition = "r.status = 'waiting' AND (s.asked_at IS NULL OR s.asked_at < r.reported_at)"
        where += f" AND {'' if is_waiting else 'NOT '}({condition})"
    if cursor:
        where, params = where + " AND r.id < :after", params | {"after": decode_id_cursor(cursor)}
    rows = (await session.execute(text(f"{_READ}{where} ORDER BY r.id DESC LIMIT :limit"), params)).mappings().all()
    items = await _read(session, community_code, rows[:limit])
    return items, encode_cursor(str(items[-1].id)) if len(rows) > limit else None


async def _read(session: AsyncSession, community: str, rows: Sequence[Any]) -> list[SelfReportRead]:
    homes = await people.name_households(session, community, [row["household_id"] for row in rows])
    said = [UUID(one["resident_id"]) for row in rows for one in row["persons"]]
    roots = await people.find_roots(session, community, said) if said else {}
    apart = {"settled_by_name", "persons"}
    return [
        SelfReportRead(
            **{key: row[key] for key in SelfReportRead.model_fields if key in row and key not in apart},
            persons=[one | {"resident_id": _root(one["resident_id"], roots)} for one in row["persons"]],
            settled_by_name=row["settled_by_name"] or None,
            note=crypto.open_text(row["note_sealed"], NOTE),
            **homes[row["household_id"]].model_dump(),
        )
        for row in rows
    ]


async def find_waiting(session: AsyncSession, actor: Actor, self_report_id: UUID) -> tuple[SelfReport, int]:
    """A self-report that a desk may settle, under its community's clock, and the clock's new version. Raises NotFound
    and SelfReportSettled."""
    own = (col(SelfReport.id) == self_report_id) & in_scope(col(SelfReport.community_code), actor, DESK)
    community = await session.scalar(select(col(SelfReport.community_code)).where(own))
    if community is None:
        raise NotFound
    version = await areas.advance_clock(session, community)
    report = (await session.scalars(select(SelfReport).where(own, col(SelfReport.community_code) == community))).one()
    if report.status != "waiting":
        raise SelfReportSettled
    return report, version


async def read_self_report(session: AsyncSession, community_code: str, self_report_id: UUID) -> SelfReportRead:
    """A self-report as the desk reads it."""
    params = {"c": community_code, "id": self_report_id}
    rows = (await session.execute(text(f"{_READ} AND r.id = :id"), params)).mappings().all()
    return (await _read(session, community_code, rows))[0]


async def set_self_report_aside(session: AsyncSession, actor: Actor, self_report_id: UUID) -> SelfReportRead:
    """Say that a self-report is not to be believed. Raises NotFound and SelfReportSettled."""
    report, version = await find_waiting(session, actor, self_report_id)
    community = report.community_code
    report.status, report.settled_at, report.settled_by_name = "set_aside", now(), actor.name
    report.version = version
    await session.flush()
    await session.execute(
        text("SELECT touch_households(:c, :version, ARRAY[cast(:home AS uuid)])"),
        {"c": community, "version": version, "home": report.household_id},
    )
    await audit.append_entry(session, actor.doer, community, "set_self_report_aside", [report.id, report.household_id])
    return await read_self_report(session, community, report.id)


DUE_REPORTS = "self_report WHERE delete_by <= :on AND (persons <> '[]' OR note_sealed IS NOT NULL)"


async def delete_due_reports(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Empty self-reports whose day has come, `limit` at most; one that still waits can no longer be confirmed."""
    result = await session.execute(
        text(f"""
        WITH due AS (SELECT id FROM {DUE_REPORTS} AND community_code = :c ORDER BY id LIMIT :limit), emptied AS (
            UPDATE self_report r SET persons = '[]', note_sealed = NULL, version = :version,
                status = CASE WHEN r.status = 'waiting' THEN 'set_aside' ELSE r.status END
            FROM due WHERE r.community_code = :c AND r.id = due.id RETURNING r.household_id
        ), touched AS (
            SELECT touch_households(:c, :version, array_agg(household_id)) FROM emptied
        ) SELECT (SELECT count(*) FROM emptied) FROM touched
    """),
        {"c": community_code, "on": on, "version": version, "limit": limit},
    )
    return int(result.scalar_one())
