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


def values(event: Event, field: Field, *, below: bool = False) -> list[object]:
    """Return the values a field has: none, one, or one for each element of a list on the way.

    Args:
        event: where to look.
        field: what for.
        below: see `rewrite`.
    """
    return bounded(partial(_values, field=field, below=below), event)


def rewrite(event: Event, field: Field, change: Change, *, below: bool = False) -> Event:
    """Return the event with a field changed; the event itself where it has no such field.

    Args:
        event: is left as it is.
        field: where to look; keys with dots in them are found too, and each element of lists.
        change: called with a copy of the mapping that holds the field, and its key there.
        below: whether a key such as `user.email` is changed with the field `user`.
    """
    part, key, *rest = field
    holder = event.get(part)
    if (
        rest
        or type(holder) is not dict
        or not _TEXT.issuperset(map(type, holder))
        or (below and f"{key}." in " ".join(holder))
    ):
        work = partial(_rewrite, field=field, below=below, change=change)
        return cast("Event", bounded(work, event))
    if key not in holder:
        return event
    holder = holder.copy()
    change(holder, key)
    return cast("Event", {**event, part: holder})


def _keys(mapping: Mapping[str, Any], field: Field, *, below: bool) -> Iterator[tuple[str, Field]]:
    """Yield the keys under which a field, or what holds it, is there, and what is left of it."""
    for length in range(1, len(field) + 1):
        key = ".".join(field[:length])
        if key in mapping:
            yield key, field[length:]
    if below:
        yield from [(key, ()) for key in mapping if key.startswith(f"{'.'.join(field)}.")]


def _values(value: object, budget: Budget, *, field: Field, below: bool) -> list[object]:
    value = readable(value)
    found: list[object] = []
    if isinstance(value, list | tuple):
        next(budget)
        for item in value:
            found += _values(item, budget, field=field, below=below)
    elif isinstance(value, Mapping):
        next(budget)
        for key, rest in _keys(value, field, below=below):
            inner = value[key]
            found += _values(inner, budget, field=rest, below=below) if rest else [inner]
    return found


def _rewrite(value: Any, budget: Budget, *, field: Field, below: bool, change: Change) -> Any:
    again = partial(_rewrite, below=below, change=change)
    mapping = readable(value)
    if isinstance(mapping, list | tuple):
        next(budget)
        items = [again(item, budget, field=field) for item in mapping]
        same = all(new is old for new, old in zip(items, mapping, strict=True))
        return value if same else items
    if not isinstance(mapping, Mapping):
        return mapping  # what cannot be looked into must not go on as it is
    next(budget)
    result = value
    for key, rest in _keys(mapping, field, below=below):
        inner = again(mapping[key], budget, field=rest) if rest else None
        if rest and inner is mapping[key]:
            continue
        if result is value:
            result = dict(mapping)
        if rest:
            result[key] = inner
        else:
            change(result, key)
    return result


def readable(value: object) -> object:
    """Return what can be looked into; records, and mappings whose keys are no text, normalized."""
    kind = type(value)
    if kind is list or kind is tuple or kind in _SCALARS:
        return value
    if kind is dict and _TEXT.issuperset(map(type, cast("dict[Any, Any]", value))):
        return value
    return normalize(value)
