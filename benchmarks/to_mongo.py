"""To MongoDB: ours, pymongo's own `insert_many`, and event-tracking's backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from benchmarks.delivered import BATCH, EVENTS, batch_sender, emitter
from benchmarks.ours import entered
from benchmarks.replaying import replayer
from benchmarks.sample import C1, C2, CONTEXT, DATA, NAME
from benchmarks.sender import Sender
from eventtracking.backends.mongodb import MongoBackend  # type: ignore[import-untyped]
from eventtracking.tracker import Tracker as TheirTracker  # type: ignore[import-untyped]
from eventtracking_core import Event
from eventtracking_core.encoding import NormalBatch
from eventtracking_mongo import MongoBackend as OurBackend

__all__ = ["DATABASE", "mongo_senders"]

Documents: TypeAlias = Collection[dict[str, Any]]

DATABASE: Final = "benchmarks"
ACKNOWLEDGED: Final = WriteConcern(w="majority", j=True)


def mongo_senders(uri: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all senders; the raw ones send documents that ours has stored before.

    Args:
        uri: of a server that takes writes.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    database = stack.enter_context(MongoClient[dict[str, Any]](uri))[DATABASE]
    plain = _ours("ours: mongo", database["ours"], uri, directory, stack, indexes=[])
    indexed = _ours("ours: mongo, with its indexes", database["indexed"], uri, directory, stack)
    same = _stored(plain, database["ours"])
    replayed = database["replayed"]
    return [
        plain,
        indexed,
        _raw(same, database["raw"]),
        _direct(same, database["direct"], uri, stack),
        replayer("mongo", _options(replayed, uri), directory, _emptied(replayed)),
        _event_tracking(database["theirs"], uri),
    ]


def _ours(
    name: str,
    documents: Documents,
    uri: str,
    directory: Path,
    stack: ExitStack,
    **options: Any,
) -> Sender:
    sink = {**_options(documents, uri), **options}
    delivered = _emptied(documents)
    return emitter(
        "mongo",
        sink,
        directory,
        stack,
        delivered,
        name=name,
        emit=entered,
        max_batch_size=BATCH,
    )


def _options(documents: Documents, uri: str) -> dict[str, str]:
    return {"uri": uri, "database": DATABASE, "collection": documents.name}


def _stored(ours: Sender, stored: Documents) -> list[dict[str, Any]]:
    """Return the documents that ours stores."""
    for _ in range(EVENTS):
        ours.call()
    ours.settle()
    same = list(stored.find())
    assert ours.delivered() == len(same) == EVENTS, "ours did not store them all"
    return same


def _raw(same: list[dict[str, Any]], documents: Documents) -> Sender:
    target = documents.with_options(write_concern=ACKNOWLEDGED)
    batches = cycle([same[start : start + BATCH] for start in range(0, EVENTS, BATCH)])
    return Sender(
        "pymongo: insert_many(1000)",
        "collection.insert_many(documents, ordered=False)",
        lambda: target.insert_many(next(batches), ordered=False),
        EVENTS // BATCH,
        _emptied(documents),
        events=BATCH,
    )


def _direct(same: list[dict[str, Any]], documents: Documents, uri: str, stack: ExitStack) -> Sender:
    """Return batches of events that were emitted before, as a worker sends them."""
    backend = OurBackend(uri, database=DATABASE, collection=documents.name, indexes=[])
    events = [cast("Event", {"id": each["_id"], **each}) for each in same]
    for event in events:
        del event["_id"]  # type: ignore[typeddict-item]
    starts = range(0, EVENTS, BATCH)
    batches = [NormalBatch(events[start : start + BATCH]) for start in starts]
    return batch_sender("mongo", backend, batches, stack, _emptied(documents))


def _event_tracking(documents: Documents, uri: str) -> Sender:
    backend = MongoBackend(host=uri, database=DATABASE, collection=documents.name, extra={"w": 1})
    tracker = TheirTracker(backends={"mongo": backend})
    tracker.enter_context("request", C1)
    tracker.enter_context("user", C2)
    return Sender(
        "event-tracking: MongoBackend, w=1",
        "tracker.emit(NAME, DATA)",
        lambda: tracker.emit(NAME, DATA),
        EVENTS // 10,
        _emptied(documents),
    )


def _emptied(documents: Documents) -> Callable[[], int]:
    """Return what counts a collection, and empties it."""

    def delivered() -> int:
        count = documents.count_documents({})
        whole = documents.count_documents({"name": NAME, "data": DATA, "context": CONTEXT})
        assert count == whole, "a document is not whole"
        documents.delete_many({})
        return count

    return delivered
