"""Read the outcome of each event from the answer to a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eventtracking_core import RejectedError, RetryableError

__all__ = ["ANSWERS", "Failures"]

Failures = Mapping[int, Exception]

_RETRYABLE_ITEMS: Final = frozenset({429, *range(500, 600)})
_SUCCESS: Final = range(200, 300)
_CONFLICT: Final = 409


def _by_status(_body: bytes, _count: int) -> Failures:
    """Return no failures: the status alone speaks for all events."""
    return {}


def _by_items(body: bytes, count: int) -> Failures:
    """Return the failures that an answer of Elasticsearch's bulk interface lists.

    A conflict is no failure: the document with that id is there already.
    """
    document = _document(body)
    if not document.get("errors"):
        _refuse_error(document)
        return {}
    failures: dict[int, Exception] = {}
    items = document.get("items")
    if not isinstance(items, Sequence) or len(items) != count:
        raise RetryableError("the server's answer does not list each event")
    for index, item in enumerate(items):
        outcome = next(iter(item.values())) if isinstance(item, Mapping) and item else {}
        status = outcome.get("status") if isinstance(outcome, Mapping) else None
        if type(status) is not int:
            raise RetryableError("the server's answer has no status for each event")
        if status in _RETRYABLE_ITEMS:
            failures[index] = RetryableError(f"the server answered with status {status}")
        elif status not in _SUCCESS and status != _CONFLICT:
            failures[index] = RejectedError(f"the server refused the event with status {status}")
    return failures


def _by_failed_records(body: bytes, count: int) -> Failures:
    """Return the failures that Mixpanel's import interface lists by index."""
    document = _document(body)
    records = document.get("failed_records") or ()
    failures: dict[int, Exception] = {}
    for record in records if isinstance(records, Sequence) else ():
        index = record.get("index") if isinstance(record, Mapping) else None
        if type(index) is not int or not 0 <= index < count:
            raise RetryableError("the server's answer lists failures that are not of the request")
        failures[index] = RejectedError("the server refused the event")
    if not failures:
        _refuse_error(document)
    return failures


def _refuse_error(document: Mapping[str, Any]) -> None:
    """Raise a `RetryableError` for an answer that is one error for the whole request."""
    if document.get("error"):
        raise RetryableError("the server's answer is an error, whatever its status")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RetryableError("the server's answer is not JSON") from None
    if not isinstance(document, Mapping):
        raise RetryableError("the server's answer is not a JSON object")
    return document


ANSWERS: Final[Mapping[str, Callable[[bytes, int], Failures]]] = {
    "status": _by_status,
    "items": _by_items,
    "failed_records": _by_failed_records,
}
"""How to read an answer with a successful status, by the name of the option `answer`."""
