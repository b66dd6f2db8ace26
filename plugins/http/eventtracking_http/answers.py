"""What an answer says about each event of a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eventtracking_core import RejectedError, RetryableError

__all__ = ["ANSWERS", "Failures"]

Failures = Mapping[int, Exception]

_RETRYABLE_ITEMS: Final = frozenset({429, *range(500, 600)})
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
        return {}
    failures: dict[int, Exception] = {}
    items = document.get("items")
    if not isinstance(items, Sequence) or len(items) != count:
        raise RetryableError("the server's answer does not list each event")
    for index, item in enumerate(items):
        outcome = next(iter(item.values())) if isinstance(item, Mapping) and item else {}
        status = outcome.get("status") if isinstance(outcome, Mapping) else None
        if not isinstance(status, int):
            raise RetryableError("the server's answer has no status for each event")
        if status in _RETRYABLE_ITEMS:
            failures[index] = RetryableError(f"the server answered with status {status}")
        elif status >= 300 and status != _CONFLICT:  # noqa: PLR2004  HTTP
            failures[index] = RejectedError(f"the server refused the event with status {status}")
    return failures


def _by_failed_records(body: bytes, count: int) -> Failures:
    """Return the failures that Mixpanel's import interface lists by index."""
    records = _document(body).get("failed_records") or ()
    failures: dict[int, Exception] = {}
    for record in records if isinstance(records, Sequence) else ():
        index = record.get("index") if isinstance(record, Mapping) else None
        if isinstance(index, int) and 0 <= index < count:
            failures[index] = RejectedError("the server refused the event")
    return failures


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
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
