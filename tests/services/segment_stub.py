"""Segment's batch endpoint on the loopback: it checks what it gets, and fails as it is told.

`python tests/services/segment_stub.py KEY` serves it in a process of its own, for benchmarks: the
address is the first line it prints, and `GET /received` counts what came.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

import msgspec
from segment_http import Answer, Server
from waiting import DEADLINE

__all__ = ["Request", "SegmentStub"]

MAX_BODY: Final = 500_000
MAX_MESSAGE: Final = 32 * 1024
MAX_MESSAGES: Final = 2500

_REFUSAL: Final = b'{"success":false}'

Message = dict[str, Any]


class _Call(msgspec.Struct):
    """What Segment requires of a message."""

    type: Literal["track", "identify", "page"]
    messageId: str  # noqa: N815  Segment's name
    timestamp: datetime
    event: str | None = None
    properties: msgspec.Raw = msgspec.Raw()
    traits: msgspec.Raw = msgspec.Raw()
    userId: str | None = None  # noqa: N815  Segment's name
    anonymousId: str | None = None  # noqa: N815  Segment's name


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


_batch_of: Final = msgspec.json.Decoder(_Batch).decode
_call_of: Final = msgspec.json.Decoder(_Call).decode


@dataclass(frozen=True)
class Request:
    """A request as it came in.

    Attributes:
        status: what it was answered with; None where it was not.
        size: bytes of the body, inflated.
        compressed: whether it came in gzip.
        messages: how many it had.
        peer: the port of the client's end of the connection.
        agent: the client's name for itself.
        envelope: what the batch says besides its messages.
    """

    status: int | None
    size: int
    compressed: bool
    messages: int
    peer: int
    agent: str
    envelope: Mapping[str, Any]


class SegmentStub:
    """A server that takes batches as Segment does, from its constructor to `close`.

    Args:
        write_key: what requests have to authenticate with.
        tls: the certificate, for a server that speaks HTTPS.

    Attributes:
        repeats: how often each `messageId` came again.
        requests: all that came in.
        complaints: what was wrong with requests that Segment would refuse.
        refuses: tells of a message whether the batch it is in is answered with 400.
    """

    def __init__(
        self, write_key: str = "a-write-key", *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.write_key = write_key
        self._tls = tls
        self._stored: dict[str, bytes] = {}
        self.repeats: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.refuses: Callable[[Message], bool] | None = None
        self._script: deque[Answer] = deque()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._closing = threading.Event()
        self._server: Server | None = None
        # Bound for as long as this lives, so that it can listen there again.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._port = self._reserved.getsockname()[1]
        self.start()

    @property
    def host(self) -> str:
        """The address to send to."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def messages(self) -> dict[str, Message]:
        """What is stored, by `messageId`, in the order it came."""
        return {message_id: json.loads(message) for message_id, message in self._stored.items()}

    @property
    def count(self) -> int:
        """How many messages are stored."""
        return len(self._stored)

    def script(self, *answers: int | str) -> None:
        """Answer the next requests so, each with a status or with a fault."""
        for answer in answers:
            self.answer(answer) if isinstance(answer, int) else self.answer(fault=answer)

    def answer(
        self,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b'{"success":true}',
        fault: str | None = None,
    ) -> None:
        """Answer the request after those in the script so; see `Answer`."""
        self._script.append(Answer(status, headers or {}, body, fault))

    def wait_for(self, condition: Callable[[SegmentStub], bool], timeout: float = DEADLINE) -> bool:
        """Wait for a condition, checked after each request; return whether it holds."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def start(self) -> None:
        """Listen, again on the same port."""
        self._closing.clear()
        self._server = Server(self, self._port, self._tls)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        """Refuse connections, and break those that are open."""
        server, self._server = self._server, None
        if server is None:
            return
        self._closing.set()
        server.shutdown()
        server.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
        self._reserved.close()

    # ── for the server's threads ──

    def opened(self, connection: socket.socket) -> None:
        self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        self._open.discard(connection)

    def answer_to(self, headers: Mapping[str, str], body: bytes, peer: int) -> Answer:
        """Check and store a request; return what to answer, of which the fault is still to do."""
        compressed = headers.get("Content-Encoding") == "gzip"
        batch: list[msgspec.Raw] = []
        calls: list[_Call] = []
        envelope: dict[str, Any] = {}
        problem: str | None = None
        try:
            body = gzip.decompress(body) if compressed else body
            batch = _batch_of(body).batch
            calls = [_call_of(message) for message in batch]
            envelope = _envelope(body, batch)
            problem = _problem(headers, body, batch, calls)
        except (ValueError, OSError, EOFError) as error:
            problem = f"no batch of messages: {error}"
        with self._changed:
            answer = self._answer(headers, batch, problem)
            if answer.stores:
                self._store(calls, batch)
            status = answer.status if answer.fault is None else None
            agent = headers.get("User-Agent", "")
            self.requests.append(
                Request(status, len(body), compressed, len(batch), peer, agent, envelope)
            )
            self._changed.notify_all()
        return answer

    def _answer(
        self, headers: Mapping[str, str], batch: list[msgspec.Raw], problem: str | None
    ) -> Answer:
        scripted = self._script.popleft() if self._script else Answer()
        if not scripted.stores:
            return scripted
        status = self._verdict(headers, batch, problem)
        return scripted if status is None else replace(scripted, status=status, body=_REFUSAL)

    def _verdict(
        self, headers: Mapping[str, str], batch: list[msgspec.Raw], problem: str | None
    ) -> int | None:
        """Return the status for a request that cannot be stored."""
        if not self._is_authorized(headers):
            return 401
        if problem is not None:
            self.complaints.append(problem)
            return 400
        refuses = self.refuses
        if refuses is not None and any(refuses(json.loads(bytes(each))) for each in batch):
            return 400
        return None

    def _is_authorized(self, headers: Mapping[str, str]) -> bool:
        credentials = base64.b64encode(f"{self.write_key}:".encode()).decode()
        return headers.get("Authorization") == f"Basic {credentials}"

    def _store(self, calls: list[_Call], batch: list[msgspec.Raw]) -> None:
        for call, message in zip(calls, batch, strict=True):
            if call.messageId in self._stored:
                self.repeats[call.messageId] += 1
            else:
                self._stored[call.messageId] = bytes(message)

    def received(self) -> dict[str, Any]:
        return {
            "messages": self.count,
            "repeats": self.repeats.total(),
            "requests": len(self.requests),
            "complaints": self.complaints,
        }

    def wait_until_closing(self, seconds: float | None = None) -> bool:
        return self._closing.wait(seconds)


def _envelope(body: bytes, batch: list[msgspec.Raw]) -> dict[str, Any]:
    """Return what is in a body besides the messages."""
    head, tail = body.index(b"["), body.rindex(bytes(batch[-1])) if batch else 0
    rest = body[: head + 1] + body[tail + len(batch[-1]) if batch else head + 1 :]
    envelope: dict[str, Any] = json.loads(rest)
    del envelope["batch"]
    return envelope


def _problem(
    headers: Mapping[str, str], body: bytes, batch: list[msgspec.Raw], calls: list[_Call]
) -> str | None:
    if headers.get("Content-Type", "").partition(";")[0] != "application/json":
        return "the content type is not application/json"
    if len(body) > MAX_BODY:
        return f"the body has {len(body)} bytes"
    if not 0 < len(batch) <= MAX_MESSAGES:
        return f"the batch has {len(batch)} messages"
    if (size := max(map(len, batch))) > MAX_MESSAGE:
        return f"a message has {size} bytes"
    if not all(map(_is_complete, calls)):
        return "a message has no user, or lacks what its type requires"
    return None


def _is_complete(call: _Call) -> bool:
    required = {"track": (call.event, call.properties), "identify": (call.traits,), "page": ()}
    return bool(call.userId or call.anonymousId) and all(required[call.type])


if __name__ == "__main__":
    with SegmentStub(sys.argv[1]) as served:
        print(served.host, flush=True)  # noqa: T201
        sys.stdin.read()
