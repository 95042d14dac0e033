"""A phone that does not get through any more: its exported file is brought by the committee."""

import base64
import json
from typing import Any

from sqlalchemy import text

from app.core import crypto
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from tests.makers import command, door_visit, jpeg, make_area, make_homes, make_round, push, stair_of, take_photo
from tests.personas import PASSWORD, A, Caller
from tests.sync.phones import Phones, serving


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

    async def test_photos_come_from_the_phone_into_their_rows_and_are_the_workers_own(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, round_id = await prepared(call, database)
        async with serving(database_url) as url, Phones(url) as phones:
            await phones.do("p", "sign_in", username="worker", password=PASSWORD)
            await phones.do("p", "sync")
            answers = {"household_id": str(homes[0].id), "round_id": round_id, "outcome": "answered_all"}
            visit = (await phones.do("p", "record_door_visit", **answers))["id"]
            picture = base64.b64encode(jpeg(800, 600)).decode()
            taken = {"household_id": str(homes[0].id), "visit_id": visit, "content": picture}
            photo = (await phones.do("p", "take_photo", **taken))["id"]
            exported = await phones.do("p", "export")
            assert (exported["count"], exported["photos"], exported["left"]) == (1, 1, 0)
            file = json.loads(exported["content"])

            for status in ("accepted", "duplicate"):
                answer = await call("committee", "POST", "/sync/unsent-files", json=file)
                assert answer.status_code == 200, answer.text
                wanted = dict.fromkeys(("accepted", "duplicate", "rejected", "unreadable"), 0) | {status: 1}
                assert (answer.json()["photo_counts"], answer.json()["photos_left"]) == (wanted, [])
                async with database.session(EVERYWHERE) as session:
                    (row,) = (await session.execute(text("SELECT * FROM visit_photo"))).all()
                assert (str(row.id), str(row.visit_id), row.household_id) == (photo, visit, homes[0].id)
                assert (row.actor_id, str(row.device_id)) == (call.personas["worker"].id, file["device_id"])
                assert crypto.key_ring().open(bytes(row.content_sealed), "visit_photo.content") == jpeg(800, 600)

            # the phone gets through after all: nothing is there twice, and nothing waits on it any more
            await phones.do("p", "sync")
            for _ in range(100):
                status = (await phones.do("p", "status"))["status"]
                if not status["uploads"]:
                    break
                await phones.do("p", "sync")
            assert (status["uploads"], status["waiting"]) == (0, 0)
        items = (await call("committee", "GET", "/photos", params={"community_code": A})).json()["items"]
        assert [(one["id"], one["actor_name"]) for one in items] == [(photo, "worker 某")]

    async def test_a_photo_that_cannot_be_taken_is_named_and_keeps_nothing_back(
        self, call: Caller, database: Database
    ) -> None:
        homes, _ = await prepared(call, database)

        def photo(content: bytes, **other: Any) -> dict[str, Any]:
            facts = {"id": str(new_id()), "household_id": str(homes[0].id), "taken_at": "2026-02-01T09:00:00+08:00"}
            return facts | {"content": base64.b64encode(content).decode()} | other

        theirs = (await take_photo(call, "worker2", homes[0], jpeg())).json()["id"]
        file = exported(call, "worker") | {
            "photos": [
                photo(b"GIF89a"), photo(jpeg()) | {"id": "?"}, photo(jpeg(), household_id=str(new_id())),
                photo(jpeg(), id=theirs), photo(jpeg()), photo(jpeg() + bytes(1_000_000)),
            ]
        }  # fmt: skip
        answer = (await call("committee", "POST", "/sync/unsent-files", json=file)).json()
        assert answer["photo_counts"] == {"accepted": 1, "duplicate": 0, "rejected": 4, "unreadable": 1}
        assert [(one["number"], one["status"], one["code"]) for one in answer["photos_left"]] == [
            (1, "rejected", "photo_unreadable"), (2, "unreadable", None), (3, "rejected", "not_found"),
            (4, "rejected", "id_taken"), (6, "rejected", "photo_too_large"),
        ]  # fmt: skip
        many = exported(call, "worker") | {"photos": [photo(jpeg()) for _ in range(21)]}
        assert (await call("committee", "POST", "/sync/unsent-files", json=many)).status_code == 422

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
