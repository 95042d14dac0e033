"""Full numbers for a purpose, who saw whose data, and what a person may have printed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.service import SYSTEM
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from app.privacy import service as privacy
from tests.makers import (
    Home,
    care_visit,
    door_visit,
    invented_id,
    jpeg,
    make_area,
    make_homes,
    make_round,
    push,
    take_photo,
)
from tests.personas import A, B, Caller
from tests.test_tally import pioneer

PURPOSE = "核对身份证,发放出入证"


async def family(database: Database, community: str = A, room: str = "101") -> Home:
    """A couple behind a door, with ID numbers and phones."""
    persons = [
        PersonInput("甲一", "户主", 1, None, "resident_id", invented_id(1), "13800001111"),
        PersonInput("乙二", "配偶", 2, None, "resident_id", invented_id(2), "13800002222"),
    ]
    door = DwellingInput(
        building="1", stair="1", floor=1, room=room,
        households=[HouseholdInput(head_name="甲一", phone="13800001111", note="有犬", persons=persons)],
    )  # fmt: skip
    return next(home for home in await make_homes(database, community, [door]) if home.room == room)


def reveal(*fields: str, purpose: str = PURPOSE) -> dict[str, Any]:
    """The body of a reveal."""
    return {"fields": list(fields), "purpose": purpose}


class TestRevealResident:
    @pytest.mark.parametrize("who", ["committee", "street"])
    async def test_a_near_desk_reads_the_full_numbers(self, call: Caller, database: Database, who: str) -> None:
        home = await family(database)
        answer = await call(who, "POST", f"/residents/{home.residents[0]}/reveal", json=reveal("id_number", "phone"))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["id_number"], answer.json()["phone"]) == (invented_id(1), "13800001111")
        only = await call(who, "POST", f"/residents/{home.residents[1]}/reveal", json=reveal("phone"))
        assert (only.json()["id_number"], only.json()["phone"]) == (None, "13800002222")

    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("district", 403), ("city", 403), ("viewer", 403), ("worker2", 403), ("client", 403),
            ("other_committee", 404), ("far_street", 404), ("far_worker", 404), (None, 401),
        ],
    )  # fmt: skip
    async def test_nobody_else_does(self, call: Caller, database: Database, who: str | None, status: int) -> None:
        home = await family(database)
        answer = await call(who, "POST", f"/residents/{home.residents[0]}/reveal", json=reveal("phone"))
        assert answer.status_code == status, answer.text
        assert "13800001111" not in answer.text

    async def test_who_carries_the_door_may_ring_and_no_more(self, call: Caller, database: Database) -> None:
        home = await family(database)
        area = await make_area(call, [home], "worker")
        path = f"/residents/{home.residents[0]}/reveal"
        assert (await call("worker", "POST", path, json=reveal("phone"))).json()["phone"] == "13800001111"
        assert (await call("worker", "POST", path, json=reveal("phone", "id_number"))).status_code == 403
        assert (await call("worker2", "POST", path, json=reveal("phone"))).status_code == 403
        assert (await call("committee", "POST", f"/responsibility-areas/{area['id']}/release")).is_success
        assert (await call("worker", "POST", path, json=reveal("phone"))).status_code == 403

    @pytest.mark.parametrize(
        "body",
        [reveal(), reveal("birth_on"), reveal("phone", purpose=" "), {"fields": ["phone"]}, reveal("phone") | {"x": 1}],
    )
    async def test_without_a_purpose_or_a_field_it_is_no_request(
        self, call: Caller, database: Database, body: dict[str, Any]
    ) -> None:
        home = await family(database)
        answer = await call("committee", "POST", f"/residents/{home.residents[0]}/reveal", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "shape_invalid")

    async def test_the_committee_reads_who_did_what_for(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        home = await family(database)
        for who in ("committee", "street"):
            await call(
                who, "POST", f"/residents/{home.residents[0]}/reveal", json=reveal("phone", purpose=f"{who} 回访")
            )
        items = (await call("committee", "GET", "/reveals", params={"community_code": A})).json()["items"]
        assert [(i["actor_name"], i["purpose"], i["fields"], i["resident_name"]) for i in items] == [
            ("street 某", "street 回访", ["phone"], "甲一"), ("committee 某", "committee 回访", ["phone"], "甲一"),
        ]  # fmt: skip
        (city, _) = (await call("city", "GET", "/reveals", params={"community_code": A})).json()["items"]
        assert city["resident_name"] == "甲*"
        first = (await call("committee", "GET", "/reveals", params={"community_code": A, "limit": 1})).json()
        params = {"community_code": A, "limit": 1, "cursor": first["next_cursor"]}
        second = (await call("committee", "GET", "/reveals", params=params)).json()
        assert [p["items"][0]["purpose"] for p in (first, second)] == ["street 回访", "committee 回访"]
        assert second["next_cursor"] is None
        assert (await call("other_committee", "GET", "/reveals", params={"community_code": A})).status_code == 404
        assert (await call("worker", "GET", "/reveals", params={"community_code": A})).status_code == 403
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [e["action"] for e in entries].count("reveal_resident") == 2
        assert "0 broken" in pioneer(database_url, "audit", "verify")[1]

    async def test_a_purpose_is_sealed_and_stays_as_it_was_written(self, call: Caller, database: Database) -> None:
        home = await family(database)
        await call("committee", "POST", f"/residents/{home.residents[0]}/reveal", json=reveal("phone"))
        async with database.session(EVERYWHERE) as session:
            (row,) = (await session.execute(text("SELECT * FROM access_record"))).mappings()
        assert PURPOSE.encode() not in bytes(row["purpose_sealed"])
        for statement in ("UPDATE access_record SET actor_name = 'x'", "DELETE FROM access_record"):
            with pytest.raises(DBAPIError, match="permission denied"):
                async with database.session(EVERYWHERE) as session:
                    await session.execute(text(statement))

    async def test_reading_out_a_registry_comes_to_an_end(
        self, call: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(privacy, "PER_HOUR", 5)
        home = await family(database)
        path = f"/residents/{home.residents[0]}/reveal"
        answers = await asyncio.gather(*(call("committee", "POST", path, json=reveal("phone")) for _ in range(9)))
        assert sorted(a.status_code for a in answers) == [200] * 5 + [429] * 4
        refused = next(a for a in answers if a.status_code == 429)
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("too_many_reveals", "600")
        assert (await call("street", "POST", path, json=reveal("phone"))).status_code == 200


class TestAccessLog:
    async def test_the_person_reads_who_saw_changed_visited_and_carried(self, call: Caller, database: Database) -> None:
        home, other = await family(database), await family(database, room="102")
        await make_area(call, [home], "worker")
        round_id = await make_round(call)
        await push(call, "worker", door_visit(home, round_id), care_visit(home))
        path = f"/residents/{home.residents[0]}"
        change = {"phone": "13900003333", "reason": "本人更正"}
        assert (await call("committee", "PATCH", path, json=change)).status_code == 200
        await call("street", "POST", f"{path}/reveal", json=reveal("id_number"))
        await call(
            "committee", "POST", f"/residents/{other.residents[0]}/reveal", json=reveal("phone", purpose="别人的")
        )
        log = (await call("committee", "GET", f"{path}/access-log")).json()["items"]
        told = [(i["action"], i["actor_name"], i["fields"], i["purpose"]) for i in log]
        assert told[0] == ("reveal", "street 某", ["id_number"], PURPOSE)
        assert ("correction", "committee 某", ["phone"], "本人更正") in told
        actions = [i["action"] for i in log]
        assert actions.count("update_resident") == 1
        assert {"record_door_visit", "record_visit", "carried", "put_dwellings"} < set(actions)
        assert "别人的" not in str(log)
        (carried,) = [i for i in log if i["action"] == "carried"]
        assert (carried["actor_name"], carried["until"]) == ("worker 某", None)
        # asking is in the trail too, and pages join without a gap
        again: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": 3}
        while True:
            page = (await call("committee", "GET", f"{path}/access-log", params=params)).json()
            again += page["items"]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert [i for i in again if i["action"] != "list_access_log"] == log

    @pytest.mark.parametrize(
        ("who", "status"), [("district", 403), ("worker", 403), ("viewer", 403), ("other_committee", 404), (None, 401)]
    )
    async def test_it_is_for_the_near_desk(
        self, call: Caller, database: Database, who: str | None, status: int
    ) -> None:
        home = await family(database)
        for method, what in (("GET", "access-log"), ("GET", "copy")):
            assert (await call(who, method, f"/residents/{home.residents[0]}/{what}")).status_code == status

    async def test_a_correction_without_a_reason_is_in_the_log_as_a_change(
        self, call: Caller, database: Database
    ) -> None:
        home = await family(database)
        path = f"/residents/{home.residents[0]}"
        assert (await call("committee", "PATCH", path, json={"relation": "本人"})).status_code == 200
        actions = [i["action"] for i in (await call("committee", "GET", f"{path}/access-log")).json()["items"]]
        assert ("update_resident" in actions, "correction" in actions) == (True, False)


class TestCopyResident:
    async def test_all_of_the_person_and_nothing_of_the_others(self, call: Caller, database: Database) -> None:
        home = await family(database)
        round_id = await make_round(call)
        first, second = home.residents
        persons = [
            {"resident_id": str(first), "status": "well", "temperature_c": 36.6},
            {"resident_id": str(second), "status": "symptoms", "temperature_c": 38.2, "symptoms": ["cough"]},
        ]
        await push(
            call, "committee", door_visit(home, round_id, persons=persons, note="已登记"),
            care_visit(home, resident_id=str(first), needs=["food"], note="一切都好"),
            care_visit(home, resident_id=str(second), needs=["medicine"], note="配偶吃药"),
        )  # fmt: skip
        answer = await call("committee", "GET", f"/residents/{first}/copy")
        assert answer.status_code == 200, answer.text
        copy = answer.json()
        assert (copy["name"], copy["id_number"], copy["phone"]) == ("甲一", invented_id(1), "13800001111")
        assert (copy["building"], copy["room"], copy["household_note"]) == ("1", "101", "有犬")
        (visit,) = copy["door_visits"]
        assert (visit["status"], visit["temperature_c"], visit["note"]) == ("well", 36.6, "已登记")
        (care,) = copy["care_visits"]
        assert (care["needs"], care["note"]) == (["food"], "一切都好")
        assert not any(word in answer.text for word in ("38.2", "cough", "medicine", "配偶吃药", invented_id(2)))
        (item,) = (await call("committee", "GET", "/reveals", params={"community_code": A})).json()["items"]
        assert (item["kind"], item["fields"]) == ("copy", ["copy"])

    async def test_it_goes_along_with_who_moved_and_takes_nothing_of_the_others(
        self, call: Caller, database: Database
    ) -> None:
        """Copy and access log: what was said while they lived at the earlier door, nothing of after, nothing of
        the door they came to before they did."""
        old, new = await family(database), await family(database, room="102")
        first, second = map(str, old.residents)
        await make_area(call, [old], "worker")
        round_id = await make_round(call)
        day = [(now() - timedelta(days=back)).isoformat() for back in range(6)]
        hot = [
            {"resident_id": first, "status": "symptoms", "temperature_c": 38.6},
            {"resident_id": second, "status": "well", "temperature_c": 36.1},
        ]
        well = [{"resident_id": second, "status": "well", "temperature_c": 36.2}]
        pushed = await push(
            call, "worker",
            door_visit(old, round_id, "answered_part", persons=hot, note="旧门说的", recorded_at=day[5]),
            care_visit(old, note="旧门的走访", recorded_at=day[5]),
            door_visit(old, round_id, "answered_part", persons=well, note="搬走以后", recorded_at=day[0]),
            care_visit(old, note="后来的走访", recorded_at=day[0]),
            door_visit(new, round_id, persons=[], outcome="refused", note="新门以前", recorded_at=day[5]),
        )  # fmt: skip
        assert {one["status"] for one in pushed} <= {"accepted", "flagged"}
        await take_photo(call, "worker", old, jpeg(), taken_at=day[5])
        await take_photo(call, "worker", old, jpeg(), taken_at=day[0])
        rented = {"kind": "tenant", "landlord_name": "房东甲", "landlord_phone": "13800003333"}
        assert (await call("committee", "PUT", f"/households/{old.id}/tenure", json=rented)).is_success
        body = {"household_id": str(new.id), "on": (today() - timedelta(days=2)).isoformat()}
        assert (await call("committee", "POST", f"/residents/{first}/move", json=body)).is_success
        assert (await call("committee", "PATCH", f"/households/{old.id}", json={"note": "剩下的人"})).is_success
        answer = await call("committee", "GET", f"/residents/{first}/copy")
        assert answer.status_code == 200, answer.text
        copy = answer.json()
        (visit,) = copy["door_visits"]
        assert (visit["temperature_c"], visit["note"]) == (38.6, "旧门说的")
        assert [one["note"] for one in copy["care_visits"]] == ["旧门的走访"]
        (follow_up,) = copy["follow_ups"]
        assert [one["temperature_c"] for one in follow_up["findings"]] == [38.6]
        assert len(copy["photos"]) == 1
        assert [one["landlord_name"] for one in copy["tenures"]] == ["房东甲"]
        assert [(one["address"][-3:], one["ended_on"]) for one in copy["residences"]] == [
            ("102", None), ("101", body["on"]),
        ]  # fmt: skip
        others = (
            "搬走以后",
            "后来的走访",
            "新门以前",
            "剩下的人",
            "13800003333",
            "36.1",
            "36.2",
            second,
            invented_id(2),
        )
        assert [word for word in others if word in answer.text] == []
        log = (await call("committee", "GET", f"/residents/{first}/access-log", params={"limit": 100})).json()["items"]
        actions = [one["action"] for one in log]
        assert actions.count("record_door_visit") == actions.count("record_visit") == 1
        assert "update_household" not in actions
        # the worker got the door when they had left it
        assert "carried" not in actions
        # who stayed has the rest, and not the newer door's
        stayed = (await call("committee", "GET", f"/residents/{second}/copy")).json()
        assert {one["note"] for one in stayed["door_visits"]} == {"旧门说的", "搬走以后"}
        assert stayed["follow_ups"] == []

    async def test_who_has_gone_may_have_theirs(self, call: Caller, database: Database) -> None:
        home = await family(database)
        left = {"reason": "moved_away", "on": (today() - timedelta(days=1)).isoformat()}
        assert (await call("committee", "POST", f"/residents/{home.residents[0]}/leave", json=left)).is_success
        copy = (await call("committee", "GET", f"/residents/{home.residents[0]}/copy")).json()
        assert (copy["is_gone"], copy["id_number"], copy["household_note"]) == (True, invented_id(1), None)
        assert copy["residences"][0]["reason_out"] == "moved_away"
        for who, status in {"worker": 403, "other_committee": 404}.items():
            assert (await call(who, "GET", f"/residents/{home.residents[0]}/copy")).status_code == status

    async def test_it_ends_with_the_scope(self, call: Caller, database: Database) -> None:
        async with database.session(EVERYWHERE) as session:
            await registry.put_dwellings(session, SYSTEM, B, [])
        home = await family(database, B)
        assert (await call("committee", "GET", f"/residents/{home.residents[0]}/copy")).status_code == 404
        assert (await call("street", "GET", f"/residents/{home.residents[0]}/copy")).status_code == 200
