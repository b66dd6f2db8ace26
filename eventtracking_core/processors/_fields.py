"""Dotted fields of events: read, and rewritten in a copy of just the path that leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.encoding import normalize

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Field", "parse", "rewrite", "values"]

Field = tuple[str, ...]
Change = Callable[[dict[str, Any], str], None]

_PARTS: Final = ("context", "data")
_SCALARS: Final = frozenset({str, int, float, bool, type(None), bytes})


def parse(text: str) -> Field:
    """Return the parts of a field such as `context.user.id`.

    Raises:
        ValueError: it does not lie below `context` or `data`.
    """
    parts = tuple(text.split("."))
    if parts[0] not in _PARTS or len(parts) == 1 or "" in parts:
        raise ValueError("a field is written context.name or data.name, dots between its parts")
    return parts


def values(event: Event, field: Field) -> Iterator[object]:
    """Yield the values a field has: none, one, or one for each element of a list on the way."""
    yield from _values(event, field)


def rewrite(event: Event, field: Field, change: Change) -> Event:
    """Return the event with a field changed; the event itself where it has no such field.

    Args:
        event: is left as it is.
        field: where to look; keys with dots in them are found too, and each element of lists.
        change: called with a copy of the mapping that holds the field, and its key there.
    """
    part, key, *rest = field
    holder = event.get(part)
    if rest or type(holder) is not dict:
        return cast("Event", _rewrite(event, field, change))
    if key not in holder:
        return event
    holder = holder.copy()
    change(holder, key)
    return cast("Event", {**event, part: holder})


def _values(value: object, field: Field) -> Iterator[object]:
    value = _readable(value)
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, field)
    elif isinstance(value, Mapping):
        for length in range(1, len(field) + 1):
            key = ".".join(field[:length])
            if key in value and length == len(field):
                yield value[key]
            elif key in value:
                yield from _values(value[key], field[length:])


def _rewrite(value: Any, field: Field, change: Change) -> Any:
    readable = _readable(value)
    if isinstance(readable, list | tuple):
        items = [_rewrite(item, field, change) for item in readable]
        same = all(new is old for new, old in zip(items, readable, strict=True))
        return value if same else items
    if not isinstance(readable, Mapping):
        return value
    result = value
    for length in range(1, len(field) + 1):
        key = ".".join(field[:length])
        if key not in readable:
            continue
        inner = readable[key]
        changed = _rewrite(inner, field[length:], change) if length < len(field) else None
        if changed is inner:
            continue
        if result is value:
            result = dict(readable)
        if length < len(field):
            result[key] = changed
        else:
            change(result, key)
    return result


def _readable(value: object) -> object:
    """Return what can be looked into: records and foreign mappings in their normal form."""
    kind = type(value)
    if kind is dict or kind is list or kind is tuple or kind in _SCALARS:
        return value
    return normalize(value)
