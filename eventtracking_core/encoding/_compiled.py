"""The walks in C of eventtracking-speedups; None where it is not installed, or not usable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["plain_copy", "plain_size", "plain_weight"]

_Walk = Callable[[object], int] | None
_Copy = Callable[[Any, Callable[[Any, Any], Any], Callable[[Any], Any]], Any] | None


def _load() -> tuple[_Copy, _Walk, _Walk]:
    try:
        from eventtracking_speedups import (  # noqa: PLC0415  it may be missing
            plain_copy,
            plain_size,
            plain_weight,
        )
    except Exception:  # noqa: BLE001  a build for another system may fail in any way
        return None, None, None
    return plain_copy, plain_size, plain_weight


_loaded: Final = _load()

plain_copy: Final[_Copy] = _loaded[0]
"""Given a value, `copied` and what that is given besides, returns what `copied` returns."""

plain_size: Final[_Walk] = _loaded[1]
"""Returns what `estimated_size` returns, or -1 for a value that needs a closer look."""

plain_weight: Final[_Walk] = _loaded[2]
"""Returns at least what `weight` returns, or -1 for an event that needs a closer look."""
