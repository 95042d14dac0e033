"""The short way for plain rows gives what reading cell by cell gives, whatever stands beside the plain rows."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.resident_id import check_character
from app.import_export.readings import RosterReading
from app.import_export.roster import RosterReader, read_roster

TODAY = date(2026, 9, 1)
HEAD = (
    "序号", "社区", "小区", "楼号", "单元", "楼层", "门牌号", "姓名", "与户主关系", "性别", "出生日期", "身份证号",
    "联系电话", "工作单位", "备注", "年龄",
)  # fmt: skip


def number(birth: str, order: int) -> str:
    """An invented number of somebody born on a day."""
    digits = f"379999{birth}{order:03d}"
    return digits + check_character(digits)


NUMBERS = [number("19550203", 11), number("19800917", 22), number("20200229", 35), number("19991231", 48)]
# for each column what is plain, then what has to be looked at
PLAIN: dict[str, list[str]] = {
    "序号": ["", "1", "2"],
    "社区": ["泉景社区", "370100000001"],
    "小区": ["阳光小区", "泉景园"],
    "楼号": ["3号楼", "12", "综合楼"],
    "单元": ["1单元", "2"],
    "楼层": ["", "5"],
    "门牌号": ["501", "1203室", "101"],
    "姓名": ["王芳", "李小龙", "买买提·艾力", "欧阳娜娜"],
    "与户主关系": ["户主", "配偶", "子", "租客"],
    "性别": ["男", "女", ""],
    "出生日期": ["1955-02-03", "1980/9/17", "2020-02", "", "1999.12.31"],
    "身份证号": [*NUMBERS, ""],
    "联系电话": ["13800000001", "13900000002", ""],
    "工作单位": ["", "无", "第一中学"],
    "备注": ["", "独居老人", "高血压", "无", "租住"],
    "年龄": ["", "71", "45"],
}
ODD: dict[str, list[str]] = {
    "序号": ["合计", "注:以下空白", "姓名"],
    "社区": ["", "合计", "其他社区"],
    "小区": ["", "小计:3", "填表人:王"],
    "楼号": ["", "2026-03-02", "阳光小区3号楼", "3号楼2单元", "三号楼"],
    "单元": ["", "3月2日", "一单元"],
    "楼层": ["五楼", "??"],
    "门牌号": ["", "2-501", "3-2-501", "12-Mar", "花园路12号3号楼2单元501室"],
    "姓名": ["", "空房", "张三、李四", "王芳(户主)", "王 芳", "无", "姓名", "5"],
    "与户主关系": ["", "本人", "关系", "与户主关系"],
    "性别": ["?", "9", "性别", "M"],
    "出生日期": ["1955-13-01", "2099-01-01", "195502", "出生日期", "20200229", "33333"],
    "身份证号": ["379999195502030110", "379999550203011", "H12345678", "身份证号", "3.79999E+17", "无",
                 NUMBERS[0].replace("X", "x"), "81" + NUMBERS[1][2:], NUMBERS[2] + " "],
    "联系电话": ["0531-88880000", "13800000001、13900000002", "123", "电话"],
    "工作单位": ["单位", "x" * 120],
    "备注": ["空置", "无人居住", "备注", "不是独居", "独居 71岁"],
    "年龄": ["七十", "200", "71岁"],
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A sheet: some of the columns, rows mostly plain, several of them behind the same door, now and then odd cells,
    headings and blank lines between."""
    chosen = [word for word in HEAD if word in ("楼号", "门牌号", "姓名") or draw(st.booleans())]
    rows = [chosen]
    for _ in range(draw(st.integers(1, 5))):
        door = {word: draw(st.sampled_from(PLAIN[word])) for word in ("社区", "小区", "楼号", "单元", "楼层", "门牌号")}
        for _ in range(draw(st.integers(1, 4))):
            row = {word: door.get(word) or draw(st.sampled_from(PLAIN[word])) for word in chosen}
            for word in draw(st.lists(st.sampled_from(chosen), max_size=2)) if draw(st.booleans()) else ():
                row[word] = draw(st.sampled_from(ODD[word]))
            rows.append([row[word] for word in chosen])
        between = draw(st.sampled_from(("", "", "heading", "blank", "header", "total")))
        if between == "heading":
            rows.append([draw(st.sampled_from(("5号楼", "2单元", "泉景小区"))), *[""] * (len(chosen) - 1)])
        elif between:
            rows.append(
                {"blank": [""] * len(chosen), "header": chosen, "total": ["合计", *[""] * (len(chosen) - 1)]}[between]
            )
    return rows


def read(rows: list[list[str]], *, takes_plain: bool) -> RosterReading:
    """A table read as a csv."""
    text = "\n".join(",".join(row) for row in rows)
    return read_roster(text.encode(), "名册.csv", today=TODAY, takes_plain=takes_plain)


@settings(max_examples=250, deadline=None)
@given(tables())
def test_the_short_way_gives_what_reading_cell_by_cell_gives(rows: list[list[str]]) -> None:
    assert read(rows, takes_plain=True) == read(rows, takes_plain=False)


@pytest.mark.parametrize("columns", [HEAD, ("楼号", "门牌号", "姓名", "身份证号")], ids=["every column", "few columns"])
def test_plain_rows_go_the_short_way(columns: tuple[str, ...]) -> None:
    people = [("王芳", number("19550203", 12)), ("李小龙", number("19550203", 21))]
    rows = [list(columns)]
    for name, its in people:
        plain = {
            "序号": "1", "社区": "泉景社区", "小区": "泉景园", "楼号": "3号楼", "单元": "1", "楼层": "5",
            "门牌号": "501", "姓名": name, "与户主关系": "租客", "性别": "女男"[int(its[16]) % 2],
            "出生日期": "1955-02-03",
            "身份证号": its, "联系电话": "13800000001", "工作单位": "第一中学", "备注": "高血压", "年龄": "71",
        }  # fmt: skip
        rows.append([plain[word] for word in columns])
    reader = RosterReader("\n".join(",".join(row) for row in rows).encode(), "名册.csv", today=TODAY)
    assert [len(door.households[0].persons) for doors in reader.doors() for door in doors] == [2]
    assert reader.plain_count == reader.counts["rows"] == 2
    assert reader.problems == []
