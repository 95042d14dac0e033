"""A phone that does not get through any more: its exported file is brought by the committee."""

import base64
import json
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core import crypto, rotation, sealed_files
from app.core.clock import today
from app.core.config import get_settings
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from tests.core.test_rotation import told
from tests.makers import (
    command,
    door_visit,
    jpeg,
    make_area,
    make_homes,
    make_round,
    push,
    sealed_file,
    stair_of,
    take_photo,
)
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
            sealed = base64.b64decode(exported["sealed"])

            for status, body in (("accepted", {"content": sealed}), ("duplicate", {"json": file})):
                path = "/sync/unsent-files" + ("/sealed" if "content" in body else "")
                answer = await call("committee", "POST", path, **body)
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

    async def test_whoever_carries_a_sealed_file_can_neither_read_nor_change_it(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id = await prepared(call, database)
        visit = door_visit(homes[0], round_id, note="王家老人独居")
        sealed = sealed_file(exported(call, "worker", visit))
        assert not any(word in sealed for word in ("老人".encode(), b"worker", str(homes[0].id).encode(), b"note"))
        broken = {
            "cut off": sealed[:-1], "changed": sealed[:-20] + bytes(20),
            "another name": sealed.replace(b"\n1\n", b"\n2\n"),
            "no key": sealed_files.HEAD, "plain": json.dumps(exported(call, "worker", visit)).encode(), "empty": b"",
            "no file of records": sealed_file({"commands": "all"}),
        }  # fmt: skip
        for how, content in broken.items():
            answer = await call("committee", "POST", "/sync/unsent-files/sealed", content=content)
            wanted = "sealed_file_key_gone" if how == "another name" else "sealed_file_unreadable"
            assert (answer.status_code, answer.json()["code"]) == (422, wanted), how
        too_long = await call("committee", "POST", "/sync/unsent-files/sealed", content=sealed + bytes(64_000_000))
        assert (too_long.status_code, too_long.json()["code"]) == (413, "sealed_file_too_large")
        for who, status in (("worker", 403), ("viewer", 403), ("other_committee", 422), (None, 401)):
            answer = await call(who, "POST", "/sync/unsent-files/sealed", content=sealed)
            assert answer.status_code == status, (who, answer.text)
        answer = await call("committee", "POST", "/sync/unsent-files/sealed", content=sealed)
        assert answer.json()["counts"]["accepted"] == 1

    async def test_a_file_sealed_before_the_keys_changed_is_opened_while_the_old_one_is_kept(
        self, call: Caller, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        homes, round_id = await prepared(call, database)
        first = (await call("worker", "GET", "/sync/status")).json()["file_key"]
        before, second = (sealed_file(exported(call, "worker", door_visit(home, round_id))) for home in homes[:2])
        file = tmp_path / "data.keys"
        file.write_text(get_settings().key_ring)
        with told(PIONEER_DATA_KEYS_FILE=str(file), PIONEER_DATABASE_URL=database_url):
            name = rotation.add_key(file, today())
            fresh = (await call("worker", "GET", "/sync/status")).json()["file_key"]
            assert (fresh["id"], fresh["key"] != first["key"]) == (name, True)
            after = sealed_file(exported(call, "worker", door_visit(homes[2], round_id)))
            for content in (before, after):
                answer = await call("committee", "POST", "/sync/unsent-files/sealed", content=content)
                assert answer.json()["counts"]["accepted"] == 1, answer.text
            # the old key is taken out: nobody opens what was sealed for it
            file.write_text(",".join(pair for pair in file.read_text().split(",") if not pair.startswith("1:")))
            crypto.key_ring().refresh(at_once=True)
            answer = await call("committee", "POST", "/sync/unsent-files/sealed", content=second)
            assert answer.json()["code"] == "sealed_file_key_gone"

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
