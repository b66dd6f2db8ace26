"""Values that travel as text or in another notation: JSON in JSON, forms, MongoDB's JSON."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

__all__ = ["EPOCH", "from_extended_json", "unpacked"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_WRAPPINGS: Final = 4
_FORM: Final = re.compile(r"[^\s=&]+=[^\s=&]*(?:&[^\s=&]+=[^\s=&]*)*&?")


def unpacked(value: object) -> object:
    """Return what a text holds: a value as JSON, the fields of a form, or else the text itself.

    JSON in JSON is unpacked too. Numbers and truth values stay text: they may have been text
    before.
    """
    for _ in range(MAX_WRAPPINGS):
        if not isinstance(value, str):
            break
        text = value.strip()
        if text.startswith(("{", "[", '"')):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                break
        elif text == "null":
            return None
        elif _FORM.fullmatch(text):
            return _fields(text)
        else:
            break
    return value


def _fields(form: str) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    for key, value in parse_qsl(form, keep_blank_values=True):
        fields.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in fields.items()}


def from_extended_json(value: Any) -> Any:
    """Return a value in which MongoDB's notation of types (`{"$date": …}`) has become plain.

    A date becomes a datetime, a 64-bit integer an int, an ObjectId its digits as text, and so on;
    unknown forms are unchanged.
    """
    if isinstance(value, list):
        return [from_extended_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(key, inner)] = value.items()
        if read := _TYPES.get(key):
            try:
                return read(inner)
            except (ValueError, TypeError, ArithmeticError, KeyError):
                return value
    return {key: from_extended_json(inner) for key, inner in value.items()}


def _date(value: Any) -> datetime:
    if isinstance(value, str):
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    return EPOCH + timedelta(milliseconds=int(from_extended_json(value)))


_TYPES: Final[dict[str, Callable[[Any], Any]]] = {
    "$oid": str,
    "$date": _date,
    "$numberInt": int,
    "$numberLong": int,
    "$numberDouble": float,
    "$numberDecimal": Decimal,
    "$binary": lambda value: b64decode(value["base64"], validate=True),
    "$uuid": str,
    "$symbol": str,
}
