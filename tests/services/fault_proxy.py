"""A TCP proxy that makes a network fail: late, slow, silent, cut off, or losing an answer."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

__all__ = ["FaultProxy", "crawl", "fall_silent", "refuse"]

CHUNK = 64 * 1024
TICK = 0.01
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST


class FaultProxy:
    """Stands between a client and a server, in a thread of its own, and does as its faults say.

    Faults may be changed at any moment, and act on the connections that are open.

    Args:
        host: the server's name.
        port: the server's port.

    Attributes:
        port: where the proxy listens, on 127.0.0.1.
        latency: seconds that every chunk waits, in both directions.
        bytes_per_second: how much passes, in each direction of a connection; None for no limit.
        is_black_hole: whether nothing passes, and nobody is told.
        refuses: whether new connections are reset.
        lost: how many answers were lost to `lose_answers`.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._marker = b""
        self._to_lose = 0
        self.heal()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def heal(self) -> None:
        """Let everything pass again. What a black hole held back arrives late."""
        self.latency = 0.0
        self.bytes_per_second: float | None = None
        self.is_black_hole = False
        self.refuses = False
        self._to_lose = 0
        self.lost = 0

    def reset(self) -> None:
        """Reset the connections that are open; new ones pass, unless `refuses` is set."""
        asyncio.run_coroutine_threadsafe(self._reset_all(), self._loop).result(10)

    def lose_answers(self, marker: bytes, count: int = 1) -> None:
        """Let requests pass, then reset the connection in place of the server's answer.

        Args:
            marker: bytes that tell a request whose answer is to be lost.
            count: how many such requests.
        """
        self._marker = marker
        self._to_lose = count

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._socket))
        self._loop.run_forever()

    async def _end(self) -> None:
        self._socket.close()
        await self._reset_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reset_all(self) -> None:
        for client in list(self._clients):
            _cut(client)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _cut(writer)
            return
        try:
            from_server, to_server = await asyncio.open_connection(*self._server)
        except OSError:
            _cut(writer)
            return
        self._clients.add(writer)
        answers = _Answers()
        try:
            await _first_of(
                self._pump(reader, to_server, answers, is_request=True),
                self._pump(from_server, writer, answers, is_request=False),
            )
        finally:
            self._clients.discard(writer)
            to_server.close()
            if answers.is_lost:
                _cut(writer)
            writer.close()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        answers: _Answers,
        *,
        is_request: bool,
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(self._chunk()):
                if is_request:
                    self._watch(chunk, answers)
                elif answers.is_lost:  # the server has answered, so it has done as it was asked
                    self.lost += 1
                    return
                await self._hold(len(chunk))
                target.write(chunk)
                await target.drain()

    def _chunk(self) -> int:
        return max(1, int(self.bytes_per_second * 0.1)) if self.bytes_per_second else CHUNK

    def _watch(self, chunk: bytes, answers: _Answers) -> None:
        seen = answers.tail + chunk
        if self._to_lose > 0 and self._marker in seen:
            self._to_lose -= 1
            answers.is_lost = True
        answers.tail = seen[-len(self._marker) :]

    async def _hold(self, size: int) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.bytes_per_second:
            await asyncio.sleep(size / self.bytes_per_second)
        while self.is_black_hole:  # noqa: ASYNC110  a plain attribute that any thread may set
            await asyncio.sleep(TICK)


class _Answers:
    """What is known of a connection's requests: their last bytes, and whether the answer goes."""

    def __init__(self) -> None:
        self.tail = b""
        self.is_lost = False


async def _first_of(*pumps: Coroutine[Any, Any, None]) -> None:
    """Run until one direction ends: then the connection is over."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _cut(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


# ── faults, by name ──


def refuse(proxy: FaultProxy) -> None:
    """End every connection, and accept no other."""
    proxy.refuses = True
    proxy.reset()


def fall_silent(proxy: FaultProxy) -> None:
    """Answer nothing."""
    proxy.is_black_hole = True


def crawl(proxy: FaultProxy) -> None:
    """Pass on 50 bytes a second."""
    proxy.bytes_per_second = 50
