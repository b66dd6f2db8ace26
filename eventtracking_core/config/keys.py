"""Keys that a table of a configuration has twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

__all__ = ["duplicate"]


def duplicate(keys: Iterable[Hashable]) -> Hashable:
    """Return the first key that comes a second time, or None."""
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None
