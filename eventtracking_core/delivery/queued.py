"""Queued events, and how a batch of them is handed to a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.delivery.storage.segment import Segment
from eventtracking_core.encoding import JsonBatch, NormalBatch, decode_wire
from eventtracking_core.errors import BatchError, RejectedError, RetryableError
from eventtracking_core.events import FIELDS, Event
from eventtracking_core.routing.capabilities import refuse_awaitable

if TYPE_CHECKING:
    from eventtracking_core.registry.store import EventTypeWriter
    from eventtracking_core.routing.capabilities import BackendCapabilities

__all__ = [
    "INVALID",
    "NO_EVENT",
    "Gather",
    "QueuedEvent",
    "Send",
    "batch_sender",
    "events_of",
    "gatherer",
]

INVALID: Final = "eventtracking.invalid"
"""The key under which an event that is to be a dead letter carries the reason while it waits."""

NO_EVENT: Final = cast("Event", {})
"""Stands for an event that is not decoded, or no longer needed."""

MAX_POISON_STRIKES: Final = 5
"""Attempts of one event alone, with an unclassified error, while other events succeed."""


MAX_CONSECUTIVE_SINGLE_ERRORS: Final = 2
"""Calls that fail one after the other, where a backend takes events one by one."""

Send = Callable[[Sequence[Event], float], None]


class QueuedEvent:
    """A queued event, and how its attempts went.

    `poison_strikes` counts failures on its own with an unclassified error while other events
    succeeded. Defaults are class attributes, so events that never fail allocate nothing.

    Args:
        wire: its bytes, as it waited; JSON, for a backend that takes that.
        event: the event, unless its bytes are all that is needed.
        segment: where it stands in the spool, if it does.
    """

    event_id = ""
    """Its id, if it stands in the spool."""

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

    def decoded(self) -> Event:
        """Return the event."""
        return decode_wire(self.wire) if self.event is NO_EVENT else self.event

    def failed(self, error: str) -> None:
        """Note an attempt that did not deliver it."""
        self.attempts += 1
        self.error = error

    def is_poison(self, *, others_succeed: bool) -> bool:
        """Count a failed attempt; return whether the event is to blame, and not the sink."""
        self.poison_strikes += self.is_alone and not self.transient and others_succeed
        return self.poison_strikes >= MAX_POISON_STRIKES


Gather = Callable[[list[QueuedEvent]], Sequence[Event]]
"""Makes the batch that a backend is given."""


def events_of(items: list[QueuedEvent]) -> Sequence[Event]:
    """Return the events of a batch."""
    return [item.event for item in items]


def _normal_events_of(items: list[QueuedEvent]) -> Sequence[Event]:
    return NormalBatch([item.event for item in items])


def _texts_of(items: list[QueuedEvent]) -> Sequence[Event]:
    return JsonBatch([item.wire for item in items])


def gatherer(backend: BackendCapabilities) -> Gather:
    """Return what makes the batches of a worker for a backend."""
    if backend.takes_json:
        return _texts_of
    return _normal_events_of if backend.read_wire is None else events_of


def _never() -> bool:
    return False


def batch_sender(
    backend: BackendCapabilities,
    writer: EventTypeWriter | None = None,
    past_deadline: Callable[[], bool] = _never,
) -> Send:
    """Return a function that delivers a batch in a number of seconds.

    Args:
        backend: the methods that deliver.
        writer: is shown each batch first.
        past_deadline: returns whether a backend that takes one event at a time gets no further one.
    """

    def send_all(events: Sequence[Event], timeout: float) -> None:
        if writer is not None:
            if type(events) is JsonBatch:  # an abstract class is slow to ask
                writer.save_all(chain.from_iterable(each.type_ids for each in events.columns))
            elif max(map(len, events), default=0) > FIELDS:
                writer.save_for_all(events)
        if backend.send_batch is not None:
            result = backend.send_batch(events, timeout=timeout)
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
