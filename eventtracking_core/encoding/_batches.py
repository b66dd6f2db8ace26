"""The events of a batch, each encoded or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from eventtracking_core.errors import EventTrackingError, RejectedError
from eventtracking_core.events import Event
from eventtracking_core.interrupts import pass_on

__all__ = ["encode_each", "unencodable"]

T = TypeVar("T")


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


def unencodable(error: Exception) -> RejectedError:
    """Return the failure of an event whose encoding failed; its message contains no value."""
    return RejectedError(f"the event cannot be encoded ({type(error).__name__})")
