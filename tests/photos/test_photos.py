"""Photos from doors: nothing but the picture is kept, sealed, shown to the desk with a line in the trail, ended."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.clock import today
from app.core.crypto import key_ring
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.photos.jpeg import NotAJpegError, read_picture
from app.privacy import retention
from tests.makers import door_visit, jpeg, make_area, make_homes, make_round, push, stair_of, take_photo
from tests.personas import A, Caller

EXIF = (0xE1, b"Exif\x00\x00GPSLatitude 37.38")
XMP = (0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta/>")
COMMENT = (0xFE, b"made by a phone")
JFIF = (0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00thumbnail")
ADOBE = (0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x01 and more")


class TestPicture:
    def test_keeps_the_picture_and_nothing_beside_or_behind_it(self) -> None:
        found = read_picture(jpeg(800, 600, EXIF, XMP, COMMENT, JFIF, ADOBE, behind=b"a second picture"))
        assert (found.width, found.height) == (800, 600)
        for word in (b"Exif", b"GPS", b"xmp", b"phone", b"JFIF", b"thumbnail", b"and more", b"second"):
            assert word not in found.content
        assert b"Adobe\x00\x64\x00\x00\x00\x00\x01" in found.content
        assert read_picture(found.content).content == found.content
        assert read_picture(jpeg(800, 600)).content == jpeg(800, 600)

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"<svg/>", jpeg()[:-2], jpeg()[:40], jpeg(0, 0),
            b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe1\x00\x01" + jpeg()[2:], b"\xff\xd8" + b"\xff" * 100,
            jpeg()[:2] + b"\xff\xc3" + jpeg()[2:], jpeg() [:2] + b"\x00" + jpeg()[2:],
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_whole_jpeg(self, data: bytes) -> None:
        with pytest.raises(NotAJpegError):
            read_picture(data)


class TestTakePhoto:
    async def test_once_however_often_it_is_sent_and_sealed(self, call: Caller, database: Database) -> None:
        home, *_ = await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_area(call, [home], "worker")
        visit = door_visit(home, await make_round(call))
        await push(call, "worker", visit)
        photo_id = new_id()
        for _ in range(2):
            answer = await take_photo(call, "worker", home, jpeg(800, 600, EXIF), id=photo_id, visit_id=visit["id"])
            assert answer.status_code == 200, answer.text
        (one,) = (await call("committee", "GET", "/photos", params={"community_code": A})).json()["items"]
        assert (one["id"], one["visit_id"], one["width"], one["height"]) == (str(photo_id), visit["id"], 800, 600)
        assert one["actor_name"] == "worker 某"
        async with database.session(EVERYWHERE) as session:
            stored = bytes((await session.execute(text("SELECT content_sealed FROM visit_photo"))).scalar_one())
        assert jpeg(800, 600) not in stored
        assert key_ring().open(stored, "visit_photo.content") == jpeg(800, 600)
        other = await take_photo(call, "worker2", home, jpeg(), id=photo_id)
        assert (other.status_code, other.json()["code"]) == (409, "id_taken")

    async def test_what_is_no_photo_or_too_large_is_refused(self, call: Caller, database: Database) -> None:
        home, *_ = await make_homes(database, A, stair_of("3", "2", ["101"]))
        for content, status, code in (
            (b"GIF89a", 422, "photo_unreadable"),
            (jpeg() + bytes(1_000_000), 413, "photo_too_large"),
            (jpeg(5000, 10), 413, "photo_too_large"),
        ):
            answer = await take_photo(call, "worker", home, content)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        for who, status in ((None, 401), ("viewer", 403), ("client", 403), ("far_worker", 404)):
            assert (await take_photo(call, who, home, jpeg())).status_code == status, who  # type: ignore[arg-type]


class TestShowPhoto:
    async def test_to_the_desk_with_a_line_in_the_trail(self, call: Caller, database: Database) -> None:
        home, *_ = await make_homes(database, A, stair_of("3", "2", ["101"]))
        photo = (await take_photo(call, "worker", home, jpeg())).json()
        shown = await call("committee", "GET", f"/photos/{photo['id']}")
        assert (shown.content, shown.headers["content-type"]) == (jpeg(), "image/jpeg")
        assert shown.headers["cache-control"] == "no-store"
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [(one["action"], one["actor_name"]) for one in trail[:2]] == [
            ("show_photo", "committee 某"), ("take_photo", "worker 某"),
        ]  # fmt: skip
        for who, status in ((None, 401), ("worker", 403), ("viewer", 403), ("far_committee", 404)):
            assert (await call(who, "GET", f"/photos/{photo['id']}")).status_code == status, who

    async def test_it_ends_on_its_day_with_a_record_and_does_not_come_back(
        self, call: Caller, database: Database
    ) -> None:
        home, *_ = await make_homes(database, A, stair_of("3", "2", ["101"]))
        photo = (await take_photo(call, "worker", home, jpeg())).json()
        await retention.run_retention(database, today() + timedelta(days=31))
        assert (await call("committee", "GET", f"/photos/{photo['id']}")).status_code == 404
        assert (await take_photo(call, "worker", home, jpeg(), id=photo["id"])).json()["is_deleted"] is True
        records = (await call("committee", "GET", "/deletions", params={"community_code": A})).json()["items"]
        assert [(one["kind"], one["deleted_count"], one["days"]) for one in records] == [("photos", 1, 30)]
