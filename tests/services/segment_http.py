"""The HTTP of Segment's stand-in: what it answers, and how it breaks connections."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

__all__ = ["Answer", "Server", "Stub"]


@dataclass(frozen=True)
class Answer:
    """How one request is answered.

    Args:
        status: of HTTP; with a success, the messages are stored, unless Segment would refuse them.
        headers: besides those every answer has.
        body: of the answer.
        fault: what happens in place of a whole answer: `reset` breaks the connection before
            anything is stored, `hang` stores nothing and says nothing, `drop` stores the messages
            and breaks the connection, `drip` stores them and sends a byte of the answer at a time,
            `lose` stores nothing and answers all the same, `cut` stores them and ends within the
            answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"success":true}'
    fault: str | None = None

    @property
    def stores(self) -> bool:
        """Whether messages that are in order are stored."""
        return 200 <= self.status < 300 and self.fault not in {"reset", "hang", "lose"}


class Stub(Protocol):
    """What decides about requests."""

    def opened(self, connection: socket.socket) -> None:
        """Note a connection."""

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""

    def answer_to(self, headers: Mapping[str, str], body: bytes, peer: int) -> Answer:
        """Return what to answer, of which the fault is still to do."""

    def received(self) -> Mapping[str, Any]:
        """Return counts of what came in."""

    def wait_until_closing(self, seconds: float | None = None) -> bool:
        """Wait until the server closes; return whether it does."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, stub: Stub, port: int, tls: ssl.SSLContext | None) -> None:
        self.stub = stub
        super().__init__(("127.0.0.1", port), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients and tests break connections on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.stub.opened(self.connection)

    def finish(self) -> None:
        self.server.stub.closed(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Take a batch."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/batch":
            self._send(Answer(404, body=b"{}"))
            return
        answer = self.server.stub.answer_to(dict(self.headers), body, self.client_address[1])
        if answer.fault in {"reset", "drop"}:
            _reset(self.connection)
            self.close_connection = True
        elif answer.fault == "hang":
            self.server.stub.wait_until_closing()
            self.close_connection = True
        else:
            self._send(answer)
            self.close_connection = self.close_connection or answer.fault == "cut"

    def do_GET(self) -> None:
        """Count what came."""
        self._send(Answer(body=json.dumps(self.server.stub.received()).encode()))

    def _send(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('?',))[0]}"]
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        lines += [f"{name}: {value}" for name, value in headers.items()]
        text = "\r\n".join([*lines, "", ""]).encode() + answer.body
        if answer.fault != "drip":
            self.wfile.write(text[:-1] if answer.fault == "cut" else text)
            return
        for byte in text:
            self.wfile.write(bytes([byte]))
            if self.server.stub.wait_until_closing(0.05):
                return

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _reset(connection: socket.socket) -> None:
    """Close a connection of this thread with a reset, whoever else holds its socket."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())
