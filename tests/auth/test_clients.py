"""API clients: made for a division by a desk above it, with a secret that is shown once and can be replaced."""

from typing import Any

import httpx
import pytest

from app.core.db import Database
from tests.makers import make_homes, stair_of
from tests.personas import DISTRICT, FAR_DISTRICT, STREET, A, Caller

NEW = {"name": "人口库", "client_id": "population", "division_code": DISTRICT}


async def sign_in(call: Caller, client_id: str, secret: str) -> httpx.Response:
    """A client's own sign-in."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await call.http.post("/api/v1/auth/token", data=form)


async def make(call: Caller, who: str = "city", **other: Any) -> httpx.Response:
    """Make a client as a persona."""
    return await call(who, "POST", "/api-clients", json=NEW | other)


class TestCreateApiClient:
    async def test_its_secret_opens_its_division_and_stands_nowhere_else(self, call: Caller) -> None:
        made = await make(call)
        assert made.status_code == 201, made.text
        token = (await sign_in(call, "population", made.json()["client_secret"])).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        got = await call.http.get("/api/v1/headcounts", params={"level": "district"}, headers=headers)
        assert [item["code"] for item in got.json()["items"]] == [DISTRICT]
        listed = (await call("district", "GET", "/api-clients", params={"community_code": DISTRICT})).json()["items"]
        assert {one["login"]: one["grants"][0]["name"] for one in listed} == {"client": "东区", "population": "东区"}
        assert made.json()["client_secret"] not in str(listed)

    @pytest.mark.parametrize(
        ("who", "status"),
        [("district", 201), ("street", 404), ("committee", 404), ("viewer", 403), ("worker", 403), (None, 401)],
    )
    async def test_a_district_or_a_city_makes_it(self, call: Caller, who: str | None, status: int) -> None:
        answer = await make(call, who)  # type: ignore[arg-type]
        assert answer.status_code == status, answer.text

    async def test_a_street_makes_none_for_itself_and_nobody_one_elsewhere(self, call: Caller) -> None:
        assert (await make(call, "street", division_code=STREET)).status_code == 403
        assert (await make(call, "district", division_code=FAR_DISTRICT)).status_code == 404
        assert (await make(call, "city", client_id="client")).json()["code"] == "login_taken"


class TestRenewClientSecret:
    async def test_the_old_one_ends_with_what_was_signed_in_by_it(self, call: Caller) -> None:
        made = (await make(call)).json()
        old = (await sign_in(call, "population", made["client_secret"])).json()["access_token"]
        renewed = (await call("city", "POST", f"/api-clients/{made['id']}/secret")).json()
        assert (await sign_in(call, "population", made["client_secret"])).status_code == 401
        assert (await sign_in(call, "population", renewed["client_secret"])).status_code == 200
        answer = await call.http.get("/api/v1/headcounts", headers={"Authorization": f"Bearer {old}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
        closed = await call("city", "PATCH", f"/accounts/{made['id']}", json={"is_active": False})
        assert closed.json()["is_active"] is False
        assert (await sign_in(call, "population", renewed["client_secret"])).status_code == 401

    async def test_a_person_has_no_such_secret_and_a_stranger_no_say(self, call: Caller) -> None:
        made = (await make(call)).json()
        assert (await call("city", "POST", f"/api-clients/{call.personas['worker'].id}/secret")).status_code == 404
        assert (await call("far_street", "POST", f"/api-clients/{made['id']}/secret")).status_code == 404


class TestListWorkers:
    async def test_those_of_the_street_can_answer_for_doors_too(self, call: Caller, database: Database) -> None:
        body = {"name": "街道党员", "login": "street-member", "role": "party_member", "division_code": STREET}
        made = await call("street", "POST", "/accounts", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["grants"][0]["name"] == "花园街道"
        listed = (await call("committee", "GET", "/workers", params={"community_code": A})).json()["items"]
        found = {one["name"]: [(g["role"], g["name"]) for g in one["grants"]] for one in listed}
        assert found["街道党员"] == [("party_member", "花园街道")]
        assert {"worker 某", "worker2 某", "committee 某", "street 某"} < set(found)
        assert not {"district 某", "city 某", "viewer 某", "far_worker 某", "other_committee 某"} & set(found)
        homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
        doors = [str(homes[0].dwelling_id)]
        area = {"community_code": A, "name": "一单元", "assign_to": made.json()["id"], "dwelling_ids": doors}
        given = await call("committee", "POST", "/responsibility-areas", json=area)
        assert given.json()["holder"]["name"] == "街道党员"

    async def test_who_has_left_is_not_offered(self, call: Caller) -> None:
        path = f"/accounts/{call.personas['worker'].id}"
        assert (await call("committee", "PATCH", path, json={"is_active": False})).status_code == 200
        listed = (await call("committee", "GET", "/workers", params={"community_code": A})).json()["items"]
        assert "worker 某" not in [one["name"] for one in listed]

    async def test_pages_and_who_may_ask(self, call: Caller) -> None:
        params: dict[str, Any] = {"community_code": A, "limit": 3}
        first = (await call("committee", "GET", "/workers", params=params)).json()
        rest = (await call("committee", "GET", "/workers", params=params | {"cursor": first["next_cursor"]})).json()
        whole = (await call("committee", "GET", "/workers", params={"community_code": A})).json()
        assert first["items"] + rest["items"] == whole["items"]
        assert (await call("other_committee", "GET", "/workers", params={"community_code": A})).status_code == 404
        assert (await call("worker", "GET", "/workers", params={"community_code": A})).status_code == 403
