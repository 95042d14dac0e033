"""A load generator: keep-alive HTTP/1.1 over plain sockets, in a process of its own.

Deliberately thin, so that what is measured is the server: it writes ready-made requests and reads answers
by their Content-Length.
"""

import asyncio
import json
import multiprocessing
import socket
import statistics
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Requests to send: `make(connection)` gives each connection its stream of whole requests."""

    port: int
    concurrency: int
    seconds: float
    make: Callable[[int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: answers per second, latencies in ms, statuses seen, bytes of one answer."""

    per_second: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]
    body: bytes


def request(method: str, path: str, token: str | None, body: bytes = b"", extra: str = "") -> bytes:
    """One whole HTTP request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n"
    if body:
        head += "Content-Type: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    return (head + extra + "\r\n").encode() + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, await reader.readexactly(length) if length else b""


async def _connection(load: Load, number: int, until: float, took: list[float], seen: dict[int, int]) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    body = b""
    for message in load.make(number):
        started = time.perf_counter()
        if started > until:
            break
        writer.write(message)
        status, body = await read_answer(reader)
        took.append(time.perf_counter() - started)
        seen[status] = seen.get(status, 0) + 1
    writer.close()
    return body


async def _run(load: Load) -> Outcome:
    took: list[float] = []
    seen: dict[int, int] = {}
    started = time.perf_counter()
    until = started + load.seconds
    bodies = await asyncio.gather(*(_connection(load, n, until, took, seen) for n in range(load.concurrency)))
    elapsed = time.perf_counter() - started
    took.sort()
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    return Outcome(len(took) / elapsed, statistics.median(took) * 1000, p99 * 1000, seen, bodies[0])


def _child(load: Load, pipe: "multiprocessing.connection.Connection") -> None:
    pipe.send(asyncio.run(_run(load)))


def run(load: Load) -> Outcome:
    """Run a load in a forked process; raises when an answer was no success."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(load, theirs))
    child.start()
    outcome: Outcome = ours.recv()
    child.join()
    failed = {status: count for status, count in outcome.statuses.items() if status not in (200, 201, 304)}
    if failed:
        raise RuntimeError(f"answers that were no success: {failed} {outcome.body[:300]!r}")
    return outcome


def first_result(body: bytes) -> str:
    """The status of the first command in a push's answer."""
    return str(json.loads(body)["results"][0]["status"])


async def cut_downloads(port: int, message: bytes, count: int, patience: float = 20.0) -> list[socket.socket]:
    """Begin `count` downloads, take their first kilobytes and no more: every other one is broken off there, of the rest
    the phone neither reads on nor hangs up. Answers those; their owner closes them.

    Those ask many times in a row, so that no buffer between holds what it does not read and the service has to
    wait for it. Raises TimeoutError when a download is not begun within `patience` seconds.
    """
    hung: list[socket.socket] = []
    try:
        for number in range(count):
            phone = await asyncio.wait_for(_begin_download(port, message * (60 if number % 2 == 0 else 1)), patience)
            if number % 2 == 0:
                hung.append(phone)
            else:
                phone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                phone.close()
    except BaseException:
        for phone in hung:
            phone.close()
        raise
    return hung


async def _begin_download(port: int, message: bytes) -> socket.socket:
    """Ask, and read the beginning of the answer. Raises ConnectionError when there is none."""
    loop = asyncio.get_running_loop()
    phone = socket.socket()
    try:
        # a small window: what is not read stays with the server
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        phone.setblocking(False)
        await loop.sock_connect(phone, ("127.0.0.1", port))
        await loop.sock_sendall(phone, message)
        if not await loop.sock_recv(phone, 2048):
            raise ConnectionError("hung up before a byte of the answer")
    except BaseException:
        phone.close()
        raise
    return phone
