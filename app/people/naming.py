"""How addresses and names are compared, ordered and searched."""

import os
import re
import unicodedata
from functools import lru_cache

# Names are no phrases: without the list of 47,000 phrases every start is a second and 40 MB lighter.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, lazy_pinyin

_NUMBER = re.compile(r"\d+")
_BETWEEN = re.compile(r"号楼|栋|幢|座|单元")
_LONE_DASHES = re.compile(r"(?<![0-9])-+|-+(?![0-9])")


def tidy(text: str) -> str:
    """Half-width, lower case, without spaces."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


# the same compounds, buildings and rooms come again and again
_part = lru_cache(maxsize=20_000)(tidy)


def address_key(compound: str, building: str, stair: str, room: str, address: str) -> str:
    """What makes two doors the same door: its parts, or the free address where there are none."""
    parts = [_part(part) for part in (compound, building, stair, room)]
    if not any(parts):
        parts = ["", "", "", tidy(address)]
    return "|".join(parts)


def sort_key(compound: str, building: str, stair: str, floor: int | None, room: str, address: str) -> str:
    """Natural order: numbers padded to eight digits, so building 2 stands before building 10."""
    storey = "" if floor is None else str(floor + 100)
    parts = (compound, building, stair, storey, room or address)
    return "|".join(map(_ordered, parts))


@lru_cache(maxsize=20_000)
def _ordered(part: str) -> str:
    return _NUMBER.sub(lambda m: m.group().zfill(8), tidy(part))


# Characters that are read otherwise as a surname (现代汉语词典, 姓氏异读).
_SURNAMES = {
    "万俟": ("mo", "qi"), "尉迟": ("yu", "chi"), "长孙": ("zhang", "sun"), "澹台": ("tan", "tai"),
    "曾": ("zeng",), "单": ("shan",), "仇": ("qiu",), "解": ("xie",), "查": ("zha",), "区": ("ou",), "朴": ("piao",),
    "翟": ("zhai",), "任": ("ren",), "华": ("hua",), "乐": ("yue",), "覃": ("qin",), "缪": ("miao",), "种": ("chong",),
    "盖": ("ge",), "员": ("yun",), "秘": ("bi",), "繁": ("po",), "黑": ("he",), "折": ("she",), "召": ("shao",),
    "祭": ("zhai",), "纪": ("ji",), "尹": ("yin",), "逄": ("pang",), "郇": ("xun",), "宁": ("ning",),
}  # fmt: skip


def _split_surname(name: str) -> tuple[tuple[str, ...], str]:
    """The syllables of a surname with a reading of its own, and the rest of the name."""
    for length in (2, 1):
        if name[:length] in _SURNAMES:
            return _SURNAMES[name[:length]], name[length:]
    return (), name


@lru_cache(maxsize=30_000)
def _syllable(character: str) -> str:
    return lazy_pinyin(character)[0]


def _syllables(text: str) -> list[str] | None:
    """The syllables of a text, a character each; None for a text with anything else than Chinese characters, whose
    parts hang together."""
    if not text or min(text) < "\u3400" or max(text) > "\u9fff":
        return None
    found = [_syllable(character) for character in text]
    return found if all(map(str.isascii, found)) else None


@lru_cache(maxsize=100_000)
def initials(name: str) -> str:
    """Pinyin initials of a name, `王芳` → `wf`, `曾鹏` → `zp`; letters and digits stay."""
    surname, rest = _split_surname(name)
    syllables = [one[:1] for one in _syllables(rest) or ()] or lazy_pinyin(rest, style=Style.FIRST_LETTER)
    letters = [*(one[0] for one in surname), *(one if one.isascii() else one[:1] for one in syllables)]
    return "".join(letters).lower()[:30]


@lru_cache(maxsize=100_000)
def pinyin(name: str) -> str:
    """A name spelled out, `王芳` → `wangfang`; letters and digits stay."""
    surname, rest = _split_surname(name)
    return "".join([*surname, *(_syllables(rest) or lazy_pinyin(rest))]).lower().replace(" ", "")[:60]


def address_text(typed: str) -> str:
    """An address as `dwelling.search_key` has it: `泉景园 3号楼2单元101室` → `泉景园3-2-101`."""
    return _LONE_DASHES.sub("", _BETWEEN.sub("-", tidy(typed)).replace("室", ""))


RELATIONS: dict[str, str] = {
    "户主": "head", "配偶": "spouse", "丈夫": "husband", "妻子": "wife", "夫": "husband", "妻": "wife", "子": "son",
    "儿子": "son", "女": "daughter", "女儿": "daughter", "父": "father", "父亲": "father", "母": "mother",
    "母亲": "mother", "岳父": "father-in-law", "岳母": "mother-in-law", "公公": "father-in-law",
    "婆婆": "mother-in-law", "儿媳": "daughter-in-law", "女婿": "son-in-law", "孙子": "grandson",
    "孙女": "granddaughter", "祖父": "grandfather", "祖母": "grandmother", "兄": "brother", "弟": "brother",
    "哥哥": "brother", "弟弟": "brother", "姐": "sister", "妹": "sister", "姐姐": "sister", "妹妹": "sister",
    "租户": "tenant", "亲属": "relative", "其他": "other",
}  # fmt: skip
"""Relations to the head as they are written here, and how English says them."""
_WRITTEN = {english: chinese for chinese, english in reversed(RELATIONS.items())}


def written_relation(given: str, known: str = "") -> str:
    """A relation as the registry writes it: one that is given in English, as in a workbook of ours, is what is `known`
    where English says that so, and the Chinese word otherwise."""
    said = given.lower()
    return known if known and RELATIONS.get(known) == said else _WRITTEN.get(said, given)
