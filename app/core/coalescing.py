"""Calls that arrive while others are under way, done together.

One call alone is done at once. While calls are under way, those that arrive wait for the next flight and share
its round trip and its commit; each caller gets its own answer after it, and its own failure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Passenger = tuple[T, asyncio.Future[R]]


class Coalescer(Generic[T, R]):
    """Does `work` on several items at once, in at most `flights` flights.

    Items of the same `key` never fly together nor at the same time: they would wait for the same row. A flight takes
    `size` of what `weight` says of its items; a heavier item flies alone.

    `work(items, is_patient)` is told whether it may wait for others: a flight may not. When a flight fails, each of
    its items is tried alone, patiently and outside the flights, so that neither one item's fault nor its long
    waiting touches another.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T], bool], Awaitable[Sequence[R]]],
        key: Callable[[T], Hashable],
        *,
        weight: Callable[[T], int] = lambda _: 1,
        size: int = 32,
        flights: int = 2,
    ) -> None:
        self._work = work
        self._key = key
        self._weight = weight
        self._size = size
        self._flights = flights
        self._waiting: list[Passenger[T, R]] = []
        self._flying: set[Hashable] = set()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def do(self, item: T) -> R:
        """The result for one item; raises what its work raised."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._depart()
        return await future

    def _depart(self) -> None:
        """Start as many flights as there are places for."""
        while self._under_way < self._flights:
            flight = self._board()
            if not flight:
                return
            self._under_way += 1
            self._flying.update(self._key(item) for item, _ in flight)
            task = asyncio.create_task(self._fly(flight))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _board(self) -> list[Passenger[T, R]]:
        """Those who can fly now, in the order they came."""
        flight: list[Passenger[T, R]] = []
        left: list[Passenger[T, R]] = []
        keys = set(self._flying)
        weight = 0
        for item, future in self._waiting:
            if future.done():
                continue  # its caller has gone
            key, more = self._key(item), self._weight(item)
            if key not in keys and (not flight or weight + more <= self._size):
                flight.append((item, future))
                keys.add(key)
                weight += more
            else:
                left.append((item, future))
        self._waiting = left
        return flight

    async def _fly(self, flight: list[Passenger[T, R]]) -> None:
        try:
            results = await self._work([item for item, _ in flight], False)
        except Exception:
            self._under_way -= 1
            self._depart()
            await asyncio.gather(*(self._alone(one) for one in flight))
            return
        self._under_way -= 1
        self._flying.difference_update(self._key(item) for item, _ in flight)
        for (_, future), result in zip(flight, results, strict=True):
            if not future.done():
                future.set_result(result)
        self._depart()

    async def _alone(self, one: Passenger[T, R]) -> None:
        item, future = one
        try:
            result = (await self._work([item], True))[0]
            if not future.done():
                future.set_result(result)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        finally:
            self._flying.discard(self._key(item))
            self._depart()
