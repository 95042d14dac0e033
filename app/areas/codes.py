"""A division's code in any of its years: what an ended code is today."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.db import EVERYWHERE, Database

SECONDS = 10.0
"""How long a process may go on without having heard of an adoption."""


@dataclass(frozen=True, slots=True)
class CodeBook:
    """`current`: ended codes and what each is today; those that were divided among several, or simply ended, are left
    out. `divided`: communities that gave doors away, whether they ended or stayed. `heirs`: what the rows under a code
    went to when it changed, once after another."""

    current: Mapping[str, str]
    divided: frozenset[str]
    heirs: Mapping[str, frozenset[str]]

    def is_settled(self, code: str) -> bool:
        """Whether what was once under a code is under it still."""
        return code not in self.current and code not in self.divided

    def places_of(self, code: str) -> list[str]:
        """The code itself, and all those under which a row may stand that once stood under it."""
        places = [code]
        for one in places:
            places += sorted(self.heirs.get(one, frozenset()).difference(places))
        return places


_ENDED = "SELECT code, successor_code FROM division WHERE valid_to IS NOT NULL AND successor_code IS NOT NULL"
_WENT = (
    "SELECT old_code, new_code, bool_or(kind = 'split') FROM division_change "
    "WHERE kind IN ('moved', 'merged', 'split') AND level = 'community' GROUP BY 1, 2"
)
_books: WeakKeyDictionary[Database, tuple[float, CodeBook]] = WeakKeyDictionary()


async def read_codes(database: Database) -> CodeBook:
    """The codes that changed, as this process last heard."""
    held = _books.get(database)
    if held is not None and time.monotonic() - held[0] < SECONDS:
        return held[1]
    ended, went = await database.read(EVERYWHERE, [_ENDED, _WENT], {})
    heirs: dict[str, set[str]] = {}
    for old, new, _ in went:
        heirs.setdefault(old, set()).add(new)
    book = CodeBook(
        _last_of({row[0]: row[1] for row in ended}),
        frozenset(old for old, _, is_split in went if is_split),
        {old: frozenset(new) for old, new in heirs.items()},
    )
    _books[database] = (time.monotonic(), book)
    return book


async def read_current_codes(session: AsyncSession) -> Mapping[str, str]:
    """Ended codes and what each is today, as a transaction sees it."""
    return _last_of({row.code: row.successor_code for row in await session.execute(text(_ENDED))})


def forget(database: Database) -> None:
    """Look anew at the next question."""
    _books.pop(database, None)


def _last_of(next_of: Mapping[str, str]) -> dict[str, str]:
    return {code: found for code in next_of if (found := _last(code, next_of)) is not None}


def _last(code: str, next_of: Mapping[str, str]) -> str | None:
    seen = {code}
    while code in next_of:
        code = next_of[code]
        if code in seen:
            return None
        seen.add(code)
    return code
