"""A page of a course on a loopback address that sends events, and shows them as they arrive."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Lock
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from eventtracking_core import Event, Tracker
from eventtracking_core.encoding import encode_json
from eventtracking_web.client import CLIENT
from eventtracking_web.collecting import collector
from eventtracking_web.page import page_contexts

__all__ = ["Demo", "server"]

LOOPBACK: Final = "127.0.0.1"
KEY: Final = "demo"
MAX_EVENTS: Final = 1000
"""How many events are kept."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HERE: Final = Path(__file__).parent
_FILES: Final = {
    "/": (_HERE / "page.html", "text/html"),
    "/page.css": (_HERE / "page.css", "text/css"),
    "/page.js": (_HERE / "page.js", "text/javascript"),
    "/eventtracking.min.js": (CLIENT / "eventtracking.min.js", "text/javascript"),
}
_CONTEXTS: Final = b"<!-- contexts -->"
_AFTER: Final = re.compile(r"after=(\d{1,9})", re.ASCII)

Start = Callable[..., Any]


class Arrivals:
    """A backend that keeps the latest events as JSON."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0
        self._latest: deque[bytes] = deque(maxlen=MAX_EVENTS)

    def send(self, event: Event) -> None:
        """Keep an event."""
        text = encode_json(event)
        with self._lock:
            self._latest.append(text)
            self._number += 1

    def after(self, number: int) -> bytes:
        """Return, as JSON, the events after the first so many, and how many there are in all."""
        with self._lock:
            new = max(0, min(self._number - number, len(self._latest)))
            texts = list(self._latest)[len(self._latest) - new :]
            return b'{"number":%d,"events":[%s]}' % (self._number, b",".join(texts))


class Demo:
    """The page, the endpoint at `/e`, and the events at `/events`, as a WSGI application.

    Args:
        port: where it is served.
    """

    def __init__(self, port: int) -> None:
        self._hosts = {f"{LOOPBACK}:{port}", f"localhost:{port}"}
        self._arrivals = Arrivals()
        self._tracker = Tracker()
        self._tracker.configure(
            {"telemetry": False, "context": ["origin"], "backends": {"page": self._arrivals}}
        )
        self._endpoint = collector(
            self._tracker,
            keys={KEY: ["edx."]},
            origins=[f"http://{host}" for host in self._hosts],
            context=("page", "title", "course_id", "unit"),
        )

    def __call__(self, environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        if environ.get("HTTP_HOST") not in self._hosts:  # against DNS rebinding
            return _answer(start, "421 Misdirected Request", "text/plain", b"")
        if path == "/e":
            return self._endpoint.wsgi(environ, start)
        if environ["REQUEST_METHOD"] != "GET":
            return _answer(start, "405 Method Not Allowed", "text/plain", b"")
        if path == "/events":
            match = _AFTER.fullmatch(environ.get("QUERY_STRING", ""))
            number = int(match[1]) if match else 0
            return _answer(start, "200 OK", "application/json", self._arrivals.after(number))
        if path not in _FILES:
            return _answer(start, "404 Not Found", "text/plain", b"there is no such page\n")
        file, kind = _FILES[path]
        content = file.read_bytes()
        if path == "/":
            contexts = page_contexts({"course": {"course_id": "course-v1:Demo+CS101"}})
            content = content.replace(_CONTEXTS, contexts.encode())
        return _answer(start, "200 OK", kind, content)


def _answer(start: Start, line: str, kind: str, content: bytes) -> list[bytes]:
    headers = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(content))),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]
    start(line, headers)
    return [content]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10.0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: the page shows what happens."""


def server(port: int) -> WSGIServer:
    """Return a server of the demonstration, on the loopback address.

    Args:
        port: the port; 0 for any free one.

    Raises:
        OSError: the port is taken.
    """
    serving = _Server((LOOPBACK, port), _Handler)
    serving.set_app(Demo(serving.server_port))
    return serving
