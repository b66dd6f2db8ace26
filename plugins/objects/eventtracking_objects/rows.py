"""Events in their normal form, beside their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

from eventtracking_core import Event
from eventtracking_core.encoding import (
    NormalBatch,
    decode_json,
    encode_each,
    encode_json,
    encode_lines,
    normalize_event,
)

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """An event in its normal form, and its JSON."""

    event: Event
    text: bytes


def rows_of(events: Sequence[Event]) -> tuple[dict[int, Row], dict[int, Exception]]:
    """Return the rows of events, whose parts agree, and what failed; both by index."""
    if type(events) is NormalBatch:
        texts, failures = encode_lines(events)
        return {index: Row(events[index], text) for index, text in texts.items()}, failures
    return encode_each(events, _row)


def _row(event: Event) -> Row:
    text = encode_json(event)
    if _is_plain(event):
        return Row(event, text)
    try:
        plain = decode_json(text)
    except (ValueError, OverflowError, RecursionError):  # not in an event's normal form
        text = encode_json(normalize_event(event))
        plain = decode_json(text)
    return Row(plain, text)


def _is_plain(event: Event) -> bool:
    try:
        event["id"].encode()
        event["name"].encode()
    except (AttributeError, UnicodeEncodeError):
        return False
    return (
        type(event["id"]) is str
        and type(event["name"]) is str
        and event["timestamp"].tzinfo is UTC
        and type(event["context"]) is dict
        and type(event["data"]) is dict
    )
