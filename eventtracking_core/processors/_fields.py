"""Dotted fields of events: read, and rewritten in a copy of just the path that leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.encoding import normalize

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Field", "parse", "readable", "rewrite", "values"]

Field = tuple[str, ...]
Change = Callable[[dict[str, Any], str], None]

_PARTS: Final = ("context", "data")
_TEXT: Final = frozenset({str})
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
    if rest or type(holder) is not dict or not _TEXT.issuperset(map(type, holder)):
        return cast("Event", _rewrite(event, field, change))
    if key not in holder:
        return event
    holder = holder.copy()
    change(holder, key)
    return cast("Event", {**event, part: holder})


def _values(value: object, field: Field) -> Iterator[object]:
    value = readable(value)
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
    mapping = readable(value)
    if isinstance(mapping, list | tuple):
        items = [_rewrite(item, field, change) for item in mapping]
        same = all(new is old for new, old in zip(items, mapping, strict=True))
        return value if same else items
    if not isinstance(mapping, Mapping):
        return value
    result = value
    for length in range(1, len(field) + 1):
        key = ".".join(field[:length])
        if key not in mapping:
            continue
        is_last = length == len(field)
        inner = None if is_last else _rewrite(mapping[key], field[length:], change)
        if not is_last and inner is mapping[key]:
            continue
        if result is value:
            result = dict(mapping)
        if is_last:
            change(result, key)
        else:
            result[key] = inner
    return result


def readable(value: object) -> object:
    """Return what can be looked into; records, and mappings whose keys are no text, normalized."""
    kind = type(value)
    if kind is list or kind is tuple or kind in _SCALARS:
        return value
    if kind is dict and _TEXT.issuperset(map(type, cast("dict[Any, Any]", value))):
        return value
    return normalize(value)
