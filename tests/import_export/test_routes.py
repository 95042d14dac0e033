"""Imports through HTTP: a committee's file from upload to registry, and everything that may be wrong with it."""

import asyncio
import io
import json
import os
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from app.core import clock
from app.core.db import EVERYWHERE, Database
from app.import_export import routes, running, service
from tests.import_export.sheets import SAMPLES, csv_text, number, xlsx
from tests.personas import CITY, A, B, Caller

HEAD = ["楼号", "单元", "门牌号", "户主", "姓名", "与户主关系", "性别", "身份证号", "联系电话", "备注"]
WANG = number(clock.today().replace(year=1960, month=5, day=1))
LI = number(clock.today().replace(year=1988, month=3, day=2), 2)
ROWS: list[list[object]] = [
    HEAD,
    ["1", "1", "101", "王建国", "王建国", "户主", "男", WANG, "13800000001", ""],
    ["1", "1", "101", "王建国", "李桂英", "配偶", "女", "", "", ""],
    ["1", "1", "102", "", "", "", "", "", "", "无人居住"],
]


def roster(*rows: list[object]) -> bytes:
    """A small roster: two people behind one door, one door vacant, and what else is given."""
    return xlsx([*ROWS, *rows])


async def upload(call: Caller, content: bytes, who: str | None = "committee", **fields: Any) -> Any:
    """POST a file; answers the response."""
    name = fields.pop("file_name", "名册.xlsx")
    form = {"kind": "roster", "community_code": A} | fields
    data = {key: str(value) for key, value in form.items() if value is not None}
    return await call(who, "POST", "/imports", data=data, files={"file": (name, content)})


async def settled(call: Caller, import_id: str, who: str = "committee", **headers: str) -> dict[str, Any]:
    """The import once it is neither queued nor running."""
    for _ in range(1_200):
        answer = await call(who, "GET", f"/imports/{import_id}", headers=headers)
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        if job["status"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.05)
    raise AssertionError("the import never ended")


async def brought(call: Caller, content: bytes, **fields: Any) -> dict[str, Any]:
    """An import once it has ended."""
    answer = await upload(call, content, **fields)
    assert answer.status_code == 202, answer.text
    return await settled(call, answer.json()["id"], fields.get("who", "committee"))


async def households(call: Caller, **params: Any) -> list[dict[str, Any]]:
    answer = await call("committee", "GET", "/households", params={"community_code": A, "limit": 500} | params)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


samples = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="the sample rosters are not beside this checkout"
)


class TestCreateImport:
    @samples
    async def test_previews_a_real_roster_and_then_applies_it_without_another_upload(self, call: Caller) -> None:
        content = (SAMPLES / "rosters" / "huayuanlu.xlsx").read_bytes()
        preview = await brought(call, content, file_name="huayuanlu.xlsx")
        expected = {
            "rows": 1325, "dwellings": 480, "vacant": 30, "households": 450, "persons": 1295,
            "created": 1325, "updated": 0, "unchanged": 0, "kept": 0, "asked": 0, "rejected": 0,
        }  # fmt: skip
        assert (preview["status"], preview["dry_run"], preview["counts"]) == ("previewed", True, expected)
        assert preview["progress"]["done"] == preview["progress"]["total"] > 1325
        assert preview["sheets"][0]["header_row"] == 3
        assert len(preview["preview"]) == 20
        assert await households(call) == []

        assert (await call("committee", "POST", f"/imports/{preview['id']}/apply")).status_code == 202
        done = await settled(call, preview["id"])
        assert (done["status"], done["dry_run"], done["counts"]) == ("done", False, expected)
        assert len(await households(call)) == 450
        buildings = (await call("committee", "GET", "/buildings", params={"community_code": A})).json()["items"]
        assert sum(b["dwelling_count"] for b in buildings) == 480
        assert sum(b["vacant_count"] for b in buildings) == 30
        assert sum(b["resident_count"] for b in buildings) == 1295

        again = await brought(call, content, file_name="huayuanlu.xlsx", dry_run=False)
        assert again["counts"] == expected | {"created": 0, "unchanged": 1325}

    @samples
    async def test_finds_the_traps_of_the_street_form_by_code_and_row(self, call: Caller) -> None:
        traps = json.loads((SAMPLES / "rosters" / "street-form.json").read_text())
        content = (SAMPLES / "rosters" / "street-form.xlsx").read_bytes()
        job = await brought(call, content, file_name="street-form.xlsx", dry_run=False)
        assert job["counts"] == {
            "rows": 332, "dwellings": 120, "vacant": 6, "households": 114, "persons": 326,
            "created": 332, "updated": 0, "unchanged": 0, "kept": 0, "asked": 0, "rejected": 0,
        }  # fmt: skip
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
        names = {row: str(sheet.cell(row, 6).value) for row in range(4, sheet.max_row + 1)}
        found = {(p["code"], names[p["row"]]) for p in job["problems"] if p["row"]}
        codes = {
            "numeric_id": "id_from_number", "bad_checksum": "id_checksum", "short_phone": "phone_invalid",
            "sex_mismatch": "sex_mismatch", "15_digit": "id_15_digits", "future_birth": "id_birth_date",
            "dup_id": "id_duplicate",
        }  # fmt: skip
        for trap in traps["errors"]:
            if trap["kind"] in codes:
                assert (codes[trap["kind"]], trap["name"]) in found, trap
        numeric = next(p for p in job["problems"] if p["code"] == "id_from_number")
        assert (numeric["sheet"], numeric["column"], numeric["severity"]) == ("住户信息", "J", "error")
        assert all(p["message"] for p in job["problems"])

    async def test_refuses_an_id_from_a_number_cell_and_marks_the_person(self, call: Caller) -> None:
        row: list[object] = ["1", "1", "103", "赵强", "赵强", "户主", "男", int(WANG[:17] + "0"), "", ""]
        job = await brought(call, roster(row), dry_run=False)
        assert [(p["row"], p["column"], p["code"]) for p in job["problems"]] == [(5, "H", "id_from_number")]
        home = next(h for h in await households(call) if h["room"] == "103")
        residents = (await call("committee", "GET", f"/households/{home['id']}/residents")).json()["items"]
        assert [(r["name"], r["id_masked"], r["needs_id_check"]) for r in residents] == [("赵强", None, True)]

    async def test_answers_previews_masked_and_problems_without_numbers(self, call: Caller) -> None:
        job = await brought(call, roster(["1", "1", "104", "", "钱多", "户主", "男", LI[:17] + "Z", "1380000", ""]))
        body = json.dumps(job, ensure_ascii=False)
        assert WANG not in body
        assert LI[:17] not in body
        assert "13800000001" not in body
        first = job["preview"][0]
        assert (first["row"], first["address"], first["head_name"]) == (2, "1号楼 1单元 101", "王建国")
        assert first["persons"][0]["id_masked"] == f"{WANG[:6]}********{WANG[-4:]}"
        assert first["persons"][0]["phone_masked"] == "138****0001"
        assert job["preview"][1]["is_vacant"]

    async def test_a_corrected_file_updates(self, call: Caller) -> None:
        await brought(call, roster(), dry_run=False)
        rows = [list(row) for row in ROWS]
        rows[2][7], rows[2][8] = LI, "13900000002"
        rows[3] = ["1", "1", "102", "孙丽", "孙丽", "户主", "女", "", "", ""]
        preview = await brought(call, xlsx(rows))
        job = await brought(call, xlsx(rows), dry_run=False)
        assert job["counts"] == preview["counts"]
        counted = {key: job["counts"][key] for key in ("persons", "vacant", "created", "updated", "unchanged")}
        assert counted == {"persons": 3, "vacant": 0, "created": 1, "updated": 1, "unchanged": 1}
        assert {(h["room"], h["resident_count"]) for h in await households(call)} == {("101", 2), ("102", 1)}

    async def test_says_where_the_list_and_the_registry_disagree(self, call: Caller) -> None:
        await brought(call, roster(), dry_run=False)
        rows = [
            HEAD,
            ["1", "1", "101", "", "", "", "", "", "", "无人居住"],
            ["2", "1", "201", "", "周八", "户主", "男", WANG, "", ""],
        ]
        for dry_run in (True, False):
            job = await brought(call, xlsx(rows), dry_run=dry_run)
            assert [(p["row"], p["column"], p["code"], p["severity"]) for p in job["problems"]] == [
                (2, "", "vacant_but_lived_in", "warning"),
                (3, "H", "id_duplicate", "error"),
            ]

    async def test_leaves_rows_of_another_community_out(self, call: Caller) -> None:
        rows: list[list[object]] = [
            ["社区", "楼号", "单元", "门牌号", "姓名", "性别"],
            ["甲社区", "1", "1", "101", "王建国", "男"],
            ["乙社区", "1", "1", "102", "赵强", "男"],
            ["甲社区居委会", "1", "1", "103", "孙丽", "女"],
            ["东苑", "1", "1", "104", "周敏", "女"],
        ]
        job = await brought(call, xlsx(rows), dry_run=False)
        assert [(p["row"], p["column"], p["code"]) for p in job["problems"]] == [
            (3, "A", "community_other"),
            (5, "A", "community_name_differs"),
        ]
        assert (job["counts"]["rows"], job["counts"]["rejected"], job["counts"]["created"]) == (4, 1, 3)
        assert sorted(h["room"] for h in await households(call)) == ["101", "103", "104"]

    async def test_reads_a_csv(self, call: Caller) -> None:
        job = await brought(call, csv_text(ROWS).encode("gb18030"), file_name="名册.CSV")
        assert (job["status"], job["counts"]["persons"], job["counts"]["vacant"]) == ("previewed", 2, 1)

    async def test_two_uploads_at_once_make_each_person_once(self, call: Caller) -> None:
        answers = await asyncio.gather(*(upload(call, roster(), dry_run=False) for _ in range(4)))
        jobs = [await settled(call, answer.json()["id"]) for answer in answers]
        assert sorted(job["counts"]["created"] for job in jobs) == [0, 0, 0, 3]
        assert sum(h["resident_count"] for h in await households(call)) == 2

    async def test_is_in_the_trail_under_the_name_of_who_applied_it(self, call: Caller, database: Database) -> None:
        preview = await brought(call, roster())
        await call("street", "POST", f"/imports/{preview['id']}/apply")
        await settled(call, preview["id"])
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [(e["action"], e["actor_name"]) for e in entries] == [
            ("import_roster", "street 某"),
            ("apply_import", "street 某"),
            ("create_import", "committee 某"),
        ]

    @pytest.mark.parametrize(
        ("fields", "status", "code"),
        [
            ({"community_code": None}, 422, "community_needed"),
            ({"community_code": "990101001999"}, 422, "community_unknown"),
            ({"community_code": "12"}, 422, "shape_invalid"),
            ({"community_code": B}, 404, "not_found"),
            ({"kind": "photos"}, 422, "shape_invalid"),
            ({"kind": "divisions", "community_code": None}, 403, "not_allowed"),
            ({"file_name": "名册.xls"}, 422, "file_kind"),
            ({"file_name": "名册"}, 422, "file_kind"),
            ({"mapping": "[1]"}, 422, "mapping_invalid"),
            ({"mapping": '{"A": "shoe_size"}'}, 422, "mapping_invalid"),
            ({"mapping": '{"a1": "name"}'}, 422, "mapping_invalid"),
            ({"mapping": "{"}, 422, "mapping_invalid"),
            ({"dry_run": "perhaps"}, 422, "shape_invalid"),
            ({"who": "worker"}, 403, "not_allowed"),
            ({"who": "viewer"}, 403, "not_allowed"),
            ({"who": "client"}, 403, "not_allowed"),
            ({"who": None}, 401, "not_signed_in"),
        ],
    )
    async def test_refuses(self, call: Caller, fields: dict[str, Any], status: int, code: str) -> None:
        if fields.get("community_code") == "990101001999":
            fields = fields | {"who": "street"}
        answer = await upload(call, roster(), **fields)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_refuses_what_is_too_large_with_and_without_a_stated_length(
        self, call: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MAX_BYTES", 8 << 20)
        monkeypatch.setattr(routes, "_MAX_BODY", 9 << 20)
        for size in (service.MAX_BYTES + 1, service.MAX_BYTES + (2 << 20)):
            answer = await upload(call, b"x" * size, file_name="a.csv")
            assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")

        async def endless() -> Any:
            yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(12):
                yield b"x" * (1 << 20)

        answer = await call(
            "committee",
            "POST",
            "/imports",
            content=endless(),
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")

    @pytest.mark.parametrize(
        ("content", "name", "code"),
        [
            (b"", "a.xlsx", "file_empty"),
            (b"PK\x03\x04 and then nothing", "a.xlsx", "file_unreadable"),
            (bytes(range(256)) * 50, "a.csv", "encoding_unknown"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "file_password"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 Workbook", "a.xlsx", "file_legacy"),
        ],
    )
    async def test_says_why_a_file_cannot_be_read(self, call: Caller, content: bytes, name: str, code: str) -> None:
        job = await brought(call, content, file_name=name)
        assert (job["status"], job["error"]["code"]) == ("failed", code)
        english = await settled(call, job["id"], **{"Accept-Language": "en"})
        assert job["error"]["message"] != english["error"]["message"]
        assert english["error"]["message"].isascii()
        answer = await call("committee", "GET", f"/imports/{job['id']}/errors.xlsx")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        answer = await call("committee", "POST", f"/imports/{job['id']}/apply")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_unread")


class TestMapping:
    ROWS: tuple[list[object], ...] = (
        ["甲", "乙", "丙", "丁"],
        ["王建国", "1号楼", "一单元", "101"],
        ["李桂英", "1号楼", "一单元", "101"],
    )

    async def test_of_unknown_headers_is_asked_for_and_taken(self, call: Caller) -> None:
        job = await brought(call, xlsx(self.ROWS))
        assert (job["status"], job["counts"]["persons"]) == ("previewed", 0)
        assert [p["code"] for p in job["problems"]] == ["header_not_found"]
        assert [c["letter"] for c in job["sheets"][0]["columns"]] == ["A", "B", "C", "D"]
        assert [row["cells"][1] for row in job["sheets"][0]["rows"]] == ["乙", "1号楼", "1号楼"]
        assert job["mapping"] is None
        mapping = {"A": "name", "B": "building", "C": "stair", "D": "room"}
        answer = await call("committee", "POST", f"/imports/{job['id']}/preview", json={"mapping": mapping})
        assert answer.status_code == 202
        job = await settled(call, job["id"])
        assert (job["counts"]["persons"], job["problems"], job["mapping"]) == (2, [], mapping)
        assert [c["field"] for c in job["sheets"][0]["columns"]] == ["name", "building", "stair", "room"]
        await call("committee", "POST", f"/imports/{job['id']}/apply")
        assert (await settled(call, job["id"]))["counts"]["created"] == 2

    async def test_may_come_with_the_file_and_change_when_it_is_applied(self, call: Caller) -> None:
        mapping = {"A": "name", "B": "building", "C": "stair", "D": "room"}
        job = await brought(call, xlsx(self.ROWS), mapping=json.dumps(mapping))
        assert job["counts"]["persons"] == 2
        changed = {"mapping": mapping | {"C": None}}
        await call("committee", "POST", f"/imports/{job['id']}/apply", json=changed)
        assert (await settled(call, job["id"]))["status"] == "done"
        assert next((h["building"], h["stair"]) for h in await households(call)) == ("1", "")

    async def test_of_an_unknown_field_is_refused(self, call: Caller) -> None:
        job = await brought(call, roster())
        for path in ("preview", "apply"):
            body = {"mapping": {"A": "shoe_size"}}
            answer = await call("committee", "POST", f"/imports/{job['id']}/{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "mapping_invalid")


class TestApplyImport:
    async def test_happens_once(self, call: Caller) -> None:
        job = await brought(call, roster())
        answers = await asyncio.gather(*(call("committee", "POST", f"/imports/{job['id']}/apply") for _ in range(3)))
        assert sorted(a.status_code for a in answers) == [202, 409, 409]
        await settled(call, job["id"])
        for path, body in (("apply", {}), ("preview", {"mapping": {}})):
            answer = await call("committee", "POST", f"/imports/{job['id']}/{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "import_done")


class TestSeeing:
    async def test_is_for_desks_over_the_community(self, call: Caller) -> None:
        job = await brought(call, roster())
        paths = [("GET", ""), ("GET", "/errors.xlsx"), ("POST", "/apply")]
        for method, path in paths:
            for who, status in (("other_committee", 404), ("far_street", 404), ("worker", 403), ("viewer", 403)):
                answer = await call(who, method, f"/imports/{job['id']}{path}")
                assert answer.status_code == status, (who, path)
        for who in ("street", "district", "city"):
            assert (await call(who, "GET", f"/imports/{job['id']}")).status_code == 200

    async def test_lists_newest_first_by_division_and_page(self, call: Caller) -> None:
        ids = [(await brought(call, roster()))["id"] for _ in range(3)]
        other = (await brought(call, roster(), who="other_committee", community_code=B))["id"]
        page = (await call("committee", "GET", "/imports", params={"limit": 2})).json()
        assert [item["id"] for item in page["items"]] == [ids[2], ids[1]]
        rest = (await call("committee", "GET", "/imports", params={"cursor": page["next_cursor"]})).json()
        assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([ids[0]], None)
        street = (await call("street", "GET", "/imports", params={"community_code": B})).json()
        assert [item["id"] for item in street["items"]] == [other]
        assert len((await call("city", "GET", "/imports", params={"community_code": CITY})).json()["items"]) == 4
        assert (await call("committee", "GET", "/imports", params={"community_code": B})).status_code == 404

    async def test_counts_problems_by_kind_and_shows_those_of_one(self, call: Caller) -> None:
        wrong = LI[:17] + ("0" if LI[17] != "0" else "1")
        rows: list[list[object]] = [
            ["1", "1", "105", "", "钱多", "户主", "男", "", "138", ""],
            ["1", "1", "106", "", "钱少", "户主", "女", wrong, "139", ""],
            ["1", "1", "107", "", "钱中", "户主", "女", LI[:6] + LI[8:17], "", ""],
        ]
        job = await brought(call, roster(*rows))
        kinds = [(k["code"], k["severity"], k["count"]) for k in job["problem_counts"]]
        assert kinds == [("phone_invalid", "error", 2), ("id_checksum", "error", 1), ("id_15_digits", "warning", 1)]
        assert all(kind["message"] for kind in job["problem_counts"])
        answer = await call("committee", "GET", f"/imports/{job['id']}", params={"code": "phone_invalid"})
        phones = answer.json()
        assert [(p["row"], p["code"]) for p in phones["problems"]] == [(5, "phone_invalid"), (6, "phone_invalid")]
        assert phones["problem_counts"] == job["problem_counts"]

    async def test_shows_the_top_of_the_sheet_as_it_stands_masked(self, call: Caller) -> None:
        title: list[object] = ["甲社区居民花名册", *[""] * 9]
        job = await brought(call, xlsx([title, *ROWS]))
        sheet = job["sheets"][0]
        assert (sheet["header_row"], [row["row"] for row in sheet["rows"]]) == (2, [1, 2, 3, 4, 5])
        assert sheet["rows"][0]["cells"][0] == "甲社区居民花名册"
        assert sheet["rows"][1]["cells"] == [column["header"] for column in sheet["columns"]]
        first = dict(zip([column["header"] for column in sheet["columns"]], sheet["rows"][2]["cells"], strict=True))
        assert (first["姓名"], first["身份证号"][:3], first["门牌号"]) == ("王**", WANG[:3], "101")
        assert WANG not in json.dumps(job)

    async def test_never_takes_a_person_for_a_header(self, call: Caller) -> None:
        """户主 and 独居老人 are header words too; a number in them would be shown and kept."""
        rows: list[list[object]] = [
            ["1", "1", "101", "王建国", "户主", "男", WANG, "13800000001", "独居老人"],
            ["1", "1", "101", "李桂英", "配偶", "女", LI, "13800000002", ""],
        ]
        job = await brought(call, xlsx(rows))
        assert [p["code"] for p in job["problems"]] == ["header_not_found"]
        body = json.dumps(job)
        assert not any(number in body for number in (WANG, LI, "13800000001", "13800000002"))

    async def test_names_what_a_column_may_hold(self, call: Caller) -> None:
        items = (await call("committee", "GET", "/imports/fields")).json()["items"]
        english = (await call("committee", "GET", "/imports/fields", headers={"Accept-Language": "en"})).json()["items"]
        labels = {item["field"]: (item["label"], item["is_person"]) for item in items}
        assert labels["room"] == ("门牌号", False)
        assert labels["id_number"] == ("证件号码", True)
        assert {item["field"]: item["label"] for item in english}["room"] == "Room"

    async def test_pages_problems_past_a_thousand(self, call: Caller) -> None:
        rows: list[list[object]] = [
            ["1", "1", str(1000 + n), "", f"甲{n}", "户主", "男", "", "138", ""] for n in range(1100)
        ]
        job = await brought(call, xlsx([HEAD, *rows]))
        assert len(job["problems"]) == 1000
        answer = await call("committee", "GET", f"/imports/{job['id']}", params={"cursor": job["next_cursor"]})
        rest = answer.json()
        assert (len(rest["problems"]), rest["next_cursor"]) == (100, None)
        assert [p["row"] for p in job["problems"] + rest["problems"]] == list(range(2, 1102))

    async def test_gives_their_file_back_with_reasons_beside_the_rows(self, call: Caller) -> None:
        job = await brought(call, roster(["1", "1", "105", "", "钱多", "户主", "男", "", "138", ""]))
        answer = await call("committee", "GET", f"/imports/{job['id']}/errors.xlsx")
        assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
        assert "%E5%90%8D%E5%86%8C" in answer.headers["content-disposition"]
        sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
        assert [sheet.cell(row, 11).value is not None for row in range(1, 6)] == [True, False, False, False, True]
        assert "电话号码无效" in str(sheet.cell(5, 11).value)


class TestDivisions:
    LIST = (
        "code,name,level\n990100000000,示例市,city\n990101000000,东城区,district\n990101001000,花园街道,town\n"
        "990101001001,甲社区,community\n990101001009,新社区,community\n990101001009,重复,community\n"
        "990201000000,别处,district\n"
    ).encode()

    async def test_are_a_citys_to_load(self, call: Caller) -> None:
        fields = {"kind": "divisions", "community_code": None, "file_name": "区划.csv", "who": "city"}
        preview = await brought(call, self.LIST, **fields)
        counts = {key: preview["counts"][key] for key in ("rows", "created", "updated", "unchanged", "rejected")}
        assert counts == {"rows": 6, "created": 1, "updated": 1, "unchanged": 3, "rejected": 1}
        assert [(p["row"], p["code"]) for p in preview["problems"]] == [(0, "codes_outside"), (7, "code_duplicate")]
        assert (await call("city", "GET", "/areas/990101001009")).status_code == 404
        assert (await call("city", "POST", f"/imports/{preview['id']}/apply")).status_code == 202
        done = await settled(call, preview["id"], "city")
        assert (done["status"], done["counts"]) == ("done", preview["counts"])
        assert (await call("city", "GET", "/areas/990101001009")).json()["name"] == "新社区"
        assert (await call("city", "GET", "/areas/990101000000")).json()["name"] == "东城区"
        assert (await call("district", "GET", f"/imports/{preview['id']}")).status_code == 404

    async def test_are_nobody_elses(self, call: Caller) -> None:
        for who in ("district", "street", "committee", "worker"):
            answer = await upload(call, self.LIST, who, kind="divisions", community_code=None, file_name="a.csv")
            assert answer.status_code == 403

    async def test_a_roster_is_no_list_of_them(self, call: Caller) -> None:
        job = await brought(call, roster(), kind="divisions", community_code=None, who="city")
        assert (job["status"], job["error"]["code"]) == ("failed", "divisions_header_missing")


class TestFiles:
    async def test_are_kept_sealed_and_forgotten_after_their_days(self, call: Caller, database: Database) -> None:
        job = await brought(call, roster())
        content = roster()
        async with database.session(EVERYWHERE) as session:
            sealed = (await session.execute(text("SELECT content_sealed FROM import_file"))).scalar_one()
            assert content[:40] not in bytes(sealed)
            assert await running.forget_files(session) == 0
            old = clock.now() - running.KEPT_FOR - timedelta(minutes=1)
            await session.execute(text("UPDATE import_job SET created_at = :old"), {"old": old})
        async with database.session(EVERYWHERE) as session:
            assert await running.forget_files(session) == 1
            assert await running.forget_files(session) == 0
        seen = await settled(call, job["id"])
        assert (seen["status"], seen["preview"], seen["counts"]) == ("previewed", [], job["counts"])
        for method, path in (("POST", "apply"), ("GET", "errors.xlsx")):
            answer = await call("committee", method, f"/imports/{job['id']}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "import_file_gone")
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert entries[0]["action"] == "expire_files"
