"""The methods of components: looked up once, called, and examined for `async def`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.errors import BatchError, RejectedError
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType

__all__ = [
    "LOOKED_UP",
    "BackendCapabilities",
    "call_optional",
    "event_sender",
    "inline_error",
    "is_coroutine_function",
    "refuse_awaitable",
    "returns_coroutine",
    "speaks_asyncio",
]

INLINE_TIMEOUT: Final = 5.0
"""Timeout, in seconds, when an inline event goes through a backend with only `send_batch`."""

_COROUTINE: Final = 0x80 | 0x100
_ASYNC_GENERATOR: Final = 0x200
"""Flags of a function's code."""

_MARKS: Final = ("_is_coroutine", "_is_coroutine_mark")
"""Attributes of functions that are marked as coroutine functions."""


_AWAITED: Final = (
    *("send", "send_batch", "flush", "shutdown"),
    *("warm_up", "probe", "backlog", "save_event_type"),
)
"""Methods of a backend that may be coroutine functions."""


class BackendCapabilities:
    """The methods that a backend has; None stands for those that it lacks.

    They are described by the protocols in `eventtracking_core.components`, and `save_event_type` by
    `eventtracking_core.registry.MetadataStore`.

    Args:
        backend: any backend.
    """

    send: Callable[[Event], object] | None
    send_batch: Callable[..., object] | None
    flush: Callable[[float], object] | None
    shutdown: Callable[[float], object] | None
    warm_up: Callable[[], object] | None
    read_wire: Callable[[bytes], Event] | None
    save_event_type: Callable[[EventType], object] | None

    takes_json: bool
    """Whether it takes batches in JSON."""

    def __init__(self, backend: object) -> None:
        for name in BackendCapabilities.__annotations__.keys() - {"takes_json"}:
            method = getattr(backend, name, None)
            setattr(self, name, method if callable(method) else None)
        self.takes_json = (
            self.send_batch is not None and getattr(backend, "takes_json", False) is True
        )


LOOKED_UP: Final = (
    *sorted({*BackendCapabilities.__annotations__, *_AWAITED}),
    *("default_delivery", "is_read_only"),
)
"""Attributes of a backend that are looked up when a pipeline is built."""


def inline_error(name: str) -> ValueError:
    """Return the error for a backend that an emitting thread cannot call."""
    return ValueError(
        f"backend {name!r} is `async def`: configure it with the delivery queue or spool,"
        " since inline nothing would await it"
    )


def event_sender(name: str, capabilities: BackendCapabilities) -> Callable[[Event], object]:
    """Return what sends one event to a backend, in the emitting thread.

    Raises:
        ValueError: the backend has no method for it, or one that is asynchronous.
    """
    send, send_batch = capabilities.send, capabilities.send_batch
    if any(map(returns_coroutine, filter(None, (send, send_batch)))):
        raise inline_error(name)
    if send is not None:
        return send
    if send_batch is None:
        raise ValueError(f"backend {name!r} has no callable send")

    def send_alone(event: Event) -> object:
        try:
            return send_batch([event], timeout=INLINE_TIMEOUT)
        except BatchError as error:
            if 0 in error.failures:
                raise error.failures[0] from error
            return None

    return send_alone


def call_optional(ask: Callable[[float], object] | None, method: str, timeout: float) -> bool:
    """Call an optional method of a backend; an exception counts as not done."""
    if ask is None:
        return True
    deadline = monotonic() + timeout
    try:
        done = ask(timeout)
    except BaseException as error:  # noqa: BLE001  it must not keep the others from closing
        pass_on(error)
        key = (method, type(getattr(ask, "__self__", ask)))
        report(ERROR, key, "%s failed: %s", method, error)
        return False
    return done is not False and monotonic() <= deadline


def is_coroutine_function(function: object) -> bool:
    """Return whether a callable is an `async def`, also if it is wrapped, but no generator."""
    return returns_coroutine(function, _COROUTINE)


def speaks_asyncio(backend: object) -> bool:
    """Return whether a method of a backend is `async def`."""
    methods = [getattr(backend, name, None) for name in _AWAITED]
    return True in [returns_coroutine(each, _COROUTINE) for each in methods if each is not None]


def returns_coroutine(function: Any, flags: int = _COROUTINE | _ASYNC_GENERATOR) -> bool:
    """Return whether a callable is an `async def` or an asynchronous generator.

    Args:
        function: a function, or an object with `__call__`.
        flags: those of the code that count.
    """
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
    """Close a component's result that would have to be awaited, or run.

    Raises:
        RejectedError: the result is awaitable or a generator, so nothing was done.
    """
    kind = type(result)
    if hasattr(kind, "__await__") or hasattr(kind, "__anext__"):
        close = getattr(result, "close", None)
        if callable(close):
            close()  # without a warning that it was never awaited
        raise RejectedError("it returned an awaitable, which nothing awaits")
    if kind is GeneratorType:
        raise RejectedError("it has a yield, so it returned a generator, which nothing runs")
