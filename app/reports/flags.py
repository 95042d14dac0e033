"""How many records and people wait for somebody to see to them, and where."""

from app.auth.service import OVERSEERS, Actor
from app.core.area_code import PREFIX_LENGTH, level_of, next_level
from app.core.db import Database
from app.reports.schemas import FlagRow, FlagsRead
from app.reports.service import AREA, BELOW, area_params, read_area

# Read from partial indexes that hold what waits and nothing else: few rows in any division.
_WAITING = f"WHERE flag_code IS NOT NULL AND verdict IS NULL AND {BELOW}"
_FLAGS = f"""
    SELECT d.code, d.name, d.level, sum(f.door_visits)::bigint, sum(f.care_visits)::bigint,
        sum(f.follow_ups)::bigint, sum(f.notices)::bigint, sum(f.reports)::bigint, sum(f.edits)::bigint
    FROM (
        SELECT rpad(left(community_code, %(length)s), 12, '0')::char(12) AS code, 1 AS door_visits, 0 AS care_visits,
            0 AS follow_ups, 0 AS notices, 0 AS reports, 0 AS edits
        FROM door_visit {_WAITING}
        UNION ALL
        SELECT rpad(left(community_code, %(length)s), 12, '0')::char(12), 0, 1, 0, 0, 0, 0 FROM care_visit {_WAITING}
        UNION ALL
        SELECT rpad(left(community_code, %(length)s), 12, '0')::char(12), 0, 0, 0, 0, 0, 1 FROM flagged_edit {_WAITING}
        UNION ALL
        SELECT rpad(left(community_code, %(length)s), 12, '0')::char(12), 0, 0, 1, 0, 0, 0 FROM follow_up
        WHERE closed_at IS NULL AND NOT is_void AND {BELOW}
        UNION ALL
        SELECT rpad(left(n.community_code, %(length)s), 12, '0')::char(12), 0, 0, 0, 1, 0, 0
        FROM door_notice n
        JOIN screening_round q ON q.id = n.round_id AND q.status = 'open'
        WHERE n.closed_at IS NULL AND n.left_at IS NULL AND n.{BELOW}
            AND (q.target = 'all' OR EXISTS (SELECT FROM round_target g WHERE g.community_code = n.community_code
                AND g.round_id = coalesce(q.parent_id, q.id) AND g.household_id = n.household_id))
        UNION ALL
        SELECT rpad(left(r.community_code, %(length)s), 12, '0')::char(12), 0, 0, 0, 0, 1, 0 FROM self_report r
        LEFT JOIN household_screening s ON s.community_code = r.community_code AND s.round_id = r.round_id
            AND s.household_id = r.household_id
        WHERE r.status = 'waiting' AND (s.asked_at IS NULL OR s.asked_at < r.reported_at)
            AND r.{BELOW}
    ) f JOIN division d ON d.code = f.code
    GROUP BY d.code, d.name, d.level ORDER BY d.code
"""


async def count_flags(database: Database, actor: Actor, area: str) -> FlagsRead:
    """Records that wait under `area`, and in which of the next divisions below; of a community itself alone.

    Raises NotFound for a division that does not exist here.
    """
    actor.demand(area, OVERSEERS)
    below = next_level(level_of(area))
    params = area_params(area) | {"length": PREFIX_LENGTH[below] if below else 12}
    divisions, rows = await database.read(actor.scope, [AREA, _FLAGS], params)
    items = [
        FlagRow(
            code=r[0],
            name=r[1],
            level=r[2],
            door_visits=r[3],
            care_visits=r[4],
            follow_ups=r[5],
            door_notices=r[6],
            self_reports=r[7],
            edits=r[8],
        )
        for r in rows
    ]
    return FlagsRead(
        area=read_area(area, divisions),
        door_visits=sum(item.door_visits for item in items),
        care_visits=sum(item.care_visits for item in items),
        follow_ups=sum(item.follow_ups for item in items),
        door_notices=sum(item.door_notices for item in items),
        self_reports=sum(item.self_reports for item in items),
        edits=sum(item.edits for item in items),
        items=items,
    )
