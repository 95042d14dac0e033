"""Sessions from sign-in to their end: phone numbers, renewal, reuse, sign-out, invitations."""

import asyncio
from collections import Counter
from typing import Any

from sqlalchemy import text

from app.auth.guards import actor_cache
from app.core.db import EVERYWHERE, Database
from tests.personas import CITY, DISTRICT, FAR_DISTRICT, PASSWORD, STREET, A, C, Caller


async def sign_in(call: Caller, username: str, password: str = PASSWORD, **more: str) -> dict[str, Any]:
    """Tokens by password."""
    form = {"grant_type": "password", "username": username, "password": password} | more
    answer = await call(None, "POST", "/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def renew(call: Caller, token: str) -> tuple[int, dict[str, Any]]:
    """Trade a refresh token."""
    answer = await call(None, "POST", "/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})
    return answer.status_code, answer.json()


async def me(call: Caller, tokens: dict[str, Any]) -> int:
    """The status of `/me` with these tokens, asked of the database rather than of what was believed a moment ago."""
    actor_cache._held.clear()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await call.http.get("/api/v1/me", headers=headers)).status_code


async def by_hand(database: Database, statement: str) -> None:
    """Let time pass, or an operator act."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(text(statement))


class TestSignIn:
    async def test_by_phone_number_as_by_login(self, call: Caller) -> None:
        new = {"name": "孙敏", "login": "sunmin", "phone": "13900000001", "role": "grid_worker", "division_code": A}
        made = await call("committee", "POST", "/accounts", json=new | {"password": "first-password"})
        assert made.json()["phone_masked"] == "139****0001"
        for username in ("sunmin", "13900000001", " 13900000001 "):
            assert await me(call, await sign_in(call, username, "first-password")) == 200

    async def test_a_login_like_somebodys_number_does_not_keep_them_out(self, call: Caller) -> None:
        number = "13900000001"
        squatter = {
            "name": "甲",
            "login": number,
            "role": "grid_worker",
            "division_code": A,
            "password": "squatters-own",
        }
        owner = squatter | {"login": "owner", "phone": number, "password": "owners-own-word"}
        assert (await call("committee", "POST", "/accounts", json=squatter)).status_code == 201
        assert (await call("committee", "POST", "/accounts", json=owner)).status_code == 201
        await sign_in(call, number, "owners-own-word")

    async def test_a_number_belongs_to_one_account(self, call: Caller) -> None:
        new = {"name": "甲", "login": "first", "phone": "13900000001", "role": "grid_worker", "division_code": A}
        assert (await call("committee", "POST", "/accounts", json=new)).status_code == 201
        second = await call("committee", "POST", "/accounts", json=new | {"login": "second"})
        assert (second.status_code, second.json()["code"]) == (409, "phone_taken")
        again = await call("committee", "POST", "/accounts", json=new | {"phone": None})
        assert (again.status_code, again.json()["code"]) == (409, "login_taken")

    async def test_a_client_is_no_person_and_a_person_no_client(self, call: Caller) -> None:
        person = {"grant_type": "client_credentials", "client_id": "worker", "client_secret": PASSWORD}
        client = {"grant_type": "password", "username": "client", "password": PASSWORD}
        answers = [await call(None, "POST", "/auth/token", data=form) for form in (person, client)]
        assert [a.status_code for a in answers] == [401, 401]

    async def test_a_client_may_use_http_basic(self, call: Caller) -> None:
        answer = await call.http.post(
            "/api/v1/auth/token", data={"grant_type": "client_credentials"}, auth=("client", PASSWORD)
        )
        assert answer.status_code == 200

    async def test_failures_close_one_login_and_not_the_others(self, call: Caller) -> None:
        for _ in range(10):
            await call(None, "POST", "/auth/token", data={"grant_type": "password", "username": "worker"})
        form = {"grant_type": "password", "username": "WORKER", "password": PASSWORD}
        assert (await call(None, "POST", "/auth/token", data=form)).status_code == 429
        await sign_in(call, "worker2")


class TestRefresh:
    async def test_a_lost_answer_may_be_asked_for_again(self, call: Caller) -> None:
        first = await sign_in(call, "worker")
        status, second = await renew(call, first["refresh_token"])
        again, third = await renew(call, first["refresh_token"])
        assert (status, again) == (200, 200)
        assert len({t["refresh_token"] for t in (first, second, third)}) == 3
        assert (await renew(call, second["refresh_token"]))[0] == 200

    async def test_a_used_token_that_comes_again_later_ends_its_devices_sessions(
        self, call: Caller, database: Database
    ) -> None:
        stolen, elsewhere = await sign_in(call, "worker"), await sign_in(call, "worker")
        _, fresh = await renew(call, stolen["refresh_token"])
        await by_hand(database, "UPDATE refresh_token SET used_at = used_at - interval '3 minutes'")
        assert (await renew(call, stolen["refresh_token"]))[0] == 401
        assert (await renew(call, fresh["refresh_token"]))[0] == 401
        assert (await renew(call, elsewhere["refresh_token"]))[0] == 200

    async def test_an_old_or_unknown_one_is_nothing(self, call: Caller, database: Database) -> None:
        tokens = await sign_in(call, "worker")
        await by_hand(database, "UPDATE refresh_token SET expires_at = now() - interval '1 second'")
        answers = [await renew(call, token) for token in (tokens["refresh_token"], "", "no-such-token")]
        assert [(status, body["code"]) for status, body in answers] == [(401, "credentials_invalid")] * 3


class TestSignOut:
    async def test_here_leaves_the_other_phone_alone(self, call: Caller) -> None:
        here, there = await sign_in(call, "worker"), await sign_in(call, "worker")
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        assert (await call.http.post("/api/v1/auth/sign-out", json={}, headers=headers)).status_code == 204
        assert (await renew(call, here["refresh_token"]))[0] == 401
        assert (await renew(call, there["refresh_token"]))[0] == 200

    async def test_everywhere_ends_all_at_once(self, call: Caller) -> None:
        here, there = await sign_in(call, "worker"), await sign_in(call, "worker")
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        answer = await call.http.post("/api/v1/auth/sign-out", json={"everywhere": True}, headers=headers)
        assert answer.status_code == 204
        assert [await me(call, t) for t in (here, there)] == [401, 401]
        assert [(await renew(call, t["refresh_token"]))[0] for t in (here, there)] == [401, 401]
        assert await me(call, await sign_in(call, "worker")) == 200


class TestChangePassword:
    async def test_needs_the_old_one_and_ends_the_other_phones(self, call: Caller) -> None:
        here, there = await sign_in(call, "worker"), await sign_in(call, "worker")
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        body = {"old_password": "nope", "new_password": "a-better-password"}
        wrong = await call.http.post("/api/v1/auth/password", json=body, headers=headers)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "old_password_wrong")
        right = await call.http.post("/api/v1/auth/password", json=body | {"old_password": PASSWORD}, headers=headers)
        assert right.status_code == 204
        assert (await renew(call, here["refresh_token"]))[0] == 200
        assert (await renew(call, there["refresh_token"]))[0] == 401
        await sign_in(call, "worker", "a-better-password")


class TestInvitation:
    async def invited(self, call: Caller) -> dict[str, Any]:
        """What takes up a fresh invitation of worker2."""
        path = f"/accounts/{call.personas['worker2'].id}/invitation"
        code = (await call("committee", "POST", path)).json()["code"]
        return {"code": code, "password": "my-own-password"}

    async def test_of_many_at_once_one_takes_it_up(self, call: Caller) -> None:
        body = await self.invited(call)
        answers = await asyncio.gather(*(call(None, "POST", "/auth/invitations/accept", json=body) for _ in range(8)))
        assert Counter(a.status_code for a in answers) == {200: 1, 422: 7}

    async def test_it_ends_after_its_days(self, call: Caller, database: Database) -> None:
        body = await self.invited(call)
        await by_hand(database, "UPDATE invitation SET expires_at = now() - interval '1 second'")
        answer = await call(None, "POST", "/auth/invitations/accept", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invitation_invalid")
        await sign_in(call, "worker2")


class TestGrants:
    async def test_each_desk_hands_out_what_lies_below_its_own(self, call: Caller) -> None:
        asked = [
            ("city", "district", DISTRICT, 201), ("city", "city", CITY, 403), ("city", "street", DISTRICT, 422),
            ("district", "street", STREET, 201), ("district", "api_client", DISTRICT, 201),
            ("district", "committee", C, 404), ("district", "district", DISTRICT, 403),
            ("street", "committee", A, 201), ("street", "api_client", A, 403), ("street", "street", STREET, 403),
            ("committee", "viewer", A, 201), ("committee", "grid_worker", STREET, 404),
            ("worker", "grid_worker", A, 403), ("viewer", "viewer", A, 403), ("client", "viewer", A, 403),
            ("city", "api_client", FAR_DISTRICT, 201),
        ]  # fmt: skip
        got = []
        for n, (who, role, code, _) in enumerate(asked):
            body = {"name": "某", "login": f"login-{n}", "role": role, "division_code": code}
            got.append((who, role, code, (await call(who, "POST", "/accounts", json=body)).status_code))
        assert got == asked

    async def test_a_password_is_reset_from_above_only(self, call: Caller) -> None:
        asked = [
            ("worker", "worker2", 403), ("other_committee", "worker", 404), ("far_street", "committee", 404),
            ("committee", "street", 404), ("committee", "worker", 200), ("street", "committee", 200),
            ("district", "client", 200),
        ]  # fmt: skip
        got = []
        for who, whom, _ in asked:
            path = f"/accounts/{call.personas[whom].id}/reset-password"
            actor_cache._held.clear()
            got.append((who, whom, (await call(who, "POST", path)).status_code))
        assert got == asked
