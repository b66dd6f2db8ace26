"""An endpoint on the loopback that takes whatever a client posts, and counts the marks in it."""

from __future__ import annotations

import gzip
import re
import socket
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Final, Self

__all__ = ["Collector", "mark"]

MARK: Final = re.compile(rb"survivor-(\w+)-(\d+)-")
SETTLES_WITHIN: Final = 10.0


def mark(who: str, number: int) -> str:
    """Return the text that an event carries, once, so that it is known in every encoding."""
    return f"survivor-{who}-{number}-"


class Collector:
    """Answers every request with success, from its constructor to the end of its `with` block."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._open = 0
        self._seen: Counter[tuple[str, int]] = Counter()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where to send to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def arrived(self, who: str) -> int:
        """Return how many different events of a process arrived."""
        return sum(process == who for process, _ in self._seen)

    def repeats(self) -> int:
        """Return how many events arrived once more."""
        return self._seen.total() - len(self._seen)

    def settle(self) -> None:
        """Wait for what processes sent that have ended since."""
        # Connections are accepted in their order: whatever came before this one is then open.
        with socket.create_connection(("127.0.0.1", self._server.server_port)) as last:
            last.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while last.recv(1024):
                pass
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._open, SETTLES_WITHIN)
        assert ended, "a client is still connected"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # ── for the server's threads ──

    def opened(self, number: int) -> None:
        """Count connections; a negative number of them was closed."""
        with self._changed:
            self._open += number
            self._changed.notify_all()

    def received(self, body: bytes) -> None:
        """Count the marks of a request."""
        with self._changed:
            self._seen.update((found[1].decode(), int(found[2])) for found in MARK.finditer(body))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, _request: object, _address: object) -> None:
        """Say nothing: processes that are killed break their connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.collector.opened(1)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.collector.opened(-1)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if len(body) == size:  # else its sender was killed meanwhile
            compressed = self.headers.get("Content-Encoding") == "gzip"
            self.server.collector.received(gzip.decompress(body) if compressed else body)
        self._answer()

    def _answer(self) -> None:
        body = b'{"success":true,"status":1}'
        if "v1/logs" in self.path:
            body = b""  # in protobuf, success is empty
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_text: object) -> None:
        """Say nothing of each request."""
