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

from benchmarks.delivered import BATCH, EVENTS, WAITS, batch_sender, emitter
from benchmarks.sender import Sender
from benchmarks.varied import batches_of
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_http import HttpBackend

__all__ = ["http_senders"]

HEADERS: Final = {"Content-Type": "application/x-ndjson", "User-Agent": "eventtracking-http"}


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
    sink = {"url": url, "format": "ndjson"}
    backend = HttpBackend(url, format="ndjson")
    return [
        emitter("http", sink, directory, stack, _counted(url), max_batch_size=BATCH),
        batch_sender("http", backend, batches, stack, _counted(url)),
        _raw(url, batches),
    ]


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
