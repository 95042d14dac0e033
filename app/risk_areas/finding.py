"""Finding what is known of households: which questions were about a place, which words name it, one statement for all.

A registration elsewhere says where somebody is from, not when they were there: it never spares the question.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas.codes import read_current_codes
from app.core import crypto
from app.core.area_code import code_of, prefix_of
from app.core.clock import day_of, today
from app.people.naming import tidy
from app.questions.answers import TEXTS
from app.questions.models import Standard
from app.residence.service import FROM_PLACE, TO_PLACE
from app.risk_areas.models import RiskArea
from app.screening.service import covering

BATCH = 50
"""Communities that are worked out in one statement, by those of their households that something is known of."""
_FORMS_KEPT = timedelta(days=400)
_MOST_FORMS = 2000
_SUFFIXES = re.compile("特别行政区|自治区|自治州|省|市")


def place_key(name: str) -> str:
    """A place as it is compared: `湖北省 武汉市` → `湖北武汉`."""
    return _SUFFIXES.sub("", tidy(name))


def place_prefix(code: str) -> str:
    """The digits that all codes in a place begin with; a province, which the registry has no level for, has two."""
    return code[:2] if code[2:] == "0" * 10 else prefix_of(code)


@dataclass(frozen=True)
class Searched:
    """What is looked for: the place's name as compared, its code's digits ("" for none), the divisions that are it, the
    questions that were about it, and from which day on a fact spares the question."""

    key: str
    prefix: str
    patterns: list[str]
    asked: list[tuple[Any, str, bool, bool]]
    there_from: date
    not_there_from: date

    def names(self, said: str) -> bool:
        """Whether words name the place or something in it."""
        return self.key in place_key(said)


async def prepare(session: AsyncSession, area: RiskArea) -> Searched:
    """Read what a look at a risk area begins with; of reference tables only."""
    key = place_key(area.place_name)
    current = await read_current_codes(session)
    prefix = _today(area.place_code, current)
    patterns = [f"{prefix}%"] if prefix else await _divisions_named(session, area.place_name)
    fresh = today() - timedelta(days=area.stale_after_days)
    # who was not there half-way through may have gone there since
    end = area.to_on if area.to_on < today() else area.from_on
    return Searched(
        key,
        prefix,
        patterns,
        await _questions(session, area, key, prefix, current),
        max(fresh, area.from_on),
        max(fresh, end),
    )


def _today(code: str | None, current: Mapping[str, str]) -> str:
    """The digits that a place's codes begin with today, whatever its code was when it was named; "" without one."""
    return place_prefix(current.get(code, code)) if code else ""


async def _divisions_named(session: AsyncSession, name: str) -> list[str]:
    rows = await session.scalars(
        text("SELECT code FROM division WHERE strpos(name, :name) > 0 ORDER BY code LIMIT 50"), {"name": name}
    )
    return [f"{prefix_of(code)}%" for code in rows]


async def _questions(
    session: AsyncSession, area: RiskArea, key: str, prefix: str, current: Mapping[str, str]
) -> list[tuple[Any, str, bool, bool]]:
    """Questions by round, and whether a yes says that somebody was at the place, and a no that nobody was: somebody who
    was in a part of it was there; who was nowhere in a wider place was not."""
    rows = await session.execute(
        text("""
        SELECT f.round_id, f.standard, f.questions FROM round_form f JOIN screening_round r ON r.id = f.round_id
        WHERE (r.division_prefix LIKE :below OR r.division_prefix = ANY(:above)) AND r.ends_on >= :since
            AND (:arrival = ANY(f.standard) OR f.questions @? '$[*].place')
        ORDER BY f.round_id DESC, f.version DESC LIMIT :most
    """),
        {
            "below": f"{area.division_prefix}%", "above": covering(code_of(area.division_prefix)),
            "since": today() - _FORMS_KEPT, "arrival": Standard.ARRIVAL.value, "most": _MOST_FORMS,
        },
    )  # fmt: skip
    found: dict[tuple[Any, str], tuple[bool, bool]] = {}
    is_outside = bool(prefix) and prefix[:4] != area.division_prefix[:4]
    for round_id, standard, questions in rows:
        if Standard.ARRIVAL in standard and is_outside:
            # who has come from nowhere else has not come from there
            found.setdefault((round_id, "std_came"), (False, True))
        for question in questions:
            place = question.get("place")
            if not place:
                continue
            its_prefix = _today(place.get("code"), current)
            its_key = place_key(place["name"])
            if prefix and its_prefix:
                judged = (its_prefix.startswith(prefix), prefix.startswith(its_prefix))
            else:
                judged = (key in its_key, bool(its_key) and its_key in key)
            # versions that asked about different places under one id say nothing
            if found.setdefault((round_id, question["id"]), judged) != judged:
                found[round_id, question["id"]] = (False, False)
    return [(*at, *judged) for at, judged in found.items() if any(judged)]


_TYPED = text("""
    SELECT a.community_code, a.household_id, a.answers, a.texts_sealed, v.recorded_at FROM door_answer a
    JOIN door_visit v ON v.community_code = a.community_code AND v.id = a.visit_id
    WHERE a.community_code = ANY(:codes) AND a.texts_sealed IS NOT NULL AND v.verdict IS DISTINCT FROM 'set_aside'
        AND a.answers @> cast(:said AS jsonb)
""")
_SAID = orjson.dumps([{"q": "std_came_from"}]).decode()
_PLACES = text("""
    SELECT id, from_place_sealed, NULL FROM residence
    WHERE community_code = ANY(:codes) AND kind = 'lives_here' AND ended_on IS NULL AND from_place_sealed IS NOT NULL
    UNION ALL
    SELECT id, NULL, to_place_sealed FROM residence
    WHERE community_code = ANY(:codes) AND kind = 'registered_elsewhere' AND ended_on IS NULL
        AND to_place_sealed IS NOT NULL
""")


async def find_params(session: AsyncSession, searched: Searched, codes: Sequence[str]) -> dict[str, Any]:
    """What `JUDGED` is told of some communities: here, and for these alone, words are opened."""
    typed: list[tuple[str, Any, Any, date]] = []
    for code, household_id, answers, sealed, at in await session.execute(_TYPED, {"codes": list(codes), "said": _SAID}):
        came_on = {one["r"]: one["v"] for one in answers if one["q"] == "std_came_on" and one["v"]}
        for one in orjson.loads(crypto.open_text(sealed, TEXTS) or "[]"):
            if one["q"] == "std_came_from" and one["r"] and searched.names(str(one["v"])):
                day = day_of(at)
                if one["r"] in came_on:
                    day = min(day, date.fromisoformat(came_on[one["r"]]))
                typed.append((code, household_id, one["r"], day))
    places = [
        row_id
        for row_id, came, registered in await session.execute(_PLACES, {"codes": list(codes)})
        if searched.names(crypto.open_text(came, FROM_PLACE) or crypto.open_text(registered, TO_PLACE) or "")
    ]
    asked = list(zip(*searched.asked, strict=True)) or [(), (), (), ()]
    said = list(zip(*typed, strict=True)) or [(), (), (), ()]
    return {
        "codes": list(codes), "patterns": searched.patterns, "places": places, "today": today(),
        "rounds": list(asked[0]), "questions": list(asked[1]), "yes": list(asked[2]), "no": list(asked[3]),
        "said_codes": list(said[0]), "said_homes": list(said[1]), "said_people": list(said[2]),
        "said_days": list(said[3]),
        "there_from": searched.there_from, "not_there_from": searched.not_there_from,
    }  # fmt: skip


# A person's answer is of the household they live in now; of each the newest answer that says something about the place
# counts. A household was not there when it said so as a whole, or each of its members did.
_JUDGED = """
    WITH asked AS (
        SELECT * FROM unnest(cast(:rounds AS uuid[]), cast(:questions AS text[]), cast(:yes AS bool[]),
            cast(:no AS bool[])) AS q(round_id, q, yes, no)
    ), said AS (
        SELECT DISTINCT ON (1, 2, 3) a.community_code, coalesce(m.household_id, a.household_id) AS household_id,
            m.id AS resident_id, e.v = cast('true' AS jsonb) AS is_there,
            cast(v.recorded_at AT TIME ZONE interval '8 hours' AS date) AS known_on
        FROM door_answer a
        JOIN door_visit v ON v.community_code = a.community_code AND v.id = a.visit_id
        JOIN screening_round r ON r.id = a.round_id
        CROSS JOIN LATERAL jsonb_to_recordset(a.answers) AS e(q text, r uuid, v jsonb)
        JOIN asked ON asked.round_id = coalesce(r.parent_id, r.id) AND asked.q = e.q
        LEFT JOIN resident g ON g.community_code = a.community_code AND g.id = e.r
        LEFT JOIN resident m ON m.community_code = g.community_code AND m.id = coalesce(g.merged_into_id, g.id)
            AND NOT m.is_gone
        WHERE a.community_code = ANY(cast(:codes AS bpchar[])) AND v.verdict IS DISTINCT FROM 'set_aside'
            AND (e.r IS NULL OR m.id IS NOT NULL)
            AND (asked.yes AND e.v = cast('true' AS jsonb) OR asked.no AND e.v = cast('false' AS jsonb))
        ORDER BY 1, 2, 3, v.recorded_at DESC, v.id DESC
    ), fact AS (
        SELECT community_code, household_id, 'answer' AS kind, known_on, true AS is_sure FROM said WHERE is_there
        UNION ALL
        SELECT m.community_code, m.household_id, 'answer', t.known_on, true
        FROM unnest(cast(:said_codes AS bpchar[]), cast(:said_homes AS uuid[]), cast(:said_people AS uuid[]),
            cast(:said_days AS date[])) AS t(community_code, household_id, resident_id, known_on)
        JOIN resident g ON g.community_code = t.community_code AND g.id = t.resident_id
        JOIN resident m ON m.community_code = g.community_code AND m.id = coalesce(g.merged_into_id, g.id)
            AND NOT m.is_gone
        UNION ALL
        SELECT s.community_code, m.household_id, CASE s.kind WHEN 'lives_here' THEN 'move' ELSE 'registration' END,
            coalesce(s.started_on, cast(s.recorded_at AT TIME ZONE interval '8 hours' AS date)), s.kind = 'lives_here'
        FROM residence s
        JOIN resident m ON m.community_code = s.community_code AND m.id = s.resident_id AND NOT m.is_gone
        WHERE s.community_code = ANY(cast(:codes AS bpchar[])) AND s.ended_on IS NULL AND (
            s.kind = 'lives_here' AND s.from_community LIKE ANY(cast(:patterns AS text[]))
            OR s.id = ANY(cast(:places AS uuid[])))
        UNION ALL
        SELECT community_code, id, 'lives_there', cast(:today AS date), true FROM household
        WHERE community_code = ANY(cast(:codes AS bpchar[])) AND community_code LIKE ANY(cast(:patterns AS text[]))
    ), there AS (
        SELECT community_code, household_id, max(known_on) FILTER (WHERE is_sure) AS sure_on,
            (array_agg(kind ORDER BY known_on DESC) FILTER (WHERE is_sure))[1] AS sure_kind,
            max(known_on) AS any_on, (array_agg(kind ORDER BY known_on DESC))[1] AS any_kind
        FROM fact GROUP BY 1, 2
    ), nobody AS (
        SELECT community_code, household_id, max(known_on) FILTER (WHERE resident_id IS NULL) AS whole_on,
            min(known_on) FILTER (WHERE resident_id IS NOT NULL) AS each_on, count(resident_id) AS persons
        FROM said WHERE NOT is_there GROUP BY 1, 2
    ), known AS (
        SELECT h.community_code, h.id, h.dwelling_id, h.head_name, t.sure_on, t.sure_kind, t.any_on, t.any_kind,
            greatest(n.whole_on, CASE WHEN n.persons >= h.resident_count THEN n.each_on END) AS not_on
        FROM {homes}
        LEFT JOIN there t ON t.community_code = h.community_code AND t.household_id = h.id
        LEFT JOIN nobody n ON n.community_code = h.community_code AND n.household_id = h.id
        WHERE h.community_code = ANY(cast(:codes AS bpchar[])) AND NOT h.is_closed
    ), stated AS (
        SELECT *, CASE WHEN sure_on >= :there_from THEN 'there' WHEN not_on >= :not_there_from THEN 'not_there'
            WHEN any_on IS NOT NULL OR not_on IS NOT NULL THEN 'stale' ELSE 'unknown' END AS knowledge FROM known
    ), judged AS (
        SELECT community_code, id, dwelling_id, head_name, knowledge,
            CASE knowledge WHEN 'there' THEN sure_kind WHEN 'not_there' THEN 'answer'
                WHEN 'stale' THEN CASE WHEN not_on > any_on OR any_on IS NULL THEN 'answer' ELSE any_kind END
            END AS fact,
            CASE knowledge WHEN 'there' THEN sure_on WHEN 'not_there' THEN not_on
                WHEN 'stale' THEN greatest(any_on, not_on) END AS known_on
        FROM stated
    )
"""
JUDGED = _JUDGED.format(homes="household h")
"""Each household of the communities, `judged`."""
JUDGED_BY_FACTS = _JUDGED.format(
    homes="""(
            SELECT community_code, household_id AS id FROM there UNION SELECT community_code, household_id FROM nobody
        ) f JOIN household h USING (community_code, id)"""
)
"""Those alone that there is a fact about: nothing is known of the others, which are most."""
