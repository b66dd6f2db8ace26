"""One attempt to deliver a batch, and its result for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple, cast

from eventtracking_core.delivery.storage.segment import Segment
from eventtracking_core.diagnostics import describe
from eventtracking_core.errors import BatchError, RejectedError, RetryableError
from eventtracking_core.events import FIELDS, Event
from eventtracking_core.registry.store import EventTypeWriter
from eventtracking_core.routing.capabilities import BackendCapabilities
from eventtracking_core.routing.coroutines import refuse_awaitable

__all__ = [
    "INVALID",
    "NO_EVENT",
    "Attempt",
    "QueuedEvent",
    "Run",
    "Send",
    "batch_sender",
    "is_transient",
]

INVALID: Final = "eventtracking.invalid"
"""The key under which an event that is to be a dead letter carries the reason while it waits."""

NO_EVENT: Final = cast("Event", {})
"""Stands for an event that is not decoded yet, or no longer needed."""

MAX_POISON_STRIKES: Final = 5
"""Attempts of one event alone, with an unclassified error, while other events succeed."""

ISOLATE_AFTER: Final = 2
"""Attempts that fail for a reason the backend does not name, before the batch is taken apart."""

MAX_CONSECUTIVE_ERRORS: Final = 16
"""Calls that fail one after the other, before the sink is to blame and not an event."""

MAX_CONSECUTIVE_SINGLE_ERRORS: Final = 2
"""The same, where a backend takes events one by one, and each call may be a timeout."""

Send = Callable[[Sequence[Event], float], None]


class QueuedEvent:
    """A queued event, and how its attempts went.

    `poison_strikes` counts failures on its own with an unclassified error while other events
    succeeded. Defaults are class attributes, so events that never fail allocate nothing.

    Args:
        wire: its bytes, as it waited.
        event: the event.
        segment: where it stands in the spool, if it does.
    """

    attempts = 0
    poison_strikes = 0
    deaths = 0
    error = ""
    failing_since: float | None = None
    is_alone = False
    transient = True
    delivered_at_first_failure = 0

    def __init__(self, wire: bytes, event: Event, segment: Segment | None) -> None:
        self.wire = wire
        self.event = event
        self.segment = segment

    def failed(self, error: str) -> None:
        """Note an attempt that did not deliver it."""
        self.attempts += 1
        self.error = error

    def is_poison(self, *, others_succeed: bool) -> bool:
        """Count a failed attempt; return whether the event is to blame, and not the sink."""
        self.poison_strikes += self.is_alone and not self.transient and others_succeed
        return self.poison_strikes >= MAX_POISON_STRIKES


def _never() -> bool:
    return False


def batch_sender(
    backend: BackendCapabilities,
    writer: EventTypeWriter | None = None,
    past_deadline: Callable[[], bool] = _never,
    batch: type[list[Event]] = list,
) -> Send:
    """Return a function that delivers a batch in a number of seconds.

    Args:
        backend: the methods that deliver.
        writer: is shown each batch first.
        past_deadline: returns whether a backend that takes one event at a time gets no further one.
        batch: what a backend that takes batches is given: `NormalBatch` where it is one.
    """

    def send_all(events: Sequence[Event], timeout: float) -> None:
        if writer is not None and max(map(len, events), default=0) > FIELDS:
            writer.save_for_all(events)
        if backend.send_batch is not None:
            result = backend.send_batch(batch(events), timeout=timeout)
            if result is not None:
                refuse_awaitable(result)
        elif backend.send is not None:
            _send_each(backend.send, events, past_deadline)

    return send_all


def _send_each(
    send: Callable[[Event], object], events: Sequence[Event], past_deadline: Callable[[], bool]
) -> None:
    """Deliver one event after the other; report those that failed together.

    Two that fail one after the other end it, so that a dead sink is not asked for each event.
    """
    failures: dict[int, Any] = {}
    consecutive_errors = 0
    for index, event in enumerate(events):
        if index and past_deadline():
            late = RetryableError("not tried, since the time was up")
            failures |= dict.fromkeys(range(index, len(events)), late)
            break
        error = _outcome(send, event)
        if error is None:
            consecutive_errors = 0
            continue
        failures[index] = error
        consecutive_errors += not isinstance(error, RejectedError)
        if consecutive_errors == min(MAX_CONSECUTIVE_SINGLE_ERRORS, len(events)):
            if consecutive_errors == index + 1:
                try:
                    raise error
                finally:
                    del error, failures  # the frame must not hold what holds the frame
            unsent = RetryableError("not tried, since the events before it failed")
            failures |= dict.fromkeys(range(index + 1, len(events)), unsent)
            break
    error = None
    if failures:
        try:
            raise BatchError(failures)
        finally:
            del failures


def _outcome(send: Callable[[Event], object], event: Event) -> BaseException | None:
    try:
        result = send(event)
        if result is not None:
            refuse_awaitable(result)
    except BatchError as error:
        failures: object = error.failures
        alone = failures.get(0) if isinstance(failures, Mapping) else error
        if alone is None or isinstance(alone, RetryableError | RejectedError):
            return alone
        return ValueError("a batch of one failed without an error of its own")
    except BaseException as error:  # noqa: BLE001  a backend may raise anything, SystemExit too
        return error
    return None


class Attempt:
    """Hands a batch to a backend, and takes it apart where it is refused.

    Args:
        send: delivers events in a number of seconds.
        timeout: returns the seconds the next call may take.
    """

    def __init__(self, send: Send, timeout: Callable[[], float]) -> None:
        self._send = send
        self._timeout = timeout
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
            self._send([item.event for item in batch], self._timeout())
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
    """What is kept of an error: with its traceback it would hold the batch, and open files."""

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
