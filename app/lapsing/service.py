"""Which facts lapse when, saying one again, and letting them go.

When a fact was last said is told by what is kept anyhow: the day on which it was last said again, else the last change
of it, else the day of the list that its row came with.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas import service as areas
from app.audit import service as audit
from app.auth.service import DESK, Actor
from app.core import crypto
from app.core.clock import today
from app.core.paging import cursor_day, cursor_uuid, decode_cursor, encode_cursor
from app.lapsing.schemas import LapsingFact, LapsingRead
from app.people import registry
from app.people import service as people
from app.people.models import HouseholdTag

TAGS_RULE = "retention.tags"
NOTES_RULE = "retention.notes"
DEPARTED_RULE = "retention.departed"
NOTICE = timedelta(days=60)
"""How long before its last day a fact stands in the committee's list."""
LAPSING = (
    HouseholdTag.LIVING_ALONE_ELDER, HouseholdTag.HOUSEHOLD_IN_HARDSHIP, HouseholdTag.CHRONIC_ILLNESS,
    HouseholdTag.DISABLED, HouseholdTag.PREGNANT, HouseholdTag.INFANT,
)  # fmt: skip

_TAGS = "ARRAY[" + ", ".join(f"'{tag.value}'" for tag in LAPSING) + "]::text[]"


def _day(at: str) -> str:
    return f"({at} AT TIME ZONE 'Asia/Shanghai')::date"


def _days(rule: str) -> str:
    """How long a fact holds by the rule in force on the day `:on`."""
    return (
        f"(SELECT cast(value AS int) FROM dated_rule WHERE key = '{rule}' AND effective_on <= :on "
        "ORDER BY effective_on DESC LIMIT 1)"
    )


def _changed(fact: str) -> str:
    return (
        f"(SELECT {_day('f.changed_at')} FROM field_change f WHERE f.community_code = h.community_code "
        f"AND f.subject_id = h.id AND f.field = '{fact}')"
    )


# by the service's clock: a phone's may be wrong by years
_CARED = (
    f"(SELECT max({_day('v.received_at')}) FROM care_visit v WHERE v.community_code = h.community_code "
    "AND v.household_id = h.id AND v.condition <> 'not_reached' AND v.verdict IS DISTINCT FROM 'set_aside')"
)
_TAGS_SAID = (
    f"greatest(h.tags_said_on, {_CARED}, coalesce({_changed('tags')}, {_day('coalesce(h.listed_at, h.updated_at)')}))"
)
_PERSONS_TAGS_SAID = f"greatest(h.tags_said_on, {_CARED}, {_day('coalesce(r.listed_at, r.updated_at)')})"
_NOTE_SAID = f"greatest(h.note_said_on, coalesce({_changed('note')}, {_day('coalesce(h.listed_at, h.updated_at)')}))"

_HOUSEHOLDS = text(f"""
    WITH said AS (
        SELECT h.id, h.dwelling_id, h.head_name, h.note_sealed, (
                SELECT array_agg(DISTINCT t ORDER BY t) FROM unnest(h.tags || coalesce(p.tags, '{{}}')) t
                WHERE t = ANY ({_TAGS})
            ) AS tags,
            least(CASE WHEN h.tags && {_TAGS} THEN {_TAGS_SAID} END, p.said) + {_days(TAGS_RULE)} - 1 AS tags_until,
            CASE WHEN h.note_sealed IS NOT NULL THEN {_NOTE_SAID} + {_days(NOTES_RULE)} - 1 END AS note_until
        FROM household h LEFT JOIN LATERAL (
            SELECT min({_PERSONS_TAGS_SAID}) AS said, array_agg(t.tag) AS tags
            FROM resident r CROSS JOIN LATERAL unnest(r.tags) AS t(tag)
            WHERE r.community_code = h.community_code AND r.household_id = h.id AND NOT r.is_gone AND r.tags && {_TAGS}
        ) p ON true
        WHERE h.community_code = :c AND NOT h.is_closed AND (cast(:home AS uuid) IS NULL OR h.id = :home)
    )
    SELECT *, least(tags_until, note_until) AS until FROM said
    WHERE least(tags_until, note_until) <= :before
        AND (least(tags_until, note_until), id) > (cast(:day AS date), :after)
    ORDER BY until, id LIMIT :limit
""")


async def list_lapsing(
    session: AsyncSession, actor: Actor, community_code: str, household_id: UUID | None, limit: int, cursor: str | None
) -> tuple[list[LapsingRead], str | None]:
    """Households of a community of which something lapses within the time of notice, what lapses first on top; or the
    one that is named, however far its day is."""
    actor.demand(community_code, DESK)
    day, after = decode_cursor(cursor, str, str) if cursor else (date.min.isoformat(), str(UUID(int=0)))
    params = {
        "c": community_code, "home": household_id, "on": today(), "limit": limit + 1, "day": cursor_day(day),
        "after": cursor_uuid(after), "before": date.max if household_id else today() + NOTICE,
    }  # fmt: skip
    rows = (await session.execute(_HOUSEHOLDS, params)).all()
    names = await people.name_households(session, community_code, [row.id for row in rows[:limit]])
    items = [
        LapsingRead(
            household_id=row.id, community_code=community_code, address=names[row.id].address, head_name=row.head_name,
            tags=[HouseholdTag(tag) for tag in row.tags or ()], tags_until=row.tags_until,
            note=crypto.open_text(row.note_sealed, people.HOUSEHOLD_NOTE), note_until=row.note_until,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    if len(rows) <= limit:
        return items, None
    return items, encode_cursor(rows[limit - 1].until.isoformat(), str(rows[limit - 1].id))


async def say_again(
    session: AsyncSession, actor: Actor, household_id: UUID, facts: list[LapsingFact]
) -> LapsingRead | None:
    """Say that facts of a household still hold: their time begins anew today. Answers the household as it stands in
    the list, None when it has nothing that lapses. Raises NotFound."""
    household, _ = await people.get_household(session, actor, household_id, DESK)
    community = household.community_code
    await areas.lock_clock(session, community)
    await registry.say_again(session, community, {fact: [household_id] for fact in facts}, today())
    await audit.append_entry(session, actor.doer, community, "say_again", [household_id], sorted(facts))
    items, _ = await list_lapsing(session, actor, community, household_id, 1, None)
    return items[0] if items else None


DUE_TAGS = f"""(
    SELECT h.community_code, h.id AS household_id, cast(NULL AS uuid) AS resident_id FROM household h
    WHERE h.tags && {_TAGS} AND {_TAGS_SAID} + {_days(TAGS_RULE)} <= :on
    UNION ALL
    SELECT r.community_code, r.household_id, r.id
    FROM resident r JOIN household h ON h.community_code = r.community_code AND h.id = r.household_id
    WHERE r.tags && {_TAGS} AND {_PERSONS_TAGS_SAID} + {_days(TAGS_RULE)} <= :on
) AS due WHERE true"""
DUE_NOTES = f"household AS h WHERE h.note_sealed IS NOT NULL AND {_NOTE_SAID} + {_days(NOTES_RULE)} <= :on"
DUE_DEPARTED = f"""(
    SELECT r.community_code, r.id, false AS is_home FROM resident r
    WHERE r.is_gone AND r.merged_into_id IS NULL
        AND (r.id_sealed IS NOT NULL OR r.phone_sealed IS NOT NULL OR r.workplace <> '' OR r.tags <> '{{}}')
        AND NOT EXISTS (SELECT FROM residence s WHERE s.community_code = r.community_code AND s.resident_id = r.id
            AND s.ended_on IS NULL)
        AND coalesce((SELECT max(s.ended_on) FROM residence s WHERE s.community_code = r.community_code
            AND s.resident_id = r.id), {_day("r.updated_at")}) + {_days(DEPARTED_RULE)} <= :on
    UNION ALL
    SELECT h.community_code, h.id, true FROM household h
    WHERE h.is_closed AND h.merged_into_id IS NULL
        AND (h.phone_sealed IS NOT NULL OR h.note_sealed IS NOT NULL OR h.tags <> '{{}}')
        AND {_day("h.updated_at")} + {_days(DEPARTED_RULE)} <= :on
) AS due WHERE true"""
"""Which rows hold something that has to go by the day `:on`."""


def _cut(tags: str) -> str:
    return f"(SELECT coalesce(array_agg(t ORDER BY t), '{{}}') FROM unnest({tags}) t WHERE t <> ALL ({_TAGS}))"


# `updated_at` stays: of a note that nothing else is known of it says how old that is
_DELETE_TAGS = text(f"""
    WITH due AS (
        SELECT household_id, resident_id FROM {DUE_TAGS} AND community_code = :c ORDER BY 1, 2 LIMIT :limit
    ), homes AS (
        UPDATE household h SET tags = {_cut("h.tags")}, tags_said_on = NULL, version = :version
        FROM due WHERE due.resident_id IS NULL AND h.community_code = :c AND h.id = due.household_id
    ), persons AS (
        UPDATE resident r SET tags = {_cut("r.tags")}, version = :version
        FROM due WHERE r.community_code = :c AND r.id = due.resident_id
    ) SELECT household_id, resident_id FROM due
""")
_DELETE_NOTES = text(f"""
    WITH due AS (SELECT h.id FROM {DUE_NOTES} AND community_code = :c ORDER BY 1 LIMIT :limit)
    UPDATE household h SET note_sealed = NULL, note_said_on = NULL, version = :version
    FROM due WHERE h.community_code = :c AND h.id = due.id RETURNING h.id
""")
_DELETE_DEPARTED = text(f"""
    WITH due AS (SELECT id, is_home FROM {DUE_DEPARTED} AND community_code = :c ORDER BY 1 LIMIT :limit), persons AS (
        UPDATE resident r SET id_kind = 'none', id_sealed = NULL, id_index = NULL, phone_sealed = NULL,
            phone_index = NULL, workplace = '', tags = '{{}}', needs_id_check = false
        FROM due WHERE NOT due.is_home AND r.community_code = :c AND r.id = due.id
    ), homes AS (
        UPDATE household h SET phone_sealed = NULL, phone_index = NULL, note_sealed = NULL, tags = '{{}}'
        FROM due WHERE due.is_home AND h.community_code = :c AND h.id = due.id
    ) SELECT count(*) FROM due
""")


async def delete_due_tags(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Take away tags that nobody has said for their time; those that say what a household is stay."""
    rows = (await session.execute(_DELETE_TAGS, _params(community_code, on, version, limit))).all()
    homes = [row.household_id for row in rows if row.resident_id is None]
    # a phone that still has them must not bring them back without somebody seeing it
    await people.note_changes(session, audit.SYSTEM, community_code, version, [(home, "tags") for home in homes])
    await _tell_phones(session, community_code, version, sorted({row.household_id for row in rows}))
    return len(rows)


async def delete_due_notes(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Take away notes that nobody has said for their time."""
    homes = list(await session.scalars(_DELETE_NOTES, _params(community_code, on, version, limit)))
    await people.note_changes(session, audit.SYSTEM, community_code, version, [(home, "note") for home in homes])
    await _tell_phones(session, community_code, version, sorted(homes))
    return len(homes)


async def delete_due_departed(session: AsyncSession, community_code: str, on: date, version: int, limit: int) -> int:
    """Take away the numbers, workplaces, tags and notes of people and households who have long left; who lived where
    from when to when stays. No phone holds them."""
    params = _params(community_code, on, version, limit)
    del params["version"]
    return int((await session.execute(_DELETE_DEPARTED, params)).scalar_one())


def _params(community: str, on: date, version: int, limit: int) -> dict[str, object]:
    return {"c": community, "on": on, "version": version, "limit": limit}


async def _tell_phones(session: AsyncSession, community: str, version: int, homes: list[UUID]) -> None:
    await session.execute(
        text("SELECT touch_households(:c, :v, :homes)"), {"c": community, "v": version, "homes": homes}
    )
