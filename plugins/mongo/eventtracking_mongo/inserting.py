"""Insert events; one that MongoDB cannot store does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import bson
from pymongo.errors import BulkWriteError, PyMongoError

from eventtracking_core import Event, RejectedError, RetryableError
from eventtracking_core.encoding import keep, normalize_event
from eventtracking_mongo.connection import Documents
from eventtracking_mongo.failures import failed_documents, is_malformed

__all__ = ["insert", "revive", "write"]

MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""Maximum size of a document, in bytes of BSON."""


def insert(
    collection: Documents, events: Sequence[Event], *, is_time_series: bool = False
) -> dict[int, Exception]:
    """Insert events in one unordered write.

    Args:
        collection: the collection.
        events: any number of events.
        is_time_series: whether the collection stores a document again that is sent again.

    Returns:
        The errors of events that were not stored, by index; all others are stored.

    Raises:
        RetryableError: the write concern was not met.
        PyMongoError: the outcome is unknown for all events.
    """
    try:
        documents = [_document(event) for event in events]
        if not is_time_series:
            with suppress(PyMongoError):
                return _insert_at_once(collection, documents)
        return write(collection, documents, range(len(events)))
    except PyMongoError as error:
        if not is_malformed(error):
            raise
    except RetryableError:
        raise
    except Exception:  # noqa: BLE001, S110  the encoder's, before the documents were sent
        pass
    return _insert_apart(collection, events)


def _insert_at_once(collection: Documents, documents: list[dict[str, Any]]) -> dict[int, Exception]:
    """Insert documents as `write` does, with one command, in two thirds of the time.

    Raises:
        RetryableError: the write concern was not met.
        PyMongoError: some may be inserted. `write` would split what is too large for a command, and
            repeat what a failover has interrupted.
    """
    answer = collection.database.command(
        "insert",
        collection.name,
        codec_options=collection.codec_options,
        documents=documents,
        ordered=False,
        writeConcern=collection.write_concern.document,
    )
    unmet = answer.get("writeConcernError")
    result = {**answer, "writeConcernErrors": [unmet] if unmet else []}
    return failed_documents(result, range(len(documents)))


def _insert_apart(collection: Documents, events: Sequence[Event]) -> dict[int, Exception]:
    """Insert events in their normal form, except those that are too large."""
    failures: dict[int, Exception] = {}
    documents: list[dict[str, Any]] = []
    positions: list[int] = []
    for position, event in enumerate(events):
        if _is_oversize(event):
            failures[position] = RejectedError("the event is over 16 MiB, MongoDB's limit")
        else:
            documents.append(_normal_document(event))
            positions.append(position)
    return failures | write(collection, documents, positions)


def write(
    collection: Documents, documents: Sequence[dict[str, Any]], positions: Sequence[int]
) -> dict[int, Exception]:
    """Insert documents in one unordered write; a document already stored counts as inserted.

    Args:
        collection: the collection.
        documents: any number of documents.
        positions: the position of each document's event in the batch.

    Returns:
        The errors of documents that were not inserted, by position.

    Raises:
        RetryableError: the write concern was not met.
        PyMongoError: the outcome is unknown for all documents.
    """
    if not documents:
        return {}
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return failed_documents(error.details, positions)
    return {}


def _is_oversize(event: Event) -> bool:
    try:
        return len(bson.encode(_document(event))) > MAX_DOCUMENT
    except Exception:  # noqa: BLE001  the caller's own objects may raise anything
        return False  # the normal form is far smaller


def _normal_document(event: Event) -> dict[str, Any]:
    """Return the document of an event in its normal form, with BSON's own types."""
    document = _document(normalize_event(event, native=keep))
    try:
        bson.encode(document)
    except Exception:  # noqa: BLE001  a value that only pretends to be one of BSON's types
        return _document(normalize_event(event))
    return document


def revive(document: bytes) -> Any:
    """Return the value of the field `v` of a BSON document."""
    return bson.decode(document)["v"]


def _document(event: Event) -> dict[str, Any]:
    """Return the event's document: its fields, with the id as `_id`.

    Raises:
        TypeError: its id is not text, or its timestamp is not a datetime.
    """
    fields: Mapping[str, object] = event  # a caller's values may be of any type
    event_id = fields["id"]
    if not isinstance(event_id, str) or not isinstance(fields["timestamp"], datetime):
        raise TypeError
    document: dict[str, Any] = {"_id": event_id, **event}  # MongoDB expects it first
    del document["id"]
    return document
