"""A desk publishes posts, changes them and takes them back."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from tests.personas import A, Caller


async def publish(call: Caller, **given: Any) -> dict[str, Any]:
    """A post of tomorrow."""
    begins = clock.now() + timedelta(days=1)
    body: dict[str, Any] = {
        "community_code": A, "title": "东门卡点", "kind": "checkpoint", "place": "东门", "wanted_count": 2,
        "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=4)).isoformat(),
    } | given  # fmt: skip
    answer = await call("committee", "POST", "/posts", json=body)
    assert answer.status_code == 201, answer.text
    post: dict[str, Any] = answer.json()
    return post


async def titles(call: Caller, who: str) -> list[str]:
    items = (await call(who, "GET", "/posts", params={"community_code": A})).json()["items"]
    return [item["title"] for item in items]


class TestUpdatePost:
    async def test_changes_kind_and_whether_it_is_a_demonstration_post(self, call: Caller) -> None:
        post = await publish(call)
        change = {"kind": "watch", "is_demonstration": True, "title": "东门值班"}
        answer = await call("committee", "PATCH", f"/posts/{post['id']}", json=change)
        assert answer.status_code == 200
        assert {key: answer.json()[key] for key in change} == change
        assert answer.json()["place"] == "东门"
        seen = (await call("worker", "GET", f"/posts/{post['id']}")).json()
        assert (seen["kind"], seen["is_demonstration"]) == ("watch", True)

    async def test_a_draft_is_seen_by_its_desk_alone_until_published(self, call: Caller) -> None:
        post = await publish(call, is_published=False)
        assert (await titles(call, "worker"), await titles(call, "committee")) == ([], ["东门卡点"])
        await call("committee", "PATCH", f"/posts/{post['id']}", json={"is_published": True})
        assert await titles(call, "worker") == ["东门卡点"]
        await call("committee", "PATCH", f"/posts/{post['id']}", json={"is_published": False})
        assert await titles(call, "worker") == []

    async def test_never_wants_fewer_than_have_claimed(self, call: Caller) -> None:
        post = await publish(call)
        for who in ("worker", "worker2"):
            assert (await call(who, "POST", f"/posts/{post['id']}/claim")).status_code == 200
        answer = await call("committee", "PATCH", f"/posts/{post['id']}", json={"wanted_count": 1})
        assert (answer.status_code, answer.json()["code"]) == (422, "wanted_below_claimed")

    @pytest.mark.parametrize(
        ("who", "status"), [("other_committee", 404), ("worker", 403), ("viewer", 403), (None, 401)]
    )
    async def test_is_for_the_desks_over_the_community(self, call: Caller, who: str | None, status: int) -> None:
        post = await publish(call)
        answer = await call(who, "PATCH", f"/posts/{post['id']}", json={"title": "别的"})
        assert answer.status_code == status

    async def test_refuses_a_kind_nobody_knows(self, call: Caller) -> None:
        post = await publish(call)
        answer = await call("committee", "PATCH", f"/posts/{post['id']}", json={"kind": "guard"})
        assert (answer.status_code, answer.json()["code"]) == (422, "shape_invalid")
