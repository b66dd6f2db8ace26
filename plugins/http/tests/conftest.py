"""Endpoints on loopback that keep what they get, and answer as they are told."""

from __future__ import annotations

import gzip
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from eventtracking_core.events import new_id


class Endpoint:
    """An HTTP endpoint; `answer(request)` returns a status, and perhaps headers and a body."""

    def __init__(self):
        self.requests = []
        self.answer = lambda _request: (200, {}, b"")
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = SimpleNamespace(
                    method=self.command, path=self.path, headers=self.headers, body=body
                )
                endpoint.requests.append(request)
                status, headers, text = endpoint.answer(request)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def documents(self):
        """Return the bodies of all requests, decoded."""
        return [json.loads(request.body) for request in self.requests]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(name="shop.order.placed", *, context=None, **data):
        return {
            "id": new_id(),
            "name": name,
            "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC),
            "context": {"user_id": 7} if context is None else context,
            "data": data,
        }

    return make
