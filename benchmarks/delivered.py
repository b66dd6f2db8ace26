"""Ours as senders: by `emit` behind a queue, and by batches as a worker hands them to a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.sender import Sender
from benchmarks.varied import handed_over, varied
from eventtracking_core import Event, Tracker
from eventtracking_core.encoding import NormalBatch

__all__ = ["BATCH", "EVENTS", "WAITS", "batch_sender", "emitter", "since_last"]

EVENTS: Final = 20_000
BATCH: Final = 1000
WAITS: Final = 120.0
"""Seconds for a flush: it is measured, not limited."""


class Backend(Protocol):
    """What takes batches."""

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> Any:
        """Send events."""

    def shutdown(self, timeout: float) -> object:
        """Disconnect."""


def emitter(
    kind: str,
    options: Mapping[str, Any],
    directory: Path,
    stack: ExitStack,
    delivered: Callable[[], int] | None = None,
    *,
    name: str = "",
    emit: Callable[[Tracker], Callable[[], object]] = varied,
    events: int = EVENTS,
    **delivery: int,
) -> Sender:
    """Return what emits events, and flushes.

    Args:
        kind: the sink's type.
        options: of the sink.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
        delivered: see `Sender`; what the tracker counts, if it is not given.
        name: what the tables call it, if not by its type.
        emit: returns what emits an event.
        events: of a round.
        delivery: further options of `delivery`.
    """
    tracker = Tracker()
    sink = {"type": kind, **options}
    sink["delivery"] = {"mode": "queue", "directory": str(directory), **delivery}
    tracker.configure({"backends": {kind: sink}})
    stack.callback(tracker.shutdown)

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    def counted() -> int:
        (leaf,) = tracker.stats()["tree"]["backends"]
        return int(leaf["delivered"])

    return Sender(
        name or f"ours: {kind}",
        "tracker.emit(NAME, DATA); tracker.flush()",
        emit(tracker),
        events,
        delivered or since_last(counted),
        settle,
    )


def batch_sender(
    kind: str,
    backend: Backend,
    batches: Sequence[NormalBatch],
    stack: ExitStack,
    delivered: Callable[[], int] | None = None,
    *,
    run: Callable[[Any], object] | None = None,
) -> Sender:
    """Return what sends batches as a worker does, of events that were emitted before.

    Args:
        kind: the sink's type.
        backend: of that type.
        batches: all of one size.
        stack: closes the backend.
        delivered: see `Sender`; what was sent without an error, if it is not given.
        run: runs a coroutine, if the backend's `send_batch` is one.
    """
    stack.callback(backend.shutdown, 5)
    turns = handed_over(backend, batches)
    size, sent = len(batches[0]), 0

    def send() -> None:
        nonlocal sent
        result = backend.send_batch(next(turns), timeout=WAITS)
        if run is not None:
            run(result)
        sent += size

    return Sender(
        f"ours: {kind}, send_batch({size})",
        f"{'backend' if run is None else 'await backend'}.send_batch(events, timeout=120)",
        send,
        len(batches),
        delivered or since_last(lambda: sent),
        events=size,
    )


def since_last(total: Callable[[], int]) -> Callable[[], int]:
    """Return what counts how much a total has grown since it was last asked."""
    before = 0

    def grown() -> int:
        nonlocal before
        new = total() - before
        before += new
        return new

    return grown
