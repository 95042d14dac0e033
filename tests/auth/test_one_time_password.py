"""A password that somebody else has given out opens nothing but the way to a password of one's own."""

from typing import Any

from app.core.db import Database
from tests.auth.test_sessions import sign_in
from tests.ground import fill, operations, request_for
from tests.makers import door_visit, make_area, make_homes, make_round, stair_of
from tests.personas import A, Caller

ALLOWED = {("GET", "/me"), ("POST", "/auth/password"), ("POST", "/auth/sign-out")}


async def reset(call: Caller, who: str = "worker") -> tuple[str, dict[str, str]]:
    """Have somebody's password reset; answers the one-time password and the headers of who signed in with it."""
    answer = await call("committee", "POST", f"/accounts/{call.personas[who].id}/reset-password")
    password = answer.json()["password"]
    tokens = await sign_in(call, who, password)
    return password, {"Authorization": f"Bearer {tokens['access_token']}"}


class TestOneTimePassword:
    async def test_opens_no_call_but_three(self, call: Caller, database: Database) -> None:
        ground = await fill(call, database)
        _, headers = await reset(call)
        answers = {}
        for operation in operations():
            request: dict[str, Any] = request_for(operation, ground.values)
            if (operation.method, operation.path) not in ALLOWED:
                path = f"/api/v1{request.pop('path')}"
                answer = await call.http.request(operation.method, path, headers=headers, **request)
                answers[str(operation)] = (answer.status_code, answer.json().get("code"))
        assert {o: a for o, a in answers.items() if a != (403, "password_change_needed")} == {}
        assert (await call.http.get("/api/v1/me", headers=headers)).json()["must_change_password"] is True

    async def test_ends_with_a_password_of_ones_own_and_what_waited_goes_up(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_area(call, homes, "worker")
        visit = door_visit(homes[0], await make_round(call))
        password, headers = await reset(call)
        push = {"device_id": str(call.personas["worker"].device_id), "commands": [visit]}

        async def send() -> tuple[int, dict[str, Any]]:
            answer = await call.http.post("/api/v1/sync/commands", json=push, headers=headers)
            return answer.status_code, answer.json()

        assert (await send())[0] == 403
        change = {"old_password": password, "new_password": "a-word-of-my-own"}
        assert (await call.http.post("/api/v1/auth/password", json=change, headers=headers)).status_code == 204
        status, body = await send()
        assert (status, body["results"][0]["status"]) == (200, "accepted")

    async def test_of_a_new_account_is_no_different(self, call: Caller) -> None:
        new = {"name": "甲", "login": "newcomer", "role": "grid_worker", "division_code": A}
        await call("committee", "POST", "/accounts", json=new | {"password": "given-by-the-desk"})
        tokens = await sign_in(call, "newcomer", "given-by-the-desk")
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        answer = await call.http.get("/api/v1/sync/areas", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "password_change_needed")
        assert (await call.http.post("/api/v1/auth/sign-out", json={}, headers=headers)).status_code == 204
