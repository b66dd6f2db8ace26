"""Recognize coroutine functions, and reject awaitables that nothing awaits."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from eventtracking_core.errors import RejectedError

__all__ = [
    "is_coroutine_function",
    "refuse_awaitable",
    "returns_coroutine",
    "speaks_asyncio",
]

_COROUTINE: Final = 0x80 | 0x100
_ASYNC_GENERATOR: Final = 0x200
"""Flags of a function's code."""

_MARKS: Final = ("_is_coroutine", "_is_coroutine_mark")
"""Attributes of functions that are marked as coroutine functions."""


def returns_coroutine(function: object) -> bool:
    """Return whether a callable is an `async def` or an asynchronous generator."""
    return _has(function, _COROUTINE | _ASYNC_GENERATOR)


def is_coroutine_function(function: object) -> bool:
    """Return whether a callable is an `async def`, also if it is wrapped, but no generator."""
    return _has(function, _COROUTINE)


def speaks_asyncio(backend: object) -> bool:
    """Return whether a backend delivers with `async def`."""
    methods = [getattr(backend, name, None) for name in ("send", "send_batch")]
    return True in [is_coroutine_function(each) for each in methods if each is not None]


def _has(function: Any, flags: int) -> bool:
    """Return whether a function, or the `__call__` of an object, has one of some flags."""
    while isinstance(function, partial):
        function = function.func
    for called in (function, getattr(type(function), "__call__", None)):  # noqa: B004  of the class
        called = getattr(called, "__func__", called)  # noqa: PLW2901  of a method
        while isinstance(called, partial):
            called = called.func  # noqa: PLW2901  of a partial method
        code_flags = getattr(getattr(called, "__code__", None), "co_flags", 0)
        marks = [getattr(called, name, None) is not None for name in _MARKS]
        if code_flags & flags or any(marks):
            return True
    return False


def refuse_awaitable(result: object) -> None:
    """Close a component's result that would have to be awaited.

    Raises:
        RejectedError: the result is awaitable, so nothing was done.
    """
    kind = type(result)
    if hasattr(kind, "__await__") or hasattr(kind, "__anext__"):
        close = getattr(result, "close", None)
        if callable(close):
            close()  # without a warning that it was never awaited
        raise RejectedError("it returned an awaitable, which nothing awaits")
