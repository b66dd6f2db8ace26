"""Connections of this process that end in time, each used by one thread at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from time import monotonic
from typing import Any, Final, TypeVar

from psycopg import Connection, Error, OperationalError
from psycopg.abc import PQGen

__all__ = ["Session", "Sessions"]

SHORTEST_CONNECT: Final = 2
"""Seconds: psycopg waits no shorter time for a connection."""

RV = TypeVar("RV")

# The end of a connection would end the session, which is its parent's.
_inherited: Final[list[Connection[Any]]] = []


class Session(Connection[tuple[Any, ...]]):
    """A connection whose operations end at a deadline."""

    deadline = float("inf")
    """On the monotonic clock."""

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        """Wait for an operation, at most until the deadline."""
        return super().wait(self._bounded(gen), *args, **options)

    def _bounded(self, gen: PQGen[RV]) -> PQGen[RV]:
        # Resumed whenever the server says something, and ten times a second.
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if monotonic() > self.deadline:
                    gen.close()
                    raise OperationalError("the time is up")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: RV = done.value
            return result


class Sessions:
    """Connects when a thread needs a connection and none is idle.

    Args:
        uri: a connection string; parts that it lacks come from libpq's environment variables.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        # Replaced as a whole: the process, and its idle connections.
        self._idle: tuple[int, deque[Session]] = (0, deque())

    def __del__(self) -> None:
        if hasattr(self, "_idle"):
            self.close()

    @contextmanager
    def session(self, timeout: float) -> Iterator[Session]:
        """Yield a connection in autocommit mode, which is closed if an error occurs.

        Args:
            timeout: seconds for connecting and for all that is done with it.

        Raises:
            Error: psycopg's.
        """
        deadline = monotonic() + timeout
        if timeout <= 0:
            raise OperationalError("the time is up")
        idle = self._of_this_process()
        try:
            session = idle.pop()
        except IndexError:
            session = self.connect(timeout)
        session.deadline = deadline
        try:
            yield session
        except BaseException:
            session.close()
            raise
        idle.append(session)

    def connect(self, timeout: float) -> Session:
        """Return a new connection in autocommit mode."""
        seconds = max(SHORTEST_CONNECT, ceil(timeout))
        return Session.connect(
            self._uri,
            autocommit=True,
            prepare_threshold=None,  # poolers such as PgBouncer know no prepared statements
            connect_timeout=seconds,
            client_encoding="UTF8",  # the default is the database's: UTF-8 would be read as that
            application_name="eventtracking",
        )

    def close(self) -> None:
        """Close the idle connections of this process."""
        idle = self._of_this_process()
        with suppress(IndexError):
            while True:
                with suppress(Error):
                    idle.pop().close()

    def _of_this_process(self) -> deque[Session]:
        process, idle = self._idle
        if process != os.getpid():
            _inherited.extend(idle)
            idle = deque()
            self._idle = os.getpid(), idle
        return idle
