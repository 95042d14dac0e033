"""How names are spelled for searching: as their bearers say them."""

import pytest

from app.people.naming import initials, pinyin


@pytest.mark.parametrize(
    ("name", "short", "whole"),
    [
        ("王芳", "wf", "wangfang"),
        ("曾鹏", "zp", "zengpeng"),
        ("单雪", "sx", "shanxue"),
        ("尉迟恭", "ycg", "yuchigong"),
        ("欧阳修", "oyx", "ouyangxiu"),
        ("李单", "ld", "lidan"),  # only a surname is read as one
        ("Li Ming", "li ming", "liming"),
        ("张A2", "za2", "zhanga2"),
        ("", "", ""),
    ],
)
def test_a_surname_is_read_as_a_surname(name: str, short: str, whole: str) -> None:
    assert (initials(name), pinyin(name)) == (short, whole)
