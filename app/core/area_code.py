"""Division codes: 12 digits, 2+2+2 county, 3 town, 3 community; a prefix of one is a scope.

From the National Bureau of Statistics' rules for statistical division codes.
"""

import re
from typing import Annotated, Literal

from pydantic import StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
"""A 12-digit division code in a shape."""

Level = Literal["city", "district", "town", "community"]
LEVELS: tuple[Level, ...] = ("city", "district", "town", "community")
PREFIX_LENGTH: dict[str, int] = {"city": 4, "district": 6, "town": 9, "community": 12}
_CODE = re.compile(r"\d{12}")


def is_code(text: str) -> bool:
    """Whether `text` is twelve digits."""
    return _CODE.fullmatch(text) is not None


def level_of(code: str) -> Level:
    """The level a 12-digit code speaks of, told by its zeros."""
    if code[4:] == "00000000":
        return "city"
    if code[6:] == "000000":
        return "district"
    if code[9:] == "000":
        return "town"
    return "community"


def prefix_of(code: str) -> str:
    """The digits that all codes below `code` begin with: `370102000000` → `370102`."""
    return code[: PREFIX_LENGTH[level_of(code)]]


def next_level(level: Level) -> Level | None:
    """The level below, None below a community."""
    at = LEVELS.index(level) + 1
    return LEVELS[at] if at < len(LEVELS) else None


def code_of(prefix: str) -> str:
    """The 12-digit code of a prefix."""
    return prefix.ljust(12, "0")


def ancestors_of(code: str) -> list[str]:
    """Codes above `code`, from the city down, itself left out."""
    own = LEVELS.index(level_of(code))
    return [code_of(code[: PREFIX_LENGTH[level]]) for level in LEVELS[:own]]
