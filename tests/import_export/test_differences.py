"""Known people are brought up to date field by field: what somebody entered after the file was made stands."""

import io
from datetime import datetime, timedelta
from typing import Any

from openpyxl import load_workbook

from app.core.clock import SHANGHAI, today
from app.core.ids import new_id
from app.import_export.difference_workbook import write_difference_workbook
from app.import_export.schemas import ImportDifferenceRead
from tests.import_export.sheets import xlsx
from tests.import_export.test_routes import HEAD, WANG, brought, households, settled
from tests.personas import Caller

LAST_WEEK, YESTERDAY, TOMORROW = (str(today() + timedelta(days=days)) for days in (-7, -1, 1))


def roster(phone: str, work: str = "", note: str = "") -> bytes:
    return xlsx(
        [
            [*HEAD, "工作单位"],
            ["1", "1", "101", "王建国", "王建国", "户主", "男", WANG, phone, note, work],
            ["1", "1", "101", "王建国", "李桂英", "配偶", "女", "", "", "", ""],
        ]
    )


async def persons(call: Caller) -> dict[str, dict[str, Any]]:
    (home,) = await households(call)
    items = (await call("committee", "GET", f"/households/{home['id']}/residents")).json()["items"]
    return {person["name"]: person for person in items}


async def differences(call: Caller, import_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = await call("committee", "GET", f"/imports/{import_id}/differences", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def correct(call: Caller, name: str, **changes: Any) -> None:
    person = (await persons(call))[name]
    assert (await call("committee", "PATCH", f"/residents/{person['id']}", json=changes)).status_code == 200


class TestWhatWasEnteredAfterTheFilesDay:
    async def test_stands_and_the_rest_is_taken(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False, as_of=LAST_WEEK)
        await correct(call, "王建国", phone="13900000009")
        job = await brought(call, roster("13800000002", "纺织厂"), dry_run=False, as_of=YESTERDAY)
        assert (job["counts"]["updated"], job["counts"]["kept"]) == (1, 1)
        assert job["differences"] == {"kept": 1, "taken": 2, "asked": 0}
        assert (await persons(call))["王建国"]["phone_masked"] == "139****0009"
        (kept,) = await differences(call, job["id"], outcome="kept")
        assert (kept["field"], kept["listed"], kept["registered"]) == ("phone", "138****0002", "139****0009")
        assert (kept["name"], kept["row"], kept["actor_name"]) == ("王建国", 2, "committee 某")
        assert kept["changed_at"] is not None
        taken = await differences(call, job["id"], outcome="taken")
        assert {(d["subject"], d["field"], d["listed"]) for d in taken} == {
            ("household", "phone", "138****0002"), ("resident", "workplace", "纺织厂"),
        }  # fmt: skip

    async def test_gives_way_to_a_file_that_is_newer(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False)
        await correct(call, "王建国", phone="13900000009")
        job = await brought(call, roster("13800000002"), dry_run=False)
        assert job["counts"]["kept"] == 0
        assert (await persons(call))["王建国"]["phone_masked"] == "138****0002"

    async def test_of_a_file_from_the_future_is_as_of_now(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False, as_of=TOMORROW)
        await correct(call, "王建国", phone="13900000009")
        preview = await brought(call, roster("13800000002"), as_of=YESTERDAY)
        assert preview["differences"]["kept"] == 2  # the household's came with the file, which is as of now
        assert (await persons(call))["王建国"]["phone_masked"] == "139****0009"

    async def test_a_person_written_down_since_keeps_what_was_said_of_them(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False)
        (home,) = await households(call)
        new = {"name": "王小明", "relation": "子", "sex": 1, "phone": "13700000007"}
        assert (await call("committee", "POST", f"/households/{home['id']}/residents", json=new)).is_success
        content = xlsx([HEAD, ["1", "1", "101", "王建国", "王小明", "孙", "男", "", "13600000006", ""]])
        job = await brought(call, content, dry_run=False, as_of=YESTERDAY)
        assert {d["field"] for d in await differences(call, job["id"], outcome="kept")} == {"phone", "relation"}
        person = (await persons(call))["王小明"]
        assert (person["relation"], person["phone_masked"]) == ("子", "137****0007")

    async def test_an_older_file_after_a_newer_one_takes_nothing_back(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False)
        await brought(call, roster("13800000002"), dry_run=False)
        job = await brought(call, roster("13800000003"), dry_run=False, as_of=YESTERDAY)
        assert job["counts"]["kept"] == 2
        assert (await persons(call))["王建国"]["phone_masked"] == "138****0002"

    async def test_is_asked_again_when_a_preview_is_applied_with_another_day(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False, as_of=LAST_WEEK)
        await correct(call, "王建国", phone="13900000009")
        preview = await brought(call, roster("13800000002"))
        assert preview["differences"] == {"kept": 0, "taken": 2, "asked": 0}
        path = f"/imports/{preview['id']}/preview"
        assert (await call("committee", "POST", path, json={"as_of": YESTERDAY})).status_code == 202
        again = await settled(call, preview["id"])
        assert (again["status"], again["differences"]) == ("previewed", {"kept": 1, "taken": 1, "asked": 0})
        path = f"/imports/{preview['id']}/apply"
        assert (await call("committee", "POST", path, json={"as_of": YESTERDAY})).status_code == 202
        done = await settled(call, preview["id"])
        assert done["differences"] == {"kept": 1, "taken": 1, "asked": 0}
        assert done["as_of"].startswith(str(today() - timedelta(days=2)))  # midnight in Shanghai, in UTC

    async def test_refuses_what_is_no_day(self, call: Caller) -> None:
        data = {"kind": "roster", "community_code": "990101001001", "as_of": "去年"}
        answer = await call("committee", "POST", "/imports", data=data, files={"file": ("a.csv", b"x")})
        assert (answer.status_code, answer.json()["code"]) == (422, "as_of_invalid")


class TestWorkbook:
    async def test_lists_every_difference_masked(self, call: Caller) -> None:
        await brought(call, roster("13800000001"), dry_run=False)
        await correct(call, "王建国", phone="13900000009")
        job = await brought(call, roster("13800000002"), dry_run=False, as_of=YESTERDAY)
        answer = await call("committee", "GET", f"/imports/{job['id']}/differences.xlsx")
        assert answer.status_code == 200
        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert rows[0][5:9] == ("项目", "表中", "登记", "结果")
        assert ("电话", "138****0002", "139****0009", "保留登记") in {row[5:9] for row in rows}
        english = await call(
            "committee", "GET", f"/imports/{job['id']}/differences.xlsx", headers={"Accept-Language": "en"}
        )
        rows = list(load_workbook(io.BytesIO(english.content)).worksheets[0].iter_rows(values_only=True))
        assert ("Phone", "138****0002", "139****0009", "The registry's stands") in {row[5:9] for row in rows}

    def test_what_is_known_by_its_day_has_no_hour(self) -> None:
        facts = {
            "community_code": "990101001001", "sheet": "名册", "row": 2, "subject": "resident",
            "household_id": new_id(), "address": "3号楼 2单元 101", "name": "王*", "field": "is_gone",
            "listed": "False", "registered": "died", "outcome": "kept", "actor_name": "某",
        }  # fmt: skip
        times = [datetime(2026, 2, 1, hour, 0, tzinfo=SHANGHAI) for hour in (0, 9)]
        found = [ImportDifferenceRead(**facts, subject_id=new_id(), changed_at=at) for at in times]
        book = load_workbook(io.BytesIO(write_difference_workbook(found, english=False)))
        rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
        assert [row[10] for row in rows] == ["2026-02-01", "2026-02-01 09:00"]
