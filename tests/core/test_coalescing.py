"""Calls done together: who flies with whom, and what a failure does to its neighbours."""

import asyncio
from collections.abc import Sequence

import pytest

from app.core.coalescing import Coalescer


class Work:
    """Notes its flights; each ends when told to."""

    def __init__(self) -> None:
        self.flights: list[list[str]] = []
        self.gates: list[asyncio.Event] = []
        self.poison: set[str] = set()

    async def __call__(self, items: Sequence[str], is_patient: bool) -> list[str]:
        self.flights.append([*items, "patient"] if is_patient else list(items))
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        if self.poison & set(items):
            raise ValueError("poison")
        return [item.upper() for item in items]

    async def land(self) -> None:
        """Let all flights under way, and those after them, end."""
        for _ in range(50):
            for gate in self.gates:
                gate.set()
            await asyncio.sleep(0)


async def begun(*tasks: "asyncio.Task[str]") -> None:
    for _ in range(3):
        await asyncio.sleep(0)


class TestCoalescer:
    async def test_one_alone_is_done_at_once_and_those_behind_it_together(self) -> None:
        work = Work()
        coalescer = Coalescer(work, key=lambda item: item, flights=1)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in "abcd"]
        await begun(*tasks)
        assert work.flights == [["a"]]
        await work.land()
        assert work.flights == [["a"], ["b", "c", "d"]]
        assert await asyncio.gather(*tasks) == ["A", "B", "C", "D"]

    async def test_the_same_key_never_flies_at_the_same_time(self) -> None:
        work = Work()
        coalescer = Coalescer(work, key=lambda item: item[0], flights=2)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in ("x1", "y1", "x2", "x3", "z1")]
        await begun(*tasks)
        assert work.flights == [["x1"], ["y1"]]
        await work.land()
        assert work.flights[2:] == [["x2", "z1"], ["x3"]]
        assert await asyncio.gather(*tasks) == ["X1", "Y1", "X2", "X3", "Z1"]

    async def test_a_flight_takes_what_its_size_allows_and_a_heavy_one_flies_alone(self) -> None:
        work = Work()
        coalescer = Coalescer(work, key=lambda item: item, weight=len, size=3, flights=1)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in ("a", "bb", "cccc", "d")]
        await begun(*tasks)
        await work.land()
        assert work.flights == [["a"], ["bb", "d"], ["cccc"]]
        await asyncio.gather(*tasks)

    async def test_one_that_fails_does_not_fail_its_neighbours(self) -> None:
        work = Work()
        work.poison = {"c"}
        coalescer = Coalescer(work, key=lambda item: item, flights=1)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in "abcd"]
        await begun(*tasks)
        await work.land()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        alone = [["b", "patient"], ["c", "patient"], ["d", "patient"]]
        assert work.flights == [["a"], ["b", "c", "d"], *alone]
        assert [answers[0], answers[1], answers[3]] == ["A", "B", "D"]
        with pytest.raises(ValueError, match="poison"):
            await tasks[2]

    async def test_one_that_waits_long_keeps_no_place(self) -> None:
        work = Work()
        work.poison = {"a"}
        coalescer = Coalescer(work, key=lambda item: item[0], flights=1)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in ("a", "a2", "b")]
        await begun(*tasks)
        work.gates[0].set()
        await begun(*tasks)
        await begun(*tasks)
        assert work.flights == [["a"], ["b"], ["a", "patient"]]  # "a2" waits for "a", "b" for nobody
        await work.land()
        assert work.flights[3:] == [["a2"]]
        assert await asyncio.gather(*tasks[1:]) == ["A2", "B"]
        with pytest.raises(ValueError, match="poison"):
            await tasks[0]

    async def test_a_caller_that_has_gone_is_left_out(self) -> None:
        work = Work()
        coalescer = Coalescer(work, key=lambda item: item, flights=1)
        tasks = [asyncio.create_task(coalescer.do(item)) for item in "abc"]
        await begun(*tasks)
        tasks[1].cancel()
        await begun()
        await work.land()
        assert work.flights == [["a"], ["c"]]
        assert (await tasks[0], await tasks[2]) == ("A", "C")
