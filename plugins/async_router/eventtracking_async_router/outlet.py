"""Publishing into a Celery queue, never longer than there is time for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock, Timer, main_thread
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from celery import Celery

from eventtracking_async_router.link import Link
from eventtracking_core import RetryableError
from eventtracking_core.diagnostics import describe

__all__ = ["Outlet"]

SHARE: Final = 0.3
"""Of the time for a message, the part that one exchange with the broker may take."""

NO_ROUTE: Final = 312  # of AMQP

# Links of the parent process: closing one would close it for the parent as well.
_inherited: Final[list[Link]] = []


class Outlet:
    """Publishes messages of the one task into a queue, over a connection of its own.

    It connects with the first message, and each process anew.

    Args:
        app: returns the application whose broker it is.
        queue: the queue's name.
    """

    def __init__(self, app: Callable[[], Celery], queue: str) -> None:
        self._find = app
        self._queue = queue
        self._make_new()

    def _make_new(self) -> None:
        self._owner = os.getpid()
        self._lock = Lock()
        self._link: Link | None = None  # touched by whoever holds the lock

    def publish(
        self,
        document: Mapping[str, Any],
        *,
        timeout: float,
        countdown: float | None = None,
        retries: int = 0,
    ) -> None:
        """Have the broker take a message.

        Args:
            document: the message.
            timeout: seconds.
            countdown: seconds before which no worker is to take it up.
            retries: how often it was tried, for the worker that takes it.

        Raises:
            RetryableError: the broker did not take it, or nobody knows.
        """
        deadline = monotonic() + timeout
        message_id = str(uuid4())
        options = {"countdown": countdown, "retries": retries, "task_id": message_id}

        def publish(link: Link) -> None:
            if link.receipts is not None:
                link.receipts.note(message_id, document, countdown or 0.0)
            link.send(document, _left(deadline), options)

        self._try(publish, deadline)

    def settled(self, message_id: str, *, timeout: float) -> None:
        """Say that a message is done with, before it is acknowledged.

        Raises:
            RetryableError: the broker was not told, or nobody knows.
        """

        def cross_out(link: Link) -> None:
            if link.receipts is not None:
                link.receipts.cross_out(message_id)

        self._try(cross_out, monotonic() + timeout)

    def send_lost_again(self, patience: float, *, timeout: float) -> int:
        """Publish once more what fell between two steps; return how many messages that was.

        Args:
            patience: seconds after which the broker gives a message to another worker.
            timeout: seconds.

        Raises:
            RetryableError: the broker did not take it.
        """
        deadline = monotonic() + timeout
        sent: list[str] = []

        def look(link: Link) -> None:
            lost = {} if link.receipts is None else link.receipts.lost(patience)
            for message_id, document in lost.items():
                link.send(document, _left(deadline), {"task_id": message_id})
                sent.append(message_id)

        self._try(look, deadline)
        return len(sent)

    def close(self, timeout: float) -> bool:
        """Close the connection; the next message opens it again. Tell whether that was in time."""
        try:
            with self._held(timeout):
                self._drop()
        except RetryableError:
            return False
        return True

    def _try(self, act: Callable[[Link], None], deadline: float) -> None:
        """Do something over the connection; once more, where it was open and turns out not to be.

        Raises:
            RetryableError: it did not work.
        """
        timeout = _left(deadline)
        with self._held(timeout):
            while True:
                link = self._linked(_left(deadline))
                was_open = link.is_open
                try:
                    with _limited(link, _left(deadline)):
                        if not was_open:
                            link.open()
                        act(link)
                except Exception as error:
                    self._drop()
                    # The broker may have closed it when it was idle; a new one tells.
                    is_late = _left(deadline) < timeout * SHARE
                    if is_late or not was_open:
                        raise _failure(error) from error
                else:
                    return

    def _linked(self, left: float) -> Link:
        """Return the connection, whose timeouts are such that it may be used for so long."""
        if self._link is not None and left * SHARE < self._link.patience * 0.9:
            self._drop()
        if self._link is None:
            self._link = Link(self._find(), self._queue, left * SHARE)
        return self._link

    @contextmanager
    def _held(self, timeout: float) -> Iterator[None]:
        if self._owner != os.getpid():
            if self._link is not None:
                _inherited.append(self._link)
            self._make_new()
        if not self._lock.acquire(timeout=timeout):
            raise RetryableError("another thread did not finish publishing in time")
        try:
            yield
        finally:
            self._lock.release()

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


@contextmanager
def _limited(link: Link, seconds: float) -> Iterator[None]:
    """Cut a link when the time is over."""
    timer = Timer(seconds, link.cut)
    timer.daemon = True
    with suppress(RuntimeError):
        if main_thread().is_alive():  # at the interpreter's end, no thread can be started
            timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _left(deadline: float) -> float:
    return max(0.001, deadline - monotonic())


def _failure(error: Exception) -> RetryableError:
    """Return what can be said of an error; libraries wrap the one that the system has words for."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RetryableError):
            return cause
        if isinstance(cause, TimeoutError) or type(cause).__name__ == "TimeoutError":
            return RetryableError("the broker did not answer in time")
        if getattr(cause, "reply_code", None) == NO_ROUTE:
            return RetryableError("the broker returned the message: no queue takes it")
        if type(cause).__name__ == "OutOfMemoryError":  # of Redis, which is an extra
            return RetryableError("the broker is out of memory: its maxmemory is reached")
        if isinstance(cause, OSError) and cause.strerror:
            return RetryableError(f"the broker cannot be reached: {cause.strerror}")
        cause = cause.__cause__ or cause.__context__
    return RetryableError(f"the broker did not take the message: {describe(error)}")
