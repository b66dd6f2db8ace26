"""The events of a batch, each encoded or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from eventtracking_core.encoding._json import encode_json, encode_normal
from eventtracking_core.encoding._normal import has_parts, normalize_event
from eventtracking_core.encoding._texts import JsonBatch
from eventtracking_core.errors import EventTrackingError, RejectedError
from eventtracking_core.events import Event
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = [
    "NormalBatch",
    "encode_each",
    "encode_lines",
    "in_json",
    "unencodable",
    "with_parts",
]

T = TypeVar("T")


class NormalBatch(list[Event]):
    """Events that a worker decoded with `normal_from_msgpack`.

    Each is in normal form and shares nothing with itself, so that an encoder in C can take it
    without a look at its values.
    """


def with_parts(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events of a batch, in normal form where a part is missing or unusual.

    Then each has an id and a name that are text, a time in UTC, and dicts as context and data; what
    is in these may be anything, as before. Never raises.
    """
    if type(events) is NormalBatch or type(events) is JsonBatch:
        return events
    return [event if has_parts(event) else normalize_event(event) for event in events]


def encode_each(
    events: Iterable[Event], encode: Callable[[Event], T]
) -> tuple[dict[int, T], dict[int, Exception]]:
    """Encode the events of a batch, so that one that cannot be encoded fails alone.

    Args:
        events: the batch.
        encode: returns what is sent of an event. What it raises is the event's failure: a
            `RejectedError` with the name of the exception, unless it is an `EventTrackingError`.

    Returns:
        What was encoded, and the failures, for a `BatchError`; both by index.
    """
    encoded: dict[int, T] = {}
    failures: dict[int, Exception] = {}
    for index, event in enumerate(events):
        try:
            encoded[index] = encode(event)
        except EventTrackingError as error:
            failures[index] = error
        except Exception as error:  # noqa: BLE001  the caller's own objects may raise anything
            pass_on(error)
            failures[index] = unencodable(error)
    return encoded, failures


def encode_lines(events: Sequence[Event]) -> tuple[dict[int, bytes], dict[int, Exception]]:
    """Encode the events of a batch as `encode_json` does; see `encode_each` for what is returned.

    Those of a `JsonBatch` are encoded already, and those of a `NormalBatch` in half the time.
    """
    batch = in_json(events)
    return encode_each(events, encode_json) if batch is None else (dict(enumerate(batch.texts)), {})


def in_json(events: Sequence[Event]) -> JsonBatch | None:
    """Return a worker's batch in JSON; None for another, or where an event takes a closer look."""
    if type(events) is JsonBatch:
        return events
    texts = encode_normal(events) if type(events) is NormalBatch else None
    return None if texts is None else JsonBatch(texts)


def unencodable(error: Exception) -> RejectedError:
    """Return the failure of an event whose encoding failed; its message contains no value."""
    return RejectedError(f"the event cannot be encoded ({type(error).__name__})")
