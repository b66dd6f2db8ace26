"""Deadlines for an HTTP client, and the errors that its answers stand for.

A server that answers slowly must not hold an exchange beyond its deadline. The timeout of a socket
bounds each operation, so a byte now and then would be enough for that. Here each operation gets the
time that is left until one deadline. Looking up the host's name is the system's, and has bounds of
its own.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from threading import local
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["DeadlineConnection", "cause", "retry_after", "set_deadline"]


class _Deadline(local):
    at = 0.0


_deadline: Final = _Deadline()


def set_deadline(seconds: float) -> None:
    """End this thread's exchanges over a `DeadlineConnection` after so many seconds."""
    _deadline.at = monotonic() + seconds


def _seconds_left() -> float:
    seconds = _deadline.at - monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


class _Reader(RawIOBase):
    """The stream of a socket, read until the deadline."""

    def __init__(self, raw: Any, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        self._connection.settimeout(_seconds_left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Reader(self.fp.detach(), sock))


class DeadlineConnection:
    """A mixin for connections of `http.client` and of urllib3: put it before them.

    It connects, sends and reads until the deadline that `set_deadline` set in the same thread.
    """

    response_class: type[HTTPResponse] = _Response
    sock: socket.socket | None
    timeout: float | None

    def connect(self) -> None:
        """Connect until the deadline."""
        self.timeout = _seconds_left()
        super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        """Send until the deadline."""
        if self.sock is None:
            self.connect()
        if self.sock is not None:
            self.sock.settimeout(_seconds_left())
        super().send(data)  # type: ignore[misc]


def cause(error: BaseException) -> str:
    """Return the class name of the first error in a chain; its text may hold an address."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return type(error).__name__


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header: a number or a date; None if it is neither."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            return float(int(header))
        until = parsedate_to_datetime(header)
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
