"""One attempt to deliver a batch, and its result for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final, NamedTuple

from eventtracking_core.delivery.queued import Gather, QueuedEvent, Send, events_of
from eventtracking_core.diagnostics import describe
from eventtracking_core.errors import BatchError, RejectedError, RetryableError

__all__ = [
    "Attempt",
    "Run",
    "is_transient",
]

ISOLATE_AFTER: Final = 2
"""Attempts that fail for a reason the backend does not name, before the batch is taken apart."""

MAX_CONSECUTIVE_ERRORS: Final = 16
"""Calls that fail one after the other, before the sink is to blame and not an event."""


class Attempt:
    """Hands a batch to a backend, and splits it if it is rejected.

    Args:
        send: delivers events in a number of seconds.
        timeout: returns the seconds the next call may take.
        gather: makes what is sent of queued events.
    """

    def __init__(
        self, send: Send, timeout: Callable[[], float], gather: Gather = events_of
    ) -> None:
        self._send = send
        self._timeout = timeout
        self._gather = gather
        self.delivered: list[QueuedEvent] = []
        self.rejected: list[QueuedEvent] = []
        self.retryable: list[QueuedEvent] = []
        self.retry_after: float | None = None
        self._consecutive_errors = 0
        self._ended_by: _Failure | None = None

    def run(self, batch: list[QueuedEvent]) -> None:
        """Deliver what can be delivered; sort the rest."""
        if self._ended_by is not None:
            self._retry(batch, self._ended_by)
            return
        try:
            timeout = self._timeout()
            self._send(self._gather(batch), timeout)
        except BaseException as error:  # noqa: BLE001  a backend may raise anything, SystemExit too
            self._failed(batch, error)
        else:
            self._consecutive_errors = 0
            self.delivered += batch

    def _failed(self, batch: list[QueuedEvent], error: BaseException) -> None:
        failures: object = error.failures if isinstance(error, BatchError) else None
        if isinstance(failures, Mapping):
            self._sort(batch, failures)
        elif isinstance(error, RejectedError):
            if len(batch) == 1:
                self._reject(batch[0], error)
            else:
                self._halve(batch)
        elif is_transient(error):
            self._ended_by = _failure(error)
            self._retry(batch, self._ended_by)
        else:
            self._isolate(batch, error)

    def _isolate(self, batch: list[QueuedEvent], error: BaseException) -> None:
        """Try a batch again, then its parts: one event may be to blame, and it is unknown which."""
        self._consecutive_errors += 1
        if self._consecutive_errors >= MAX_CONSECUTIVE_ERRORS:
            self._ended_by = _failure(error)
        if len(batch) == 1 or batch[0].attempts < ISOLATE_AFTER:
            self._retry(batch, _failure(error), alone=len(batch) == 1)
        else:
            self._halve(batch)

    def _halve(self, batch: list[QueuedEvent]) -> None:
        middle = len(batch) // 2
        self.run(batch[:middle])
        self.run(batch[middle:])

    def _sort(self, batch: list[QueuedEvent], failures: Mapping[Any, Any]) -> None:
        for index, item in enumerate(batch):
            error = failures.get(index)
            if error is None:
                self.delivered.append(item)
            elif isinstance(error, RejectedError):
                self._reject(item, error)
            else:
                self._retry([item], _failure(error), alone=True)

    def _reject(self, item: QueuedEvent, error: BaseException) -> None:
        item.failed(_text(error))
        self.rejected.append(item)

    def _retry(self, batch: list[QueuedEvent], failure: _Failure, *, alone: bool = False) -> None:
        now = monotonic()
        for item in batch:
            item.failed(failure.text)
            item.failing_since = item.failing_since or now
            item.is_alone = alone
            item.transient = failure.is_transient
        self.retryable += batch
        if failure.retry_after > 0:
            self.retry_after = max(self.retry_after or 0.0, failure.retry_after)


class _Failure(NamedTuple):
    """The parts of an error that are kept: its traceback would keep the batch and files alive."""

    text: str
    is_transient: bool
    retry_after: float


def _failure(error: object) -> _Failure:
    retry_after: object = getattr(error, "retry_after", None)
    seconds = retry_after if isinstance(retry_after, int | float) else 0.0
    return _Failure(_text(error), is_transient(error), seconds)


def is_transient(error: object) -> bool:
    """Return whether a later attempt may succeed, whichever event it is for."""
    return isinstance(error, RetryableError | OSError)


def _text(error: Any) -> str:
    try:
        return describe(error)
    except Exception:  # noqa: BLE001  an error may fail to say what it is
        return type(error).__name__


Run = Callable[[Attempt, list[QueuedEvent]], None]
"""Makes an attempt to deliver a batch: `Attempt.run`, or what wraps it."""
