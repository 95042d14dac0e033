"""What coverage, gaps and headcounts share: which division, which round."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.areas.schemas import DivisionBrief
from app.auth.service import Actor
from app.core.area_code import ancestors_of, code_of, prefix_of
from app.core.db import Database
from app.core.errors import Invalid, NotFound
from app.reports.schemas import CoverageArea, CoverageRound, GapOwner
from app.screening.models import Outcome, Target
from app.screening.service import CURRENT, covering

AREA = "SELECT code, name, level FROM division WHERE code = ANY(%(path)s::bpchar[])"
# The round meant: the one named (of a daily one the day of today), else the newest open one that covers the area, else
# the newest open one below it; rounds that are for all before those that are for some.
_ROUND = f"""
    SELECT id, title, division_prefix, starts_on, ends_on, status, target, coalesce(parent_id, id) FROM screening_round
    WHERE CASE WHEN %(round)s::uuid IS NULL THEN {CURRENT} ELSE status <> 'draft' AND (
            (id = %(round)s::uuid AND rhythm = 'once') OR (parent_id = %(round)s::uuid
            AND starts_on <= (now() AT TIME ZONE interval '8 hours')::date)) END
        AND (division_prefix = ANY(%(covering)s::text[]) OR division_prefix LIKE %(below)s)
    ORDER BY division_prefix = ANY(%(covering)s::text[]) DESC, target = 'all' DESC, id DESC LIMIT 1
"""
# A community and its tally, one scan each. Row-level security hides from the planner how many rows there are, and
# it would look 5,758 tallies up one by one; a full join cannot be done that way, and every tally has a clock.
# From code to code, not LIKE: of a LIKE on char(12) no index knows anything, and a community would read a city.
BELOW = "community_code BETWEEN %(first_code)s::char(12) AND %(last_code)s::char(12)"
"""A condition: the community lies in the division that `area_params` or a `Place` speaks of."""
CLOCK_AND_TALLY = f"""
    (SELECT * FROM community_clock WHERE {BELOW}) c
    FULL JOIN (SELECT * FROM screening_tally WHERE round_id = %(round)s::uuid AND {BELOW}) t
    ON t.community_code = c.community_code
"""
_OUTCOMES = ", ".join(f"count(*) FILTER (WHERE s.outcome = '{one}')::int AS {one}" for one in Outcome)
# The same of a round that is for some doors: counted from those, which are few, because tallies speak of all doors.
_MEANT = f"""
    FROM round_target g
    JOIN household h ON h.community_code = g.community_code AND h.id = g.household_id AND NOT h.is_closed
    {{more}} WHERE g.round_id = %(targets)s::uuid AND g.{BELOW} GROUP BY 1
"""
_MEANT_CLOCKS = f"""(
    SELECT g.community_code, count(DISTINCT h.dwelling_id)::int AS dwelling_count,
        count(DISTINCT h.dwelling_id) FILTER (WHERE d.responsibility_area_id IS NULL)::int AS unassigned_count,
        count(*)::int AS household_count, coalesce(sum(h.resident_count), 0)::int AS resident_count
    {_MEANT.format(more="JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id")}
)"""
_STANDING = """
    JOIN household_screening s ON s.community_code = g.community_code AND s.household_id = g.household_id
        AND s.round_id = %(round)s::uuid
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE NOT p.has_left) AS done, count(*) FILTER (WHERE p.status = 'symptoms') AS symptoms
        FROM person_check p
        WHERE p.community_code = g.community_code AND p.household_id = g.household_id AND p.round_id = s.round_id
    ) k ON true
"""
_MEANT_TALLIES = f"""(
    SELECT g.community_code, %(round)s::uuid AS round_id, {_OUTCOMES}, coalesce(sum(k.done), 0)::int AS persons_done,
        coalesce(sum(k.symptoms), 0)::int AS persons_symptoms, count(*)::int AS visit_count
    {_MEANT.format(more=_STANDING)}
)"""
_OF_ALL = {"tables": CLOCK_AND_TALLY, "clocks": "community_clock", "tallies": "screening_tally"}
_OF_SOME = {
    "tables": f"{_MEANT_CLOCKS} c LEFT JOIN {_MEANT_TALLIES} t ON t.community_code = c.community_code",
    "clocks": _MEANT_CLOCKS,
    "tallies": _MEANT_TALLIES,
}
IS_MEANT = """
    (%(targets)s::uuid IS NULL OR EXISTS (SELECT FROM round_target g WHERE g.community_code = h.community_code
        AND g.round_id = %(targets)s::uuid AND g.household_id = h.id))
"""
"""Whether the round is for household `h`."""


EXPECTED_VERSION = "SELECT version FROM expected_version"
"""Which official counts there are: what was added up of them holds while this stands."""


async def note_expected(session: AsyncSession) -> None:
    """Note that official counts have changed."""
    await session.execute(text("UPDATE expected_version SET version = version + 1"))


@dataclass(frozen=True, slots=True)
class Place:
    """What figures are about: a division with the path to it, a round or none."""

    area: CoverageArea
    round: CoverageRound | None
    # whose list of households the round is for; None: for all
    targets: UUID | None = None
    expected_version: int = 0

    @property
    def sources(self) -> dict[str, str]:
        """Where figures come from, by the names that statements leave open: of all doors, or of those it is for."""
        return _OF_ALL if self.targets is None else _OF_SOME

    @property
    def params(self) -> dict[str, Any]:
        """The round, and the communities that count: the area's, or the round's where that is the smaller part."""
        prefix = prefix_of(self.area.code)
        if self.round is not None:
            prefix = max(prefix, prefix_of(self.round.division_code), key=len)
        return {"round": self.round.id if self.round else None, "targets": self.targets} | _below(prefix)


def area_params(area: str) -> dict[str, Any]:
    """A division's path, the prefixes of what covers it, and what lies below it, as `BELOW` and as a pattern."""
    return {"path": [*ancestors_of(area), area], "covering": covering(area)} | _below(prefix_of(area))


def _below(prefix: str) -> dict[str, str]:
    return {"below": f"{prefix}%", "first_code": prefix.ljust(12, "0"), "last_code": prefix.ljust(12, "9")}


async def get_place(database: Database, actor: Actor, area: str, round_id: UUID | None) -> Place:
    """A division in the actor's scope and the round meant for it.

    Raises NotFound when nobody knows the code, or when the round named neither covers nor lies under it.
    """
    params = area_params(area) | {"round": round_id}
    divisions, rounds, ((version,),) = await database.read(actor.scope, [AREA, _ROUND, EXPECTED_VERSION], params)
    if round_id is not None and not rounds:
        raise NotFound
    if not rounds:
        return Place(read_area(area, divisions), None, None, version)
    *row, target, listed = rounds[0]
    is_for_all = target == Target.ALL
    return Place(read_area(area, divisions), _read_round(tuple(row)), None if is_for_all else listed, version)


def read_area(area: str, divisions: list[tuple[Any, ...]]) -> CoverageArea:
    """A division and the path to it out of the rows of its path; raises NotFound when it is not among them."""
    known = {code: DivisionBrief(code=code, name=name, level=level) for code, name, level in divisions}
    if area not in known:
        raise NotFound
    ancestors = [known[code] for code in ancestors_of(area) if code in known]
    return CoverageArea(**known[area].model_dump(), ancestors=ancestors)


def _read_round(row: tuple[Any, ...]) -> CoverageRound:
    found, title, prefix, starts_on, ends_on, status = row
    return CoverageRound(
        id=found, title=title, division_code=code_of(prefix), starts_on=starts_on, ends_on=ends_on, status=status
    )


class LevelNotBelow(Invalid):
    """Figures are asked for at a level that the division does not contain."""

    def __init__(self) -> None:
        super().__init__("level_not_below", "所选级别不在该区划之下。", "The level is not below the division.", "level")


def door_address(row: dict[str, Any]) -> str:
    """A door as people write it: 花园小区 3号楼 2单元 502, or its free address."""
    building, stair = row["building"], row["stair"]
    parts = [
        row["compound"],
        f"{building}号楼" if building.isdigit() else building,
        f"{stair}单元" if stair.isdigit() else stair,
        row["room"],
    ]
    return row["address"] or " ".join(part for part in parts if part)


def committee_owner(community_name: str) -> GapOwner:
    """The committee as owner; official names of communities often end in its title already."""
    is_named = community_name.endswith(("委员会", "居委会", "村委会"))
    return GapOwner(kind="committee", id=None, name=community_name if is_named else f"{community_name}居委会")


def holder_owner(holder_id: UUID, name: str | None) -> GapOwner:
    """The holder of a door's responsibility area as owner."""
    return GapOwner(kind="holder", id=holder_id, name=name or "")
