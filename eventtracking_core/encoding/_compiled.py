"""The walks in C of eventtracking-speedups; None where it is not installed, or not usable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["plain_size", "plain_weight"]

_Walk = Callable[[object], int] | None


def _load() -> tuple[_Walk, _Walk]:
    try:
        from eventtracking_speedups import plain_size, plain_weight  # noqa: PLC0415  it may be missing
    except Exception:  # noqa: BLE001  a build for another system may fail in any way
        return None, None
    return plain_size, plain_weight


_loaded: Final = _load()

plain_size: Final[_Walk] = _loaded[0]
"""Returns what `estimated_size` returns, or -1 for a value that needs a closer look."""

plain_weight: Final[_Walk] = _loaded[1]
"""Returns at least what `weight` returns, or -1 for an event that needs a closer look."""
