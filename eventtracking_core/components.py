"""The protocols of processors and backends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from eventtracking_core.events import Event

__all__ = [
    "Backend",
    "BatchBackend",
    "Flushable",
    "MasksFields",
    "Probeable",
    "Processor",
    "ReadsWire",
    "Releasable",
    "ReportsBacklog",
    "Reviewable",
    "TakesJson",
    "WarmsUp",
    "WritesFiles",
]


class Processor(Protocol):
    """Changes, drops or splits events: any callable that takes one.

    Two optional attributes are read once: `mutates` (False if the processor never changes the event
    it receives, and returns a changed copy instead) and `on_error` (`"drop"` if an event must not
    pass after a failure; `"continue"` is the default).

    It may also be `MasksFields`, and have `bind_event_types(event_types, before)`, which receives
    the tracker's registry and the processors before it that fail closed, each time the tree is
    compiled.
    """

    def __call__(self, event: Event, /) -> Event | list[Event] | None:
        """Return the event to go on with, or None for the one that was given.

        Or a list: each of its events goes on by itself, with the time of the one that was given and
        an id derived from its id and the place in the list. An empty list drops the event.

        Raises:
            EventEmissionExit: the event goes no further on this branch.
        """


class MasksFields(Protocol):
    """A processor that says which personal data cannot leave it."""

    def masks(self, field: tuple[str, ...], pii_class: str, /) -> bool:
        """Return True if no raw value of a field can leave this processor.

        Args:
            field: its path, such as `("data", "email")`.
            pii_class: the class of personal data that its type declares.
        """


@runtime_checkable
class Backend(Protocol):
    """A place where events go, one at a time.

    A backend opens its connection on first use, never changes an event, and copies what it keeps
    (`encoding.snapshot`). Its class may have a `default_delivery`: `"inline"`, `"queue"`, or a
    mapping of the options of `delivery`, `mode` among them; and an `is_read_only`: if True, events
    share their context with the tracker, which saves a copy; a subclass says so for itself. It may
    also be `Flushable`, `Releasable`, `WarmsUp`, `ReadsWire` and `TakesJson`; all of that is looked
    up once.
    """

    def send(self, event: Event, /) -> None:
        """Deliver one event.

        Raises:
            RetryableError: not delivered; a later attempt may succeed. So does any other exception.
            RejectedError: never deliverable.
        """


@runtime_checkable
class BatchBackend(Protocol):
    """A place where events go, many at a time."""

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Deliver a batch within `timeout` seconds.

        Raises:
            BatchError: the listed events failed, the others are delivered.
            RetryableError: nothing was delivered; a later attempt may succeed.
            RejectedError: never deliverable.
        """


class Flushable(Protocol):
    """A backend that holds events after `send` returned."""

    def flush(self, timeout: float, /) -> bool | None:
        """Deliver the events it holds within `timeout` seconds; return False if some are left."""


class Releasable(Protocol):
    """A backend that holds resources, such as connections or files."""

    def shutdown(self, timeout: float, /) -> bool | None:
        """Release them within `timeout` seconds; return False if that did not end in time."""


class WarmsUp(Protocol):
    """A backend with threads of its own, which cannot be started while the interpreter ends."""

    def warm_up(self) -> None:
        """Start them; called by the thread that queues a process's first event."""


class ReadsWire(Protocol):
    """A backend for a sink that holds more than plain values."""

    @staticmethod
    def read_wire(wire: bytes, /) -> Event:
        """Return a queued event, in place of `encoding.normal_from_msgpack`."""


class TakesJson(Protocol):
    """A `BatchBackend` whose sink stores events in JSON.

    The emitting thread encodes its events as JSON rather than MessagePack. A worker hands them over
    as an `encoding.JsonBatch`: its `texts` are what `encoding.encode_json` returns of each event,
    its `columns` what most tables need beside, and an event is decoded only if it is read.
    """

    takes_json: bool
    """True. A class may say so, or an object whose options decide."""


@runtime_checkable
class Reviewable(Protocol):
    """A backend that can say, without opening anything, why it will probably not deliver."""

    def review(self) -> Iterable[str]:
        """Return warnings for `eventtracking check`, without an option's value."""


@runtime_checkable
class Probeable(Protocol):
    """A backend that can find out whether its sink can be reached."""

    def probe(self, timeout: float, /) -> str:
        """Return what was found, such as a server's version, without an option's value.

        It stores nothing. `eventtracking check --connect` calls it, in a thread.

        Args:
            timeout: seconds it may take.

        Raises:
            Exception: the sink cannot be reached, or would not accept events.
        """


@runtime_checkable
class ReportsBacklog(Protocol):
    """A backend whose sink is a queue: others take what it holds, such as workers from a broker."""

    def backlog(self, timeout: float, /) -> int | None:
        """Return how many messages wait in the sink, None if it has no queue. It takes none.

        `eventtracking stats` calls it.

        Args:
            timeout: seconds it may take.

        Raises:
            Exception: the sink cannot be reached.
        """


@runtime_checkable
class WritesFiles(Protocol):
    """A backend whose sink is one or more files, which commands must not read or overwrite."""

    def written_files(self) -> Iterable[Path]:
        """Return its files, those that were rotated too; the current one need not exist yet.

        Raises:
            OSError: a directory cannot be read.
        """
