"""To object storage: ours, and obstore writing objects of lines that were made before."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import blake2b
from itertools import cycle
from pathlib import Path
from typing import Final

from obstore.store import LocalStore

from benchmarks.delivered import BATCH, EVENTS, WAITS, batch_sender, emitter
from benchmarks.replaying import replayer
from benchmarks.sample import NAME
from benchmarks.sender import Sender
from benchmarks.varied import batches_of
from eventtracking_core.encoding import NormalBatch, decode_json, encode_json
from eventtracking_objects import ObjectsBackend

__all__ = ["objects_senders"]

LEVEL: Final = 1
"""Of gzip, as ours."""


def objects_senders(directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them; the store is a directory, so that no other process takes part.

    Args:
        directory: where the objects are, and what ours cannot deliver.
        stack: closes what is opened.
    """
    written = directory / "objects"
    options = {"uri": str(written)}
    ours = emitter("objects", options, directory, stack, _emptied(written), max_batch_size=BATCH)
    place = directory / "replayed"
    replay = replayer("objects", {"uri": str(place)}, directory, _emptied(place))
    return [ours, *_direct(directory / "direct", stack), replay]


def _direct(place: Path, stack: ExitStack) -> list[Sender]:
    """Return batches of events that were emitted before, of ours and as lines of obstore."""
    backend = ObjectsBackend(str(place))
    runner = stack.enter_context(asyncio.Runner())  # a worker's loop lasts, too
    (first,) = batches_of(1, 1)
    runner.run(backend.send_batch(first, timeout=WAITS))  # later events are new to it
    batches = batches_of(BATCH, EVENTS)
    delivered = _emptied(place)
    delivered()
    ours = batch_sender("objects", backend, batches, stack, delivered, run=runner.run)
    return [ours, _raw(batches, place.with_name("raw"))]


def _raw(batches: list[NormalBatch], place: Path) -> Sender:
    store = LocalStore(str(place), mkdir=True)
    turns = cycle([([each["id"] for each in one], list(map(encode_json, one))) for one in batches])

    def write() -> None:
        ids, lines = next(turns)
        data = gzip.compress(b"\n".join([*lines, b""]), LEVEL, mtime=0)
        # As ours: a repeat of the events has the same key, so it stores nothing.
        digest = blake2b("\n".join(ids).encode(), digest_size=16).hexdigest()
        key = f"events/name={NAME}/{ids[-1]}_{ids[0]}_{digest}.ndjson.gz"
        store.put(key, data, mode="create")

    return Sender(
        "obstore: put of 1,000 lines",
        "store.put(key_of(ids), gzip.compress(lines), mode='create')",
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
