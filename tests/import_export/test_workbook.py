"""Opening files of all kinds, and the workbook that goes back with the reasons in it."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest

from app.import_export import archive, slices
from app.import_export.error_workbook import TITLE, escape, write_error_workbook
from app.import_export.readings import UnreadableFile, problem
from app.import_export.roster import read_roster
from app.import_export.slices import Slicer
from app.import_export.workbook import letter_of, open_workbook
from tests.import_export.sheets import TODAY, csv_text, number, xlsx

GOOD = number(date(1953, 8, 10))
ROWS = [["住址", "姓名", "身份证号", "电话"], ["前街1号", "张三", GOOD, "1380531"], ["前街2号", "李四", GOOD, None]]


def code_of(content: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises(UnreadableFile) as refused:
        read_roster(content, name, today=TODAY)
    assert refused.value.zh
    assert refused.value.en
    return refused.value.code


def rezip(content: bytes, **members: bytes) -> bytes:
    """A workbook with members replaced or added (`__` for `/`)."""
    new = {name.replace("__", "/"): data for name, data in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fresh:
        for item in old.infolist():
            fresh.writestr(item.filename, new.get(item.filename, old.read(item.filename)))
    return out.getvalue()


def sheet_xml(cells: str) -> bytes:
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{cells}</sheetData></worksheet>"
    ).encode()


class TestOpening:
    def test_text_and_numbers_stay_what_they_are(self) -> None:
        book = open_workbook(xlsx([["370102195308104776", 370102195308104776, 3, date(2020, 2, 5), None, True]]), "a")
        assert [type(cell).__name__ for cell in book.sheets[0].rows[0]] == [
            "str",
            "float",
            "float",
            "date",
            "NoneType",
            "bool",
        ]

    def test_row_numbers_are_the_sheets_own(self) -> None:
        book = open_workbook(xlsx([[], [], [None, "x"]]), "a.xlsx")
        assert book.sheets[0].rows == [[None, None], [None, None], [None, "x"]]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    def test_csv_in_its_encodings_and_delimiters(self, encoding: str, delimiter: str) -> None:
        book = open_workbook(csv_text(ROWS, delimiter).encode(encoding), "名册.csv")
        assert book.is_csv
        assert book.sheets[0].name == "名册"
        assert book.sheets[0].rows[1] == ["前街1号", "张三", GOOD, "1380531"]

    def test_guards_around_long_numbers_in_csv(self) -> None:
        book = open_workbook(f'姓名,身份证\n张三,"=""{GOOD}"""\n李四,\'{GOOD}\n王五,{GOOD}\t\n'.encode(), "a.csv")
        assert [row[1] for row in book.sheets[0].rows[1:]] == [GOOD] * 3

    def test_control_characters_never_reach_the_registry(self) -> None:
        book = open_workbook("姓名,住址\n张\x00三\u200b,前街\x071号\n".encode(), "a.csv")
        assert book.sheets[0].rows[1] == ["张三", "前街1号"]

    def test_letters(self) -> None:
        assert [letter_of(n) for n in (0, 25, 26, 51, 701, 702)] == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "file_empty"),
            (b"  \n ", "file_empty"),
            (b"PK\x03\x04 but nothing behind it", "file_unreadable"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file_legacy"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "file_password"),
            (b"<html><table><tr><td>1</td></tr></table></html>", "file_legacy"),
            (b"%PDF-1.7 ...", "file_unreadable"),
            (bytes(range(256)) * 8, "encoding_unknown"),
        ],
    )
    def test_what_is_no_table(self, content: bytes, code: str) -> None:
        assert code_of(content) == code

    def test_a_zip_that_is_no_workbook(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            file.writestr("word/document.xml", "<w/>")
        assert code_of(out.getvalue()) == "file_unreadable"

    @pytest.mark.parametrize("cut", [30, 500, -30])
    def test_a_file_cut_short(self, cut: int) -> None:
        assert code_of(xlsx(ROWS)[:cut]) == "file_unreadable"

    def test_a_sheet_that_is_not_xml(self) -> None:
        assert (
            code_of(rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": b"<worksheet><c r='A1'"})) == "file_unreadable"
        )

    @pytest.mark.parametrize(
        "cells",
        [
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            "<row r='1'><c r='XFD1' t='n' ><v>1</v></c></row>",
            '<row r="1"><c><v>1</v></c></row><row r="1048577"><c><v>1</v></c></row>',
            '<row r="1300000"><c r="A1300000"><v>1</v></c></row>',
        ],
    )
    def test_a_stray_cell_in_the_far_corner(self, cells: str) -> None:
        assert code_of(rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": sheet_xml(cells)})) == "table_too_large"

    def test_colour_down_to_the_last_row_is_no_cell(self) -> None:
        cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576" s="1"/></row>'
        book = open_workbook(rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": sheet_xml(cells)}), "a.xlsx")
        assert len(book.sheets[0].rows) == 1

    def test_cells_that_do_not_say_where_they_are(self) -> None:
        cells = "".join(
            f'<row><c t="inlineStr"><is><t>{a}</t></is></c><c t="inlineStr"><is><t>{b}</t></is></c></row>'
            for a, b in (("住址", "姓名"), ("前街1号", "张三"))
        )
        content = rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": sheet_xml(cells)})
        assert read_roster(content, "a.xlsx", today=TODAY).counts["persons"] == 1

    def test_a_zip_bomb_is_not_inflated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_INFLATED_BYTES", 5_000_000)
        bomb = rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": b"<worksheet>" + b" " * 20_000_000})
        assert len(bomb) < 100_000
        assert code_of(bomb) == "table_too_large"

    def test_a_member_that_lies_about_its_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_INFLATED_BYTES", 5_000_000)
        bomb = rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": b"<worksheet>" + b" " * 20_000_000})
        lying = bomb.replace((20_000_011).to_bytes(4, "little"), (500).to_bytes(4, "little"))
        assert lying != bomb
        assert code_of(lying) == "table_too_large"

    def test_too_many_rows_of_csv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = ("姓名,住址\n" + "张三,前街1号\n" * (archive.MAX_ROWS + 1)).encode()
        assert code_of(content, "a.csv") == "table_too_large"


class TestLargeSheets:
    """A large sheet is read slice by slice, and says the same."""

    def test_slice_by_slice_it_is_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.append([None, "花名册"])
        sheet.merge_cells("B1:F1")
        sheet.append([])
        for at in range(400):
            sheet.append([None, f"王{at % 7}", at, date(1980, 1, 1 + at % 28), None, f"3号楼{at}" if at % 3 else None])
        sheet.cell(600, 3).value = "末行"
        book.create_sheet("小表")["C3"] = "甲"
        out = io.BytesIO()
        book.save(out)
        whole = open_workbook(out.getvalue(), "a.xlsx")
        cut = self._cut(monkeypatch, out.getvalue())
        assert len(cut) > 5
        sliced = open_workbook(out.getvalue(), "a.xlsx")
        assert len(cut) > 10  # it was read so
        assert sliced == whole
        assert sliced.sheets[0].merges == [(0, 1, 0, 5)]
        assert sliced.sheets[0].rows[599][2] == "末行"

    def test_rows_that_do_not_stand_in_their_order_are_read_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cells = "".join(
            f'<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>{word}</t></is></c></row>'
            for at, word in [(1, "姓名"), *((n, f"王{n}") for n in range(200, 1, -1))]
        )
        content = rezip(xlsx(ROWS), **{"xl__worksheets__sheet1.xml": sheet_xml(cells)})
        whole = open_workbook(content, "a.xlsx")
        assert self._cut(monkeypatch, content)
        assert open_workbook(content, "a.xlsx") == whole
        assert [row[0] for row in whole.sheets[0].rows[:3]] == ["姓名", "王2", "王3"]

    @staticmethod
    def _cut(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[bytes]:
        """From here on a sheet of a few kilobytes is a large one; the slices of the first sheet, which grows with each
        that is read."""
        monkeypatch.setattr(archive, "_CHUNK", 777)
        monkeypatch.setattr(slices, "LARGE_SHEET", 2_000)
        monkeypatch.setattr(slices, "SLICE", 4_000)
        read: list[bytes] = []
        rows_of = Slicer.slices

        def watched(slicer: Slicer, place: int) -> Iterator[bytes]:
            for one in rows_of(slicer, place):
                read.append(one)
                yield one

        monkeypatch.setattr(Slicer, "slices", watched)
        slicer = Slicer(content, archive.measure(content))
        assert [*slicer.slices(0)]
        return read


class TestErrorWorkbook:
    def test_the_reason_stands_beside_the_row_and_on_the_cell(self) -> None:
        content = xlsx(ROWS)
        reading = read_roster(content, "a.xlsx", today=TODAY)
        sheet = openpyxl.load_workbook(
            io.BytesIO(write_error_workbook(content, "a.xlsx", reading.problems))
        ).worksheets[0]
        assert sheet["E1"].value == TITLE
        assert "电话号码无效" in sheet["E2"].value
        assert "phone number" in sheet["E2"].value
        assert "第 2 行" in sheet["E3"].value
        assert sheet["D2"].comment.text.startswith("电话号码无效")
        assert sheet["D2"].fill.fgColor.rgb == "00FFC7CE"
        assert sheet["B2"].comment is None
        assert (sheet["C2"].value, sheet["C2"].data_type) == (GOOD, "s")

    def test_widths_merges_and_other_sheets_stay(self) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for row in [["花名册"], *ROWS]:
            sheet.append(row)
        sheet.merge_cells("A1:D1")
        sheet.column_dimensions["C"].width = 33
        book.create_sheet("填表说明")["A1"] = "每户一表"
        out = io.BytesIO()
        book.save(out)
        reading = read_roster(out.getvalue(), "a.xlsx", today=TODAY)
        marked = openpyxl.load_workbook(io.BytesIO(write_error_workbook(out.getvalue(), "a.xlsx", reading.problems)))
        assert marked.sheetnames == ["Sheet", "填表说明"]
        assert marked.worksheets[0].column_dimensions["C"].width == 33
        assert [str(merge) for merge in marked.worksheets[0].merged_cells.ranges] == ["A1:D1"]
        assert marked.worksheets[0]["E2"].value == TITLE

    def test_a_bad_cell_under_a_merge(self) -> None:
        content = xlsx([["室", "姓名"], [101, "张三"], [None, "李四"]], ["A2:A3"])
        problems = [problem("room_missing", "住户信息", 3, "A")]
        sheet = openpyxl.load_workbook(io.BytesIO(write_error_workbook(content, "a.xlsx", problems))).worksheets[0]
        assert sheet["A2"].comment is not None
        assert "A " in sheet["C3"].value

    def test_a_csv_becomes_a_workbook_whose_texts_stay_texts(self) -> None:
        rows = [
            [*ROWS[0], "备注"],
            ["前街1号", "张三", GOOD, "1380531", "=cmd|'/c calc'!A0"],
            ["-1", "@x", "+1", "", ""],
        ]
        content = csv_text(rows).encode("gb18030")
        reading = read_roster(content, "名册.csv", today=TODAY)
        sheet = openpyxl.load_workbook(
            io.BytesIO(write_error_workbook(content, "名册.csv", reading.problems))
        ).worksheets[0]
        assert sheet.title == "名册"
        assert (sheet["C2"].value, sheet["C2"].data_type) == (GOOD, "s")
        assert sheet["E2"].data_type == "s"
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)

    def test_what_we_add_is_never_a_formula(self) -> None:
        assert [escape(text) for text in ("=1", "+1", "-1", "@a", "住址")] == ["'=1", "'+1", "'-1", "'@a", "住址"]

    def test_correcting_the_error_workbook_and_bringing_it_back(self) -> None:
        content = xlsx(ROWS)
        first = read_roster(content, "a.xlsx", today=TODAY)
        book = openpyxl.load_workbook(io.BytesIO(write_error_workbook(content, "a.xlsx", first.problems)))
        book.worksheets[0]["D2"] = "13812345678"
        book.worksheets[0]["C3"] = number(date(1960, 1, 1), 2)
        out = io.BytesIO()
        book.save(out)
        second = read_roster(out.getvalue(), "a.xlsx", today=TODAY)
        assert second.problems == []
        assert second.counts == first.counts

    def test_only_values_survive_of_a_workbook_the_writer_cannot_load(self) -> None:
        styles = b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        styles += b'<fills count="1"><fill><patternFill patternType="plaid"/></fill></fills></styleSheet>'
        content = rezip(xlsx(ROWS), **{"xl__styles.xml": styles})
        with pytest.raises(ValueError):  # noqa: PT011 - only that this writer gives up
            openpyxl.load_workbook(io.BytesIO(content))
        reading = read_roster(content, "a.xlsx", today=TODAY)
        sheet = openpyxl.load_workbook(
            io.BytesIO(write_error_workbook(content, "a.xlsx", reading.problems))
        ).worksheets[0]
        assert sheet["C2"].value == GOOD
        assert "电话号码无效" in sheet["E2"].value
