"""The walks in C of eventtracking-speedups; None where it is not installed, or not usable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["plain_copy", "plain_size", "plain_weight"]

_Walk = Callable[[object], int] | None
_Copy = Callable[[Any, Callable[[Any, Any], Any], Callable[[Any], Any]], Any] | None

try:
    import eventtracking_speedups as _speedups
except Exception:  # noqa: BLE001  it may be missing; a build for another system may fail in any way
    _speedups = None  # type: ignore[assignment]

plain_copy: Final[_Copy] = getattr(_speedups, "plain_copy", None)
"""Given a value, `copied` and what that is given besides, returns what `copied` returns."""

plain_size: Final[_Walk] = getattr(_speedups, "plain_size", None)
"""Returns what `estimated_size` returns, or -1 for a value that needs a closer look."""

plain_weight: Final[_Walk] = getattr(_speedups, "plain_weight", None)
"""Returns at least what `weight` returns, or -1 for an event that needs a closer look."""
