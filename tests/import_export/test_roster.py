"""What a committee's roster becomes."""

import io
import json
import os
from collections import Counter
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from app.core.resident_id import complete_15_digits
from app.import_export.readings import UnreadableFile
from app.import_export.roster import read_roster
from tests.import_export.sheets import SAMPLES, TODAY, codes, csv_text, number, people, read, xlsx

HEAD = ["楼号", "单元", "室", "姓名", "与户主关系", "性别", "出生日期", "身份证号", "联系电话", "备注"]
BORN = date(1953, 8, 10)
GOOD = number(BORN)

# trap in the sample → the code it is reported by; the others are only untidy and read
TRAPS = {
    "numeric_id": "id_from_number",
    "bad_checksum": "id_checksum",
    "dup_id": "id_duplicate",
    "short_phone": "phone_invalid",
    "sex_mismatch": "sex_mismatch",
    "15_digit": "id_15_digits",
    "future_birth": "id_birth_date",
}
samples = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="the sample rosters are not beside this checkout"
)


def one(*cells: object) -> list[list[object]]:
    return [HEAD, ["3", "2", "501", *cells]]


class TestSamples:
    @samples
    @pytest.mark.parametrize(
        ("name", "counts"),
        [
            ("huayuanlu", {"dwellings": 480, "vacant": 30, "households": 450, "persons": 1295, "rejected": 0}),
            ("street-form", {"dwellings": 120, "vacant": 6, "households": 114, "persons": 326, "rejected": 0}),
        ],
    )
    def test_counts(self, name: str, counts: dict[str, int]) -> None:
        reading = read_roster((SAMPLES / "rosters" / f"{name}.xlsx").read_bytes(), f"{name}.xlsx", today=TODAY)
        assert reading.counts == counts | {"rows": counts["persons"] + counts["vacant"]}
        assert [sheet.header_row for sheet in reading.sheets] == [3, None]

    @samples
    @pytest.mark.parametrize("name", ["huayuanlu", "street-form"])
    def test_every_trap_is_found_and_nothing_else(self, name: str) -> None:
        folder = SAMPLES / "rosters"
        reading = read_roster((folder / f"{name}.xlsx").read_bytes(), f"{name}.xlsx", today=TODAY)
        traps = json.loads((folder / f"{name}.json").read_text())["errors"]
        where = {
            person.row: (dwelling.building, dwelling.stair, dwelling.room, person.name)
            for dwelling in reading.dwellings
            for household in dwelling.households
            for person in household.persons
        }
        expected = {
            (str(t["building"]), str(t["stair"]), t["room"], t["name"], TRAPS[t["kind"]])
            for t in traps
            if t["kind"] in TRAPS
        }
        found = {(*where[p.row], p.code) for p in reading.problems}
        assert expected <= found
        # what is reported beyond the list are further contradictions of the very same rows
        beyond = found - expected
        assert {f[:4] for f in beyond} <= {e[:4] for e in expected}
        assert {f[4] for f in beyond} <= {"household_conflict", "age_mismatch", "id_birth_date"}

    @samples
    def test_the_untidy_is_read(self) -> None:
        folder = SAMPLES / "rosters"
        reading = read_roster((folder / "huayuanlu.xlsx").read_bytes(), "huayuanlu.xlsx", today=TODAY)
        by_name = {(d.building, d.room, p.name): p for d in reading.dwellings for h in d.households for p in h.persons}
        assert by_name["5", "304", "姚梓芳"].id_number == "371202195309289668"
        assert by_name["4", "204", "贾敏磊"].id_number == "371202198011185333"
        assert by_name["4", "804", "周鹏磊"].phone == "13915131647"
        assert by_name["3", "402", "钟洋娜"].id_number == "13010219400531892X"
        permit = by_name["1", "602", "曾鹏梅"]
        assert (permit.id_kind, permit.id_number) == ("hk_macau_permit", "H54355946")
        assert by_name["5", "801", "魏伟丽"].id_number == complete_15_digits("370103551223555")


class TestIdNumbers:
    def test_a_number_cell_is_refused_and_its_person_kept_to_be_checked(self) -> None:
        reading = read(one("张三", "户主", "男", None, int(GOOD), None, None))
        (person,) = people(reading)
        assert (person.name, person.id_number, person.id_kind, person.needs_id_check) == ("张三", None, "none", True)
        assert codes(reading) == [(2, "H", "id_from_number")]

    @pytest.mark.parametrize("text", ["3.70102E+17", "3.70102195308104e+17"])
    def test_a_csv_that_was_a_number_once_is_refused(self, text: str) -> None:
        content = csv_text(one("张三", "户主", "男", "", text, "", "")).encode()
        reading = read_roster(content, "a.csv", today=TODAY)
        assert codes(reading) == [(2, "H", "id_from_number")]

    @pytest.mark.parametrize(
        "text",
        [f" {GOOD[:6]} {GOOD[6:14]} {GOOD[14:]} ", GOOD.translate({48 + n: 0xFF10 + n for n in range(10)}), f"'{GOOD}"],
    )
    def test_untidy_numbers_are_read(self, text: str) -> None:
        reading = read(one("张三", "户主", "男", None, text, None, None))
        assert [p.id_number for p in people(reading)] == [GOOD]
        assert codes(reading) == []

    @pytest.mark.parametrize("text", ["11010519491231002x", "11010519491231002×", "11010519491231002Х"])
    def test_x_in_all_its_shapes(self, text: str) -> None:
        assert people(read(one("张三", "户主", "女", None, text, None, None)))[0].id_number == "11010519491231002X"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (GOOD[:17] + ("1" if GOOD[17] != "1" else "2"), "id_checksum"),
            (number(date(2029, 1, 1)), "id_birth_date"),
            (GOOD[:16], "id_unreadable"),
            ("370102********477X", "id_unreadable"),
            ("19530810", "id_unreadable"),
        ],
    )
    def test_wrong_numbers_are_reported_and_not_kept(self, text: str, code: str) -> None:
        reading = read(one("张三", "户主", None, None, text, None, None))
        (person,) = people(reading)
        assert (person.id_number, person.needs_id_check, person.birth_on, person.sex) == (None, True, None, 0)
        assert codes(reading) == [(2, "H", code)]

    def test_an_impossible_birth_date_inside(self) -> None:
        digits = "37010219530230001"
        from_check = [digits + c for c in "0123456789X"]
        found = {codes(read(one("张三", "户主", None, None, text, None, None)))[0][2] for text in from_check}
        assert found == {"id_checksum", "id_birth_date"}

    def test_fifteen_digits_are_completed_with_a_warning(self) -> None:
        reading = read(one("张三", "户主", "女", None, "110105491231002", None, None))
        (person,) = people(reading)
        assert (person.id_number, person.birth_on) == ("11010519491231002X", date(1949, 12, 31))
        assert [(p.code, p.severity) for p in reading.problems] == [("id_15_digits", "warning")]

    def test_a_birth_date_column_that_disagrees(self) -> None:
        reading = read(one("张三", "户主", "男", date(1960, 1, 1), GOOD, None, None))
        (person,) = people(reading)
        assert (person.id_number, person.birth_on, person.needs_id_check) == (None, date(1960, 1, 1), True)
        assert codes(reading) == [(2, "H", "id_birth_date")]

    def test_sex_that_disagrees_keeps_both_as_stated(self) -> None:
        reading = read(one("张三", "户主", "女", None, GOOD, None, None))
        (person,) = people(reading)
        assert (person.sex, person.id_number, person.needs_id_check) == (2, GOOD, True)
        assert codes(reading) == [(2, "F", "sex_mismatch")]

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("H12345678", "hk_macau_permit"),
            ("M1234567801", "hk_macau_permit"),
            ("e12345678", "passport"),
            ("护照:G12345678", "passport"),
            ("ABC123456789012", "foreigner_permit"),
            (number(date(1990, 1, 1), 3, "830000"), "taiwan_permit"),
            (number(date(1990, 1, 1), 3, "810000"), "hk_macau_permit"),
        ],
    )
    def test_other_documents(self, text: str, kind: str) -> None:
        reading = read(one("陈约翰", None, None, None, text, None, None))
        assert [p.id_kind for p in people(reading)] == [kind]
        assert codes(reading) == []

    def test_a_kind_column_says_what_eight_digits_are(self) -> None:
        rows = [["住址", "姓名", "证件类型", "证件号码"], ["前街1号", "林一", "台胞证", "01234567"]]
        assert [(p.id_kind, p.id_number) for p in people(read(rows))] == [("taiwan_permit", "01234567")]

    @pytest.mark.parametrize("text", [None, "无", "不详", "-"])
    def test_no_document_is_no_problem(self, text: str | None) -> None:
        reading = read(one("张三", "户主", "男", None, text, None, None))
        assert [(p.id_kind, p.needs_id_check) for p in people(reading)] == [("none", False)]
        assert codes(reading) == []


class TestDuplicates:
    def test_the_first_keeps_the_number_the_later_is_named_and_both_are_checked(self) -> None:
        rows = [
            HEAD,
            ["1", "1", "101", "张三", "户主", "男", None, GOOD],
            ["1", "1", "102", "李四", "户主", "男", None, GOOD],
        ]
        reading = read(rows)
        assert [(p.id_number, p.needs_id_check) for p in people(reading)] == [(GOOD, True), (None, True)]
        assert codes(reading) == [(3, "H", "id_duplicate")]
        assert "第 2 行" in reading.problems[0].message_zh
        assert GOOD not in reading.problems[0].message_zh + reading.problems[0].message_en

    def test_a_row_that_speaks_against_its_own_number_does_not_keep_it(self) -> None:
        rows = [
            HEAD,
            ["1", "1", "101", "张三", "户主", "男", date(2001, 1, 1), GOOD],
            ["1", "1", "102", "李四", "户主", "男", BORN, GOOD],
        ]
        reading = read(rows)
        assert [p.id_number for p in people(reading)] == [None, GOOD]
        assert codes(reading) == [(2, "H", "id_birth_date"), (2, "H", "id_duplicate")]

    def test_two_sheets_are_one_file(self) -> None:
        rows = [
            ["住址", "姓名", "身份证号"],
            ["前街1号", "张三", GOOD],
            ["前街1号", "李四", GOOD],
            ["前街2号", "王五", GOOD],
        ]
        assert [c for *_, c in codes(read(rows))] == ["id_duplicate", "id_duplicate"]


class TestBirthDates:
    @pytest.mark.parametrize(
        "cell",
        [
            BORN,
            datetime(1953, 8, 10, tzinfo=None),  # noqa: DTZ001 - as a sheet's cells are
            (BORN - date(1899, 12, 30)).days,
            "1953-08-10",
            "1953.8.10",
            "1953/8/10",
            "1953年8月10日",
            "1953 年 8 月 10 日",
            "19530810",
            19530810,
            "１９５３．０８．１０",
            "1953-08-10 00:00:00",
        ],
    )
    def test_forms_of_a_day(self, cell: object) -> None:
        reading = read(one("张三", "户主", "男", cell, None, None, None))
        assert [p.birth_on for p in people(reading)] == [BORN]
        assert codes(reading) == []

    @pytest.mark.parametrize("cell", ["1953-08", "1953年8月", "195308", 195308, "1953.8", 1953.8])
    def test_a_month_is_its_first_day_unless_the_id_number_knows_better(self, cell: object) -> None:
        assert people(read(one("张三", "户主", "男", cell, None, None, None)))[0].birth_on == date(1953, 8, 1)
        reading = read(one("张三", "户主", "男", cell, GOOD, None, None))
        assert people(reading)[0].birth_on == BORN
        assert codes(reading) == []

    @pytest.mark.parametrize(
        "cell", ["53.8.10", "1953-02-30", "2031-01-01", "八月初十", 1953, 1953.1, "1953", "8/10/1953", date(2021, 1, 1)]
    )
    def test_what_cannot_be_read_or_lies_ahead(self, cell: object) -> None:
        reading = read(one("张三", "户主", "男", cell, None, None, None))
        assert [p.birth_on for p in people(reading)] == [None]
        assert codes(reading) == [(2, "G", "birth_date_invalid")]

    def test_the_id_number_gives_birth_date_and_sex_where_the_columns_are_blank(self) -> None:
        (person,) = people(read(one("张三", "户主", None, None, GOOD, None, None)))
        assert (person.birth_on, person.sex) == (BORN, 1)


class TestPhones:
    @pytest.mark.parametrize(
        ("cell", "phone"),
        [
            ("13812345678", "13812345678"),
            (13812345678, "13812345678"),
            (13812345678.0, "13812345678"),
            ("138-1234-5678", "13812345678"),
            ("+86 138 1234 5678", "13812345678"),
            ("8613812345678", "13812345678"),
            ("0531-88888888", "053188888888"),
            ("(0531)88888888", "053188888888"),
            ("010 88888888转801", "01088888888-801"),
            ("手机:13812345678", "13812345678"),
            ("13812345678/13912345678", "13812345678"),
        ],
    )
    def test_numbers_that_are_read(self, cell: object, phone: str) -> None:
        reading = read(one("张三", "户主", "男", None, None, cell, None))
        assert [p.phone for p in people(reading)] == [phone]
        assert codes(reading) == []

    @pytest.mark.parametrize("cell", ["1380531", "12812345678", "88888888", "138123456789", "张三", 1380531])
    def test_a_bad_number_is_reported_and_the_person_stays_without_it(self, cell: object) -> None:
        reading = read(one("张三", "户主", "男", None, None, cell, None))
        assert [(p.name, p.phone) for p in people(reading)] == [("张三", None)]
        assert codes(reading) == [(2, "I", "phone_invalid")]

    def test_a_second_number_is_kept_in_the_note(self) -> None:
        reading = read(one("张三", "户主", "男", None, None, "13812345678、13912345678", None))
        household = reading.dwellings[0].households[0]
        assert (household.phone, household.note) == ("13812345678", "其他电话:13912345678")


class TestPlaces:
    @pytest.mark.parametrize("building", ["3", 3, 3.0, "3号楼", "3#", "3栋", "三号楼", "３号楼", "第3幢", "3 号 楼"])
    @pytest.mark.parametrize("stair", ["2", 2, "2单元", "二单元"])
    def test_forms_of_a_door(self, building: object, stair: object) -> None:
        for room in ("501", 501, "501室", "５０１"):
            (dwelling,) = read([HEAD, [building, stair, room, "张三"]]).dwellings
            assert (dwelling.building, dwelling.stair, dwelling.room, dwelling.floor) == ("3", "2", "501", 5)

    @pytest.mark.parametrize(
        ("address", "parts"),
        [
            ("花园路12号阳光小区3号楼2单元501室", ("阳光小区", "3", "2", "501", 5)),
            ("山东省济南市历下区花园路12号阳光小区3号楼2单元501", ("阳光小区", "3", "2", "501", 5)),
            ("花园路12号3号楼2单元1203室", ("花园路12号", "3", "2", "1203", 12)),
            ("阳光小区3-2-501", ("阳光小区", "3", "2", "501", 5)),
            ("阳光小区A座1203", ("阳光小区", "A", "", "1203", 12)),
            ("三组12号", ("3组", "", "", "12", None)),
            ("前街18号", ("前街", "", "", "18", None)),
            ("村东头老李家", ("", "", "", "", None)),
        ],
    )
    def test_free_text_addresses(self, address: str, parts: tuple[str, str, str, str, int | None]) -> None:
        (door,) = read([["家庭住址", "姓名"], [address, "张三"]]).dwellings
        assert (door.compound, door.building, door.stair, door.room, door.floor) == parts
        assert door.address == address

    def test_merged_cells_reach_down(self) -> None:
        rows = [
            HEAD,
            ["3号楼", "1单元", "101", "张三", "户主"],
            [None, None, None, "李四", "妻"],
            [None, None, "102", "王五", "户主"],
            [None, "2单元", "101", "赵六", "户主"],
        ]
        reading = read(rows, ["A2:A5", "B2:B4", "C2:C3"])
        assert [(d.building, d.stair, d.room, len(d.households[0].persons)) for d in reading.dwellings] == [
            ("3", "1", "101", 2),
            ("3", "1", "102", 1),
            ("3", "2", "101", 1),
        ]

    def test_blank_cells_under_a_household_mean_the_same(self) -> None:
        rows = [HEAD, [3, 1, 101, "张三", "户主"], [None, None, None, "李四", "妻"], [None, None, 102, "王五", "户主"]]
        assert [(d.room, len(people_of)) for d in read(rows).dwellings for people_of in [d.households[0].persons]] == [
            ("101", 2),
            ("102", 1),
        ]

    def test_where_every_row_says_where_a_blank_is_a_gap(self) -> None:
        rows = [HEAD, *([3, 1, 101, f"张{n}"] for n in "甲乙丙丁"), [3, 1, None, "李戊"], [None, None, None, "王己"]]
        reading = read(rows)
        assert [p.name for p in people(reading)] == ["张甲", "张乙", "张丙", "张丁"]
        assert codes(reading) == [(6, "C", "room_missing"), (7, "C", "room_missing")]
        assert reading.counts["rejected"] == 2

    def test_a_new_building_without_a_room_is_not_the_old_room(self) -> None:
        reading = read([HEAD, [3, 1, 101, "张三", "户主"], [4, 1, None, "李四", "户主"]])
        assert [p.name for p in people(reading)] == ["张三"]
        assert codes(reading) == [(3, "C", "room_missing")]

    def test_a_room_that_excel_made_a_date(self) -> None:
        reading = read([HEAD, [3, 1, date(2020, 3, 2), "张三", "户主"]])
        assert codes(reading) == [(2, "C", "place_from_date")]
        assert reading.counts["rejected"] == 1

    def test_headings_between_the_rows(self) -> None:
        rows = [
            ["花名册"],
            ["一、3号楼"],
            ["室", "姓名", "关系"],
            [101, "张三", "户主"],
            ["4号楼"],
            [101, "李四", "户主"],
        ]
        assert [(d.building, d.room) for d in read(rows).dwellings] == [("3", "101"), ("4", "101")]

    def test_labels_above_the_header(self) -> None:
        rows = [["小区名称:阳光小区", None, "楼号:", "3号楼"], ["室", "姓名", "关系"], [101, "张三", "户主"]]
        assert [(d.compound, d.building) for d in read(rows).dwellings] == [("阳光小区", "3")]

    def test_a_community_column_by_code_or_by_name(self) -> None:
        rows = [["社区", "住址", "姓名"], ["370102001002", "前街1号", "张三"], ["花园路社区", "前街1号", "李四"]]
        doors = read(rows).dwellings
        assert [(d.community_code, d.community_name) for d in doors] == [("370102001002", ""), (None, "花园路社区")]


class TestHouseholds:
    def test_two_households_behind_one_door(self) -> None:
        rows = [HEAD, [3, 1, 101, "张三", "户主"], [None, None, None, "李四", "妻"], [None, None, None, "王五", "户主"]]
        (door,) = read(rows).dwellings
        assert [(h.head_name, len(h.persons)) for h in door.households] == [("张三", 2), ("王五", 1)]

    def test_another_heads_name_begins_another_household(self) -> None:
        rows = [
            ["住址", "户主", "姓名", "关系"],
            ["前街1号", "张三", "张三", "户主"],
            ["前街1号", "张三", "李四", "妻"],
            ["前街1号", "王五", "王五", "户主"],
            ["前街1号", "张三", "张小", "子"],
        ]
        (door,) = read(rows).dwellings
        assert [(h.head_name, [p.name for p in h.persons]) for h in door.households] == [
            ("张三", ["张三", "李四", "张小"]),
            ("王五", ["王五"]),
        ]

    def test_rows_of_a_door_need_not_stand_together(self) -> None:
        rows = [["住址", "姓名"], ["前街1号", "张三"], ["前街2号", "李四"], ["前街1号", "张五"]]
        assert [[p.name for p in d.households[0].persons] for d in read(rows).dwellings] == [["张三", "张五"], ["李四"]]

    def test_one_row_a_dwelling_with_members_side_by_side(self) -> None:
        rows = [
            [
                "住址",
                "户主姓名",
                "身份证号",
                "联系电话",
                "家庭人口",
                "成员1姓名",
                "成员1身份证号",
                "成员2姓名",
                "成员2关系",
            ],
            ["前街1号", "张三", GOOD, "13812345678", 3, "李四", "11010519491231002X", "张小", "子"],
            ["前街2号", "王五", None, None, 2, None, None, None, None],
        ]
        reading = read(rows)
        first, second = (d.households[0] for d in reading.dwellings)
        assert [(p.name, p.relation, p.id_number) for p in first.persons] == [
            ("张三", "户主", GOOD),
            ("李四", "", "11010519491231002X"),
            ("张小", "子", None),
        ]
        assert (second.head_name, second.stated_count, len(second.persons)) == ("王五", 2, 1)
        assert codes(reading) == [(3, "E", "count_mismatch")]

    def test_a_header_over_two_rows(self) -> None:
        rows = [
            ["住址", "户主", None, "家庭成员1", None],
            [None, "姓名", "身份证号", "姓名", "关系"],
            ["前街1号", "张三", GOOD, "李四", "妻"],
        ]
        reading = read(rows, ["A1:A2", "B1:C1", "D1:E1"])
        assert reading.sheets[0].header_row == 2
        assert [(p.name, p.relation, p.id_number) for p in people(reading)] == [
            ("张三", "户主", GOOD),
            ("李四", "妻", None),
        ]

    def test_several_names_in_one_cell(self) -> None:
        rows = [["住址", "姓名", "身份证号"], ["前街1号", "张三(户主)、李四", f"{GOOD}、11010519491231002X"]]
        reading = read(rows)
        assert [(p.name, p.relation, p.id_number) for p in people(reading)] == [
            ("张三", "户主", GOOD),
            ("李四", "", "11010519491231002X"),
        ]

    def test_several_names_and_one_number_leave_the_number_out(self) -> None:
        reading = read([["住址", "姓名", "身份证号"], ["前街1号", "张三、李四", GOOD]])
        assert [(p.id_number, p.needs_id_check) for p in people(reading)] == [(None, True), (None, True)]
        assert codes(reading) == [(2, "C", "list_mismatch")]

    def test_only_heads_are_listed(self) -> None:
        reading = read([["楼号", "室", "户主", "人数", "电话"], [3, 101, "张三", 4, "13812345678"]])
        (household,) = reading.dwellings[0].households
        assert (household.head_name, household.stated_count, household.phone) == ("张三", 4, "13812345678")
        assert [(p.name, p.relation) for p in household.persons] == [("张三", "户主")]
        assert codes(reading) == [(0, "", "members_not_listed")]

    def test_a_head_of_kin_belongs_to_the_household_an_owner_of_tenants_does_not(self) -> None:
        rows = [
            ["住址", "户主", "姓名", "关系"],
            ["前街1号", "张三", "李四", "妻"],
            ["前街2号", "钱一", "周二", "租户"],
        ]
        assert [[p.name for p in d.households[0].persons] for d in read(rows).dwellings] == [["张三", "李四"], ["周二"]]

    def test_a_head_with_columns_of_their_own(self) -> None:
        rows = [
            ["住址", "户主姓名", "户主身份证号", "户主电话", "家庭成员姓名", "关系", "身份证号"],
            ["前街1号", "张三", GOOD, "13812345678", "李四", "妻", "11010519491231002X"],
            [None, None, None, None, "张小", "子", None],
        ]
        reading = read(rows)
        assert [(p.name, p.id_number) for p in people(reading)] == [
            ("张三", GOOD),
            ("李四", "11010519491231002X"),
            ("张小", None),
        ]
        assert codes(reading) == []

    def test_a_head_column_that_only_says_yes_or_no(self) -> None:
        rows = [["住址", "姓名", "是否户主", "户主"], ["前街1号", "张三", None, "是"], ["前街1号", "李四", None, "否"]]
        (household,) = read(rows).dwellings[0].households
        assert [(p.name, p.relation) for p in household.persons] == [("张三", "户主"), ("李四", "")]
        assert household.head_name == "张三"

    def test_a_head_column_that_contradicts_the_relations(self) -> None:
        reading = read([["住址", "户主", "姓名", "关系"], ["前街1号", "张三", "李四", "户主"]])
        assert [p.name for p in people(reading)] == ["李四"]
        assert codes(reading) == [(2, "B", "household_conflict")]


class TestSheets:
    def test_several_sheets_named_after_their_buildings(self) -> None:
        book = Workbook()
        for title in ("1号楼", "2号楼"):
            sheet = book.create_sheet(title)
            for row in (["室", "姓名", "关系"], [101, "张三", "户主"]):
                sheet.append(row)
        book.remove(book.worksheets[0])
        out = io.BytesIO()
        book.save(out)
        reading = read_roster(out.getvalue(), "a.xlsx", today=TODAY)
        assert [(d.building, d.room, d.sheet) for d in reading.dwellings] == [
            ("1", "101", "1号楼"),
            ("2", "101", "2号楼"),
        ]

    def test_a_hidden_sheet_is_not_read_but_named(self) -> None:
        book = Workbook()
        for title in ("现住", "旧表"):
            sheet = book.create_sheet(title)
            for row in (["住址", "姓名"], ["前街1号", title]):
                sheet.append(row)
        book.remove(book.worksheets[0])
        book.worksheets[1].sheet_state = "hidden"
        out = io.BytesIO()
        book.save(out)
        reading = read_roster(out.getvalue(), "a.xlsx", today=TODAY)
        assert [p.name for p in people(reading)] == ["现住"]
        assert [(p.sheet, p.code) for p in reading.problems] == [("旧表", "sheet_hidden")]


class TestVacancy:
    @pytest.mark.parametrize("word", ["空置", "空房", "无人居住", "空户", "未入住"])
    def test_words_for_empty(self, word: str) -> None:
        for cells in ([3, 1, 101, word], [3, 1, 101, None, None, None, None, None, None, word]):
            reading = read([HEAD, cells])
            assert (reading.counts["vacant"], reading.counts["households"]) == (1, 0)
            assert codes(reading) == []

    def test_a_door_without_a_name_is_vacant(self) -> None:
        assert read([HEAD, [3, 1, 101]]).counts["vacant"] == 1

    def test_a_remark_that_says_something_else_is_not_vacancy(self) -> None:
        reading = read([HEAD, [3, 1, 101, None, None, None, None, None, None, "敲门无人应答"]])
        assert reading.counts == {
            "rows": 1,
            "dwellings": 1,
            "vacant": 0,
            "households": 1,
            "persons": 0,
            "rejected": 0,
        }
        assert codes(reading) == [(2, "D", "name_missing")]

    def test_people_behind_a_door_said_to_be_empty_are_kept(self) -> None:
        reading = read(one("张三", "户主", "男", None, None, None, "空房"))
        assert reading.counts["persons"] == 1
        assert reading.counts["vacant"] == 0
        assert codes(reading) == [(2, "J", "vacancy_conflict")]


class TestNames:
    def test_spaces_that_line_up_are_not_part_of_a_name(self) -> None:
        rows = [HEAD, [3, 1, 101, "张 三"], [3, 1, 102, "John  Smith"], [3, 1, 103, "阿依古丽·买买提"]]
        assert [p.name for p in people(read(rows))] == ["张三", "John Smith", "阿依古丽·买买提"]

    def test_without_a_name_a_good_number_tells_who(self) -> None:
        reading = read(one(None, "子", "男", None, GOOD, None, None))
        assert [(p.name, p.id_number, p.needs_id_check) for p in people(reading)] == [("", GOOD, True)]
        assert codes(reading) == [(2, "D", "name_missing")]

    def test_nobody_can_tell_who(self) -> None:
        reading = read(one(None, "子", "男", None, None, None, None))
        assert people(reading) == []
        assert reading.counts["rejected"] == 1
        assert (reading.counts["vacant"], reading.counts["households"]) == (0, 1)
        assert codes(reading) == [(2, "D", "name_missing")]


class TestTags:
    @pytest.mark.parametrize(
        ("note", "tags"),
        [
            ("独居老人", ["living_alone_elder"]),
            ("低保户", ["household_in_hardship"]),
            ("租户", ["tenant"]),
            ("残疾二级", ["disabled"]),
            ("孕妇", ["pregnant"]),
            ("高血压、糖尿病", ["chronic_illness"]),
            ("集体户", ["collective_household"]),
            ("非低保,无慢性病,未怀孕", []),
            ("呼吸困难", []),
            ("独居", []),
        ],
    )
    def test_free_words(self, note: str, tags: list[str]) -> None:
        reading = read(one("张三", "户主", "男", date(1990, 1, 1), None, None, note))
        household = reading.dwellings[0].households[0]
        assert (household.tags, household.persons[0].tags, household.note) == (tags, tags, note)

    def test_alone_and_of_age(self) -> None:
        reading = read(one("张三", "户主", "男", date(1940, 1, 1), None, None, "独居"))
        assert reading.dwellings[0].households[0].tags == ["living_alone_elder"]

    def test_one_old_person_is_not_called_alone_by_us(self) -> None:
        assert read(one("张三", "户主", "男", date(1940, 1, 1), None, None, None)).dwellings[0].households[0].tags == []

    def test_yes_or_no_columns(self) -> None:
        rows = [
            ["住址", "姓名", "是否低保", "是否残疾"],
            ["前街1号", "张三", "是", "否"],
            ["前街2号", "李四", "否", "二级"],
        ]
        tags = [d.households[0].tags for d in read(rows).dwellings]
        assert tags == [["household_in_hardship"], ["disabled"]]

    def test_what_members_remark_names_them(self) -> None:
        rows = [
            ["住址", "姓名", "关系", "来济方式", "健康状况"],
            ["前街1号", "张三", "户主", None, "正常"],
            [None, "李四", "妻", "1月20日武汉返济", "发热"],
        ]
        assert read(rows).dwellings[0].households[0].note == "李四:来济方式:1月20日武汉返济;李四:健康状况:发热"


class TestWhatIsNoData:
    def test_titles_totals_notes_signatures_and_page_headers(self) -> None:
        rows: list[list[object]] = [
            ["XX社区住户登记表"],
            ["填表单位:", None, "填表人:", "某某", None, "2020年2月5日"],
            HEAD,
            [3, 1, 101, "张三", "户主"],
            ["小计", None, None, "1人"],
            HEAD,
            [],
            [3, 1, 102, "李四", "户主"],
            ["合 计", None, None, "2人"],
            ["注:本表由社区填写,一式三份"],
            ["1.每户一表,不漏一户"],
            ["填表人:某某", None, None, None, "审核人:某某"],
        ]
        reading = read(rows)
        assert reading.counts["rows"] == 2
        assert [p.name for p in people(reading)] == ["张三", "李四"]
        assert codes(reading) == []

    def test_numbered_but_empty_lines(self) -> None:
        rows = [["序号", *HEAD], [1, 3, 1, 101, "张三"], [2], [3]]
        assert read(rows).counts["rows"] == 1


class TestColumns:
    def test_columns_are_shown_with_masked_samples(self) -> None:
        rows = [
            [*HEAD, "楼长电话"],
            [3, 1, 101, "张三丰", "户主", "男", BORN, GOOD, "13812345678", None, "13912345678"],
        ]
        columns = {c.letter: c for c in read(rows).sheets[0].columns}
        assert columns["K"].field is None
        shown = json.dumps([c.samples for c in columns.values()], ensure_ascii=False)
        for secret in (GOOD, GOOD[6:14], "13812345678", "13912345678", "三丰", "08-10"):
            assert secret not in shown
        assert columns["H"].samples == ["370" + "*" * 15]

    def test_an_unknown_header_can_be_mapped(self) -> None:
        rows = [["甲", "乙", "丙"], ["张三", "前街1号", "13812345678"]]
        unknown = read(rows)
        assert codes(unknown) == [(0, "", "header_not_found")]
        assert [c.letter for c in unknown.sheets[0].columns] == ["A", "B", "C"]
        mapped = read(rows, mapping={"A": "name", "B": "address", "C": "phone"})
        assert [(p.name, p.phone) for p in people(mapped)] == [("张三", "13812345678")]

    def test_a_mapping_without_any_header_row(self) -> None:
        reading = read([["张三", "前街1号"], ["李四", "前街2号"]], mapping={"A": "name", "B": "address"})
        assert [p.name for p in people(reading)] == ["张三", "李四"]

    def test_a_mapping_goes_before_what_was_found(self) -> None:
        rows = [["住址", "姓名", "电话", "常用号"], ["前街1号", "张三", "13812345678", "13912345678"]]
        assert people(read(rows, mapping={"D": "phone"}))[0].phone == "13912345678"
        assert people(read(rows, mapping={"C": None}))[0].phone is None

    @pytest.mark.parametrize("mapping", [{"A": "surname"}, {"1": "name"}, {"A": "member0_name"}])
    def test_a_wrong_mapping_is_refused(self, mapping: dict[str, str | None]) -> None:
        with pytest.raises(UnreadableFile) as refused:
            read([["住址", "姓名"]], mapping=mapping)
        assert refused.value.code == "mapping_invalid"

    @pytest.mark.parametrize(
        ("word", "field"),
        [
            ("楼栋号", "building"),
            ("幢", "building"),
            ("Building", "building"),
            ("单 元 号", "stair"),
            ("房间号", "room"),
            ("家庭住址(详细)", "address"),
            ("*姓名", "name"),
            ("公民身份号码", "id_number"),
            ("身份证号码(18位)", "id_number"),
            ("联系电话/手机", "phone"),
            ("工作单位", "workplace"),
            ("户主身份证号", "head_id_number"),
            ("紧急联系人电话", None),
            ("网格员姓名", None),
            ("户籍地址", None),
        ],
    )
    def test_header_words(self, word: str, field: str | None) -> None:
        rows = [["小区", "户主", "性别", "关系", word], ["阳光小区", "张三", "男", "户主", None]]
        assert {c.letter: c.field for c in read(rows).sheets[0].columns}["E"] == field


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    rows = [HEAD, *([3, 1, n, "张三"] for n in range(1200))]
    read(rows, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1201, 1201)
    assert len(seen) >= 3
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_same_rows_as_csv_read_the_same() -> None:
    rows = [HEAD, ["3号楼", "1单元", "101", "张三", "户主", "男", "1953-08-10", GOOD, "13812345678", "独居老人"]]
    from_xlsx = read_roster(xlsx(rows), "a.xlsx", today=TODAY)
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        for delimiter in (",", "\t", ";"):
            from_csv = read_roster(csv_text(rows, delimiter).encode(encoding), "a.csv", today=TODAY)
            assert from_csv.counts == from_xlsx.counts
            assert [p.id_number for p in people(from_csv)] == [GOOD]


def test_ages_far_from_the_number_are_pointed_out() -> None:
    head = ["住址", "姓名", "年龄", "身份证号"]
    rows: list[list[object]] = [
        [f"前街{n}号", f"张{n}", 2020 - 1950 - n, number(date(1950 + n, 3, 1), n)] for n in range(9)
    ]
    rows.append(["前街99号", "李四", 12, number(date(1961, 1, 1), 77)])
    reading = read([head, *rows])
    assert codes(reading) == [(11, "D", "age_mismatch")]
    assert Counter(p.needs_id_check for p in people(reading)) == {False: 9, True: 1}
