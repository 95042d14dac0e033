"""Rosters nobody foresaw: columns shuffled, headed otherwise, junk between the rows, cells broken.

Whatever comes, reading ends without an exception, no ID number is registered that the file does not state in a text
that checks, and the counts add up.
"""

import os
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.exceptions import IllegalCharacterError

from app.core.resident_id import complete_15_digits, is_resident_id
from app.import_export.error_workbook import write_error_workbook
from app.import_export.headers import field_of
from app.import_export.readings import PROBLEMS, RosterReading, UnreadableFile
from app.import_export.roster import read_roster
from tests.import_export.sheets import SAMPLES, TODAY, csv_text, number, people, xlsx

WORDS = {
    "building": ["楼号", "栋", "楼栋", "幢", "building", "楼 号"],
    "stair": ["单元", "单元号", "单 元"],
    "room": ["门牌号", "室", "房号", "房间号"],
    "name": ["姓名", "家庭成员姓名", "*姓名"],
    "relation": ["与户主关系", "关系"],
    "sex": ["性别"],
    "birth": ["出生日期", "出生年月", "出生年月日"],
    "id": ["身份证号", "证件号码", "公民身份号码", "身份证号码(18位)"],
    "phone": ["联系电话", "手机", "电话"],
    "note": ["备注", "特殊情况"],
}


def serial(day: date) -> int:
    return (day - date(1899, 12, 30)).days


FORMS_OF_A_DAY: list[Callable[[date], object]] = [
    lambda day: day,
    lambda day: datetime(day.year, day.month, day.day),  # noqa: DTZ001
    serial,
    lambda day: f"{day:%Y-%m-%d}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day:%Y%m%d}",
]
JUNK_ROWS: list[list[object]] = [
    [],
    ["小计", None, "3人"],
    ["注:本页共3人"],
    ["1.每户一表,不漏一户"],
    ["填表人:某某", None, "审核人:某某"],
    [None, None, None, None, None, "?"],
    [12],
    ["#REF!", "#N/A"],
]
BROKEN = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)),
    st.sampled_from(
        [
            "=1+1",
            "3.7E+17",
            "、",
            "()",
            "-",
            "1953.8",
            "张三、李四",
            "空房",
            "合计",
            "３号楼",
            "3-2-501",
            "+",
            "H12345678",
        ]
    ),
)


def roster(rng: random.Random) -> tuple[list[list[object]], int]:
    """A header and rows, one a person, and how many people."""
    header = [rng.choice(words) for words in WORDS.values()]
    rows: list[list[object]] = [header]
    count = 0
    for door in range(rng.randint(1, 8)):
        building, stair, room = (
            rng.choice([1, "1号楼", "1#"]),
            rng.choice([2, "2单元"]),
            rng.choice([str, int])(101 + door),
        )
        for member in range(rng.randint(1, 4)):
            born = date(1930, 1, 1) + timedelta(days=rng.randint(0, 30_000))
            count += 1
            place = [building, stair, room] if member == 0 else [None, None, None]
            sex = rng.choice("男女")
            order = count * 2 + (sex == "男")
            person = [
                f"人{'甲乙丙丁戊己庚辛壬癸'[door]}{'一二三四'[member]}",
                "户主" if member == 0 else "子",
                sex,
                rng.choice(FORMS_OF_A_DAY)(born),
                number(born, order, f"37010{door}"),
                f"138{rng.randrange(10**8):08d}",
                None,
            ]
            rows.append([*place, *person])
    return rows, count


def check(reading: RosterReading, stated: set[str]) -> None:
    """What holds of every reading."""
    counts = reading.counts
    households = [household for dwelling in reading.dwellings for household in dwelling.households]
    everyone = people(reading)
    assert counts["dwellings"] == len(reading.dwellings)
    assert counts["households"] == len(households)
    assert counts["persons"] == len(everyone)
    assert counts["vacant"] == sum(not dwelling.households for dwelling in reading.dwellings if dwelling.is_vacant)
    assert counts["vacant"] == sum(dwelling.is_vacant for dwelling in reading.dwellings)
    assert 0 <= counts["rejected"] <= counts["rows"]
    kept = [person.id_number for person in everyone if person.id_number]
    assert len(kept) == len(set(kept))
    for person in everyone:
        assert "\x00" not in person.name
        if person.id_number is None:
            assert person.id_kind == "none"
        else:
            assert person.id_number in stated
        if person.id_kind == "resident_id":
            assert is_resident_id(person.id_number or "")
        assert person.birth_on is None or person.birth_on <= TODAY
        assert person.name or person.id_number
    # every person and every rejection has its row; each door a row that names it
    assert all(person.row > 0 for person in everyone)
    for found in reading.problems:
        assert found.code in PROBLEMS
        assert "{" not in found.message_zh + found.message_en


def stated_numbers(rows: list[list[object]]) -> set[str]:
    """Every number the cells state as text, in the form the registry keeps."""
    found = set()
    for row in rows:
        for cell in row:
            if isinstance(cell, str):
                text = unicodedata.normalize("NFKC", cell).upper()
                for part in [text, *re.split(r"[、,;/\n]", text)]:
                    bare = re.sub(r"[^0-9A-Z]", "", part)
                    found |= {bare, complete_15_digits(bare) if re.fullmatch(r"[0-9]{15}", bare) else bare}
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_other_columns_words_dates_and_junk_lose_nobody(rng: random.Random) -> None:
    rows, count = roster(rng)
    order = list(range(len(WORDS)))
    rng.shuffle(order)
    shuffled = [[row[at] for at in order] for row in rows]
    junk = rng.sample(JUNK_ROWS[:5], 3)
    where = rng.randrange(1, len(shuffled) + 1)
    body = [*shuffled[:where], *([[]] if rng.random() < 0.5 else []), *shuffled[where:]]
    with_junk = [["某某社区住户登记表"], ["填表单位:", None, "2020年2月5日"], *body, *junk]
    reading = read_roster(xlsx(with_junk), "a.xlsx", today=TODAY)
    check(reading, stated_numbers(with_junk))
    assert reading.counts["persons"] == count
    assert reading.counts["rows"] == count
    assert reading.counts["rejected"] == 0
    assert reading.problems == []


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.randoms(use_true_random=False), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 11), BROKEN), max_size=25)
)
@example(random.Random(1), [(1, 3, "空房"), (2, 3, "张三、李四"), (3, 7, 3.7e17)])
def test_broken_cells_break_nothing(rng: random.Random, broken: list[tuple[int, int, object]]) -> None:
    rows, _ = roster(rng)
    rows += [list(junk) for junk in rng.sample(JUNK_ROWS, 3)]
    for row, column, cell in broken:
        at = rows[row % len(rows)]
        at.extend([None] * (column + 1 - len(at)))
        at[column] = cell
    as_csv = rng.random() < 0.4
    try:
        content = csv_text(rows).encode() if as_csv else xlsx(rows)
    except (ValueError, TypeError, OverflowError, IllegalCharacterError):
        return  # a sheet cannot hold such a cell
    name = "a.csv" if as_csv else "a.xlsx"
    try:
        reading = read_roster(content, name, today=TODAY)
    except UnreadableFile:
        return
    stated = stated_numbers([[str(cell) if as_csv else cell for cell in row] for row in rows])
    check(reading, stated)
    assert write_error_workbook(content, name, reading.problems)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", "姓名,住址\n".encode()]))
def test_any_bytes_are_read_or_refused(content: bytes, lead: bytes) -> None:
    try:
        reading = read_roster(lead + content, "a.csv", today=TODAY)
    except UnreadableFile:
        return
    check(reading, {person.id_number or "" for person in people(reading)})


samples = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="the sample rosters are not beside this checkout"
)
FIELD_WORDS = {"birth_on": "birth", "id_number": "id"}


@cache
def sample(name: str) -> list[list[object]]:
    """A committee's own roster, its header first."""
    book = load_workbook(SAMPLES / "rosters" / f"{name}.xlsx")
    return [list(row) for row in book.worksheets[0].iter_rows(min_row=3, values_only=True)]


def some_of(rng: random.Random, name: str) -> list[list[object]]:
    """A header and about sixty rows, beginning with a door's first."""
    header, *rows = sample(name)
    starts = [at for at, row in enumerate(rows[:-80]) if row[1] is not None and row[3] is not None]
    start = rng.choice(starts)
    end = next(at for at in [*starts, len(rows) - 80] if at >= start + 60 or at == len(rows) - 80)
    return [list(header), *(list(row) for row in rows[start : max(end, start + 1)])]


def facts(reading: RosterReading) -> Counter[tuple[object, ...]]:
    """What the file says of each person, however it is written."""
    return Counter((p.name, p.birth_on, p.sex, p.id_number, p.phone, p.relation) for p in people(reading))


def with_other_words(rng: random.Random, header: list[object]) -> list[object]:
    words = []
    for word in header:
        field = field_of(str(word)) or ""
        words.append(rng.choice([str(word), *WORDS.get(FIELD_WORDS.get(field, field), [])]))
    return list(words)


@samples
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.sampled_from(["huayuanlu", "street-form"]), st.booleans())
def test_a_committees_own_roster_written_otherwise_loses_nobody(rng: random.Random, name: str, as_csv: bool) -> None:
    rows = some_of(rng, name)
    before = read_roster(xlsx(rows), "a.xlsx", today=TODAY)
    # the bare number of a day means one in a workbook only; in a text it would be guessed
    form = rng.choice([one for one in FORMS_OF_A_DAY if not (as_csv and one is serial)])
    changed = [[form(c.date()) if isinstance(c, datetime) else c for c in row] for row in rows]
    changed[0] = with_other_words(rng, changed[0])
    order = list(range(len(changed[0])))
    rng.shuffle(order)
    changed = [[row[at] for at in order] for row in changed]
    body = [["某某社区登记表"], *changed, *rng.sample(JUNK_ROWS[:5], 3)]
    content = csv_text(body).encode("gb18030") if as_csv else xlsx(body)
    reading = read_roster(content, "a.csv" if as_csv else "a.xlsx", today=TODAY)
    check(reading, stated_numbers([[str(cell) if as_csv else cell for cell in row] for row in body]))
    counts = reading.counts
    assert counts["rows"] == counts["persons"] + counts["vacant"] + counts["rejected"]
    assert {key: counts[key] for key in ("rows", "persons", "vacant", "households", "dwellings")} == {
        key: before.counts[key] for key in ("rows", "persons", "vacant", "households", "dwellings")
    }
    assert facts(reading) == facts(before)


@samples
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["huayuanlu", "street-form"]),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 14), BROKEN), min_size=1, max_size=12),
)
def test_broken_cells_in_a_committees_own_roster_break_nothing(
    rng: random.Random, name: str, broken: list[tuple[int, int, object]]
) -> None:
    rows = some_of(rng, name)
    for row, column, cell in broken:
        rows[row % len(rows)][column] = cell
    try:
        content = xlsx(rows)
    except (ValueError, TypeError, OverflowError, IllegalCharacterError):
        return  # a sheet cannot hold such a cell
    reading = read_roster(content, "a.xlsx", today=TODAY)
    check(reading, stated_numbers(rows))
