"""The contents of an event, down to the last container, to see whether a component changed it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from inspect import getgeneratorstate
from io import StringIO
from operator import is_
from types import GeneratorType
from typing import Any, Final

__all__ = ["Contents", "shared"]

_SCALARS: Final = frozenset({str, int, float, bool, bytes, type(None)})
_MUTABLE: Final = frozenset({dict, list, set, deque, bytearray})


class Contents:
    """The containers of a value and what is in each, whatever the depth, the size, or the cycles.

    Generators and files count as changed when they were read.

    Args:
        value: what to look at; it is neither copied nor compared by `==`.
    """

    def __init__(self, value: object) -> None:
        self._value = value
        self._parts = _containers(value)

    def is_unchanged(self) -> bool:
        """Return whether the value still has the same things at the same places."""
        now = _containers(self._value)
        return now.keys() == self._parts.keys() and all(
            len(parts) == len(now[container]) and all(map(is_, parts, now[container]))
            for container, parts in self._parts.items()
        )


def shared(one: object, other: object) -> bool:
    """Return whether two values share a container that can be changed."""
    containers, other_containers = (
        {id(container) for container, _ in _walk(value) if type(container) in _MUTABLE}
        for value in (one, other)
    )
    return bool(containers & other_containers)


def _containers(value: object) -> dict[int, list[Any]]:
    return {id(container): parts for container, parts in _walk(value)}


def _walk(value: object) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each container once, with what is in it."""
    seen: set[int] = set()
    pending = [value]
    for item in pending:
        parts = None if id(item) in seen else _parts(item)
        if parts is not None:
            seen.add(id(item))
            pending += [part for part in parts if type(part) not in _SCALARS]
            yield item, parts


def _parts(item: Any) -> list[Any] | None:
    kind = type(item)
    if kind is dict:
        return [*item, *item.values()]
    if kind in _MUTABLE or kind in {tuple, frozenset}:
        return list(item)
    if kind is GeneratorType:
        return [getgeneratorstate(item)]
    return [item.tell()] if kind is StringIO else None
