"""Personal data: guess it by the names of fields, and mask it in samples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["guessed_class", "is_mask", "masked"]

_MASK: Final = "\u2039{}\u203a"

_NAMES: Final = (
    ("email", re.compile(r"(.*_)?e?mail(_address)?")),
    ("ip", re.compile(r"(.*_)?ip(_address)?|remote_addr|x_forwarded_for")),
    ("name", re.compile(r"(first|last|full|real|given|family)_?name")),
    ("phone", re.compile(r"(.*_)?(phone|mobile|telephone)(_number)?")),
    ("location", re.compile(r"lat(itude)?|lon(gitude)?|(postal|zip)_?code|street")),
    ("secret", re.compile(r"(.*_)?(password|passwd|secret|token|api_?key|csrf\w*|cookies?)")),
    ("id", re.compile(r"(.*_)?(user|student|learner|person|customer|account|device|client)_?id"
                      r"|user(name)?|(.*_)?session(_?id|_?key)?|anonymous_?id")),
)  # fmt: skip

MAX_TEXT: Final = 160
"""Maximum characters of a text in a sample."""

MAX_ITEMS: Final = 5
"""Maximum items of a list in a sample."""

MAX_KEYS: Final = 60
"""Maximum fields of an object in a sample."""

MAX_DEPTH: Final = 8
"""Maximum nesting in a sample."""


def guessed_class(path: str) -> str | None:
    """Return the class of personal data that a field's name suggests, if any."""
    name = path.rpartition(".")[2].lower().replace("-", "_")
    return next((kind for kind, pattern in _NAMES if pattern.fullmatch(name)), None)


def masked(values: Mapping[str, Any], classes: Mapping[str, str | None]) -> dict[str, Any]:
    """Return values with personal data masked and long values cut.

    Args:
        values: an event's data or context.
        classes: the class of each documented field, by path; None if it has no personal data.
            Classes of other fields are guessed.
    """
    return _object(values, classes, "", MAX_DEPTH)


def is_mask(text: str) -> bool:
    """Return whether a text replaces a masked value."""
    return text.startswith(_MASK[0]) and text.endswith(_MASK[-1])


def _object(
    values: Mapping[str, Any], classes: Mapping[str, str | None], path: str, depth: int
) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, value in list(values.items())[:MAX_KEYS]:
        inner = f"{path}.{key}" if path else str(key)
        kind = classes[inner] if inner in classes else guessed_class(inner)
        if kind and value not in (None, ""):
            shown[str(key)] = _MASK.format(kind)
        else:
            shown[str(key)] = _value(value, classes, inner, depth - 1)
    if len(values) > MAX_KEYS:
        shown["…"] = f"{len(values) - MAX_KEYS} more"
    return shown


def _value(value: Any, classes: Mapping[str, str | None], path: str, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _object(value, classes, path, depth) if depth > 0 else _MASK.format("object")
    if isinstance(value, list):
        if depth <= 0:
            return _MASK.format("array")
        items = [_value(item, classes, path, depth - 1) for item in value[:MAX_ITEMS]]
        return [*items, f"… {len(value) - MAX_ITEMS} more"] if len(value) > MAX_ITEMS else items
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}…"
    return value
