"""Making an event fit: its longest values are cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Final, cast

from eventtracking_core import Event
from eventtracking_core.encoding import encode_json, normalize_event
from eventtracking_logger.encoder import DateTimeJSONEncoder

__all__ = ["shortened"]

MARKER: Final = "<cut: too large>"
"""Stands at the end of a text that was cut, and for what was left out."""

_MARKER_SIZE: Final = len(f'"{MARKER}"')
_MARKER_ITEM: Final = len(f',"{MARKER}"')
_MARKER_FIELD: Final = len(f',"{MARKER}":"{MARKER}"')
_BRACKETS: Final = len("{}")
_ATTEMPTS: Final = 8

_encode: Final = DateTimeJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def shortened(event: Event, max_size: int) -> bytes:
    """Return an event as a line of JSON of at most `max_size` bytes, its longest values cut.

    Everything but `context` and `data` stays as it is, if need be in more bytes than that.
    """
    event = normalize_event(event, big=int)
    parts = {"context": event["context"], "data": event["data"]}
    limit = room = max_size - len(_text(event, {})) + _size({"context": {}, "data": {}})
    for _ in range(_ATTEMPTS):
        text = _text(event, _cut(parts, room))
        excess = len(text) - max_size
        if excess <= 0:
            return text
        # What is escaped in the final text alone takes more room than was reckoned with.
        room = room * limit // (limit + excess)
    return _text(event, {"context": {MARKER: MARKER}, "data": {MARKER: MARKER}})


def _text(event: Event, parts: Mapping[str, Any]) -> bytes:
    fields = {"context": parts.get("context", {}), "data": parts.get("data", {})}
    return encode_json(cast("Event", {**event, **fields}))


def _size(value: object) -> int:
    return len(_encode(value).encode())


def _cut(value: Any, room: int) -> Any:
    """Return a value that takes `room` bytes at most, or else as few as it can."""
    if _size(value) <= room:
        return value
    if isinstance(value, str):
        fits = bisect_right(range(len(value)), room, key=lambda n: _size(value[:n] + MARKER))
        return value[: max(0, fits - 1)] + MARKER
    if isinstance(value, dict) and room >= _BRACKETS + _MARKER_FIELD:
        overheads = [_size(key) + len(":,") for key in value]
        items = _cut_items(value.values(), overheads, room - _BRACKETS, _MARKER_FIELD)
        cut = dict(zip(value, items, strict=False))
        return cut if len(cut) == len(value) else {**cut, MARKER: MARKER}
    if isinstance(value, list) and room >= _BRACKETS + _MARKER_ITEM:
        overheads = [len(",")] * len(value)
        items = _cut_items(value, overheads, room - _BRACKETS, _MARKER_ITEM)
        return items if len(items) == len(value) else [*items, MARKER]
    return MARKER


def _cut_items(values: Iterable[Any], overheads: list[int], room: int, end: int) -> list[Any]:
    """Return values that fit together: the largest of them cut, all to the same size.

    Where there are too many even for markers, the last ones are left out, and `end` bytes of the
    room are left for what says so.
    """
    values = list(values)
    sizes = [_size(value) for value in values]
    least = [o + min(size, _MARKER_SIZE) for o, size in zip(overheads, sizes, strict=True)]
    if sum(least) > room:
        room -= end
        count = bisect_right(list(accumulate(least)), room)
        values, sizes, overheads = values[:count], sizes[:count], overheads[:count]
    level = _level(sizes, room - sum(overheads))
    pairs = zip(values, sizes, strict=True)
    return [_cut(value, level) if size > level else value for value, size in pairs]


def _level(sizes: list[int], room: int) -> int:
    """Return the size to which the largest are cut, so that all together take `room`."""
    left = len(sizes)
    for size in sorted(sizes):
        if size * left > room:
            return room // left
        room -= size
        left -= 1
    return max(sizes, default=0)
