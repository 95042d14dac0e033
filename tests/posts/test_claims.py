"""Pioneer posts: published by a desk, claimed and given back by its people, never more than are wanted."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from tests.auth.test_sessions import by_hand
from tests.makers import make_post
from tests.personas import A, Caller


def body(**changes: Any) -> dict[str, Any]:
    """A post of tomorrow."""
    at = clock.now() + timedelta(days=1)
    return {
        "community_code": A, "title": "南门值守", "kind": "checkpoint", "place": "南门", "wanted_count": 2,
        "starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=4)).isoformat(),
    } | changes  # fmt: skip


class TestPublish:
    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("street", 201),
            ("worker", 403),
            ("viewer", 403),
            ("other_committee", 404),
            ("far_committee", 404),
            (None, 401),
        ],
    )
    async def test_is_for_the_desks_over_the_community(self, call: Caller, who: str | None, status: int) -> None:
        assert (await call(who, "POST", "/posts", json=body())).status_code == status

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"wanted_count": 0}, "shape_invalid"),
            ({"title": ""}, "shape_invalid"),
            ({"kind": "guard"}, "shape_invalid"),
            ({"surprise": 1}, "shape_invalid"),
            ({"ends_at": "2026-01-01T08:00:00+08:00"}, "post_times"),
        ],
    )
    async def test_refuses_what_nobody_could_stand(self, call: Caller, wrong: dict[str, Any], code: str) -> None:
        answer = await call("committee", "POST", "/posts", json=body(**wrong))
        assert (answer.status_code, answer.json()["code"]) == (422, code)


class TestClaim:
    async def test_counts_up_to_what_is_wanted_and_no_further(self, call: Caller) -> None:
        post = await make_post(call, wanted_count=1)
        path = f"/posts/{post['id']}/claim"
        first = await call("worker", "POST", path)
        assert (first.status_code, first.json()["claimed_count"], first.json()["is_mine"]) == (200, 1, True)
        again = await call("worker", "POST", path)
        assert (again.status_code, again.json()["code"]) == (409, "post_already_claimed")
        late = await call("worker2", "POST", path)
        assert (late.status_code, late.json()["code"]) == (409, "post_full")
        seen = (await call("committee", "GET", f"/posts/{post['id']}")).json()
        assert (seen["claimed_count"], [c["name"] for c in seen["claimants"]]) == (1, ["worker 某"])

    async def test_a_place_given_back_is_the_next_ones(self, call: Caller) -> None:
        post = await make_post(call, wanted_count=1)
        await call("worker", "POST", f"/posts/{post['id']}/claim")
        back = await call("worker", "POST", f"/posts/{post['id']}/release")
        assert (back.status_code, back.json()["claimed_count"], back.json()["is_mine"]) == (200, 0, False)
        twice = await call("worker", "POST", f"/posts/{post['id']}/release")
        assert (twice.status_code, twice.json()["code"]) == (409, "post_not_claimed")
        assert (await call("worker2", "POST", f"/posts/{post['id']}/claim")).status_code == 200

    async def test_a_draft_is_not_there_and_one_that_is_over_is_past(self, call: Caller, database: Database) -> None:
        draft = await make_post(call, is_published=False)
        assert (await call("worker", "POST", f"/posts/{draft['id']}/claim")).status_code == 404
        past = await make_post(call)
        ended = "starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'"
        await by_hand(database, f"UPDATE post SET {ended} WHERE id = '{past['id']}'")
        answer = await call("worker", "POST", f"/posts/{past['id']}/claim")
        assert (answer.status_code, answer.json()["code"]) == (409, "post_over")

    @pytest.mark.parametrize("action", ["claim", "release"])
    @pytest.mark.parametrize(
        ("who", "status"),
        [("far_worker", 404), ("other_committee", 404), ("viewer", 403), ("client", 403), (None, 401)],
    )
    async def test_is_for_the_people_of_the_community(
        self, call: Caller, who: str | None, status: int, action: str
    ) -> None:
        post = await make_post(call)
        assert (await call(who, "POST", f"/posts/{post['id']}/{action}")).status_code == status
        assert (await call(who, "POST", f"/posts/{new_id()}/{action}")).status_code == status
        assert (await call("committee", "GET", f"/posts/{post['id']}")).json()["claimed_count"] == 0

    @pytest.mark.parametrize(("who", "status"), [("far_worker", 404), ("other_committee", 404), (None, 401)])
    async def test_is_not_seen_from_elsewhere(self, call: Caller, who: str | None, status: int) -> None:
        post = await make_post(call)
        assert (await call(who, "GET", f"/posts/{post['id']}")).status_code == status
        assert (await call(who, "GET", "/posts", params={"community_code": A})).status_code == status
