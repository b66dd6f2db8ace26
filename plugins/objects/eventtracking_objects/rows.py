"""Events in their normal form, beside their JSON."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from eventtracking_core import Event
from eventtracking_core.encoding import decode_json, encode_json, normalize_event

__all__ = ["Row", "row"]


class Row(NamedTuple):
    """An event in its normal form, and its JSON."""

    event: Event
    text: bytes


def row(event: Event) -> Row:
    """Return an event's row; both parts agree."""
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
