"""What has been touched since an import wrote it, and so is left as it is.

The household is the unit: who has visited it, edited somebody in it or put its door into an area has worked with all of
it, so all that the import made or changed there stays. Every table that can name a household is here, or in `FOLLOWS`
with its reason; a test holds that.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.import_undo.models import ImportWritten
from app.import_undo.schemas import TouchReason

# By table: what it says of a household that is concerned, in which order reasons are told, and the household, when and
# who. `:v` is the version that the import wrote, `:at` when.
_BY_HOUSEHOLD = "FROM homes o JOIN {table} t ON t.community_code = :c AND t.household_id = o.id WHERE t.version > :v"


def _of(table: str, at: str, who: str) -> str:
    return f"SELECT o.id, cast({at} AS timestamptz), {who} " + _BY_HOUSEHOLD.format(table=table)


TOUCHES: dict[str, tuple[TouchReason, int, str]] = {
    "door_visit": (TouchReason.VISIT, 1, _of("door_visit", "t.received_at", "t.actor_name")),
    "care_visit": (TouchReason.CARE_VISIT, 1, _of("care_visit", "t.received_at", "t.actor_name")),
    "follow_up": (TouchReason.FOLLOW_UP, 1, _of("follow_up", "t.opened_at", "t.owner_name")),
    "self_report": (TouchReason.SELF_REPORT, 1, _of("self_report", "t.reported_at", "t.settled_by_name")),
    "visit_photo": (TouchReason.PHOTO, 2, _of("visit_photo", "t.received_at", "t.actor_name")),
    "door_notice": (
        TouchReason.NOTICE, 2,
        _of("door_notice", "coalesce(t.left_at, t.printed_at, t.due_at)",
            "coalesce(nullif(t.left_by_name, ''), t.printed_by_name)"),
    ),
    "household_code": (TouchReason.NOTICE, 3, _of("household_code", "coalesce(t.revoked_at, t.created_at)", "''")),
    "residence": (
        TouchReason.MOVE, 1,
        _of("residence", "t.recorded_at", "coalesce(nullif(t.ended_by_name, ''), t.started_by_name)"),
    ),
    "tenure": (TouchReason.EDIT, 2, _of("tenure", "t.recorded_at", "t.recorded_by_name")),
    "edit_conflict": (TouchReason.EDIT, 2, _of("edit_conflict", "t.filed_at", "t.actor_name")),
    "flagged_edit": (TouchReason.EDIT, 2, _of("flagged_edit", "t.received_at", "t.actor_name")),
    "field_change": (
        TouchReason.EDIT, 2,
        "SELECT o.id, t.changed_at, t.actor_name FROM (SELECT id, id AS subject FROM homes UNION ALL "
        "SELECT o.id, r.id FROM homes o JOIN resident r ON r.community_code = :c AND r.household_id = o.id) o "
        "JOIN field_change t ON t.community_code = :c AND t.subject_id = o.subject WHERE t.version > :v",
    ),
    "duplicate": (
        TouchReason.REVIEW, 3,
        "SELECT o.id, t.decided_at, t.decided_by_name FROM (SELECT id, id AS subject FROM homes UNION ALL "
        "SELECT o.id, r.id FROM homes o JOIN resident r ON r.community_code = :c AND r.household_id = o.id) o "
        "JOIN duplicate t ON t.community_code = :c AND o.subject IN (t.subject_id, t.other_id) "
        "WHERE t.decided_at > :at",
    ),
    "access_record": (
        TouchReason.REVEAL, 3,
        "SELECT o.id, t.at, t.actor_name FROM homes o "
        "JOIN access_record t ON t.community_code = :c AND t.household_id = o.id WHERE t.at > :at",
    ),
    "walk_sheet": (
        TouchReason.WALK_SHEET, 3,
        "SELECT o.id, t.printed_at, t.made_by_name FROM walk_sheet t "
        "CROSS JOIN jsonb_array_elements_text(t.household_ids) AS l(id) JOIN homes o ON o.id = cast(l.id AS uuid) "
        "WHERE t.community_code = :c AND t.version > :v",
    ),
    # a list carries no time: it tells of a household that the import has made alone
    "round_target": (
        TouchReason.ROUND, 3,
        "SELECT o.id, cast(NULL AS timestamptz), '' FROM homes o "
        "JOIN round_target t ON t.community_code = :c AND t.household_id = o.id WHERE o.id BETWEEN :low AND :high",
    ),
    "dwelling": (
        TouchReason.AREA, 4,
        "SELECT o.id, cast(NULL AS timestamptz), '' FROM homes o "
        "JOIN household h ON h.community_code = :c AND h.id = o.id "
        "JOIN dwelling t ON t.community_code = :c AND t.id = h.dwelling_id WHERE t.version > :v",
    ),
    "resident": (
        TouchReason.EDIT, 5,
        "SELECT o.id, t.updated_at, '' FROM homes o "
        "JOIN resident t ON t.community_code = :c AND t.household_id = o.id WHERE t.version > :v",
    ),
    "household": (
        TouchReason.EDIT, 6,
        "SELECT o.id, t.updated_at, '' FROM homes o "
        "JOIN household t ON t.community_code = :c AND t.id = o.id WHERE t.version > :v",
    ),
}  # fmt: skip
FOLLOWS: dict[str, str] = {
    "household_screening": "follows from the household's visits",
    "person_check": "follows from the household's visits",
    "door_answer": "stands beside its visit",
    "paper_entry": "stands beside its visit",
    "care_plan": "follows from care visits",
    "finding": "belongs to a follow-up",
    "transfer": "writes a stay and the person's row too",
    "merged_row": "a merge writes the rows themselves",
    "registry_merge": "a merge writes the rows themselves",
    "import_difference": "tells what the import itself found",
    "import_before": "is what the undo goes by",
    "import_left": "is what an undo has left",
    "taken_out": "is what an undo has taken out",
}
"""Tables that name households or people and say nothing of their own."""

# households in which the import has made or changed something
_HOMES = """
    homes AS MATERIALIZED (
        SELECT id FROM household
        WHERE community_code = :c AND id BETWEEN :low AND :high AND listed_at = :as_of
        UNION SELECT household_id FROM resident
        WHERE community_code = :c AND id BETWEEN :low AND :high AND listed_at = :as_of
        UNION SELECT subject_id FROM import_before
        WHERE community_code = :c AND import_id = :id AND kind = 'household'
        UNION SELECT r.household_id FROM import_before b
        JOIN resident r ON r.community_code = b.community_code AND r.id = b.subject_id
        WHERE b.community_code = :c AND b.import_id = :id AND b.kind = 'resident'
    )
"""
_ALL = " UNION ALL ".join(
    f"SELECT id, '{reason}' AS reason, {rank} AS rank, at, who FROM ({select}) AS u(id, at, who)"
    for reason, rank, select in TOUCHES.values()
)
# (dwelling, household or null, reason, at, who): what stays
LEFT = f"""
    WITH {_HOMES}, touched AS MATERIALIZED (
        SELECT DISTINCT ON (id) id, reason, at, who FROM ({_ALL}) a ORDER BY id, rank, at DESC NULLS LAST
    ), doors AS (
        SELECT id, true AS is_new FROM dwelling WHERE community_code = :c AND id BETWEEN :low AND :high
        UNION SELECT subject_id, false FROM import_before
        WHERE community_code = :c AND import_id = :id AND kind = 'dwelling'
    )
    SELECT h.dwelling_id, t.id AS household_id, t.reason, t.at, t.who
    FROM touched t JOIN household h ON h.community_code = :c AND h.id = t.id
    UNION ALL
    SELECT d.id, NULL, CASE WHEN d.version > :v THEN 'area' ELSE 'household' END, NULL, ''
    FROM doors o JOIN dwelling d ON d.community_code = :c AND d.id = o.id
    WHERE NOT EXISTS (SELECT FROM household h JOIN homes USING (id)
            WHERE h.community_code = :c AND h.dwelling_id = d.id)
        AND (d.version > :v OR (o.is_new AND EXISTS (
            SELECT FROM household h WHERE h.community_code = :c AND h.dwelling_id = d.id)))
"""
"""Households that somebody has touched, and doors with none of the import's households behind them, each once."""

# What is still as the import wrote it, in households and doors that are not left; `left_as_is` is the table of LEFT.
NEW_HOMES = """
    SELECT h.id, h.dwelling_id FROM household h
    WHERE h.community_code = :c AND h.id BETWEEN :low AND :high AND h.listed_at = :as_of AND h.version = :v
        AND NOT EXISTS (SELECT FROM left_as_is l WHERE l.household_id = h.id)
"""
NEW_PEOPLE = """
    SELECT r.id, r.household_id FROM resident r
    WHERE r.community_code = :c AND r.id BETWEEN :low AND :high AND r.listed_at = :as_of AND r.version = :v
        AND NOT EXISTS (SELECT FROM left_as_is l WHERE l.household_id = r.household_id)
"""
NEW_DOORS = """
    SELECT d.id, d.is_vacant FROM dwelling d
    WHERE d.community_code = :c AND d.id BETWEEN :low AND :high AND d.version = :v
        AND NOT EXISTS (SELECT FROM household h WHERE h.community_code = :c AND h.dwelling_id = d.id
            AND h.id NOT IN (SELECT id FROM new_homes))
"""
OLD_ROWS = """
    SELECT b.subject_id AS id, b.kind, b.facts, d.is_vacant, (b.before ->> 'is_vacant')::boolean AS was_vacant
    FROM import_before b JOIN dwelling d ON d.community_code = :c AND d.id = b.subject_id AND d.version = :v
    WHERE b.community_code = :c AND b.import_id = :id AND b.kind = 'dwelling'
        AND NOT EXISTS (SELECT FROM left_as_is l WHERE l.dwelling_id = d.id)
    UNION ALL
    SELECT b.subject_id, b.kind, b.facts, NULL, NULL
    FROM import_before b JOIN household h ON h.community_code = :c AND h.id = b.subject_id AND h.version = :v
    WHERE b.community_code = :c AND b.import_id = :id AND b.kind = 'household'
        AND NOT EXISTS (SELECT FROM left_as_is l WHERE l.household_id = h.id)
    UNION ALL
    SELECT b.subject_id, b.kind, b.facts, NULL, NULL
    FROM import_before b JOIN resident r ON r.community_code = :c AND r.id = b.subject_id AND r.version = :v
    WHERE b.community_code = :c AND b.import_id = :id AND b.kind = 'resident'
        AND NOT EXISTS (SELECT FROM left_as_is l WHERE l.household_id = r.household_id)
"""
_COUNT = text(f"""
    WITH left_as_is AS MATERIALIZED ({LEFT}), new_homes AS MATERIALIZED ({NEW_HOMES})
    SELECT (SELECT count(*) FROM ({NEW_DOORS}) d) AS doors, (SELECT count(*) FROM new_homes) AS households,
        (SELECT count(*) FROM ({NEW_PEOPLE}) p) AS persons,
        (SELECT coalesce(sum(cardinality(facts)), 0) FROM ({OLD_ROWS}) o) AS facts,
        (SELECT count(*) FROM left_as_is) AS kept
""")
# Where nothing has happened since, what was written is what can be taken back. Nearly all that touches a household
# moves the clock; what does not is asked for by itself.
_STIRRED = text("""
    SELECT w.community_code FROM import_written w JOIN community_clock k USING (community_code)
    WHERE w.import_id = :id AND w.undone_version = 0 AND (cast(:c AS bpchar) IS NULL OR w.community_code = :c) AND (
        k.version > w.version
        OR EXISTS (SELECT FROM access_record a WHERE a.community_code = w.community_code AND a.at > w.written_at)
        OR EXISTS (SELECT FROM duplicate d
            WHERE d.community_code = w.community_code AND d.decided_at > w.written_at)
        OR EXISTS (SELECT FROM round_target t
            WHERE t.community_code = w.community_code AND t.household_id BETWEEN w.low_id AND w.high_id))
    ORDER BY w.community_code
""")


@dataclass(slots=True)
class Reach:
    """What an undo would take out and put back, and how many households and doors it would leave."""

    doors: int = 0
    households: int = 0
    persons: int = 0
    facts: int = 0
    kept: int = 0

    def add(self, doors: int, households: int, persons: int, facts: int, kept: int) -> None:
        """Add one community's."""
        self.doors += doors
        self.households += households
        self.persons += persons
        self.facts += facts
        self.kept += kept


def params_of(written: ImportWritten) -> dict[str, Any]:
    """What the statements here ask for."""
    return {
        "c": written.community_code, "id": written.import_id, "v": written.version, "as_of": written.as_of,
        "low": written.low_id, "high": written.high_id, "at": written.written_at,
    }  # fmt: skip


async def find_stirred(session: AsyncSession, import_id: UUID) -> list[str]:
    """The communities of an import in which anything has happened since it wrote there, in code order."""
    return list((await session.scalars(_STIRRED, {"id": import_id, "c": None})).all())


async def is_stirred(session: AsyncSession, written: ImportWritten) -> bool:
    """Whether anything has happened in a community since an import wrote there."""
    params = {"id": written.import_id, "c": written.community_code}
    return (await session.scalars(_STIRRED, params)).first() is not None


async def measure(session: AsyncSession, written: ImportWritten) -> Reach:
    """What an undo would do in one community now."""
    row = (await session.execute(_COUNT, params_of(written))).one()
    return Reach(row.doors, row.households, row.persons, row.facts, row.kept)
