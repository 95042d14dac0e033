"""What a phone is told "the committee will check" stands in a list at the desk until somebody has checked it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.privacy import retention
from tests.makers import Home, command, make_area, make_homes, push, stair_of
from tests.personas import A, Caller


async def flagged(call: Caller, who: str = "committee", **query: Any) -> list[dict[str, Any]]:
    """The community's list of edits to check."""
    answer = await call(who, "GET", "/flagged-edits", params={"community_code": A} | query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def waiting(call: Caller, area: str = A) -> int:
    """How many edits the overview says wait."""
    return int((await call("street", "GET", "/coverage/flags", params={"area": area})).json()["edits"])


async def handed_over(call: Caller, database: Database) -> tuple[list[Home], int]:
    """Two doors that were a worker's until a moment ago, and the version of the area."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, "worker")
    other = {"account_id": str(call.personas["worker2"].id)}
    assert (await call("committee", "POST", f"/responsibility-areas/{area['id']}/assign", json=other)).is_success
    return homes, int(area["version"])


def late(name: str, home: Home, /, **payload: Any) -> dict[str, Any]:
    """A command made after the hand-over."""
    at = (now() + timedelta(seconds=2)).isoformat()
    return command(name, {"household_id": str(home.id)} | payload, recorded_at=at)


class TestListed:
    async def test_every_kind_of_edit_with_whom_and_why(self, call: Caller, database: Database) -> None:
        homes, base = await handed_over(call, database)
        person = str(homes[0].residents[0])
        newcomer = late("people.add_resident", homes[0], name="丙小新")
        sent = [
            late("people.update_household", homes[0], base_version=base, changes={"note": "x", "phone": "13900000001"}),
            late("people.update_resident", homes[0], resident_id=person, base_version=base, changes={"sex": 2}),
            newcomer,
            late("people.add_resident", homes[0], name="丙小新"),
            late("people.mark_resident_gone", homes[1], resident_id=person, reason="moved_away"),
        ]
        results = await push(call, "worker", *sent)
        assert [r["code"] for r in results] == ["epoch_old", "epoch_old", "epoch_old", "person_known", "person_moved"]
        found = {one["id"]: one for one in await flagged(call)}
        assert set(found) == {one["id"] for one in sent}
        first, second, third, fourth, fifth = (found[one["id"]] for one in sent)
        assert (first["command"], first["fields"]) == ("people.update_household", ["note", "phone"])
        assert (first["head_name"], first["resident_name"]) == ("甲32101", None)
        assert (second["resident_id"], second["resident_name"]) == (person, "甲32101")
        assert (third["resident_name"], third["flag_code"]) == ("丙小新", "epoch_old")
        assert fourth["flag_code"] == "person_known"
        # where the person lives, whichever door the phone believed
        assert (fifth["household_id"], fifth["flag_code"]) == (str(homes[0].id), "person_moved")
        assert {one["actor_name"] for one in found.values()} == {"worker 某"}
        assert all(one["is_flagged"] and one["recorded_at"] and one["received_at"] for one in found.values())
        assert await waiting(call) == await waiting(call, "990101001000") == 5
        # sent again it stands there once
        await push(call, "worker", *sent)
        assert len(await flagged(call)) == 5

    async def test_a_wrong_clock_and_a_notice_are_there_a_conflict_has_its_own_list(
        self, call: Caller, database: Database
    ) -> None:
        homes, base = await handed_over(call, database)
        assert (await call("committee", "PATCH", f"/households/{homes[0].id}", json={"note": "在家"})).is_success
        edit = {"base_version": base, "changes": {"note": "不在家"}}
        results = await push(
            call, "worker2", late("people.update_household", homes[0], **edit),
            late("people.update_household", homes[1], **edit) | {"clock_error_s": 7200},
            late("people.update_household", homes[1], base_version=base, changes={"note": "好"}),
        )  # fmt: skip
        assert [r["code"] for r in results] == ["edit_conflict", "clock_skew", None]
        (only,) = await flagged(call)
        assert (only["flag_code"], only["clock_error_s"]) == ("clock_skew", 7200)

    async def test_for_the_desk_alone(self, call: Caller, database: Database) -> None:
        homes, base = await handed_over(call, database)
        await push(call, "worker", late("people.update_household", homes[0], base_version=base, changes={"note": "x"}))
        (one,) = await flagged(call)
        path = f"/flagged-edits/{one['id']}"
        for who, status in {"worker": 403, "viewer": 403, "other_committee": 404}.items():
            assert (await call(who, "GET", "/flagged-edits", params={"community_code": A})).status_code == status, who
        for who in ("worker", "other_committee", "far_committee"):
            answer = await call(who, "POST", f"{path}/judge", json={"verdict": "confirmed"})
            assert answer.status_code in (403, 404), who
        assert (await call("committee", "POST", f"{path}/judge", json={"verdict": "perhaps"})).status_code == 422


class TestConflicts:
    async def test_their_values_end_half_a_year_after_the_decision_and_not_before(
        self, call: Caller, database: Database
    ) -> None:
        homes, base = await handed_over(call, database)
        for home in homes:
            assert (await call("committee", "PATCH", f"/households/{home.id}", json={"note": "在家"})).is_success
        edit = {"base_version": base, "changes": {"note": "不在家"}}
        sent = [late("people.update_household", home, **edit) for home in homes]
        assert {one["code"] for one in await push(call, "worker2", *sent)} == {"edit_conflict"}
        first, second = (await call("committee", "GET", "/conflicts", params={"community_code": A})).json()["items"]
        kept = await call("committee", "POST", f"/conflicts/{first['id']}/resolve", json={"keep": "server"})
        assert kept.is_success, kept.text

        async def held() -> dict[str, bool]:
            async with database.session(EVERYWHERE) as session:
                rows = await session.execute(text("SELECT id, phone_sealed IS NOT NULL AS held FROM edit_conflict"))
                return {str(row.id): row.held for row in rows}

        await retention.run_retention(database, today() + timedelta(days=179))
        assert await held() == {first["id"]: True, second["id"]: True}
        await retention.run_retention(database, today() + timedelta(days=180))
        # what nobody has decided yet waits on
        assert await held() == {first["id"]: False, second["id"]: True}
        left = (await call("committee", "GET", "/conflicts", params={"community_code": A})).json()["items"]
        assert [one["phone"]["value"] for one in left] == ["不在家"]


class TestJudged:
    async def test_a_verdict_is_kept_and_changes_nothing_by_itself(self, call: Caller, database: Database) -> None:
        homes, base = await handed_over(call, database)
        edit = late("people.update_household", homes[0], base_version=base, changes={"note": "交接后改"})
        await push(call, "worker", edit)
        path = f"/flagged-edits/{edit['id']}"
        said = {"verdict": "set_aside", "reason": "已在登记改回"}
        judged = (await call("committee", "POST", f"{path}/judge", json=said)).json()
        assert (judged["verdict"], judged["reason"], judged["is_flagged"]) == ("set_aside", "已在登记改回", False)
        assert (await call("committee", "GET", f"/households/{homes[0].id}")).json()["note"] == "交接后改"
        assert (await flagged(call, is_flagged=True), await waiting(call)) == ([], 0)
        assert [one["id"] for one in await flagged(call, is_judged=True)] == [edit["id"]]
        assert (await call("committee", "POST", f"{path}/reopen")).json()["is_flagged"]
        assert await waiting(call) == 1
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [e["action"] for e in entries][:2] == ["reopen_flagged_edit", "judge_flagged_edit"]

    async def test_ends_half_a_year_after_it_was_judged_and_not_before(self, call: Caller, database: Database) -> None:
        homes, base = await handed_over(call, database)
        edits = [late("people.update_household", home, base_version=base, changes={"note": "x"}) for home in homes]
        await push(call, "worker", *edits)
        await call("committee", "POST", f"/flagged-edits/{edits[0]['id']}/judge", json={"verdict": "confirmed"})
        await retention.run_retention(database, today() + timedelta(days=179))
        assert len(await flagged(call)) == 2
        await retention.run_retention(database, today() + timedelta(days=180))
        # what nobody has looked at waits on
        assert [one["id"] for one in await flagged(call)] == [edits[1]["id"]]
