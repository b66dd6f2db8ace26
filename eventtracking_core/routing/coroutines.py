"""Coroutines, which nothing awaits here: refused, or counted as a failure."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from eventtracking_core.errors import RejectedError

__all__ = ["refuse_awaitable", "returns_coroutine"]

_ASYNC: Final = 0x80 | 0x100 | 0x200
"""Flags of the code of coroutines and asynchronous generators."""


def returns_coroutine(function: object) -> bool:
    """Return whether a callable is an `async def`, however it is wrapped."""
    while isinstance(function, partial):
        function = function.func
    if _is_async(function):
        return True
    return _is_async(getattr(type(function), "__call__", None))  # noqa: B004  of the class


def _is_async(function: Any) -> bool:
    function = getattr(function, "__func__", function)
    while isinstance(function, partial):
        function = function.func
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    marks = (getattr(function, name, None) for name in ("_is_coroutine", "_is_coroutine_mark"))
    return bool(flags & _ASYNC) or any(mark is not None for mark in marks)


def refuse_awaitable(result: object) -> None:
    """Close what a component returned, where it would have to be awaited.

    Raises:
        RejectedError: it would: nothing was done.
    """
    kind = type(result)
    if hasattr(kind, "__await__") or hasattr(kind, "__anext__"):
        close = getattr(result, "close", None)
        if callable(close):
            close()  # without a warning that it was never awaited
        raise RejectedError("it returned an awaitable, which nothing awaits")
