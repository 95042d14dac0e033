"""Sign-in, one's own account, and the accounts of one's part."""

from tests.personas import PASSWORD, A, B, Caller


class TestIssueToken:
    async def test_password_gives_tokens_that_work(self, call: Caller) -> None:
        form = {"grant_type": "password", "username": "worker", "password": PASSWORD}
        answer = await call(None, "POST", "/auth/token", data=form)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert tokens["device_id"]
        assert tokens["refresh_token"]
        me = await call.http.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert me.json()["grants"] == [
            {"role": "grid_worker", "division_code": A, "name": "甲社区", "level": "community"}
        ]

    async def test_wrong_password_is_told_in_the_readers_language(self, call: Caller) -> None:
        form = {"grant_type": "password", "username": "worker", "password": "nope"}
        zh = await call(None, "POST", "/auth/token", data=form)
        en = await call(None, "POST", "/auth/token", data=form, headers={"Accept-Language": "en"})
        assert zh.status_code == en.status_code == 401
        assert zh.headers["content-type"] == "application/problem+json"
        assert (zh.json()["code"], zh.json()["title"]) == ("credentials_invalid", "登录名或密码不正确。")
        assert en.json()["title"] == "The login or password is not right."

    async def test_ten_failures_close_the_login_for_a_while(self, call: Caller) -> None:
        form = {"grant_type": "password", "username": "worker2", "password": "nope"}
        codes = [(await call(None, "POST", "/auth/token", data=form)).status_code for _ in range(10)]
        assert codes == [401] * 10
        closed = await call(None, "POST", "/auth/token", data=form | {"password": PASSWORD})
        assert closed.status_code == 429
        assert int(closed.headers["retry-after"]) > 0

    async def test_refresh_rotates_and_a_client_signs_in(self, call: Caller) -> None:
        form = {"grant_type": "password", "username": "worker", "password": PASSWORD}
        first = (await call(None, "POST", "/auth/token", data=form)).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await call(None, "POST", "/auth/token", data=refresh)).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert second["device_id"] == first["device_id"]
        client = {"grant_type": "client_credentials", "client_id": "client", "client_secret": PASSWORD}
        answer = await call(None, "POST", "/auth/token", data=client)
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] is None


class TestAccounts:
    async def test_a_committee_makes_a_worker_who_takes_up_the_invitation(self, call: Caller) -> None:
        new = {"name": "孙敏", "login": "sunmin", "role": "party_member", "division_code": A}
        made = await call("committee", "POST", "/accounts", json=new)
        assert made.status_code == 201, made.text
        invited = await call("committee", "POST", f"/accounts/{made.json()['id']}/invitation")
        assert invited.json()["qr_svg"].startswith("<?xml")
        body = {"code": invited.json()["code"], "password": "my-own-password"}
        taken = await call(None, "POST", "/auth/invitations/accept", json=body)
        assert taken.status_code == 200
        again = await call(None, "POST", "/auth/invitations/accept", json=body)
        assert again.json()["code"] == "invitation_invalid"

    async def test_a_committee_may_not_make_its_equal_or_reach_another_community(self, call: Caller) -> None:
        equal = {"name": "甲", "login": "equal", "role": "committee", "division_code": A}
        assert (await call("committee", "POST", "/accounts", json=equal)).status_code == 403
        beyond = {"name": "甲", "login": "beyond", "role": "grid_worker", "division_code": B}
        assert (await call("committee", "POST", "/accounts", json=beyond)).status_code == 404

    async def test_a_reset_ends_the_sessions(self, call: Caller) -> None:
        worker = call.personas["worker"]
        reset = await call("committee", "POST", f"/accounts/{worker.id}/reset-password")
        assert reset.status_code == 200
        assert (await call("worker", "GET", "/me")).status_code == 401
        form = {"grant_type": "password", "username": "worker", "password": reset.json()["password"]}
        token = (await call(None, "POST", "/auth/token", data=form)).json()["access_token"]
        me = await call.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert me.json()["must_change_password"] is True

    async def test_a_closed_account_is_out_until_it_is_opened_again(self, call: Caller) -> None:
        worker = call.personas["worker"]
        assert (await call("worker", "GET", "/me")).status_code == 200
        closed = await call("committee", "PATCH", f"/accounts/{worker.id}", json={"is_active": False})
        assert (closed.status_code, closed.json()["is_active"]) == (200, False)
        assert closed.json()["grants"][0]["name"] == "甲社区"
        assert (await call("worker", "GET", "/me")).status_code == 401
        form = {"grant_type": "password", "username": "worker", "password": "a-good-password"}
        assert (await call(None, "POST", "/auth/token", data=form)).status_code == 401
        opened = await call("committee", "PATCH", f"/accounts/{worker.id}", json={"is_active": True, "name": "新名字"})
        assert (opened.json()["is_active"], opened.json()["name"]) == (True, "新名字")
        assert (await call(None, "POST", "/auth/token", data=form)).status_code == 200

    async def test_who_may_close_an_account(self, call: Caller) -> None:
        worker, committee = call.personas["worker"], call.personas["committee"]
        for who, account, status in (
            ("other_committee", worker, 404),
            ("worker2", worker, 403),
            ("committee", committee, 409),
            (None, worker, 401),
        ):
            answer = await call(who, "PATCH", f"/accounts/{account.id}", json={"is_active": False})
            assert answer.status_code == status, who
