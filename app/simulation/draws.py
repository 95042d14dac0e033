"""Chance that is the same everywhere: built on `random.random` alone, whose sequence Python promises to keep."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to draw from, some more often than others."""

    __slots__ = ("_bounds", "_things", "_total")

    def __init__(self, things: Sequence[tuple[T, float]]) -> None:
        self._things = [thing for thing, _ in things]
        self._bounds = list(accumulate(weight for _, weight in things))
        self._total = self._bounds[-1]

    def pick(self, fraction: float) -> T:
        """The thing at a fraction of the way, 0 ≤ fraction < 1."""
        return self._things[bisect_right(self._bounds, fraction * self._total)]


class Draw:
    """One source of chance; its key says for what."""

    __slots__ = ("next",)

    def __init__(self, *key: object) -> None:
        digest = sha256("/".join(map(str, key)).encode()).digest()
        self.next = random.Random(int.from_bytes(digest[:16])).random  # noqa: S311 - invented people, not secrets

    def below(self, bound: int) -> int:
        """A whole number from 0, below `bound`."""
        return int(self.next() * bound)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.next() * (high - low + 1))

    def chance(self, likelihood: float) -> bool:
        """Whether something of that likelihood happens."""
        return self.next() < likelihood

    def one_of(self, things: Sequence[T]) -> T:
        """One of them, each as likely."""
        return things[int(self.next() * len(things))]

    def pick(self, things: Weighted[T]) -> T:
        """One of them, by their weights."""
        return things.pick(self.next())
