"""Division lists in both layouts."""

import os
from collections import Counter
from pathlib import Path

import pytest

from app.import_export.divisions import read_divisions
from app.import_export.readings import UnreadableFile
from tests.import_export.sheets import SAMPLES, xlsx

LIST = """code,name,level
370100000000,济南市,city
370102000000,历下区,district
370102001000,解放路街道,town
370102001002,解放桥社区居民委员会,community
"""
SPLIT = {
    "provinces.csv": '"code","name"\n"37","山东省"\n',
    "cities.csv": '"code","name","provinceCode"\n"3701","济南市","37"\n"4419","东莞市","44"\n',
    "areas.csv": '"code","name","cityCode","provinceCode"\n'
    '"370102","历下区","3701","37"\n"441900","东莞市","4419","44"\n',
    "streets.csv": '"code","name","areaCode","provinceCode","cityCode"\n'
    '"370102001","解放路街道","370102","37","3701"\n"441900003","东城街道","441900","44","4419"\n',
    "villages.csv": '"code","name","streetCode","provinceCode","cityCode","areaCode"\n'
    '"370102001002","解放桥社区居民委员会","370102001","37","3701","370102"\n'
    '"441900003001","岗贝社区居民委员会","441900003","44","4419","441900"\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SPLIT.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="the sample list is not beside this checkout"
)
def test_the_city_of_jinan() -> None:
    reading = read_divisions(SAMPLES / "jinan-divisions.csv")
    assert Counter(row.level for row in reading.rows) == {"city": 1, "district": 13, "town": 164, "community": 5758}
    assert reading.problems == []
    known = {row.code for row in reading.rows}
    assert all(row.parent_code in known for row in reading.rows if row.level != "city")


def test_one_file_with_levels() -> None:
    reading = read_divisions(LIST.encode("gb18030"), "list.csv")
    assert [(r.code, r.level, r.parent_code) for r in reading.rows] == [
        ("370100000000", "city", None),
        ("370102000000", "district", "370100000000"),
        ("370102001000", "town", "370102000000"),
        ("370102001002", "community", "370102001000"),
    ]


def test_other_words_for_levels_and_other_order() -> None:
    text = LIST.replace("district", "county").replace("town", "street").replace(",community", ",village")
    lines = text.splitlines()
    reading = read_divisions("\n".join([lines[0], *reversed(lines[1:])]).encode(), "list.csv")
    assert [row.level for row in reading.rows] == ["city", "district", "town", "community"]
    assert reading.problems == []


def test_a_workbook_is_read_too_even_with_number_cells() -> None:
    rows = [["代码", "名称", "级别"], [370100000000, "济南市", "city"], [370102000000, "历下区", "district"]]
    assert [row.code for row in read_divisions(xlsx(rows), "list.xlsx").rows] == ["370100000000", "370102000000"]


def test_provinces_are_read_past() -> None:
    text = LIST.replace("370100", "370000000000,山东省,province\n370100", 1)
    assert read_divisions(text.encode(), "a.csv").rows[0].level == "city"


def test_the_split_layout_names_parents_from_the_files_beside_it(folder: Path) -> None:
    reading = read_divisions(folder / "villages.csv")
    assert reading.problems == []
    assert [(row.code, row.name, row.parent_code) for row in reading.rows] == [
        ("370100000000", "济南市", None),
        ("441900000000", "东莞市", None),
        ("370102000000", "历下区", "370100000000"),
        ("370102001000", "解放路街道", "370102000000"),
        ("441900003000", "东城街道", "441900000000"),
        ("370102001002", "解放桥社区居民委员会", "370102001000"),
        ("441900003001", "岗贝社区居民委员会", "441900003000"),
    ]


def test_one_city_of_the_country(folder: Path) -> None:
    reading = read_divisions(folder / "villages.csv", under="3701")
    assert {row.code[:4] for row in reading.rows} == {"3701"}
    assert len(reading.rows) == 4


def test_a_split_list_alone_uses_codes_for_names_and_says_so() -> None:
    reading = read_divisions(SPLIT["villages.csv"].encode(), "villages.csv")
    assert {row.name for row in reading.rows if row.level == "town"} == {"370102001000", "441900003000"}
    assert [(p.code, p.severity) for p in reading.problems] == [("parent_name_unknown", "warning")] * 3


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("37010200100,某社区,community", "code_invalid", "A"),
        ("37010200100X,某社区,community", "code_invalid", "A"),
        ("370102001003,,community", "name_missing", "B"),
        ("370102001002,又一个,community", "code_duplicate", "A"),
        ("370102001003,某社区,town", "level_mismatch", "C"),
        ("370102001003,某社区,planet", "level_mismatch", "C"),
        ("370199001003,某社区,community", "parent_unknown", "A"),
    ],
)
def test_wrong_rows_are_left_out_and_reported(line: str, code: str, column: str) -> None:
    reading = read_divisions(f"{LIST}{line}\n".encode(), "list.csv")
    assert len(reading.rows) == 4
    assert [(p.row, p.column, p.code) for p in reading.problems] == [(6, column, code)]


def test_parents_the_registry_has_need_not_be_in_the_list() -> None:
    text = "code,name,level\n370102001009,新社区,community\n"
    assert read_divisions(text.encode(), "a.csv").rows == []
    reading = read_divisions(text.encode(), "a.csv", known={"370102001000"})
    assert [row.parent_code for row in reading.rows] == ["370102001000"]


def test_what_is_no_division_list() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_divisions("姓名,住址\n张三,前街1号\n".encode(), "a.csv")
    assert refused.value.code == "divisions_header_missing"
