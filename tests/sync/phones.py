"""A real service on a port, and phones without a screen that work with it (`frontend/scripts/phone.mjs`)."""

import asyncio
import itertools
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from app.main import create_app

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 60
_LINE_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def serving(database_url: str) -> AsyncIterator[str]:
    """The service under uvicorn on a free port of this machine; answers its address."""
    config = uvicorn.Config(create_app(database_url), port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            running.result()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        try:
            await asyncio.wait_for(asyncio.shield(running), ANSWER_SECONDS)
        except TimeoutError:
            # a request that never ends must not keep the test from failing
            server.force_exit = True
            await running


class PhoneError(Exception):
    """The phone's engine raised: `name` is the error's, such as `DoorGoneError`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('name')}: {error.get('message')}")
        self.name = error.get("name")


class Phones:
    """Phones by name, in one Node process: `await phones.do("p1", "sync", faults=[…])`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: Process
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        node = Path(sys.executable).with_name("node")
        # the interpreter's own proxies and options are not the phone's
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self._process = await asyncio.create_subprocess_exec(
            node, "scripts/phone.mjs", self.url,
            cwd=ROOT / "frontend", env=environment, stdin=PIPE, stdout=PIPE, limit=_LINE_BYTES,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            self._waiting.pop(answer["n"]).set_result(answer)
        for waiting in self._waiting.values():
            waiting.set_exception(RuntimeError("the phones' process has ended"))

    async def do(self, phone: str, doing: str, **words: Any) -> dict[str, Any]:
        """One line to one phone; answers what it said, raises PhoneError when it failed."""
        assert self._process.stdin is not None
        number = next(self._numbers)
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"n": number, "phone": phone, "do": doing, **words}).encode() + b"\n")
        await self._process.stdin.drain()
        answer: dict[str, Any] = await asyncio.wait_for(future, ANSWER_SECONDS)
        if not answer["ok"]:
            raise PhoneError(answer["error"])
        return answer
