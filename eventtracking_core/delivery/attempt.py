"""One attempt to deliver a batch, and what it says of each event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final, cast

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.delivery.spool import SpooledEvent
from eventtracking_core.errors import BatchError, RejectedError, RetryableError
from eventtracking_core.events import Event

__all__ = ["Attempt", "Item", "sender"]

ISOLATES_AFTER: Final = 2
"""Attempts that fail for a reason the backend does not name, before the batch is taken apart."""

MISSES: Final = 16
"""Calls that fail one after the other, before the sink is to blame and not an event."""

Send = Callable[[Sequence[Event], float], None]


class Item:
    """An event on its way to the backend."""

    __slots__ = ("attempts", "event", "failing_since", "is_named", "others", "spooled", "wire")

    def __init__(self, wire: bytes, event: Event, spooled: SpooledEvent | None) -> None:
        self.wire = wire
        self.event = event
        self.spooled = spooled
        self.attempts = 0
        self.is_named = True
        self.failing_since: float | None = None
        self.others = 0


def sender(backend: Backend | BatchBackend) -> Send:
    """Return a function that delivers a batch in a number of seconds.

    Where a backend takes events one by one, those that fail are reported together; the first one
    that may be tried again ends the attempt, so that a dead sink is not asked for each event.
    """
    send_batch = getattr(backend, "send_batch", None)
    if callable(send_batch):

        def send_together(events: Sequence[Event], timeout: float) -> None:
            send_batch(events, timeout=timeout)

        return send_together
    send = cast("Backend", backend).send

    def send_each(events: Sequence[Event], _timeout: float) -> None:
        failures: dict[int, Exception] = {}
        for index, event in enumerate(events):
            try:
                send(event)
            except RejectedError as error:
                failures[index] = error
            except Exception as error:
                if not failures and index == 0:
                    raise
                unsent = range(index, len(events))
                raise BatchError(failures | dict.fromkeys(unsent, error)) from error
        if failures:
            raise BatchError(failures)

    return send_each


class Attempt:
    """Hands a batch to a backend, and takes it apart where it is refused.

    Args:
        send: delivers events in a number of seconds.
        timeout: returns the seconds the next call may take.
    """

    def __init__(self, send: Send, timeout: Callable[[], float]) -> None:
        self._send = send
        self._timeout = timeout
        self.delivered: list[Item] = []
        self.rejected: list[tuple[Item, BaseException]] = []
        self.retryable: list[tuple[Item, BaseException]] = []
        self.retry_after: float | None = None
        self._misses = 0

    def run(self, batch: list[Item]) -> None:
        """Deliver what can be delivered; sort the rest."""
        if self._misses >= MISSES:
            self._retry(batch, self.retryable[-1][1])
            return
        try:
            self._send([item.event for item in batch], self._timeout())
        except BatchError as error:
            self._sort(batch, error.failures)
        except RejectedError as error:
            if len(batch) == 1:
                self.rejected.append((batch[0], error))
            else:
                self._halve(batch)
        except (RetryableError, OSError) as error:
            self._retry(batch, error)
        except BaseException as error:  # noqa: BLE001  a backend may raise anything, SystemExit too
            # Nobody knows whether one event is to blame: try the whole again, then its parts.
            if len(batch) == 1 or batch[0].attempts < ISOLATES_AFTER:
                self._retry(batch, error)
            else:
                self._halve(batch)
        else:
            self._misses = 0
            self.delivered += batch

    def _halve(self, batch: list[Item]) -> None:
        self._misses += 1
        middle = len(batch) // 2
        self.run(batch[:middle])
        self.run(batch[middle:])

    def _sort(self, batch: list[Item], failures: Any) -> None:
        for index, item in enumerate(batch):
            error = failures.get(index)
            if error is None:
                self.delivered.append(item)
            elif isinstance(error, RejectedError):
                self.rejected.append((item, error))
            else:
                self._retry([item], error)

    def _retry(self, batch: list[Item], error: BaseException) -> None:
        now = monotonic()
        self._misses += 1
        for item in batch:
            item.attempts += 1
            item.is_named = isinstance(error, RetryableError | OSError)
            item.failing_since = item.failing_since or now
            self.retryable.append((item, error))
        if isinstance(error, RetryableError) and error.retry_after is not None:
            self.retry_after = max(self.retry_after or 0.0, error.retry_after)
