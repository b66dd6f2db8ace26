"""The suite runs backends that speak asyncio as a worker does, and finds their mistakes."""

# ruff: noqa: ASYNC109  the protocol has timeouts

from __future__ import annotations

import asyncio
import json
import socket
import threading

import pytest

from eventtracking_core.delivery.event_loop import LoopBackend
from eventtracking_core.encoding import encode_json
from eventtracking_core.testing import BackendConformance


class Server:
    """A server of asyncio, in a thread: it keeps the lines before each empty one."""

    def __init__(self):
        self.lines = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        started = asyncio.start_server(self._take, "127.0.0.1", 0, limit=2**24)
        self._server = asyncio.run_coroutine_threadsafe(started, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _take(self, reader, writer):
        lines = []
        while line := await reader.readline():
            if line != b"\n":
                lines.append(line)
                continue
            self.lines += lines
            lines.clear()
            writer.write(b"ok\n")
        writer.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class LinesBackend:
    """Send each event as a line of JSON, over a connection that it keeps.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = None

    async def send_batch(self, events, *, timeout):
        reader, writer = await self._connected()
        try:
            writer.writelines(encode_json(event) + b"\n" for event in events)
            writer.write(b"\n")
            if await reader.readline() != b"ok\n":
                raise ConnectionResetError
        except BaseException:
            self._disconnect()
            raise

    async def flush(self, timeout):
        return True

    async def shutdown(self, timeout):
        if self._loop is asyncio.get_running_loop():
            self._disconnect()
        return True

    async def _connected(self):
        if self._loop is not asyncio.get_running_loop():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self._loop = asyncio.get_running_loop()
        return self._streams

    def _disconnect(self):
        self._loop = None
        self._streams[1].close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


class TestLines(BackendConformance):
    """A whole backend, over a real server."""

    @pytest.fixture(autouse=True)
    def _server(self, server):
        self.server = server
        with socket.socket() as self.unused:  # held, so that nobody listens there
            self.unused.bind(("127.0.0.1", 0))
            yield

    def make_backend(self):
        return LinesBackend(self.server.port)

    def make_unreachable(self):
        return LinesBackend(self.unused.getsockname()[1])

    def stored(self, backend):
        return map(json.loads, self.server.lines)


def suite(backend_class, **limits):
    class Suite(BackendConformance):
        def make_backend(self):
            return backend_class()

        make_unreachable = make_backend

        def stored(self, backend):
            return [{"id": event_id} for event_id in backend.ids]

    for name, seconds in limits.items():
        setattr(Suite, name, seconds)
    return Suite()


class Keeping:
    """Keeps ids."""

    def __init__(self):
        self.ids = []

    async def send(self, event):
        self.ids.append(event["id"])


def test_what_an_async_backend_loses_is_found():
    class Forgetful(Keeping):
        async def send(self, event):
            if len(self.ids) < 5:
                await super().send(event)

    with pytest.raises(AssertionError, match="accepted events did not arrive"):
        suite(Forgetful).test_takes_events_from_many_threads()


def test_an_async_method_that_says_nothing_is_found():
    class Silent(Keeping):
        async def flush(self, timeout):
            pass

    with pytest.raises(AssertionError, match="flush must return True or False"):
        suite(Silent).test_keeps_deadlines("flush", 0.2)


def test_an_async_backend_that_blocks_its_loop_is_found():
    tried, release = [], threading.Event()

    class Blocking(Keeping):
        async def send_batch(self, events, *, timeout):
            tried.append(self)
            release.wait(10)

    with pytest.raises((AssertionError, TimeoutError)):
        suite(Blocking, grace=0.2, deadline=0.5).test_an_attempt_ends_in_its_time()
    adapters = [LoopBackend.of(backend) for backend in tried]
    release.set()
    assert [adapter.shutdown(60) for adapter in adapters] == [True]
