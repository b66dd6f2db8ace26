"""Fit an event into a line by cutting its longest fields."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Final, cast

from eventtracking_core import Event
from eventtracking_core.encoding import encode_json, normalize_event
from eventtracking_logger.encoder import DateTimeJSONEncoder

__all__ = ["cut"]

MARK: Final = "<cut>"
_MARK_SIZE: Final = 32
"""Maximum number of bytes of a mark such as `"<cut: 262144 characters>"`."""

_ENTRY_SIZE: Final = len(f',"{MARK}":') + _MARK_SIZE
_BRACKETS: Final = len("{}")
_ATTEMPTS: Final = 8

_encode: Final = DateTimeJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def cut(event: Event, max_bytes: int) -> bytes:
    """Return an event's JSON in at most `max_bytes`, which must be enough for an empty event.

    The longest values of its context and data are cut to a common length, each with a mark that
    states its original length. If there are too many values even for marks, the last ones are left
    out. Id, name and timestamp are unchanged.
    """
    event = normalize_event(event, big=_printable)
    parts = {"context": event["context"], "data": event["data"]}
    room = limit = max_bytes - len(_text(event, {})) + _size({"context": {}, "data": {}})
    for _ in range(_ATTEMPTS):
        text = _text(event, _cut(parts, room))
        excess = len(text) - max_bytes
        if excess <= 0:
            return text
        # Characters that only the final encoder escapes take more room than estimated.
        room = room * limit // (limit + excess)
    return _text(event, {part: _mark_fields(value) for part, value in parts.items()})


def _text(event: Event, parts: object) -> bytes:
    """Return an event's JSON with other parts; missing parts are empty."""
    contents = parts if isinstance(parts, dict) else {}
    fields = {part: contents.get(part, {}) for part in ("context", "data")}
    return encode_json(cast("Event", {**event, **fields}))


def _printable(number: int) -> int:
    """Return a number if Python can convert it to text.

    Raises:
        ValueError: it has too many digits.
    """
    str(number)
    return number


def _size(value: object) -> int:
    return len(_encode(value).encode())


def _mark_fields(value: Mapping[str, Any]) -> dict[str, str]:
    return {MARK: f"{len(value)} fields"}


def _cut(value: Any, room: int) -> Any:
    """Return a value cut to at most `room` bytes, or as few as possible."""
    if _size(value) <= room:
        return value
    if isinstance(value, str):
        mark = f"<cut: {len(value)} characters>"
        fits = bisect_right(range(len(value)), room, key=lambda n: _size(value[:n] + mark))
        return value[: max(0, fits - 1)] + mark
    if isinstance(value, dict):
        overheads = [_size(key) + len(":,") for key in value]
        items = _cut_items(value.values(), overheads, room - _BRACKETS)
        fields = dict(zip(value, items, strict=False))
        return fields if len(fields) == len(value) else {**fields, **_mark_fields(value)}
    if isinstance(value, list):
        items = _cut_items(value, [len(",")] * len(value), room - _BRACKETS)
        return items if len(items) == len(value) else [*items, f"<cut: {len(value)} items>"]
    return MARK


def _cut_items(values: Iterable[Any], overheads: list[int], room: int) -> list[Any]:
    """Return values cut to fit with their overheads; only the first ones if not all can fit."""
    values = list(values)
    sizes = [_size(value) for value in values]
    least = [
        o + min(size, _least(value))
        for o, size, value in zip(overheads, sizes, values, strict=True)
    ]
    if sum(least) > room:
        room -= _ENTRY_SIZE
        count = bisect_right(list(accumulate(least)), room)
        values, sizes, overheads = values[:count], sizes[:count], overheads[:count]
    level = _level(sizes, room - sum(overheads))
    pairs = zip(values, sizes, strict=True)
    return [_cut(value, level) if size > level else value for value, size in pairs]


def _least(value: object) -> int:
    """Return the minimum size of a cut value, in bytes."""
    return _MARK_SIZE + (_BRACKETS + _ENTRY_SIZE if isinstance(value, dict | list) else 0)


def _level(sizes: list[int], room: int) -> int:
    """Return the size to which the largest values are cut so that all of them fit into `room`."""
    left = len(sizes)
    for size in sorted(sizes):
        if size * left > room:
            return room // left
        room -= size
        left -= 1
    return max(sizes, default=0)
