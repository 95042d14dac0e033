"""A phone that does not get through any more: its exported file is brought by the committee."""

from typing import Any

from app.core.db import Database
from tests.makers import command, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, Caller


def exported(call: Caller, who: str, *commands: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """The file as the phone writes it."""
    device = str(call.personas[who].device_id)
    return {
        "device_id": device,
        "account": who,
        "exported_at": "2026-02-01T18:00:00+08:00",
        "commands": list(commands),
    } | extra


async def prepared(call: Caller, database: Database) -> tuple[list[Any], str]:
    """Three doors held by `worker`, and an open round."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
    await make_area(call, homes, "worker")
    return homes, await make_round(call)


class TestTakeUnsentFile:
    async def test_counts_once_whoever_comes_first_and_is_the_workers_own(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id = await prepared(call, database)
        visits = [door_visit(home, round_id) for home in homes]
        assert (await push(call, "worker", visits[0]))[0]["status"] == "accepted"

        answer = await call("committee", "POST", "/sync/unsent-files", json=exported(call, "worker", *visits))
        assert answer.status_code == 200, answer.text
        assert answer.json()["counts"] == {"accepted": 2, "duplicate": 1, "flagged": 0, "rejected": 0, "unreadable": 0}
        assert answer.json()["left"] == []

        # the phone gets through after all
        assert {one["status"] for one in await push(call, "worker", *visits)} == {"duplicate"}
        listed = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        assert [one["actor_name"] for one in listed] == ["worker 某"] * 3
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert (trail[0]["action"], trail[0]["actor_name"]) == ("import_unsent", "committee 某")
        status = (await call("worker", "GET", "/sync/status")).json()
        assert status["confirmed_today"] == 3

    async def test_what_cannot_be_taken_is_named_and_keeps_nothing_back(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        file = exported(
            call, "worker",
            {"name": "screening.record_door_visit", "broken": True},
            command("screening.record_door_visit", {"household_id": str(homes[0].id)}),
            door_visit(homes[1], round_id),
        )  # fmt: skip
        answer = (await call("committee", "POST", "/sync/unsent-files", json=file)).json()
        assert answer["counts"] == {"accepted": 1, "duplicate": 0, "flagged": 0, "rejected": 1, "unreadable": 1}
        assert [(one["number"], one["status"], one["code"]) for one in answer["left"]] == [
            (1, "unreadable", None),
            (2, "rejected", "shape_invalid"),
        ]

    async def test_long_files_are_taken_in_pieces(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        visits = [door_visit(homes[n % 3], round_id, "no_answer") for n in range(120)]
        answer = (await call("committee", "POST", "/sync/unsent-files", json=exported(call, "worker", *visits))).json()
        assert answer["counts"]["accepted"] == 120

    async def test_is_not_for_others_people(self, call: Caller, database: Database) -> None:
        homes, round_id = await prepared(call, database)
        visit = door_visit(homes[0], round_id)
        for who, account, status in (
            ("worker", "worker", 403),
            ("viewer", "worker", 403),
            ("other_committee", "worker", 422),
            ("committee", "far_worker", 422),
            ("committee", "nobody", 422),
            ("committee", "street", 422),
            (None, "worker", 401),
        ):
            answer = await call(
                who, "POST", "/sync/unsent-files", json=exported(call, "worker", visit, account=account)
            )
            assert answer.status_code == status, (who, account, answer.text)
            if status == 422:
                assert answer.json()["code"] == "account_not_here"
        assert (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"] == []
