"""Functions that may be frozen as soon as they return: AWS Lambda, Cloud Functions and others."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial, wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final, ParamSpec, TypeVar, overload

from eventtracking_core import Tracker, get_tracker

__all__ = ["flushed"]

P = ParamSpec("P")
R = TypeVar("R")

_logger: Final = logging.getLogger("eventtracking")


@overload
def flushed(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def flushed(
    *, timeout: float = ..., margin: float = ..., tracker: Tracker | None = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def flushed(
    function: Callable[..., Any] | None = None,
    *,
    timeout: float = 2.0,
    margin: float = 0.5,
    tracker: Tracker | None = None,
) -> Any:
    """Deliver what a function emitted before it returns, also if it raises.

    Works on plain and on `async def` functions, and on what returns an awaitable. If an argument
    has the method `get_remaining_time_in_millis`, as the context object of AWS Lambda does,
    flushing ends `margin` seconds before that time is over.

    Args:
        function: the handler, when the decorator is used without arguments.
        timeout: seconds that flushing may take.
        margin: seconds to leave of the remaining time.
        tracker: the tracker to flush; the default tracker if not given.
    """
    if function is None:
        return partial(flushed, timeout=timeout, margin=margin, tracker=tracker)

    def seconds(arguments: Iterable[object]) -> float:
        for argument in arguments:
            remaining = getattr(argument, "get_remaining_time_in_millis", None)
            if callable(remaining):
                return max(0.0, min(timeout, float(remaining()) / 1000 - margin))
        return timeout

    async def finish(result: Awaitable[Any], arguments: Iterable[object]) -> Any:
        try:
            return await result
        finally:
            flushing, limit = tracker or get_tracker(), seconds(arguments)
            _report(flushing, limit, is_done=await flushing.aflush(limit))

    if iscoroutinefunction(function):

        @wraps(function)
        async def flushed_coroutine(*args: Any, **kwargs: Any) -> Any:
            return await finish(function(*args, **kwargs), [*args, *kwargs.values()])

        return flushed_coroutine

    @wraps(function)
    def flushed_function(*args: Any, **kwargs: Any) -> Any:
        arguments = [*args, *kwargs.values()]
        result = None
        try:
            result = function(*args, **kwargs)
        finally:
            if not isawaitable(result):
                flushing, limit = tracker or get_tracker(), seconds(arguments)
                _report(flushing, limit, is_done=flushing.flush(limit))
        return finish(result, arguments) if isawaitable(result) else result

    return flushed_function


def _report(tracker: Tracker, limit: float, *, is_done: bool) -> None:
    if not is_done:
        _logger.error(
            "a function returned; events not delivered within its time: %d (%.1f s)",
            tracker.pending,
            limit,
            extra={"reason": "shutdown"},
        )
