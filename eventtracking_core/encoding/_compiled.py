"""The walks in C of eventtracking-speedups; None where it is not installed, or not usable.

- `plain_copy`, given a value, `copied` and what that is given besides, returns what `copied`
  returns.
- `plain_size` returns what `estimated_size` returns, or -1 for a value that needs a closer look.
- `plain_weight` returns at least what `weight` returns, or -1 for an event that needs a closer
  look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["plain_copy", "plain_size", "plain_weight"]

_Walk = Callable[[object], int] | None
_Copy = Callable[[Any, Callable[[Any, Any], Any], Callable[[Any], Any]], Any] | None


def _load() -> tuple[_Copy, _Walk, _Walk]:
    try:
        from eventtracking_speedups import plain_copy, plain_size, plain_weight  # noqa: PLC0415
    except Exception:  # noqa: BLE001  it may be missing, or a build for another system
        return None, None, None
    return plain_copy, plain_size, plain_weight


plain_copy, plain_size, plain_weight = _load()
