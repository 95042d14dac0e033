"""How addresses and names are compared, ordered and searched."""

import re
import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

_NUMBER = re.compile(r"\d+")
_BETWEEN = re.compile(r"号楼|栋|幢|座|单元")
_LONE_DASHES = re.compile(r"(?<![0-9])-+|-+(?![0-9])")


def tidy(text: str) -> str:
    """Half-width, lower case, without spaces."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def address_key(compound: str, building: str, stair: str, room: str, address: str) -> str:
    """What makes two doors the same door: its parts, or the free address where there are none."""
    parts = [tidy(part) for part in (compound, building, stair, room)]
    if not any(parts):
        parts = ["", "", "", tidy(address)]
    return "|".join(parts)


def sort_key(compound: str, building: str, stair: str, floor: int | None, room: str, address: str) -> str:
    """Natural order: numbers padded to eight digits, so building 2 stands before building 10."""
    storey = "" if floor is None else str(floor + 100)
    parts = (compound, building, stair, storey, room or address)
    return "|".join(_NUMBER.sub(lambda m: m.group().zfill(8), tidy(part)) for part in parts)


@lru_cache(maxsize=100_000)
def initials(name: str) -> str:
    """Pinyin initials of a name, `王芳` → `wf`; letters and digits stay."""
    syllables = lazy_pinyin(name, style=Style.FIRST_LETTER)
    return "".join(syllable if syllable.isascii() else syllable[:1] for syllable in syllables).lower()[:30]


@lru_cache(maxsize=100_000)
def pinyin(name: str) -> str:
    """A name spelled out, `王芳` → `wangfang`; letters and digits stay."""
    return "".join(lazy_pinyin(name)).lower().replace(" ", "")[:60]


def address_text(typed: str) -> str:
    """An address as `dwelling.search_key` has it: `泉景园 3号楼2单元101室` → `泉景园3-2-101`."""
    return _LONE_DASHES.sub("", _BETWEEN.sub("-", tidy(typed)).replace("室", ""))
