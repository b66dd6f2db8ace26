"""Inserting events, so that one that MongoDB cannot hold does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import bson
from pymongo.errors import BulkWriteError, PyMongoError

from eventtracking_core import Event, RejectedError, RetryableError
from eventtracking_core.encoding import keep, normalize_event
from eventtracking_mongo.connection import Documents
from eventtracking_mongo.failures import failed_documents, is_malformed

__all__ = ["insert", "revived", "write"]

MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""Bytes of BSON that a document may have."""


def insert(collection: Documents, events: Sequence[Event]) -> dict[int, Exception]:
    """Insert events in one unordered write.

    Returns:
        By its index, why an event was not stored; all others are.

    Raises:
        RetryableError: the write concern was not met.
        PyMongoError: nothing is known of any event.
    """
    try:
        return write(collection, [_document(event) for event in events], range(len(events)))
    except PyMongoError as error:
        if not is_malformed(error):
            raise
    except RetryableError:
        raise
    except Exception:  # noqa: BLE001, S110  the encoder's, before the documents were sent
        pass
    return _insert_apart(collection, events)


def _insert_apart(collection: Documents, events: Sequence[Event]) -> dict[int, Exception]:
    """Insert events in their normal form, without those that are too large."""
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
    """Insert documents in one unordered write; one that is there already counts as inserted.

    Args:
        collection: where.
        documents: any number of them.
        positions: the position of each document's event in the batch.

    Returns:
        By its position, why a document was not inserted.

    Raises:
        RetryableError: the write concern was not met.
        PyMongoError: nothing is known of any document.
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
    """Return the document of an event in its normal form, with what BSON has besides."""
    document = _document(normalize_event(event, native=keep))
    try:
        bson.encode(document)
    except Exception:  # noqa: BLE001  a value that only claims to be one of BSON's
        return _document(normalize_event(event))
    return document


def revived(document: bytes) -> Any:
    """Return the value of a BSON document that has it as its field `v`."""
    return bson.decode(document)["v"]


def _document(event: Event) -> dict[str, Any]:
    """Return the event's document: its fields, with the id as `_id`.

    Raises:
        TypeError: it has no id that tells it from others, or no time.
    """
    fields: Mapping[str, object] = event  # what a caller hands over may be of any type
    if not isinstance(fields["id"], str) or not isinstance(fields["timestamp"], datetime):
        raise TypeError
    document: dict[str, Any] = {"_id": None}  # MongoDB wants it first
    document.update(event)
    document["_id"] = document.pop("id")
    return document
