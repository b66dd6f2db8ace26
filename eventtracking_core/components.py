"""What a tree is made of: processors and backends, as their callers see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from eventtracking_core.events import Event

__all__ = ["Backend", "BatchBackend", "Processor", "Reviewable"]


class Processor(Protocol):
    """Changes events on their way, or drops them: any callable that takes one.

    Two optional attributes are read once: `mutates` (False if the processor never changes the event
    it receives, and returns a changed copy instead) and `on_error` (`"drop"` if an event must not
    pass after a failure; `"continue"` is the default).

    Two optional methods: `bind_event_types(event_types, before)` receives the tracker's registry
    and the processors before it that fail closed, each time the tree is compiled. `masks(field,
    pii_class)` returns True if no raw value of `field` (a path such as `("data", "email")`),
    declared as `pii_class`, can leave this processor.
    """

    def __call__(self, event: Event, /) -> Event | None:
        """Return the event to go on with, or None for the one that was given.

        Raises:
            EventEmissionExit: the event goes no further on this branch.
        """


@runtime_checkable
class Backend(Protocol):
    """Where events go, one at a time.

    A backend opens its connection on first use, never changes an event, and copies what it keeps
    (`encoding.snapshot`). Looked up where it has them: `flush(timeout) -> bool`,
    `shutdown(timeout) -> bool`, `default_delivery`, and `warm_up()`, which is called by the thread
    that queues a process's first event, to start threads of the backend's own: at the interpreter's
    end, when that event may be delivered, none can be started. `read_wire(wire)` reads queued
    events in place of `encoding.normal_from_msgpack`, for a sink that holds more than plain values.
    """

    def send(self, event: Event, /) -> None:
        """Deliver one event.

        Raises:
            RetryableError: not delivered; a later attempt may succeed. So does any other exception.
            RejectedError: never deliverable.
        """


@runtime_checkable
class BatchBackend(Protocol):
    """Where events go, many at a time."""

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Deliver a batch within `timeout` seconds.

        Raises:
            BatchError: the listed events failed, the others are delivered.
            RetryableError: nothing was delivered; a later attempt may succeed.
            RejectedError: never deliverable.
        """


@runtime_checkable
class Reviewable(Protocol):
    """A backend that can say, without opening anything, why it will probably not deliver."""

    def review(self) -> Iterable[str]:
        """Return warnings for `eventtracking check`, without an option's value."""
