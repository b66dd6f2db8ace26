"""Serve the catalogue on this machine, with live counts."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from eventtracking_catalog.site import LIVE_POLICY, pages
from eventtracking_catalog.sources import Sources
from eventtracking_core import EventTrackingError

__all__ = ["LOOPBACK", "server"]

LOOPBACK: Final = "127.0.0.1"
COUNTS: Final = "counts.json"
TIMEOUT: Final = 10.0
"""Timeout for a client's request, in seconds."""


class Pages:
    """The site in memory, rebuilt when a new event type appears.

    Requests come from several threads; the lock guards all state.

    Args:
        sources: the sources of the catalogue.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = Lock()
        self._make()

    def _make(self) -> None:
        catalogue = self._sources.catalogue()
        self._names = catalogue.entries.keys()
        self._files = dict(pages(catalogue, live=True))

    def file(self, name: str) -> bytes | None:
        """Return a file of the site; None if there is no such file."""
        with self._lock:
            return self._files.get(name)

    def counts(self) -> bytes:
        """Return the counts as JSON.

        Raises:
            EventTrackingError: a source cannot be read.
            OSError: a source cannot be read.
        """
        with self._lock:
            counts = self._sources.counts()
            if counts.keys() - self._names:
                self._make()
        return json.dumps({"total": sum(counts.values()), "events": counts}).encode()


class _Handler(BaseHTTPRequestHandler):
    """Handles the requests of one client."""

    timeout = TIMEOUT
    server_version = "eventtracking"
    sys_version = ""

    def __init__(self, pages: Pages, *args: Any) -> None:
        self._pages = pages
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if not self._is_local():
            self._send(HTTPStatus.MISDIRECTED_REQUEST, b"", "text/plain")
            return
        name = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        try:
            content = self._pages.counts() if name == COUNTS else self._pages.file(name)
        except (EventTrackingError, OSError):
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, b"", "text/plain")
            return
        if content is None:
            self._send(HTTPStatus.NOT_FOUND, b"there is no such page\n", "text/plain")
        else:
            self._send(HTTPStatus.OK, content, guess_type(name)[0] or "text/plain")

    def _is_local(self) -> bool:
        """Return whether the `Host` header names this machine, against DNS rebinding."""
        host = self.headers.get("Host", "")
        return host.rpartition(":")[0] in {LOOPBACK, "localhost"}

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", LIVE_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: the terminal shows only the address."""


def server(sources: Sources, port: int) -> ThreadingHTTPServer:
    """Return a server of the catalogue, on the loopback address.

    Args:
        sources: the sources of the catalogue.
        port: the port; 0 for any free one.

    Raises:
        ClickException: a source is invalid; see `Sources.catalogue` for others.
        OSError: the port is taken.
    """
    return ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, Pages(sources)))
