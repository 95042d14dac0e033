"""`pioneer` in processes of its own, which need not load it: loading takes seconds, and the tests start it a hundred
times.

A process that has loaded all of `pioneer`, and done nothing else, copies itself for each start. From there on the copy
is a process as any other: with words, environment, folder and output of its own, and it ends, or is killed, by itself.
What loading itself does is for those who start the program from nothing: `tests/test_cli.py`,
`tests/core/test_settings.py`, and the demo town of `tests/e2e`.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import IO

START_SECONDS = 60


class Started:
    """A process that was started so, with what `subprocess.Popen` has of one."""

    def __init__(self, words: tuple[str, ...], report: int) -> None:
        self.args = words
        self.returncode: int | None = None
        self._report = os.fdopen(report, "r")
        self.pid = int(self._report.readline())

    def poll(self) -> int | None:
        """Its exit code, if it has ended; what killed it is negative."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; answers the exit code, raises TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def terminate(self) -> None:
        """SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class _Loaded:
    """The process that has loaded `pioneer`, as this process knows it; it ends with this one."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._line.close()
        self._process.wait()

    def start(self, words: tuple[str, ...], environment: Mapping[str, str], folder: Path, *output: int) -> Started:
        reading, writing = os.pipe()
        request = json.dumps({"words": words, "environment": dict(environment), "folder": str(folder)})
        with self._lock:
            socket.send_fds(self._line, [request.encode() + b"\n"], [*output, writing])
        os.close(writing)
        return Started(words, reading)


@lru_cache
def _loaded() -> _Loaded:
    return _Loaded()


def start(
    *words: str, environment: Mapping[str, str], folder: Path, output: IO[bytes], errors: IO[bytes] | None = None
) -> Started:
    """Start `pioneer WORDS`; what it says goes to files that are open, both to one of them when it is the only one."""
    return _loaded().start(words, environment, folder, output.fileno(), (errors or output).fileno())


def run(
    *words: str, environment: Mapping[str, str], folder: Path, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run `pioneer WORDS` to its end, as `subprocess.run` does."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(*words, environment=environment, folder=folder, output=output, errors=errors)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        said = []
        for file in (output, errors):
            file.seek(0)
            said.append(file.read().decode())
        return subprocess.CompletedProcess(["pioneer", *words], code, *said)


# The other side.


def _stand_by(line: socket.socket) -> None:
    """Copy this process for each request; comes back in the copies only, which then are what was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for those who wait
    while True:
        request, handed, *_ = socket.recv_fds(line, 65_536, 3)
        while request and not request.endswith(b"\n"):
            request += line.recv(65_536)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(json.loads(request), *handed)
            return
        for one in handed:
            os.close(one)


def _become(asked: dict[str, object], output: int, errors: int, report: int) -> None:
    """Start the copy that is asked for and wait for it here; comes back in that copy only."""
    pid = os.fork()
    if pid:
        os.write(report, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(report)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for one in {output, errors}:
        os.close(one)
    os.environ.clear()
    os.environ.update(asked["environment"])  # type: ignore[call-overload]
    os.chdir(str(asked["folder"]))
    sys.argv = ["pioneer", *asked["words"]]  # type: ignore[misc]


def _load() -> None:
    for part in {part.module for part in cli.PARTS.values()}:
        import_module(f"app.cli.{part}")
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    from app import cli

    _load()
    _stand_by(socket.socket(fileno=int(sys.argv[1])))
    cli.main()
