"""Convert values of events into attribute values that OpenTelemetry and OTLP support.

An unsupported value makes the exporter or the receiver fail on the whole request that contains it.
So unsupported values are sent as JSON text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["flat", "nested"]

MAX_DEPTH: Final = 16
"""Maximum nesting. Receivers reject messages of 100 levels, and each of ours takes three."""

EMPTY_KEY: Final = "(empty)"
"""Replaces an empty key, which the SDK would drop together with its value."""


def nested(value: object, depth: int = MAX_DEPTH) -> Any:
    """Return a value in normal form as an attribute value; maps and lists stay maps and lists.

    OpenTelemetry has no lists of mixed types, so these become JSON text; in a list of integers and
    floats, all become floats.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        if depth == 0:
            return _json(value)
        return {key or EMPTY_KEY: nested(item, depth - 1) for key, item in value.items()}
    return _nested_list(value, depth) if isinstance(value, list) else value


def _nested_list(values: list[Any], depth: int) -> Any:
    kinds = _kinds(values)
    if depth == 0 or not (len(kinds) <= 1 or kinds == {int, float}):
        return _json(values)
    if len(kinds) > 1:
        values = [float(item) if type(item) is int else item for item in values]
    items = [nested(item, depth - 1) for item in values]
    return items if len(_kinds(items)) <= 1 else _json(values)


def _kinds(values: list[Any]) -> set[type]:
    """Return the types of the values that are not None."""
    return {type(value) for value in values} - {type(None)}


def flat(prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a map and its nested maps by path, such as `data.answer.grade`.

    Lists that contain maps or lists become JSON text, and so does an empty map.
    """
    attributes: dict[str, Any] = {}
    waiting = _below(prefix, fields)  # a stack
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += _below(path, value)
            continue
        is_deep = isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
        key, number = path, 2
        while key in attributes:  # such as the key `a.b`, and `b` in `a`
            key, number = f"{path}~{number}", number + 1
        attributes[key] = _json(value) if is_deep or isinstance(value, dict) else nested(value)
    return attributes


def _below(path: str, fields: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{path}.{key or EMPTY_KEY}", value) for key, value in reversed(fields.items())]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=nested)
