"""Dotted fields of events: read, and rewritten in a copy of just the path that leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from eventtracking_core.encoding import normalize, normalize_event

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Budget", "Field", "bounded", "parse", "readable", "rewrite", "values"]

Field = tuple[str, ...]
Change = Callable[[dict[str, Any], str], None]

Budget = Iterator[None]
"""One step for each container that is looked into."""

MAX_CONTAINERS: Final = 20_000

_Result = TypeVar("_Result")
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


def bounded(work: Callable[[Event, Budget], _Result], event: Event) -> _Result:
    """Work on an event that may be of any depth and size: where it is too much, on its normal form.

    Args:
        work: takes a step of the budget for each container that it looks into.
        event: the event.
    """
    try:
        return work(event, repeat(None, MAX_CONTAINERS))
    except (RecursionError, StopIteration):
        return work(normalize_event(event), repeat(None))


def values(event: Event, field: Field) -> list[object]:
    """Return the values a field has: none, one, or one for each element of a list on the way."""
    return bounded(partial(_values, field), event)


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
        return cast("Event", bounded(partial(_rewrite, field, change), event))
    if key not in holder:
        return event
    holder = holder.copy()
    change(holder, key)
    return cast("Event", {**event, part: holder})


def _values(field: Field, value: object, budget: Budget) -> list[object]:
    value = readable(value)
    found: list[object] = []
    if isinstance(value, list | tuple):
        next(budget)
        for item in value:
            found += _values(field, item, budget)
    elif isinstance(value, Mapping):
        next(budget)
        for length in range(1, len(field) + 1):
            key = ".".join(field[:length])
            if key in value and length == len(field):
                found.append(value[key])
            elif key in value:
                found += _values(field[length:], value[key], budget)
    return found


def _rewrite(field: Field, change: Change, value: Any, budget: Budget) -> Any:
    mapping = readable(value)
    if isinstance(mapping, list | tuple):
        next(budget)
        items = [_rewrite(field, change, item, budget) for item in mapping]
        same = all(new is old for new, old in zip(items, mapping, strict=True))
        return value if same else items
    if not isinstance(mapping, Mapping):
        return mapping  # what cannot be looked into must not go on as it is
    next(budget)
    result = value
    for length in range(1, len(field) + 1):
        key = ".".join(field[:length])
        if key not in mapping:
            continue
        is_last = length == len(field)
        inner = None if is_last else _rewrite(field[length:], change, mapping[key], budget)
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
