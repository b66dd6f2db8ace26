"""The normal form: any value at all, as plain values that every sink can hold.

Plain values are dicts with text keys, lists, text, ints, finite floats, booleans, None and aware
UTC datetimes. Nothing a caller puts into an event can make `normalize` raise, recurse or run long:
depth, nodes and text are bounded, and no method of a foreign object is called unguarded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, cast

import msgspec

from eventtracking_core.encoding._converters import Big, converting
from eventtracking_core.encoding._losses import report_losses
from eventtracking_core.encoding._walk import Native, Walk
from eventtracking_core.events import Event, as_utc, clean_name, new_id, real

__all__ = [
    "converter",
    "exactly",
    "has_parts",
    "id_text",
    "keep",
    "losses",
    "normalize",
    "normalize_event",
    "scalar_hook",
]

WORD: Final = 64
"""Bits of an int that has the same text in every form."""

_FIELDS: Final = frozenset(Event.__annotations__)
_to_datetime: Final = partial(msgspec.convert, type=real(datetime))


def normalize_event(
    event: Mapping[str, Any], *, big: Big = str, native: Native | None = None
) -> Event:
    """Return an event in normal form, whatever it was; see `normalize`.

    What has no form is logged, once in a while for each field.

    Args:
        event: the event.
        big: what to make of an int that needs more than 64 bits; text by default.
        native: what to make of bytes and of BSON's own types, for a sink that can hold more than
            text; base64 and text by default.
    """
    walk = Walk(converting(big), native)
    fields: dict[str, Any]
    if type(event) is dict and event.keys() <= _FIELDS:
        fields = {key: walk.run(value, key) for key, value in event.copy().items()}
    else:
        plain = walk.run(event)
        fields = plain if isinstance(plain, dict) else {"data": {"value": plain}}
    for part in ("context", "data"):
        if not isinstance(fields.setdefault(part, {}), dict):
            fields[part] = {} if fields[part] is None else {"value": fields[part]}
    if not isinstance(fields.get("timestamp"), datetime):
        fields["timestamp"] = _timestamp(fields.get("timestamp"))
    fields["name"] = clean_name(fields.get("name"))
    if not isinstance(fields.get("id"), str):
        fields["id"] = new_id()
    if walk.losses or walk.cuts:
        report_losses(fields["name"], walk.losses + walk.cuts)
    return cast("Event", fields)


def has_parts(event: Event) -> bool:
    """Return whether an event has every part, each as in normal form; the values may be anything.

    That is an id and a name that are text, a time in UTC, and dicts as context and data.
    """
    try:
        event_id, name, time = event["id"], event["name"], event["timestamp"]
        return (
            type(event_id) is type(name) is type(event.get("name_id", "")) is str
            and (event_id + name).encode() is not None  # no lone surrogates
            and type(time) is real(datetime)
            and time.tzinfo is UTC
            and type(event["context"]) is type(event["data"]) is dict
        )
    except (KeyError, UnicodeEncodeError):
        return False


def normalize(value: object) -> Any:
    """Return any value in plain types: dict, list, str, int, float, bool, None, aware datetime."""
    return Walk(converting(str)).run(value)


def id_text(value: object) -> str | None:
    """Return the text by which an id is compared: `5`, `5.0` and `"5"` are one user.

    Returns:
        None for what is neither text nor a number.
    """
    if value is None:
        return None
    if type(value) is int and value.bit_length() < WORD:  # nearly all ids: no walk is needed
        return str(value)
    plain = normalize(value)
    if isinstance(plain, bool) or not isinstance(plain, str | int | float):
        return None
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    return str(plain)


def losses(value: object) -> list[tuple[str, str]]:
    """Return where in a value something has no plain form, as dotted paths, and what that is."""
    walk = Walk(converting(str))
    walk.run(value)
    return walk.losses


def scalar_hook(big: Big, native: Native | None = None) -> Callable[[object], Any]:
    """Return what an encoder asks for the plain form of a scalar that it does not know.

    It raises a `TypeError` for a value that is not a scalar, or has no plain form.
    """
    convert = converting(big)

    def hook(value: object) -> Any:
        walk = Walk(convert, native)
        plain = convert(walk, value)
        if walk.losses or isinstance(plain, dict | list):
            raise TypeError
        return plain

    return hook


def converter(big: Big, native: Native | None = None) -> Callable[[object], Any]:
    """Return a function that returns the plain form of any value.

    It raises a `TypeError` for what has none, or is cut: the whole event tells where that is.
    """
    convert = converting(big)

    def plain(value: object) -> Any:
        walk = Walk(convert, native)
        result = walk.run(value)
        if walk.losses or walk.cuts:
            raise TypeError
        return result

    return plain


def exactly(number: int) -> int:
    """Return an int of more than 64 bits as it is: the `big` of JSON.

    Raises:
        ValueError: it has more digits than the interpreter prints.
    """
    str(number)
    return number


def keep(value: Any) -> Any:
    """Return bytes as `bytes`, and BSON's own types as they are: the `native` of MongoDB."""
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _timestamp(value: object) -> datetime:
    try:
        return as_utc(_to_datetime(value))
    except (msgspec.ValidationError, ValueError):
        return as_utc(datetime.now(UTC))
