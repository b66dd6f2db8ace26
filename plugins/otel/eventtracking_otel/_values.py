"""Values of events as attributes that OpenTelemetry takes, and OTLP can carry.

A value that the protocol has no room for does not lose itself, but the whole request that it is
in: the exporter or the receiver fails on it. So what does not fit goes as JSON text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["flat", "nested"]

MAX_DEPTH: Final = 16
"""Levels of maps and lists. Receivers refuse a message of 100 levels, of which each takes three."""

EMPTY_KEY: Final = "(empty)"
"""In place of a key without a character, which the SDK drops together with its value."""


def nested(value: object, depth: int = MAX_DEPTH) -> Any:
    """Return a value in normal form as an attribute's value; maps and lists stay what they are.

    Lists whose members are of different types are none of OpenTelemetry's, so they are JSON text;
    integers among floats become floats.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        if depth == 0:
            return _json(value)
        return {key or EMPTY_KEY: nested(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        kinds = {type(item) for item in value} - {type(None)}
        if depth == 0 or not (len(kinds) <= 1 or kinds == {int, float}):
            return _json(value)
        if len(kinds) > 1:
            value = [float(item) if type(item) is int else item for item in value]
        items = [nested(item, depth - 1) for item in value]
        return items if len({type(item) for item in items} - {type(None)}) <= 1 else _json(value)
    return value


def flat(prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a map and of the maps in it, each under its path: `data.answer.grade`.

    Lists that hold maps or lists are JSON text, and so is an empty map.
    """
    found: dict[str, Any] = {}
    waiting = _below(prefix, fields)  # a stack, of which the last is taken first
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += _below(path, value)
            continue
        is_deep = isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
        key, number = path, 2
        while key in found:  # such as the key `a.b`, and `b` in `a`
            key, number = f"{path}~{number}", number + 1
        found[key] = _json(value) if is_deep or isinstance(value, dict) else nested(value)
    return found


def _below(path: str, fields: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{path}.{key or EMPTY_KEY}", value) for key, value in reversed(fields.items())]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=nested)
