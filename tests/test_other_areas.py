"""Whatever the OpenAPI document offers, a caller of another area gets nothing of A out of it and changes nothing.

Every call is made with real ids of A, in three ways: asking for A outright, naming the caller's own community
beside A's ids, and with no more than the call needs. A call that is added later is covered by being in the
document; one whose fields no value is known for fails here until `tests/ground.py` names one.
"""

import json
from typing import Any

from sqlalchemy import text

from app.core.db import EVERYWHERE, Database
from tests.ground import OTHERS, Ground, Operation, as_if_from, fill, operations, request_for
from tests.personas import A, Caller
from tests.test_scope import OF_COMMUNITIES

# Tables that belong to no community, and which of their rows are A's.
_LOCAL = {
    "account": "id IN (SELECT account_id FROM role_grant WHERE division_prefix = :a)",
    "role_grant": "division_prefix = :a",
    "device": "account_id IN (SELECT account_id FROM role_grant WHERE division_prefix = :a)",
    "invitation": "account_id IN (SELECT account_id FROM role_grant WHERE division_prefix = :a)",
    "screening_round": "division_prefix = :a",
    "round_template": "division_prefix = :a",
    "risk_area": "division_prefix = :a",
    "risk_area_round": "division_prefix = :a",
    "round_form": "round_id IN (SELECT id FROM screening_round WHERE division_prefix = :a)",
    "import_job": "community_code = :a",
    "division": "code = :a",
}
# Known but for its own: the import runs on by itself.
_BY_ITSELF = {"import_job", "import_file", "import_problem"}


# Says by which filter the caller itself has taken lists away: the ids it had asked for, in vain.
# That nobody sees others' exports is `tests/exports/test_workbooks.py`.
_ECHO = {"/exports", "/exports.xlsx"}

_IDS = (
    "household_id",
    "resident_id",
    "area_id",
    "post_id",
    "round_id",
    "import_id",
    "account_id",
    "visit_id",
    "care_visit_id",
    "device_id",
    "conflict_id",
    "follow_up_id",
    "flagged_edit_id",
    "duplicate_id",
    "merge_id",
    "transfer_id",
    "self_report_id",
    "walk_sheet_id",
    "template_id",
    "photo_id",
    "risk_area_id",
)


async def digest(database: Database) -> dict[str, str]:
    """A hash of A's rows by table."""
    belonging = dict.fromkeys(OF_COMMUNITIES, "community_code = :a") | _LOCAL
    parts = [
        f"SELECT '{name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS sum "
        f"FROM {name} t WHERE {where}"
        for name, where in sorted(belonging.items())
        if name not in _BY_ITSELF
    ]
    async with database.session(EVERYWHERE) as session:
        rows = await session.execute(text(" UNION ALL ".join(parts)), {"a": A})
        return {row.name: row.sum for row in rows}


def leaked(ground: Ground, body: str, request: dict[str, Any]) -> set[str]:
    """What of A stands in an answer that did not stand in the question."""
    asked = json.dumps([str(v) for v in request.values()], ensure_ascii=False)
    return {word for word in ground.words if word in body and word not in asked}


async def ask(call: Caller, who: str, operation: Operation, request: dict[str, Any]) -> tuple[int, str]:
    """Make the call; answers its status and body."""
    words = dict(request)
    answer = await call(who, operation.method, words.pop("path"), **words)
    return answer.status_code, answer.text


async def test_no_call_reaches_into_another_area(call: Caller, database: Database) -> None:
    ground = await fill(call, database)
    before = await digest(database)
    wrong: list[str] = []
    for operation in operations():
        for who, own in OTHERS.items():
            for values, only_needed in (
                (ground.values, False),
                (as_if_from(own, ground.values), False),
                (as_if_from(own, ground.values), True),
            ):
                request = request_for(operation, values, only_needed=only_needed)
                status, body = await ask(call, who, operation, request)
                found = set() if operation.path in _ECHO else leaked(ground, body, request)
                if status >= 500 or (status < 300 and found):
                    wrong.append(f"{who} {operation}: {status} {leaked(ground, body, request)}")
                if status < 300 and any(f"/{ground.values[n]}" in request["path"] for n in _IDS):
                    wrong.append(f"{who} {operation}: {status} for something of A")
        after = await digest(database)
        if after != before:
            changed = [name for name in after if after[name] != before[name]]
            wrong.append(f"{operation} changed {changed}")
            before = after
    assert wrong == []


async def test_the_same_calls_work_for_those_they_are_meant_for(call: Caller, database: Database) -> None:
    """Or the test above would prove nothing: somebody of A gets past scope, role and the request's shape."""
    ground = await fill(call, database)
    values = ground.values | {"area_id": ground.held_area}
    stuck = {}
    # what takes away comes last
    for operation in sorted(operations(), key=lambda o: ("GET", "PUT", "PATCH", "POST", "DELETE").index(o.method)):
        request = request_for(operation, values)
        answers = []
        for who in ("committee", "street", "city", "worker2", "client", "worker"):
            status, body = await ask(call, who, operation, request)
            answers.append((who, status, body[:300]))
            if status not in (401, 403, 404, 405) and "shape_invalid" not in body:
                break
        else:
            stuck[str(operation)] = answers
    assert stuck == {}
