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
from uuid import UUID

WORKERS = 2
"""Processes that write communities side by side; while one prepares rows, the database writes the other's."""
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
    count: int, work: Callable[[int, MutableSequence[float]], None], on_progress: Callable[[float], None]
) -> None:
    """Do `work(number, done)` in `count` processes at once; each says how much it has done in `done[number]`, and
    `on_progress` hears the sum. Raises RuntimeError when one did not end well."""
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
    done: MutableSequence[float] = context.RawArray("d", count)

    def begin(number: int) -> None:
        die_with_parent()
        work(number, done)

    workers = [context.Process(target=begin, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    try:
        while any(worker.is_alive() for worker in workers):
            on_progress(sum(done))
            await asyncio.sleep(0.1)
    finally:
        for worker in workers:
            worker.kill() if worker.is_alive() and sys.exc_info()[0] else worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a worker of an import did not end well")
