"""Lists as workbooks: what stands in them, how they look in a spreadsheet, who gets one, and that it is known."""

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from app.audit.service import SYSTEM
from app.core.db import EVERYWHERE, Database
from app.exports import workbook
from app.people import registry
from app.people.naming import RELATIONS
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.makers import care_visit, door_visit, invented_id, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, STREET, A, B, Caller

ROOT = Path(__file__).resolve().parents[2]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def take(call: Caller, who: str, path: str, **params: Any) -> tuple[list[list[Any]], Any]:
    """A list's workbook as a persona: its rows with the header first, and the openpyxl workbook."""
    english = params.pop("english", False)
    headers = {"Accept-Language": "en"} if english else {}
    answer = await call(who, "GET", f"{path}.xlsx", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == XLSX
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()], book


async def put_family(database: Database) -> None:
    """A couple with ID numbers; one of them has a name that a spreadsheet would calculate."""
    persons = [
        PersonInput("甲一", "户主", 1, None, "resident_id", invented_id(1), "13800001111"),
        PersonInput("=1+1", "配偶", 2, None, "resident_id", invented_id(2), None),
    ]
    home = HouseholdInput(head_name="甲一", phone="13800001111", tags=["tenant"], note="-2+3", persons=persons)
    door = DwellingInput(building="1", stair="1", floor=1, room="101", households=[home])
    await make_homes(database, A, [door, DwellingInput(building="1", stair="1", floor=1, room="102", is_vacant=True)])


class TestExportRoster:
    async def test_a_row_a_person_masked_and_ids_as_text(self, call: Caller, database: Database) -> None:
        await put_family(database)
        rows, book = await take(call, "committee", "/roster", area=A)
        head, *people = rows
        assert [p[head.index("室号")] for p in people] == ["101", "101", "102"]
        assert [p[head.index("姓名")] for p in people] == ["甲一", "=1+1", None]
        number = invented_id(1)
        assert people[0][head.index("证件号码")] == f"{number[:6]}********{number[-4:]}"
        assert people[0][head.index("电话")] == "138****1111"
        assert people[0][head.index("标签")] == "租户"
        assert people[2][head.index("空房")] == "是"
        assert people[0][head.index("楼层")] == 1
        sheet = book.worksheets[0]
        cell = sheet.cell(2, head.index("证件号码") + 1)
        assert (cell.data_type, cell.number_format) == ("s", "@")

    async def test_what_somebody_typed_is_never_a_formula(self, call: Caller, database: Database) -> None:
        await put_family(database)
        rows, book = await take(call, "committee", "/roster", area=A)
        cell = book.worksheets[0].cell(3, rows[0].index("姓名") + 1)
        assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)
        rows, book = await take(call, "committee", "/households", community_code=A)
        assert book.worksheets[0].cell(2, rows[0].index("备注") + 1).data_type == "s"

    async def test_it_looks_as_an_office_expects(self, call: Caller, database: Database) -> None:
        await put_family(database)
        rows, book = await take(call, "committee", "/roster", area=A)
        sheet = book.worksheets[0]
        assert (sheet.title, sheet.freeze_panes) == ("登记花名册", "A2")
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(4, len(rows[0])).coordinate}"
        assert sheet.print_title_rows == "$1:$1"
        about = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows()}
        assert (about["区划"], about["行数"], about["导出人"]) == (f"甲社区 {A}", "3", "committee 某")

    async def test_another_reader_and_another_language(self, call: Caller, database: Database) -> None:
        await put_family(database)
        answer = await call("street", "GET", "/roster.xlsx", params={"area": STREET}, headers={"Accept-Language": "en"})
        assert "filename*=UTF-8''Registry%20roster-" in answer.headers["content-disposition"]
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        assert sheet[0][:2] == ["Community code", "Compound"]
        assert sheet[1][0] == A

    async def test_relations_are_english_for_an_english_reader_and_come_back_as_they_were_written(
        self, call: Caller, database: Database
    ) -> None:
        def door(*relations: str) -> DwellingInput:
            persons = [PersonInput(f"甲{n}", one) for n, one in enumerate(relations)]
            home = HouseholdInput(head_name="甲0", persons=persons)
            return DwellingInput(building="1", stair="1", floor=1, room="101", households=[home])

        written = ["户主", "妻", "儿子", "表舅"]
        await make_homes(database, A, [door(*written)])
        rows, _ = await take(call, "committee", "/roster", area=A, english=True)
        at = rows[0].index("Relation")
        assert [row[at] for row in rows[1:]] == ["head", "wife", "son", "表舅"]
        # such a file brought back changes nothing; who is new in it is written as everybody else
        async with database.session(EVERYWHERE) as session:
            brought = [row[at] for row in rows[1:]]
            done = await registry.put_dwellings(session, SYSTEM, A, [door(*brought, "Daughter")])
        assert (done.created, done.updated, done.unchanged) == (1, 0, 4)
        rows, _ = await take(call, "committee", "/roster", area=A)
        assert [row[rows[0].index("与户主关系")] for row in rows[1:]] == [*written, "女"]

    def test_screens_and_workbooks_say_relations_alike(self) -> None:
        texts = (ROOT / "frontend" / "src" / "app" / "texts" / "en" / "doors.ts").read_text(encoding="utf-8")
        said = re.findall(r"'relations': '([^']*)'", texts)[0]
        assert dict(one.split(" ", 1) for one in said.split(",")) == RELATIONS

    async def test_a_city_walks_through_its_communities_and_reads_no_whole_name(
        self, call: Caller, database: Database
    ) -> None:
        await put_family(database)
        await make_homes(database, B, stair_of("3", "2", ["101", "102"]))
        rows, _ = await take(call, "city", "/roster", area=CITY)
        head, *people = rows
        assert [p[0] for p in people] == [A] * 3 + [B] * 4
        assert people[0][head.index("姓名")] == "甲*"
        listed = (await call("city", "GET", "/roster", params={"area": CITY, "limit": 2})).json()
        assert [one["name"] for one in listed["items"]] == ["甲*", "=***"]


class TestEveryOtherList:
    async def test_has_what_its_page_has(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
        await make_area(call, homes[:2], "worker")
        round_id = await make_round(call)
        persons = [{"resident_id": str(homes[0].residents[0]), "status": "symptoms", "temperature_c": 37.6}]
        await push(call, "worker", door_visit(homes[0], round_id, "answered_part", persons=persons, note="发热"))
        await push(call, "worker", care_visit(homes[1], condition="needs_attention", needs=["food", "repair"]))
        rows, _ = await take(call, "committee", "/door-visits", community_code=A)
        visit = dict(zip(rows[0], rows[1], strict=True))
        assert (visit["结果"], visit["备注"]) == ("部分已答复", "发热")
        assert (visit["有症状人数"], visit["最高体温(℃)"]) == (1, 37.6)
        assert visit["登记时间"].isoformat() == "2026-02-01T09:00:00"
        rows, _ = await take(call, "committee", "/care-visits", community_code=A, english=True)
        assert dict(zip(rows[0], rows[1], strict=True))["Needs"] == "food, repair"
        rows, _ = await take(call, "street", "/coverage/gaps", area=STREET, kind="doors")
        assert [row[rows[0].index("原因")] for row in rows[1:]] == ["部分已答复", "未敲门", "未敲门"]
        rows, _ = await take(call, "city", "/coverage", area=CITY)
        figures = {row[1]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
        assert (figures["东区"]["户数"], figures["东区"]["未完成户"], figures["西区"]["户数"]) == (3, 3, None)
        rows, _ = await take(call, "client", "/headcounts")
        assert dict(zip(rows[0], rows[1], strict=True))["人数"] == 6
        rows, _ = await take(call, "committee", "/responsibility-areas", community_code=A)
        assert dict(zip(rows[0], rows[1], strict=True))["责任人"] == "worker 某"
        rows, _ = await take(call, "committee", "/accounts", community_code=A)
        assert "甲社区 居委会" in [dict(zip(rows[0], row, strict=True))["角色"] for row in rows[1:]]

    async def test_follows_the_list_s_own_filter(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        rows, _ = await take(call, "committee", "/households", community_code=A, q="甲32102")
        assert [row[3] for row in rows[1:]] == ["102"]

    async def test_pages_are_put_together(self, call: Caller, database: Database) -> None:
        rooms = [f"{floor}{door:02d}" for floor in range(1, 26) for door in range(1, 25)]
        await make_homes(database, A, stair_of("3", "2", rooms, persons=1))
        rows, _ = await take(call, "committee", "/households", community_code=A)
        assert [row[3] for row in rows[1:]] == rooms


class TestWhoMay:
    @pytest.mark.parametrize(
        ("who", "path", "params", "status"),
        [
            ("other_committee", "/households", {"community_code": A}, 404),
            ("far_street", "/roster", {"area": CITY}, 404),
            ("worker", "/roster", {"area": A}, 403),
            ("viewer", "/door-visits", {"community_code": A}, 403),
            ("committee", "/door-visits", {}, 422),
            (None, "/roster", {"area": A}, 401),
        ],
    )
    async def test_the_same_as_the_list(
        self, call: Caller, who: str | None, path: str, params: dict[str, str], status: int
    ) -> None:
        listed = await call(who, "GET", path, params=params)
        taken = await call(who, "GET", f"{path}.xlsx", params=params)
        assert (taken.status_code, taken.json()["code"]) == (listed.status_code, listed.json()["code"])
        assert taken.status_code == status

    async def test_it_is_known_who_took_what(self, call: Caller, database: Database) -> None:
        await put_family(database)
        await take(call, "committee", "/households", community_code=A, q="甲一")
        (record,) = (await call("street", "GET", "/exports", params={"community_code": STREET})).json()["items"]
        assert record["what"] == "list_households"
        assert (record["title"], record["actor_name"], record["row_count"]) == ("住户", "committee 某", 1)
        assert record["filter"] == {"community_code": A, "q": "甲一"}
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert trail[0]["action"] == "export_households"
        assert (await call("other_committee", "GET", "/exports", params={"community_code": A})).status_code == 404
        assert (await call("worker", "GET", "/exports", params={"community_code": A})).status_code == 403

    async def test_more_than_a_sheet_holds_is_said(
        self, call: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await put_family(database)
        monkeypatch.setattr(workbook, "MAX_ROWS", 3)
        answer = await call("committee", "GET", "/roster.xlsx", params={"area": A})
        assert (answer.status_code, answer.json()["code"]) == (422, "export_too_large")
        assert (await call("committee", "GET", "/exports", params={"community_code": A})).json()["items"] == []
        # its header and two rows fit
        assert (await call("committee", "GET", "/households.xlsx", params={"community_code": A})).status_code == 200


def test_any_text_stays_what_it_was(tmp_path: Any) -> None:
    said = ['a & <b> "c"', "两\n行", "_x0041_", "=cmd|' /C calc'!A0", "@x", " 前后 ", "长" * 40_000, "\x07铃", "😀"]
    writer = workbook.BookWriter(tmp_path / "t.xlsx", "名/单:'", [workbook.Heading("话", "text", 20)])
    writer.write([[one] for one in said])
    writer.close([("名单", "x")], "说明")
    sheet = CalamineWorkbook.from_path(tmp_path / "t.xlsx").get_sheet_by_index(0)
    assert [row[0] for row in sheet.to_python()[1:]] == [*said[:6], "长" * 32_767, "\ufffd铃", "😀"]
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0].title == "名 单 '"
    assert [workbook.letters_of(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
