"""Pull: what a phone carries, per responsibility area and version, in columns.

Everything of an area is read on one snapshot in one round trip. A full pull is kept gzipped for its
(area, version): phones that load the same area at shift change share one build.
"""

import gzip
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.auth.service import Actor, list_held_areas
from app.core import crypto
from app.core.clock import today
from app.core.db import Database
from app.core.errors import NotFound
from app.people import service as people
from app.questions import service as questions
from app.questions.models import Standard
from app.questions.schemas import STANDARD
from app.rules import service as rules
from app.screening import service as screening
from app.screening.findings import Threshold
from app.screening.models import Target
from app.sync.schemas import FindingRules, RoundBrief, SyncAreaRead, SyncRound

CACHE_BYTES = 64 * 1024 * 1024
FINDINGS_KEPT = timedelta(days=62)
"""How far back a phone is told what was followed up: it shows what was found earlier in a round."""


class AreaNotHeld(NotFound):
    """The area is not, or no longer, this phone's to carry."""

    def __init__(self) -> None:
        super().__init__("area_not_held", "这个责任区现在不由您负责。", "You do not hold this responsibility area.")


async def list_sync_areas(session: AsyncSession, actor: Actor) -> list[SyncAreaRead]:
    """The areas the actor holds, with the open rounds of their communities."""
    held = await list_held_areas(session, actor)
    codes = sorted({area.community_code for area in held})
    names = await areas.name_divisions(session, codes)
    rounds = await screening.list_open_rounds(session, codes)
    if not held:
        return []
    book, day = await rules.read_rules(session), today()
    findings = [
        FindingRules.model_validate(one)
        for one in Threshold.between(book, day - FINDINGS_KEPT, day + screening.DAYS_AHEAD)
    ]
    fever = Threshold.of(book, day).temperature_c
    return [
        SyncAreaRead(
            **area.model_dump(),
            community_name=names.get(area.community_code, ""),
            fever_from=fever,
            findings=findings,
            rounds=[
                RoundBrief(
                    id=r.id,
                    title=r.title,
                    starts_on=r.starts_on,
                    ends_on=r.ends_on,
                    revision=r.revision,
                    is_day=r.parent_id is not None,
                )
                for r in rounds[area.community_code]
            ],
        )
        for area in held
    ]


_TARGETS = text("""
    SELECT g.household_id FROM round_target g
    JOIN household h ON h.community_code = g.community_code AND h.id = g.household_id AND NOT h.is_closed
    JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
    WHERE g.community_code = :c AND g.round_id = :round AND d.responsibility_area_id = :area ORDER BY d.sort_key
""")


async def get_sync_round(session: AsyncSession, actor: Actor, round_id: UUID, area_id: UUID) -> SyncRound:
    """What the holder of an area has to know of an open round. Raises AreaNotHeld, and NotFound for a round that is
    not worked on there."""
    area = next((one for one in await list_held_areas(session, actor) if one.id == area_id), None)
    if area is None:
        raise AreaNotHeld
    rounds = (await screening.list_open_rounds(session, [area.community_code]))[area.community_code]
    found = next((one for one in rounds if one.id == round_id), None)
    if found is None:
        raise NotFound
    versions = [form for (_, _), form in (await questions.load_forms(session, [round_id])).items()]
    newest = max(versions, key=lambda form: form.version, default=None)
    targets = None
    if found.target != Target.ALL:
        params = {"c": area.community_code, "round": found.parent_id or found.id, "area": area_id}
        targets = list((await session.scalars(_TARGETS, params)).all())
    return SyncRound(
        id=found.id, revision=found.revision, version=newest.version if newest else 0,
        standard=[Standard(one) for one in newest.standard] if newest else list(STANDARD[:3]),
        questions=list(newest.questions) if newest else [], targets=targets,
    )  # fmt: skip


_AREA = (
    "SELECT community_code, version, recut_version, epoch FROM responsibility_area "
    "WHERE id = %(area)s AND holder_id = %(actor)s AND NOT is_removed"
)

# The households to send: all of the area (since = -1) or those something of which is newer than `since`.
_CHANGED = """
    WITH doors AS MATERIALIZED (
        SELECT d.* FROM dwelling d
        WHERE d.community_code = %(community)s AND d.responsibility_area_id = %(area)s
    ), homes AS MATERIALIZED (
        SELECT h.*, d.sort_key, d.version AS door_version FROM household h
        JOIN doors d ON h.community_code = d.community_code AND h.dwelling_id = d.id
    ), changed AS MATERIALIZED (
        SELECT h.id FROM homes h
        WHERE NOT h.is_closed AND (greatest(h.version, h.door_version) > %(since)s
            OR EXISTS (SELECT FROM household_screening s WHERE s.community_code = h.community_code
                AND s.household_id = h.id AND s.version > %(since)s
                AND s.round_id IN (SELECT id FROM screening_round WHERE status = 'open'))
            OR EXISTS (SELECT FROM resident r WHERE r.community_code = h.community_code
                AND r.household_id = h.id AND r.version > %(since)s)
            OR EXISTS (SELECT FROM care_plan p WHERE p.community_code = h.community_code
                AND p.household_id = h.id AND p.version > %(since)s))
    )
"""
_DWELLINGS = """
    SELECT d.id, d.compound, d.building, d.stair, d.floor, d.room, d.address, d.is_vacant::int
    FROM doors d
    WHERE d.version > %(since)s OR d.id IN (SELECT h.dwelling_id FROM homes h JOIN changed USING (id))
    ORDER BY d.sort_key, d.id
"""
_HOUSEHOLDS = """
    SELECT h.id, h.dwelling_id, h.head_name, h.head_initials, h.kind, h.tags,
        encode(h.phone_sealed, 'hex'), encode(h.note_sealed, 'hex')
    FROM homes h JOIN changed USING (id) ORDER BY h.sort_key, h.id
"""
_RESIDENTS = """
    SELECT r.id, r.household_id, r.name, r.name_initials, r.sex, extract(year FROM r.birth_on)::int, r.relation,
        r.needs_id_check::int
    FROM resident r JOIN changed c ON r.household_id = c.id
    WHERE r.community_code = %(community)s AND NOT r.is_gone
    ORDER BY r.household_id, r.id
"""
_STATES = """
    SELECT s.household_id, s.round_id, s.outcome, s.attempts, extract(epoch FROM s.last_at)::bigint, s.last_by,
        extract(epoch FROM s.asked_at)::bigint, s.asked_by, s.missed_parts,
        CASE WHEN n.household_id IS NULL THEN 0 WHEN n.left_at IS NULL THEN 1 ELSE 2 END
    FROM household_screening s JOIN changed c ON s.household_id = c.id JOIN screening_round q ON q.id = s.round_id
    LEFT JOIN door_notice n ON n.community_code = s.community_code AND n.round_id = s.round_id
        AND n.household_id = s.household_id AND n.closed_at IS NULL
    WHERE s.community_code = %(community)s AND q.status = 'open'
"""
_CHECKS = """
    SELECT k.resident_id, k.round_id, k.status, k.temperature_c, (k.risk_area IS TRUE)::int
    FROM person_check k JOIN changed c ON k.household_id = c.id JOIN screening_round q ON q.id = k.round_id
    WHERE k.community_code = %(community)s AND NOT k.has_left AND q.status = 'open'
"""
_CARE = """
    SELECT p.household_id, p.resident_id, p.condition, extract(epoch FROM p.last_at)::bigint, p.next_on
    FROM care_plan p JOIN changed c ON p.household_id = c.id WHERE p.community_code = %(community)s
"""
_REPORTS = """
    SELECT r.household_id, r.id, r.round_id, extract(epoch FROM r.reported_at)::bigint,
        (SELECT coalesce(jsonb_agg(p.said || jsonb_build_object('resident_id',
            resident_root(r.community_code, (p.said ->> 'resident_id')::uuid)) ORDER BY p.n), '[]')
         FROM jsonb_array_elements(r.persons) WITH ORDINALITY AS p(said, n))
    FROM self_report r JOIN changed c ON r.household_id = c.id
    JOIN screening_round q ON q.id = r.round_id AND q.status = 'open'
    LEFT JOIN household_screening s ON s.community_code = r.community_code AND s.round_id = r.round_id
        AND s.household_id = r.household_id
    WHERE r.community_code = %(community)s AND r.status = 'waiting'
        AND (s.asked_at IS NULL OR s.asked_at < r.reported_at)
"""
_REMOVED = """
    SELECT h.id FROM homes h WHERE h.is_closed AND h.version > %(since)s
"""
_GROUPS = {
    "dwellings": ("icbsfrav", _DWELLINGS),
    "households": ("idhyktpn", _HOUSEHOLDS),
    "residents": ("ihnysbrx", _RESIDENTS),
    "states": ("hqoctwabpn", _STATES),
    "checks": ("rqstk", _CHECKS),
    "care": ("hrltn", _CARE),
    "reports": ("hiqtp", _REPORTS),
}
"""Groups of rows, each with the one-letter names of its columns."""


def _as_json(keys: str, rows: str) -> str:
    columns = ", ".join(f"c{at}" for at in range(len(keys)))
    return f"(SELECT json_agg(json_build_array({columns}))::text FROM ({rows}) AS part({columns}))"


# One statement, so that which households have changed is found out, and planned, once and not for each group.
_ALL = f"{_CHANGED} SELECT {', '.join(_as_json(*group) for group in (*_GROUPS.values(), (' ', _REMOVED)))}"


class BundleCache:
    """Gzipped full pulls by (area, version), the least used going first past a bound of bytes."""

    def __init__(self, bound: int = CACHE_BYTES) -> None:
        self.bound = bound
        self._held: OrderedDict[tuple[UUID, int, int], bytes] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[UUID, int, int]) -> bytes | None:
        """The bundle, if kept."""
        bundle = self._held.get(key)
        if bundle is not None:
            self._held.move_to_end(key)
        return bundle

    def put(self, key: tuple[UUID, int, int], bundle: bytes) -> None:
        """Keep a bundle."""
        if key in self._held:
            return
        self._held[key] = bundle
        self._bytes += len(bundle)
        while self._bytes > self.bound:
            _, old = self._held.popitem(last=False)
            self._bytes -= len(old)


bundles = BundleCache()


async def pull_area(database: Database, actor: Actor, area_id: UUID, since: int) -> bytes:
    """The gzipped JSON of one area for its holder; everything when `since` is 0 or before the last re-cut.

    Raises AreaNotHeld when the actor does not hold the area.
    """
    params: dict[str, Any] = {"area": area_id, "actor": actor.id}
    rows = await database.call(actor.scope, _AREA, params)
    if not rows:
        raise AreaNotHeld
    community, version, recut, epoch = rows[0]
    is_full = since <= 0 or since < recut or since > version
    if not is_full and since == version:
        return _pack(version, epoch, False, [[]] * 7, [])
    key = (area_id, version, epoch)
    if is_full and (kept := bundles.get(key)) is not None:
        return kept
    params |= {"community": community, "since": -1 if is_full else since}
    (area_rows, (read,)) = await database.read(actor.scope, [_AREA, _ALL], params)
    if not area_rows:
        raise AreaNotHeld
    (*parts, removed) = ([] if rows is None else orjson.loads(rows) for rows in read)
    # The snapshot may be newer than the first look; what it says goes.
    _, version, recut, epoch = area_rows[0]
    if not is_full and since < recut:
        return await pull_area(database, actor, area_id, 0)
    bundle = _pack(version, epoch, is_full, parts, [] if is_full else [row[0] for row in removed])
    if is_full:
        bundles.put((area_id, version, epoch), bundle)
    return bundle


def _pack(version: int, epoch: int, is_full: bool, parts: list[list[Any]], removed: list[str]) -> bytes:
    """Rows to columns, indexes for ids, gzip."""
    dwellings, households, residents, states, checks, care, reports = parts
    door_at = {row[0]: at for at, row in enumerate(dwellings)}
    home_at = {row[0]: at for at, row in enumerate(households)}
    households = [
        (
            *_replace(row, 1, door_at)[:6],
            crypto.open_text(_sealed(row[6]), people.HOUSEHOLD_PHONE),
            crypto.open_text(_sealed(row[7]), people.HOUSEHOLD_NOTE),
        )
        for row in households
    ]
    residents = sorted((_replace(row, 1, home_at) for row in residents), key=lambda row: (row[1], row[0]))
    person_at = {row[0]: at for at, row in enumerate(residents)}
    rows = {
        "dwellings": dwellings,
        "households": households,
        "residents": residents,
        "states": [_replace(row, 0, home_at) for row in states],
        "checks": [_replace(row, 0, person_at) for row in checks if row[0] in person_at],
        "care": [_replace(row, 0, home_at) for row in care],
        "reports": [_replace(row, 0, home_at) for row in reports],
    }
    body = {
        "version": version,
        "epoch": epoch,
        "reset": is_full,
        "upserts": {name: _columns(keys, rows[name]) for name, (keys, _) in _GROUPS.items()},
        "removed": removed,
    }
    return gzip.compress(orjson.dumps(body), compresslevel=6, mtime=0)


def _sealed(written: str | None) -> bytes | None:
    return None if written is None else bytes.fromhex(written)


def _replace(row: Sequence[Any], column: int, index: dict[str, int]) -> tuple[Any, ...]:
    """The row with the id in `column` turned into its index in another group."""
    return (*row[:column], index[row[column]], *row[column + 1 :])


def _columns(keys: str, rows: list[Any]) -> dict[str, list[Any]]:
    """Rows as columns with one-letter names."""
    turned = list(zip(*rows, strict=True)) if rows else [() for _ in keys]
    return {key: list(column) for key, column in zip(keys, turned, strict=True)}


def unpack(bundle: bytes) -> bytes:
    """The JSON of a bundle, for a client that takes no gzip."""
    return gzip.decompress(bundle)
