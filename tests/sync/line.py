"""A phone's line to the service: a TCP proxy that stops a request or its answer at an exact point, and can be cut."""

import asyncio
import re
import time
from typing import Any, Literal

from jose import jwt

from app.auth.sessions import ALGORITHM
from app.core.config import get_settings

Point = Literal["request", "answer", "half"]
"""Where an exchange stops: before anything of it has left; when the service has answered and the phone has heard
nothing; when the phone has heard half of the answer, to the byte."""

WAIT_SECONDS = 40
_BEARER = re.compile(rb"(?im)^authorization: bearer (\S+)\r$")
_LENGTH = re.compile(rb"(?im)^content-length: (\d+)\r$")


class Line:
    """One phone's line. Its owner says where the next exchange of a path stops, and whether there is a line at all."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()
        self._held: tuple[str, Point] | None = None
        self._go = asyncio.Event()
        self.reached = asyncio.Event()
        self._is_cut = False
        self._seen: set[str] = set()
        self._expired: set[str] = set()

    async def open(self) -> str:
        """Open the line; answers the address that the phone is to use."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def hold(self, path: str, point: Point) -> None:
        """The next exchange whose path contains `path` stops at `point`, until `release`."""
        self._held = (path, point)
        self._go.clear()
        self.reached.clear()

    def release(self) -> None:
        """What was held goes on."""
        self._held = None
        self._go.set()

    def drop(self) -> None:
        """Whoever is connected is no longer; new connections are taken."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut(self) -> None:
        """There is no line, until `mend`."""
        self._is_cut = True
        self.drop()

    def mend(self) -> None:
        """There is a line again."""
        self._is_cut = False

    def expire(self) -> None:
        """Access tokens used up to now have reached their end when they get to the service."""
        self._expired |= self._seen

    async def close(self) -> None:
        """Close the line."""
        self.release()
        self.drop()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, EOFError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the phone has hung up."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        request = self._aged(head) + await _body_of(head, reader)
        path = head.split(b" ", 2)[1].decode()
        await self._stop(path, "request", writer)
        try:
            upstream, sink = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            sink.write(request)
            answered = await upstream.readuntil(b"\r\n\r\n")
            answer = answered + await _body_of(answered, upstream)
        finally:
            sink.transport.abort()
        await self._stop(path, "answer", writer)
        if self._is_held(path, "half"):
            half = len(answered) + (len(answer) - len(answered)) // 2
            writer.write(answer[:half])
            await writer.drain()
            await self._stop(path, "half", writer)
            answer = answer[half:]
        writer.write(answer)
        await writer.drain()
        return True

    def _is_held(self, path: str, point: Point) -> bool:
        return self._held is not None and self._held[0] in path and self._held[1] == point

    async def _stop(self, path: str, point: Point, writer: asyncio.StreamWriter) -> None:
        """Wait at a point, if this is the exchange and the point; raises EOFError when the phone is no longer there."""
        if not self._is_held(path, point):
            return
        self._held = None
        self.reached.set()
        await asyncio.wait_for(self._go.wait(), WAIT_SECONDS)
        if writer.transport.is_closing():
            raise EOFError

    def _aged(self, head: bytes) -> bytes:
        """The request's head; a token used before `expire` with the end it has reached."""
        found = _BEARER.search(head)
        if found is None:
            return head
        claims: dict[str, Any] = jwt.get_unverified_claims(found[1].decode())
        self._seen.add(claims["jti"])
        if claims["jti"] not in self._expired:
            return head
        aged = jwt.encode(claims | {"exp": int(time.time()) - 1}, get_settings().token_key, algorithm=ALGORITHM)
        return head.replace(found[1], aged.encode())


async def _body_of(head: bytes, reader: asyncio.StreamReader) -> bytes:
    length = _LENGTH.search(head)
    return await reader.readexactly(int(length[1])) if length else b""
