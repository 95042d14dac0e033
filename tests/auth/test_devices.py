"""Devices: a desk sees the phones of its people and ends one; what the phone still held comes up first."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.models import RoleGrant
from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from tests.auth.test_sessions import by_hand, renew, sign_in
from tests.makers import door_visit, make_area, make_homes, make_round, stair_of
from tests.personas import PASSWORD, STREET, A, B, C, Caller


async def names(call: Caller, who: str, code: str = A, limit: int = 50) -> list[str]:
    """Whose devices a desk is shown, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"community_code": code, "limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await call(who, "GET", "/devices", params=params)
        assert answer.status_code == 200, answer.text
        found += [item["account_name"].split()[0] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def ask(call: Caller, tokens: dict[str, Any], method: str, path: str, **more: Any) -> tuple[int, Any]:
    """Call with a phone's own tokens."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await call.http.request(method, f"/api/v1{path}", headers=headers, **more)
    return answer.status_code, answer.json() if answer.content else None


class Phone:
    """A phone somebody has signed in on, and the path under which a desk ends it."""

    def __init__(self, call: Caller, tokens: dict[str, Any]) -> None:
        self.tokens = tokens
        self.device_id: str = tokens["device_id"]
        self.revocation = f"/accounts/{call.personas['worker'].id}/devices/{self.device_id}/revoke"


@pytest.fixture
async def phone(call: Caller) -> Phone:
    """The worker's own."""
    return Phone(call, await sign_in(call, "worker", device_name="红米"))


class TestListDevices:
    async def test_says_whose_it_is_when_it_was_heard_of_and_what_it_still_holds(
        self, call: Caller, phone: Phone
    ) -> None:
        unsent = "2026-02-01T09:00:00+08:00"
        body = {
            "device_id": phone.device_id, "oldest_unsent_at": unsent, "app_version": "1.2.3", "keeps_storage": False,
            "commands": [],
        }  # fmt: skip
        assert (await ask(call, phone.tokens, "POST", "/sync/commands", json=body))[0] == 200
        items = (await call("committee", "GET", "/devices", params={"community_code": A})).json()["items"]
        (item,) = [i for i in items if i["id"] == phone.device_id]
        assert (item["account_name"], item["name"]) == ("worker 某", "红米")
        assert datetime.fromisoformat(item["oldest_unsent_at"]) == datetime.fromisoformat(unsent)
        assert (item["app_version"], item["keeps_storage"]) == ("1.2.3", False)
        assert (now() - datetime.fromisoformat(item["last_contact_at"])).total_seconds() < 60
        assert (item["revoked_at"], item["is_over"]) == (None, False)

    async def test_hears_of_a_phone_that_has_nothing_to_send(
        self, call: Caller, database: Database, phone: Phone
    ) -> None:
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE device SET last_contact_at = now() - interval '2 days'"))
        said = {"app_version": "1.2.4", "keeps_storage": "true"}
        assert (await ask(call, phone.tokens, "GET", "/sync/status", params=said))[0] == 200
        items = (await call("committee", "GET", "/devices", params={"community_code": A})).json()["items"]
        (item,) = [i for i in items if i["id"] == phone.device_id]
        assert (now() - datetime.fromisoformat(item["last_contact_at"])).total_seconds() < 60
        assert (item["app_version"], item["keeps_storage"], item["oldest_unsent_at"]) == ("1.2.4", True, None)

    async def test_is_of_the_accounts_one_manages(self, call: Caller) -> None:
        assert sorted(await names(call, "committee")) == ["committee", "worker", "worker2"]
        # its equals and those above it are not the street's
        assert sorted(await names(call, "street", STREET)) == [
            "committee", "other_committee", "street", "viewer", "worker", "worker2",
        ]  # fmt: skip
        assert await names(call, "other_committee", B) == ["other_committee"]
        assert await names(call, "street", STREET, limit=1) == await names(call, "street", STREET)

    async def test_shows_and_ends_every_phone_that_may_carry_its_doors(
        self, call: Caller, database: Database, phone: Phone
    ) -> None:
        """Whatever its owner may do elsewhere: no desk below the common one could end it else."""
        worker = call.personas["worker"].id
        async with database.session(EVERYWHERE) as session:
            session.add(RoleGrant(account_id=worker, role="party_member", division_prefix=B))
            session.add(RoleGrant(account_id=call.personas["worker2"].id, role="committee", division_prefix=C))
        assert "worker" in await names(call, "committee")
        assert "worker2" in await names(call, "committee")
        assert sorted(set(await names(call, "other_committee", B))) == ["other_committee", "worker"]
        # who stands over the desk is not its to end, though they work doors there too
        async with database.session(EVERYWHERE) as session:
            street = call.personas["street"]
            session.add(RoleGrant(account_id=street.id, role="grid_worker", division_prefix=A))
        assert "street" not in await names(call, "committee")
        path = f"/accounts/{street.id}/devices/{street.device_id}/revoke"
        assert (await call("committee", "POST", path)).status_code == 404
        assert (await call("far_committee", "POST", phone.revocation)).status_code == 404
        assert (await call("other_committee", "POST", phone.revocation)).status_code == 200
        assert (await ask(call, phone.tokens, "GET", "/sync/areas"))[0] == 401

    @pytest.mark.parametrize(
        ("who", "status"), [("worker", 403), ("viewer", 403), ("client", 403), ("other_committee", 404), (None, 401)]
    )
    async def test_is_for_the_desks_over_the_community(self, call: Caller, who: str | None, status: int) -> None:
        answer = await call(who, "GET", "/devices", params={"community_code": A})
        assert answer.status_code == status

    async def test_bad_input_is_refused(self, call: Caller) -> None:
        for params in ({}, {"community_code": "1"}, {"community_code": A, "cursor": "nonsense"}):
            assert (await call("committee", "GET", "/devices", params=params)).status_code == 422


class TestRevoke:
    async def test_ends_its_sessions_at_once_and_stands_in_the_trail(
        self, call: Caller, phone: Phone, database: Database
    ) -> None:
        other = await sign_in(call, "worker")
        assert (await ask(call, phone.tokens, "GET", "/sync/areas"))[0] == 200
        answer = await call("committee", "POST", phone.revocation)
        assert (answer.status_code, answer.json()["is_over"]) == (200, False)
        # with the token that was believed a moment ago
        status, problem = await ask(call, phone.tokens, "GET", "/sync/areas")
        assert (status, problem["code"]) == (401, "device_revoked")
        assert (await ask(call, other, "GET", "/sync/areas"))[0] == 200
        again = await call("committee", "POST", phone.revocation)
        assert again.json() == answer.json()
        async with database.session(EVERYWHERE) as session:
            entries = "SELECT subjects FROM audit_entry WHERE action = 'revoke_device'"
            (subjects,) = (await session.scalars(text(entries))).all()
        assert [str(s) for s in subjects] == [str(call.personas["worker"].id), phone.device_id]

    async def test_what_it_held_comes_up_and_nothing_else_is_answered(
        self, call: Caller, phone: Phone, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        area = await make_area(call, homes, "worker")
        visit = door_visit(homes[0], await make_round(call))
        await call("committee", "POST", phone.revocation)
        status, last = await renew(call, phone.tokens["refresh_token"])
        assert (status, last["scope"]) == (200, "outbox")
        push = {"device_id": phone.device_id, "commands": [visit]}
        status, body = await ask(call, last, "POST", "/sync/commands", json=push)
        assert (status, body["results"][0]["status"]) == (200, "accepted")
        change = {"old_password": PASSWORD, "new_password": "another-good-word"}
        for method, path, more in (
            ("GET", "/sync/areas", {}),
            ("GET", f"/sync/areas/{area['id']}", {}),
            ("GET", "/sync/status", {}),
            ("GET", "/posts", {"params": {"community_code": A}}),
            ("GET", "/me/devices", {}),
            ("POST", "/auth/password", {"json": change}),
        ):
            status, problem = await ask(call, last, method, path, **more)
            assert (status, problem["code"]) == (401, "device_revoked"), path
        # the answer may get lost: it comes again
        status, body = await ask(call, last, "POST", "/sync/commands", json=push)
        assert (status, body["results"][0]["status"]) == (200, "duplicate")
        assert (await ask(call, last, "POST", "/auth/sign-out", json={}))[0] == 204
        assert (await renew(call, last["refresh_token"]))[0] == 401
        items = (await call("committee", "GET", "/devices", params={"community_code": A})).json()["items"]
        assert [i["is_over"] for i in items if i["id"] == phone.device_id] == [True]

    async def test_a_day_after_its_first_contact_nothing_more_comes(
        self, call: Caller, phone: Phone, database: Database
    ) -> None:
        await call("committee", "POST", phone.revocation)
        _, last = await renew(call, phone.tokens["refresh_token"])
        _, last = await renew(call, last["refresh_token"])
        await by_hand(database, "UPDATE refresh_token SET expires_at = expires_at - interval '1 day 1 minute'")
        assert (await renew(call, last["refresh_token"]))[0] == 401

    async def test_who_signs_in_on_it_again_may_send_and_no_more(self, call: Caller, phone: Phone) -> None:
        await call("committee", "POST", phone.revocation)
        last = await sign_in(call, "worker", device_id=phone.device_id)
        assert last["scope"] == "outbox"
        assert (await ask(call, last, "GET", "/sync/areas"))[1]["code"] == "device_revoked"
        assert (await ask(call, last, "GET", "/me"))[0] == 200

    @pytest.mark.parametrize(
        ("who", "status"), [("worker2", 403), ("viewer", 403), ("far_committee", 404), ("other_committee", 404),
                            (None, 401), ("street", 200)]
    )  # fmt: skip
    async def test_is_for_who_manages_the_account(
        self, call: Caller, phone: Phone, who: str | None, status: int
    ) -> None:
        assert (await call(who, "POST", phone.revocation)).status_code == status
        is_over = (await ask(call, phone.tokens, "GET", "/sync/areas"))[0] == 401
        assert is_over == (status == 200)

    async def test_a_device_nobody_knows_is_not_found(self, call: Caller) -> None:
        worker = call.personas["worker"].id
        assert (await call("committee", "POST", f"/accounts/{worker}/devices/{new_id()}/revoke")).status_code == 404
        # nor is one of another account under this one's name
        other = call.personas["worker2"].device_id
        assert (await call("committee", "POST", f"/accounts/{worker}/devices/{other}/revoke")).status_code == 404


class TestOwnDevices:
    async def test_lists_ones_own_and_ends_one(self, call: Caller, phone: Phone) -> None:
        await sign_in(call, "worker2")
        items = (await call("worker", "GET", "/me/devices")).json()["items"]
        mine = {phone.device_id, str(call.personas["worker"].device_id)}
        assert {i["id"] for i in items} == mine
        assert items[0]["id"] == phone.device_id
        answer = await call("worker", "POST", f"/me/devices/{phone.device_id}/revoke")
        assert answer.status_code == 200
        assert (await ask(call, phone.tokens, "GET", "/sync/areas"))[1]["code"] == "device_revoked"
        others = str(call.personas["worker2"].device_id)
        assert (await call("worker", "POST", f"/me/devices/{others}/revoke")).status_code == 404
        assert (await call(None, "GET", "/me/devices")).status_code == 401
