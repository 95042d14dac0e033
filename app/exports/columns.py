"""Columns of lists: where a value stands in an item, its headings, how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from app.exports import words as w
from app.exports.words import Words

Kind = Literal["text", "number", "day", "instant", "words"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` leads through an item by dots; `words` are looked up for a code or for each of several.

    `value` works a cell out of what stands at `path` instead.
    """

    path: str
    zh: str
    en: str
    kind: Kind = "text"
    width: float = 12
    words: Words | None = None
    value: Callable[[Any], str | int | float | None] | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A list's title and columns."""

    zh: str
    en: str
    columns: tuple[Column, ...]
    name: str = ""
    """The export's own name, where that of the list does not make one."""


def text(path: str, zh: str, en: str, width: float = 12) -> Column:
    """A text as it stands."""
    return Column(path, zh, en, "text", width)


def number(path: str, zh: str, en: str, width: float = 9) -> Column:
    """A figure."""
    return Column(path, zh, en, "number", width)


def day(path: str, zh: str, en: str) -> Column:
    """A day."""
    return Column(path, zh, en, "day", 12)


def at(path: str, zh: str, en: str) -> Column:
    """A moment, by the clock in Shanghai."""
    return Column(path, zh, en, "instant", 17)


def coded(path: str, zh: str, en: str, words: Words, width: float = 12) -> Column:
    """A code in words, or several."""
    return Column(path, zh, en, "words", width, words)


def flag(path: str, zh: str, en: str) -> Column:
    """Yes or no."""
    return Column(path, zh, en, "words", 8, w.YES_NO)


COMMUNITY = (text("community_code", "村居代码", "Community code", 15),)
NAMED_COMMUNITY = (*COMMUNITY, text("community_name", "村居", "Community", 16))
PLACE = (
    text("compound", "小区", "Compound", 16),
    text("building", "楼栋", "Building", 9),
    text("stair", "单元", "Stair", 8),
)
DOOR = (*PLACE, text("room", "室号", "Room", 9), text("address", "其他地址", "Other address", 18))
FLOOR = number("floor", "楼层", "Floor", 7)
HOME = (text("address", "地址", "Address", 26), text("head_name", "户主", "Head", 11))
PERSON = (
    text("name", "姓名", "Name", 11),
    coded("relation", "与户主关系", "Relation", w.RELATION, 11),
    coded("sex", "性别", "Sex", w.SEX, 7),
    number("birth_year", "出生年份", "Birth year"),
    number("age", "年龄", "Age", 7),
    coded("id_kind", "证件类型", "Document", w.ID_KIND, 16),
    text("id_masked", "证件号码", "ID number", 21),
    text("phone_masked", "电话", "Phone", 14),
)
JUDGED = (
    coded("flag_code", "标记原因", "Flag", w.FLAG, 22),
    coded("verdict", "核对结果", "Verdict", w.VERDICT, 10),
    at("judged_at", "核对时间", "Judged at"),
    text("judged_by_name", "核对人", "Judged by", 11),
    text("reason", "核对说明", "Why", 20),
)
RECORDED = (
    at("recorded_at", "登记时间", "Recorded at"),
    at("received_at", "收到时间", "Received at"),
    text("actor_name", "登记人", "By", 11),
)
