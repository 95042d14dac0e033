"""Who is looked after, in the order somebody should go."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import today
from app.core.db import Database
from tests.makers import care_visit, make_area, make_homes, push, stair_of
from tests.personas import A, Caller


async def list_all(call: Caller, who: str = "committee", limit: int = 50) -> list[dict[str, Any]]:
    """All households that are looked after, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"community_code": A, "limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await call(who, "GET", "/care-households", params=params)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


class TestListCareHouseholds:
    async def test_broken_promises_come_first_and_no_date_last(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201", "202", "301"]))
        await make_area(call, homes[:1], "worker")
        never, later, late, no_date, _ = homes
        tagged = await call("committee", "PATCH", f"/households/{never.id}", json={"tags": ["living_alone_elder"]})
        assert tagged.status_code == 200, tagged.text
        await push(
            call,
            "committee",
            care_visit(later, next_on=(today() + timedelta(days=5)).isoformat()),
            care_visit(
                late, next_on=(today() - timedelta(days=5)).isoformat(), condition="needs_attention", needs=["food"]
            ),
            care_visit(no_date),
        )
        items = await list_all(call)
        assert [i["household_id"] for i in items] == [str(h.id) for h in (late, never, later, no_date)]
        assert [i["due_on"] for i in items] == [
            (today() - timedelta(days=5)).isoformat(),
            today().isoformat(),
            (today() + timedelta(days=5)).isoformat(),
            None,
        ]
        assert (items[0]["condition"], items[0]["needs"], items[0]["last_by"]) == (
            "needs_attention",
            ["food"],
            "committee 某",
        )
        assert (items[0]["address"], items[0]["head_name"], items[0]["phone_masked"]) == (
            "3号楼 2单元 201", "甲32201", "138****5678",
        )  # fmt: skip
        assert (items[1]["condition"], items[1]["last_at"], items[1]["holder_name"]) == (None, None, "worker 某")
        assert await list_all(call, limit=1) == items

    @pytest.mark.parametrize(
        ("who", "status"), [("worker", 403), ("viewer", 403), ("other_committee", 404), ("street", 200), (None, 401)]
    )
    async def test_who_may_ask(self, call: Caller, who: str | None, status: int) -> None:
        answer = await call(who, "GET", "/care-households", params={"community_code": A})
        assert answer.status_code == status

    async def test_a_foreign_cursor_is_refused(self, call: Caller) -> None:
        answer = await call(
            "committee", "GET", "/care-households", params={"community_code": A, "cursor": "WyJhIiwiYiJd"}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")
