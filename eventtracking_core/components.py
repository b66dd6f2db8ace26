"""What a tree is made of: processors and backends, as their callers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from eventtracking_core.events import Event

__all__ = ["Backend", "BatchBackend", "Processor"]


class Processor(Protocol):
    """Changes events on their way, or drops them: any callable that takes one.

    Two attributes are looked up once: `mutates` (False where the processor never changes the event
    it was given, and returns a changed copy instead) and `on_error` (`"drop"` where an event must
    not pass a failure; `"continue"` is the default).

    Two methods are called where it has them. `bind_event_types(event_types, before)` hands it the
    registry of its tracker, and the processors before it that fail closed, each time the tree is
    put together. `keeps_in(field, kind)` tells whether no value of a field, given by its parts,
    passes as it is, where its type says that it holds personal data of that class.
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
    `shutdown(timeout) -> bool`, `default_delivery`, and `begin()`, which is called by the thread
    that queues a process's first event, to start threads of the backend's own: at the interpreter's
    end, when that event may be delivered, none can be started.
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
