"""To an endpoint in a process of its own: ours, and urllib3 with bodies of texts made before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import ClassVar, Final
from urllib.request import urlopen

import urllib3

from benchmarks.sender import Sender
from benchmarks.varied import batches_of, handed_over, varied
from eventtracking_core import Tracker
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_http import HttpBackend

__all__ = ["http_senders"]

EVENTS: Final = 20_000
BATCH: Final = 1000
HEADERS: Final = {"Content-Type": "application/x-ndjson", "User-Agent": "eventtracking-http"}
WAITS: Final = 120.0
"""Seconds for a flush: it is measured, not limited."""


def http_senders(directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them.

    Args:
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    endpoint = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.to_http"], stdout=subprocess.PIPE, text=True
    )
    stack.callback(endpoint.communicate)
    stack.callback(endpoint.kill)
    assert endpoint.stdout is not None, "it is a pipe"
    url = endpoint.stdout.readline().strip()
    batches = batches_of(BATCH, EVENTS)
    return [_ours(url, directory, stack), _direct(url, batches, stack), _raw(url, batches)]


def _ours(url: str, directory: Path, stack: ExitStack) -> Sender:
    delivery = {"mode": "queue", "max_batch_size": BATCH, "directory": str(directory)}
    tracker = Tracker()
    sink = {"type": "http", "url": url, "format": "ndjson", "delivery": delivery}
    tracker.configure({"backends": {"http": sink}})
    stack.callback(tracker.shutdown)

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    return Sender(
        "ours: http",
        "tracker.emit(NAME, DATA); tracker.flush()",
        varied(tracker),
        EVENTS,
        _counted(url),
        settle,
    )


def _direct(url: str, batches: list[NormalBatch], stack: ExitStack) -> Sender:
    """Return what sends batches as a worker does, of events that were emitted before."""
    backend = HttpBackend(url, format="ndjson")
    stack.callback(backend.shutdown, 5)
    turns = handed_over(backend, batches)
    return Sender(
        "ours: http, send_batch(1000)",
        "backend.send_batch(events, timeout=120)",
        lambda: backend.send_batch(next(turns), timeout=WAITS),
        EVENTS // BATCH,
        _counted(url),
        events=BATCH,
    )


def _raw(url: str, batches: list[NormalBatch]) -> Sender:
    pool = urllib3.PoolManager()
    turns = cycle([[encode_json(event) for event in batch] for batch in batches])

    def post() -> None:
        body = b"\n".join([*next(turns), b""])
        answer = pool.request("POST", url, body=body, headers=HEADERS, timeout=WAITS, retries=False)
        assert answer.status == HTTPStatus.OK, "the endpoint refused something"

    return Sender(
        "urllib3: POST of 1,000 lines",
        "pool.request('POST', url, body=lines)",
        post,
        EVENTS // BATCH,
        _counted(url),
        events=BATCH,
    )


def _counted(url: str) -> Callable[[], int]:
    """Return what asks the endpoint for the lines since it was last asked."""

    def delivered() -> int:
        with urlopen(url) as answer:
            return int(answer.read())

    return delivered


class _Endpoint(BaseHTTPRequestHandler):
    """Counts lines of JSON, and says how many there were."""

    protocol_version = "HTTP/1.1"
    lines: ClassVar[int] = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _Endpoint.lines += body.count(b"\n")
        self._answer(b"")

    def do_GET(self) -> None:
        count, _Endpoint.lines = _Endpoint.lines, 0
        self._answer(b"%d" % count)

    def _answer(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        print(f"http://127.0.0.1:{server.server_port}/events", flush=True)
        server.serve_forever()
