"""What reading a file gives: rows in the words of the registry, and what was wrong, where, in both languages.

Problems never repeat the value they speak of: they are kept and shown longer than the file, and the value may be
somebody's ID number.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Severity = Literal["error", "warning"]


class UnreadableFile(Exception):  # noqa: N818 - said of the file, not of the program
    """The file as a whole cannot be read as a table: `code` is stable, `zh` and `en` tell the person what to do."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en


@dataclass(slots=True, frozen=True)
class RowProblem:
    """One thing that was wrong: `row` counts from 1 as in the sheet, 0 for the sheet as a whole; `column` is the
    letter, or empty when no single cell is meant."""

    sheet: str
    row: int
    column: str
    code: str
    severity: Severity
    message_zh: str
    message_en: str


_E: Severity = "error"
_W: Severity = "warning"

# code: severity, Chinese, English; {detail} is a row number, a count or a field, never a person's data
PROBLEMS: dict[str, tuple[Severity, str, str]] = {
    "id_from_number": (
        _E,
        "证件号码是数字格式，Excel 已丢失末几位，没有采用；请把该列设为文本后重新填写",
        "The ID number is a number cell: Excel has lost its last digits. Not taken; retype it in a text cell",
    ),
    "id_checksum": (
        _E,
        "身份证号校验码不符，没有采用，请核对",
        "The ID number's check character is wrong. Not taken; please check",
    ),
    "id_unreadable": (
        _E,
        "证件号码不是任何已知证件的格式，没有采用，请核对",
        "The ID number has the form of no known document. Not taken; please check",
    ),
    "id_duplicate": (
        _E,
        "证件号码与第 {detail} 行重复，本行没有采用，请核对属于谁",
        "The same ID number stands in row {detail}. Not taken here; please check whose it is",
    ),
    "id_birth_date": (
        _E,
        "身份证号中的出生日期不可能，或与出生日期栏不一致，没有采用，请核对",
        "The birth date inside the ID number is impossible or differs from the birth date column. "
        "Not taken; please check",
    ),
    "id_15_digits": (
        _W,
        "15 位旧身份证号，已按规则补为 18 位",
        "An old 15-digit ID number, completed to 18 characters",
    ),
    "sex_mismatch": (
        _E,
        "性别与身份证号不一致，按性别栏登记，请核对",
        "Sex and ID number disagree; registered as the sex column says. Please check",
    ),
    "sex_unreadable": (_W, "性别无法识别，按未知登记", "The sex cannot be read; registered as unknown"),
    "age_mismatch": (
        _W,
        "年龄与身份证号相差较大，请核对证件号码是否属于本人",
        "Age and ID number are years apart; please check that the number is this person's",
    ),
    "phone_invalid": (
        _E,
        "电话号码无效，没有采用（固定电话请带区号）",
        "Not a valid phone number; not taken (land lines need their area code)",
    ),
    "birth_date_invalid": (
        _E,
        "出生日期无法识别或在将来，没有采用",
        "The birth date cannot be read or lies in the future; not taken",
    ),
    "name_missing": (_E, "没有姓名", "The name is missing"),
    "room_missing": (
        _E,
        "没有门牌号或住址，不知道住在哪里，没有登记",
        "No room or address: nobody can tell where. Left out",
    ),
    "place_from_date": (
        _E,
        "Excel 把楼号或门牌号变成了日期，没有登记；请把该列设为文本后重新填写",
        "Excel has turned a building or room number into a date. Left out; retype it in a text cell",
    ),
    "list_mismatch": (
        _E,
        "一格内有多个姓名，但证件号码的个数不同，没有采用证件号码",
        "Several names in one cell, but not as many ID numbers; the numbers were not taken",
    ),
    "household_conflict": (
        _W,
        "户主栏的姓名与关系为户主的人不一致，请核对",
        "The head column and the person related as head are not the same; please check",
    ),
    "vacancy_conflict": (
        _W,
        "写着无人居住，但又登记了住户，按{detail}处理，请核对",
        "Said to be vacant, yet people are listed; taken as {detail}. Please check",
    ),
    "count_mismatch": (
        _W,
        "人口数写的是 {detail}，与列出的人数不同",
        "The stated number of people is {detail}, which is not how many are listed",
    ),
    "members_not_listed": (
        _W,
        "表中只有户主，没有家庭成员；其余成员请入户登记",
        "The list names only heads of households; the other members are to be registered at the door",
    ),
    "header_not_found": (
        _E,
        "没有找到表头，请指定各列的含义",
        "No header row was found; please say what each column holds",
    ),
    "sheet_hidden": (
        _W,
        "隐藏的工作表没有读取，如需导入请先取消隐藏",
        "A hidden sheet was not read; unhide it if it should be",
    ),
    # against the registry
    "id_registered": (
        _E,
        "证件号码已登记在另一人名下，没有采用，请核对属于谁",
        "The ID number is already registered for somebody else. Not taken; please check whose it is",
    ),
    "vacant_but_lived_in": (
        _W,
        "表中写着空房，但登记中有人居住，登记没有改动；如已搬走请入户核实",
        "The list says vacant, the registry says lived in; the registry stays. Please check at the door",
    ),
    "community_other": (
        _E,
        "写的是另一个村居，没有登记",
        "It names another community. Left out",
    ),
    "community_missing": (
        _E,
        "没有写村居，不知道属于哪里，没有登记",
        "It names no community: nobody can tell whose it is. Left out",
    ),
    "community_unknown": (
        _E,
        "所选范围内没有这个村居，没有登记，请核对名称或代码",
        "There is no such community in the chosen area. Left out; please check its name or code",
    ),
    "community_ambiguous": (
        _E,
        "有几个村居叫这个名字，没有登记；请写明镇街，或改写村居代码",
        "Several communities have this name. Left out; please name the town, or give the community's code",
    ),
    "community_name_differs": (
        _W,
        "写的村居名称与所选村居不同，仍按所选村居登记，请核对",
        "The community's name differs from the chosen one; registered in the chosen one. Please check",
    ),
    # division lists
    "code_invalid": (_E, "代码不是规定的位数，没有采用", "The code does not have the digits it should; left out"),
    "code_duplicate": (_E, "代码与第 {detail} 行重复，没有采用", "The same code stands in row {detail}; left out"),
    "level_mismatch": (_E, "级别与代码不符，没有采用", "Level and code disagree; left out"),
    "parent_unknown": (
        _E,
        "上级 {detail} 不在名单中，没有采用",
        "Its parent {detail} is in no list; left out",
    ),
    "codes_outside": (
        _W,
        "有 {detail} 行不在所辖范围内，没有读取",
        "{detail} rows lie outside the part asked for and were not read",
    ),
    "parent_name_unknown": (
        _W,
        "旁边没有 {detail}，{detail} 中的名称未知，暂以代码代替",
        "{detail} is not beside the list: those names are unknown, their codes stand in for them",
    ),
}

_DETAIL_EN = {"空房": "vacant", "有人居住": "lived in"}


def problem(code: str, sheet: str, row: int, column: str, detail: str = "") -> RowProblem:
    """A problem of a known code, its sentences filled in."""
    severity, zh, en = PROBLEMS[code]
    return RowProblem(
        sheet,
        row,
        column,
        code,
        severity,
        zh.replace("{detail}", detail),
        en.replace("{detail}", _DETAIL_EN.get(detail, detail)),
    )


def kind_of_problem(code: str) -> tuple[str, str]:
    """The sentences of a code in Chinese and English, said of many rows at once."""
    _, zh, en = PROBLEMS[code]
    return zh.replace("{detail}", "…"), en.replace("{detail}", "…")


@dataclass(slots=True)
class ColumnReading:
    """One column as it was understood: `field` None means it is not read. `samples` are masked, for a person who
    maps the column by hand."""

    letter: str
    header: str
    field: str | None
    samples: list[str]


@dataclass(slots=True)
class TopRow:
    """A row from the top of a sheet (1-based), masked: one text for each of its `columns`."""

    row: int
    cells: list[str]


@dataclass(slots=True)
class SheetReading:
    """One sheet: where its header stands (1-based, None when it has none), its columns, and the rows around the
    header as they stand in the file."""

    name: str
    header_row: int | None
    columns: list[ColumnReading]
    rows: list[TopRow] = field(default_factory=list)


@dataclass(slots=True)
class PersonRow:
    """One person as the file states them.

    `sex` is GB/T 2261.1, `id_number` 18 characters for a resident ID, `birth_on` from its own column or else from a
    good ID number; `age` is the age column's figure, of the day the roster was made. `name` may be empty when only
    a good ID number tells who it is.
    """

    name: str
    relation: str = ""
    sex: int = 0
    birth_on: date | None = None
    id_kind: str = "none"
    id_number: str | None = None
    phone: str | None = None
    needs_id_check: bool = False
    sheet: str = ""
    row: int = 0
    workplace: str | None = None
    tags: list[str] = field(default_factory=list)
    age: int | None = None


@dataclass(slots=True)
class HouseholdRow:
    """People who keep house together. `head_name` is what the file calls the household by: the head column, else
    the person related as head, else the first one listed. `stated_count` is the file's own figure."""

    head_name: str = ""
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    persons: list[PersonRow] = field(default_factory=list)
    stated_count: int | None = None


@dataclass(slots=True)
class DwellingRow:
    """A door and who lives behind it; `address` is the free text where the file has such a column.

    `community_code` when the file gives a 12-digit code, `community_name` when it gives a name; `town_name` helps where
    two communities are called the same.
    """

    community_code: str | None = None
    compound: str = ""
    building: str = ""
    stair: str = ""
    floor: int | None = None
    room: str = ""
    address: str = ""
    is_vacant: bool = False
    households: list[HouseholdRow] = field(default_factory=list)
    sheet: str = ""
    row: int = 0
    community_name: str = ""
    town_name: str = ""


@dataclass(slots=True)
class RosterReading:
    """A whole file. `counts`: rows (data rows: no titles, totals, notes), dwellings, vacant, households, persons,
    rejected (data rows of which nothing could be registered)."""

    sheets: list[SheetReading] = field(default_factory=list)
    dwellings: list[DwellingRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
