"""Making an event fit into a line: its longest fields are cut, never the event."""

from __future__ import annotations

from typing import Any, Final, cast

from eventtracking_core import Event
from eventtracking_core.encoding import encode_json, normalize_event

__all__ = ["cut"]

PARTS: Final = ("context", "data")
KEPT: Final = 32
"""Characters of a text that are not worth cutting."""


def cut(event: Event, max_bytes: int) -> bytes:
    """Return an event's JSON in at most `max_bytes`, which must have room for an empty event.

    The longest values of its context and data are cut first, each with a mark of its own; id, name
    and timestamp stay as they are. Where all values are cut and it is still too long, because it
    has too many fields, a part's number of fields stands in its place.
    """
    plain = cast("dict[str, Any]", normalize_event(event))
    sizes = {(part, key): len(_json(value)) for part in PARTS for key, value in plain[part].items()}
    text = encode_json(cast("Event", plain))
    for part, key in sorted(sizes, key=lambda place: sizes[place], reverse=True):
        excess = len(text) - max_bytes
        if excess <= 0:
            return text
        plain[part][key] = _shorter(plain[part][key], excess)
        text = encode_json(cast("Event", plain))
    for part in sorted(PARTS, key=lambda part: len(plain[part]), reverse=True):
        if len(text) <= max_bytes:
            break
        plain[part] = {"<cut>": f"{len(plain[part])} fields"}
        text = encode_json(cast("Event", plain))
    return text


def _shorter(value: Any, excess: int) -> str:
    """Return a value's beginning, shorter by at least `excess` bytes where it can be."""
    if not isinstance(value, str):
        return f"<cut: {len(_json(value))} bytes>"
    mark = f"<cut: {len(value)} characters>"
    # A character may take up to twelve bytes once it is escaped; most take one.
    room = len(value) - excess - len(mark)
    kept = value[:room] if room > KEPT and value.isascii() else value[:KEPT]
    return f"{kept}{mark}"


def _json(value: Any) -> bytes:
    return encode_json(cast("Event", {"data": {"value": value}}))
