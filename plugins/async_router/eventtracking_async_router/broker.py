"""Publish messages into a Celery queue within a deadline."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import uuid4

from celery import Celery

from eventtracking_async_router.connection import BrokerConnection
from eventtracking_core import RetryableError
from eventtracking_core.diagnostics import describe
from eventtracking_core.lifecycle.claims import Claim, ClaimLock

__all__ = ["QueuePublisher", "probe"]

SHARE: Final = 0.3
"""Fraction of a message's timeout that one exchange with the broker may take."""

NO_ROUTE: Final = 312  # of AMQP

T = TypeVar("T")

# Connections of the parent process. Kept open: closing one would also close the parent's.
_inherited: Final[list[BrokerConnection]] = []


def probe(app: Celery, timeout: float) -> str:
    """Return that the broker accepts connections; nothing is declared or published.

    Raises:
        RetryableError: it does not.
    """
    try:
        with app.connection_for_write(connect_timeout=timeout) as connection:
            connection.ensure_connection(max_retries=1, timeout=ceil(timeout))
            kind = connection.transport.driver_type
    except Exception as error:
        raise _failure(error) from error
    return f"the broker accepts connections ({kind})"


class QueuePublisher:
    """Publishes messages of the task `eventtracking.deliver` into one queue.

    It has a connection of its own, opened with the first message in each process.

    Args:
        app: returns the Celery application that names the broker.
        queue: the queue's name.
    """

    def __init__(self, app: Callable[[], Celery], queue: str) -> None:
        self._find = app
        self._queue = queue
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._lock = ClaimLock()
        self._connection: BrokerConnection | None = None  # used while holding the lock

    def publish(
        self,
        document: Mapping[str, Any],
        *,
        timeout: float,
        countdown: float | None = None,
        retries: int = 0,
    ) -> None:
        """Publish a message, and wait for the broker's confirmation.

        Args:
            document: the message.
            timeout: seconds.
            countdown: seconds that workers must wait before they deliver it.
            retries: number of earlier attempts.

        Raises:
            RetryableError: the broker did not confirm it.
        """
        deadline = monotonic() + timeout
        message_id = str(uuid4())
        options = {"countdown": countdown, "retries": retries, "task_id": message_id}

        def publish(connection: BrokerConnection) -> None:
            if connection.outbox is not None:
                connection.outbox.add(message_id, document, countdown or 0.0)
            connection.send(document, _left(deadline), options)

        self._with_connection(publish, deadline)

    def complete(self, message_id: str, *, timeout: float) -> None:
        """Remove a complete message from the outbox, before it is acknowledged.

        Raises:
            RetryableError: the broker did not confirm it.
        """

        def delete(connection: BrokerConnection) -> None:
            if connection.outbox is not None:
                connection.outbox.delete(message_id)

        self._with_connection(delete, monotonic() + timeout)

    def republish_lost(self, patience: float, *, timeout: float) -> int:
        """Publish lost messages again; return their number.

        Args:
            patience: seconds after which the broker redelivers a message to another worker.
            timeout: seconds.

        Raises:
            RetryableError: the broker did not accept it.
        """
        deadline = monotonic() + timeout

        def search(connection: BrokerConnection) -> int:
            lost = {} if connection.outbox is None else connection.outbox.expired(patience)
            for message_id, document in lost.items():
                connection.send(document, _left(deadline), {"task_id": message_id})
            return len(lost)

        return self._with_connection(search, deadline)

    def depth(self, *, timeout: float) -> int:
        """Return how many messages wait in the queue; those that workers have taken do not count.

        Raises:
            RetryableError: the broker cannot be reached.
        """
        return self._with_connection(BrokerConnection.depth, monotonic() + timeout)

    def close(self, timeout: float) -> bool:
        """Close the connection until the next message; return whether that succeeded in time."""
        self._reset_if_forked()
        claim = Claim()
        try:
            if not self._lock.wait(claim, monotonic() + timeout):
                return False
            self._drop()
        finally:
            claim.is_over = True
        return True

    def _with_connection(self, act: Callable[[BrokerConnection], T], deadline: float) -> T:
        """Use the connection; if it was open before and fails, try once more over a new one.

        Raises:
            RetryableError: the action failed.
        """
        self._reset_if_forked()
        claim = Claim()
        try:
            if not self._lock.wait(claim, deadline):
                raise RetryableError("another thread did not finish publishing in time")
            return self._tried(act, deadline)
        finally:
            claim.is_over = True

    def _tried(self, act: Callable[[BrokerConnection], T], deadline: float) -> T:
        timeout = _left(deadline)
        while True:
            connection = self._connected(_left(deadline))
            was_open = connection.is_open
            try:
                with _limited(connection, _left(deadline)):
                    if not was_open:
                        connection.open()
                    return act(connection)
            except Exception as error:
                self._drop()
                # The broker may have closed an idle connection, so a new one may work.
                is_late = _left(deadline) < timeout * SHARE
                if is_late or not was_open:
                    raise _failure(error) from error

    def _connected(self, left: float) -> BrokerConnection:
        """Return a connection whose timeouts fit into the remaining seconds."""
        if self._connection is not None and left * SHARE < self._connection.patience * 0.9:
            self._drop()
        if self._connection is None:
            self._connection = BrokerConnection(self._find(), self._queue, left * SHARE)
        return self._connection

    def _reset_if_forked(self) -> None:
        if self._owner != os.getpid():
            if self._connection is not None:
                _inherited.append(self._connection)
            self._reset()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@contextmanager
def _limited(connection: BrokerConnection, seconds: float) -> Iterator[None]:
    """Abort a connection when the time is up."""
    timer = threading.Timer(seconds, connection.abort)
    timer.daemon = True
    with suppress(RuntimeError):
        if threading.main_thread().is_alive():  # no thread can start at interpreter exit
            timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _left(deadline: float) -> float:
    return max(0.001, deadline - monotonic())


def _failure(error: Exception) -> RetryableError:
    """Return an error that describes the most specific exception in the chain."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RetryableError):
            return cause
        if isinstance(cause, TimeoutError) or type(cause).__name__ == "TimeoutError":
            return RetryableError("the broker did not answer in time")
        if getattr(cause, "reply_code", None) == NO_ROUTE:
            return RetryableError("the broker returned the message: no queue accepts it")
        if type(cause).__name__ == "OutOfMemoryError":  # of Redis, which is an extra
            return RetryableError("the broker is out of memory: it has reached its maxmemory")
        if isinstance(cause, OSError) and cause.strerror:
            return RetryableError(f"the broker cannot be reached: {cause.strerror}")
        cause = cause.__cause__ or cause.__context__
    return RetryableError(f"the broker did not accept the message: {describe(error)}")
