"""HTTP connections whose exchanges end in time, however slowly the other side goes on.

A timeout of requests bounds each read, so a server that sends a byte now and then can hold an
exchange for ever. Here each operation on the socket gets what is left until one deadline. Looking
up the host's name is the system's, and has bounds of its own.
"""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from threading import local
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["DeadlineAdapter", "set_deadline"]


class _Deadline(local):
    at = 0.0


_deadline: Final = _Deadline()


def set_deadline(seconds: float) -> None:
    """End what this thread exchanges next, through a `DeadlineAdapter`, after so many seconds."""
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


class _Sending:
    """Sends until the deadline, and has its answers read until then."""

    response_class: type[HTTPResponse] = _Response
    sock: socket.socket | None
    timeout: float | None

    def connect(self) -> None:
        self.timeout = _seconds_left()
        super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if self.sock is not None:
            self.sock.settimeout(_seconds_left())
        super().send(data)  # type: ignore[misc]


class _Plain(_Sending, HTTPConnection):
    pass


class _Secure(_Sending, HTTPSConnection):
    pass


class DeadlineAdapter(HTTPAdapter):
    """Gives a session connections that keep the deadline, through proxies too."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """Return the pool of a host."""
        pool: HTTPConnectionPool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
        return pool
