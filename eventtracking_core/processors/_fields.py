"""Dotted fields of events: read, and rewritten in a copy of just the path that leads there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, repeat
from operator import is_
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from eventtracking_core.encoding import normalize, normalize_event
from eventtracking_core.encoding._keys import are_names

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["SCALARS", "Budget", "Field", "bounded", "parse", "readable", "rewrite", "values"]

Field = tuple[str, ...]
Change = Callable[[dict[str, Any], str], None]

Budget = Iterator[None]
"""One step for each container that is looked into."""

MAX_CONTAINERS: Final = 20_000

_Result = TypeVar("_Result")
_PARTS: Final = ("context", "data")
_TWIN: Final = re.compile(r"~\d+$")
_TEXT: Final = frozenset({str})
_plain_keys: Final[dict[Field, tuple[str, ...]]] = {}
"""By field, the last keys that `_are_plain`; most often, the next ones are the same."""
SCALARS: Final = frozenset({str, int, float, bool, type(None), bytes})


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
        event: not changed.
        field: where to look; keys with dots in them are found too, and each element of lists.
        change: called with a copy of the mapping that holds the field, and its key there.
        below: whether a key such as `user.email` is changed with the field `user`.
    """
    if len(field) == 2:  # noqa: PLR2004  a part and a key
        part, key = field
        holder: Any = event.get(part)
        known = _plain_keys.get(field, ())
        if type(holder) is dict and (
            (len(known) == len(holder) and all(map(is_, known, holder)))
            or _are_plain(tuple(holder), field)
        ):
            if key not in holder:
                return event
            holder = holder.copy()
            change(holder, key)
            event = event.copy()
            event[part] = holder  # type: ignore[literal-required]
            return event
    work = partial(_rewrite, field=field, below=below, change=change)
    return cast("Event", bounded(work, event))


def _are_plain(keys: tuple[Any, ...], field: Field) -> bool:
    """Return whether all keys are names, and none goes on after a field's; remember them."""
    if not are_names(keys):
        return False
    text = " ".join(keys)
    if f"{field[1]}." in text or f"{field[1]}~" in text:
        return False
    _plain_keys[field] = keys
    return True


def _keys(mapping: dict[str, Any], field: Field, at: int, *, below: bool) -> list[tuple[str, int]]:
    """Return the keys under which a field, or what holds it, is there, and where the rest begins.

    Args:
        mapping: where to look.
        field: what for.
        at: where in the field the mapping's keys begin.
        below: see `rewrite`.
    """
    first, number = field[at], len(field)
    keys = []
    name = first
    twins = count(2)
    while name in mapping:
        keys.append((name, at + 1))
        name = f"{first}~{next(twins)}"  # of two keys with one text, such as 4 and "4"
    if at + 1 == number and not below:
        return keys
    start = f"{first}."
    if start not in " ".join(mapping):
        return keys
    for key in list(mapping):
        if not key.startswith(start):
            continue
        parts = tuple(_TWIN.sub("", key).split("."))
        end = at + len(parts)
        if parts == field[at:end]:
            keys.append((key, end))
        elif below and end > number and parts[: number - at] == field[at:]:
            keys.append((key, number))
    return keys


def _values(
    value: object, budget: Budget, *, field: Field, below: bool, at: int = 0
) -> list[object]:
    value = _named(value)
    values: list[object] = []
    if type(value) is list or type(value) is tuple:
        next(budget)
        for item in value:
            values += _values(item, budget, field=field, below=below, at=at)
    elif type(value) is dict:
        next(budget)
        for key, end in _keys(value, field, at, below=below):
            inner = value[key]
            if end < len(field):
                values += _values(inner, budget, field=field, below=below, at=end)
            else:
                values.append(inner)
    return values


def _rewrite(
    value: Any, budget: Budget, *, field: Field, below: bool, change: Change, at: int = 0
) -> Any:
    mapping = _named(value)
    if type(mapping) is list or type(mapping) is tuple:
        next(budget)
        again = partial(_rewrite, field=field, below=below, change=change, at=at)
        items = [again(item, budget) for item in mapping]
        same = all(new is old for new, old in zip(items, mapping, strict=True))
        return value if same else items
    if type(mapping) is not dict:
        return mapping  # what cannot be looked into must not go on as it is
    next(budget)
    result = value
    for key, end in _keys(mapping, field, at, below=below):
        is_whole = end == len(field)
        inner = None
        if not is_whole:
            old = mapping[key]
            inner = _rewrite(old, budget, field=field, below=below, change=change, at=end)
            if inner is old:
                continue
        if result is value:
            result = mapping.copy()
        if is_whole:
            change(result, key)
        else:
            result[key] = inner
    return result


def _named(value: object) -> object:
    """Return what is `readable`, its keys as they are once encoded: without null characters."""
    if type(value) is dict:
        return value if are_names(value) else normalize(value)
    return readable(value)


def readable(value: object) -> object:
    """Return what can be looked into; records, and mappings whose keys are no text, normalized."""
    kind = type(value)
    if kind is list or kind is tuple or kind in SCALARS:
        return value
    if kind is dict and _TEXT.issuperset(map(type, cast("dict[Any, Any]", value))):
        return value
    return normalize(value)
