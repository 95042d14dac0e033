"""Large files are worked on in a process of their own, so that neither its memory nor its time is the service's.

The service waits for it, and it ends with the service: what it had not written then is done again by the job.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, MutableSequence
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
WORKERS = 2
"""Processes that read and write communities side by side; while one prepares rows, the database writes the other's."""
DATABASE_URL = "PIONEER_JOB_DATABASE_URL"
"""Under this name in its environment the process finds the database."""
_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


async def run_apart(url: str, import_id: UUID) -> None:
    """Run an import in a process of its own and wait for it; raises RuntimeError when it did not end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli.working", str(import_id), env={**os.environ, DATABASE_URL: url}
    )
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if status:
        raise RuntimeError(f"the process of an import ended with {status}")


def die_with_parent() -> None:
    """Let the kernel end this process when its parent has ended, where it can (Linux)."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


async def in_workers(
    count: int, work: Callable[[int, MutableSequence[float]], T], on_progress: Callable[[float], None]
) -> list[T]:
    """Do `work(number, done)` in `count` processes at once; each says how much it has done in `done[number]`, and
    `on_progress` hears the sum. Answers what each has answered; raises RuntimeError when one did not end well."""
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
    done: MutableSequence[float] = context.RawArray("d", count)
    answers: dict[int, T] = {}
    pipes = [context.Pipe(duplex=False) for _ in range(count)]

    def begin(number: int) -> None:
        die_with_parent()
        pipes[number][1].send(work(number, done))

    workers = [context.Process(target=begin, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    try:
        while len(answers) < count and (any(w.is_alive() for w in workers) or any(r.poll() for r, _ in pipes)):
            on_progress(sum(done))
            for number, (receiving, _) in enumerate(pipes):
                if number not in answers and receiving.poll():
                    answers[number] = receiving.recv()
            await asyncio.sleep(0.05)
    finally:
        for worker in workers:
            worker.kill() if worker.is_alive() and sys.exc_info()[0] else worker.join()
        for pair in pipes:
            for end in pair:
                end.close()
    if len(answers) < count or any(worker.exitcode for worker in workers):
        raise RuntimeError("a worker of an import did not end well")
    return [answers[number] for number in range(count)]
