"""Making an event fit into a line: its longest fields are cut, never the event."""

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
"""The most bytes of a mark, as in `"<cut: 262144 characters>"`."""

_ENTRY_SIZE: Final = len(f',"{MARK}":') + _MARK_SIZE
_BRACKETS: Final = len("{}")
_ATTEMPTS: Final = 8

_encode: Final = DateTimeJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def cut(event: Event, max_bytes: int) -> bytes:
    """Return an event's JSON in at most `max_bytes`, which must have room for an empty event.

    The longest values of its context and data are cut first, all to the same length, each with a
    mark that says how long it was. Where there are too many even for marks, the last ones are left
    out. Id, name and timestamp stay as they are.
    """
    event = normalize_event(event, big=_printable)
    parts = {"context": event["context"], "data": event["data"]}
    room = limit = max_bytes - len(_text(event, {})) + _size({"context": {}, "data": {}})
    for _ in range(_ATTEMPTS):
        text = _text(event, _cut(parts, room))
        excess = len(text) - max_bytes
        if excess <= 0:
            return text
        # What is escaped in the final text alone takes more room than was reckoned with.
        room = room * limit // (limit + excess)
    return _text(event, {part: _mark_fields(value) for part, value in parts.items()})


def _text(event: Event, parts: object) -> bytes:
    """Return an event's JSON with other parts, or with empty ones."""
    given = parts if isinstance(parts, dict) else {}
    fields = {part: given.get(part, {}) for part in ("context", "data")}
    return encode_json(cast("Event", {**event, **fields}))


def _printable(number: int) -> int:
    """Return a number that can be printed.

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
    """Return a value that takes `room` bytes at most, or else as few as it can."""
    if _size(value) <= room:
        return value
    if isinstance(value, str):
        mark = f"<cut: {len(value)} characters>"
        fits = bisect_right(range(len(value)), room, key=lambda n: _size(value[:n] + mark))
        return value[: max(0, fits - 1)] + mark
    if isinstance(value, dict):
        overheads = [_size(key) + len(":,") for key in value]
        items = _cut_items(value.values(), overheads, room - _BRACKETS)
        kept = dict(zip(value, items, strict=False))
        return kept if len(kept) == len(value) else {**kept, **_mark_fields(value)}
    if isinstance(value, list):
        items = _cut_items(value, [len(",")] * len(value), room - _BRACKETS)
        return items if len(items) == len(value) else [*items, f"<cut: {len(value)} items>"]
    return MARK


def _cut_items(values: Iterable[Any], overheads: list[int], room: int) -> list[Any]:
    """Return values that fit together with their overheads, the first ones if not all do."""
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
    """Return the bytes that are left of a value when it is cut as far as it can be."""
    return _MARK_SIZE + (_BRACKETS + _ENTRY_SIZE if isinstance(value, dict | list) else 0)


def _level(sizes: list[int], room: int) -> int:
    """Return the size to which the largest are cut, so that all together take `room`."""
    left = len(sizes)
    for size in sorted(sizes):
        if size * left > room:
            return room // left
        room -= size
        left -= 1
    return max(sizes, default=0)
