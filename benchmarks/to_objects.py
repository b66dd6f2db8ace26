"""To object storage: ours, and obstore writing objects of lines that were made before."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path
from typing import Final

from obstore.store import LocalStore

from benchmarks.replaying import replayer
from benchmarks.sample import NAME
from benchmarks.sender import Sender
from benchmarks.varied import batches_of, varied
from eventtracking_core import Tracker
from eventtracking_core.encoding import NormalBatch, decode_json, encode_json
from eventtracking_objects import ObjectsBackend

__all__ = ["objects_senders"]

EVENTS: Final = 20_000
BATCH: Final = 1000
LEVEL: Final = 1
"""Of gzip, as ours."""

WAITS: Final = 120.0
"""Seconds for a flush: it is measured, not limited."""


def objects_senders(directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them; the store is a directory, so that no other process takes part.

    Args:
        directory: where the objects are, and what ours cannot deliver.
        stack: closes what is opened.
    """
    ours = _ours(directory / "objects", directory, stack)
    direct = _direct(directory / "direct", stack)
    place = directory / "replayed"
    return [ours, *direct, replayer("objects", {"uri": str(place)}, directory, _emptied(place))]


def _ours(place: Path, directory: Path, stack: ExitStack) -> Sender:
    delivery = {"mode": "queue", "max_batch_size": BATCH, "directory": str(directory)}
    tracker = Tracker()
    sink = {"type": "objects", "uri": str(place), "delivery": delivery}
    tracker.configure({"backends": {"objects": sink}})
    stack.callback(tracker.shutdown)

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    return Sender(
        "ours: objects",
        "tracker.emit(NAME, DATA); tracker.flush()",
        varied(tracker),
        EVENTS,
        _emptied(place),
        settle,
    )


def _direct(place: Path, stack: ExitStack) -> list[Sender]:
    """Return batches of events that were emitted before, of ours and as lines of obstore."""
    backend = ObjectsBackend(str(place))
    runner = stack.enter_context(asyncio.Runner())  # a worker's loop lasts, too
    stack.callback(backend.shutdown, 5)
    (first,) = batches_of(1, 1)
    runner.run(backend.send_batch(first, timeout=WAITS))  # later events are new to it
    batches = batches_of(BATCH, EVENTS)
    turns = cycle(batches)
    delivered = _emptied(place)
    delivered()
    ours = Sender(
        "ours: objects, send_batch(1000)",
        "await backend.send_batch(events, timeout=120)",
        lambda: runner.run(backend.send_batch(next(turns), timeout=WAITS)),
        EVENTS // BATCH,
        delivered,
        events=BATCH,
    )
    return [ours, _raw(batches, place.with_name("raw"))]


def _raw(batches: list[NormalBatch], place: Path) -> Sender:
    store = LocalStore(str(place), mkdir=True)
    turns = cycle([[encode_json(event) for event in batch] for batch in batches])
    number = count()

    def write() -> None:
        data = gzip.compress(b"\n".join([*next(turns), b""]), LEVEL, mtime=0)
        store.put(f"events/{next(number)}.ndjson.gz", data, mode="create")

    return Sender(
        "obstore: put of 1,000 lines",
        "store.put(key, gzip.compress(lines), mode='create')",
        write,
        EVENTS // BATCH,
        _emptied(place),
        events=BATCH,
    )


def _emptied(place: Path) -> Callable[[], int]:
    """Return what counts the events of a store, and removes its objects."""

    def delivered() -> int:
        total = 0
        for path in place.glob("**/*.ndjson.gz"):
            events = [decode_json(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
            assert all(event["name"] == NAME for event in events), "an event is not whole"
            total += len(events)
            path.unlink()
        return total

    return delivered
