"""Events that are emitted while another one is being delivered, and how deep that may go.

A backend or a processor may emit. Where two of them do, each event would make two more, so an event
that comes back too often to components that are at work is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

from eventtracking_core.errors import EventEmissionExit

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["MAX_DEPTH", "TooDeepError", "nested"]

R = TypeVar("R")

MAX_DEPTH: Final = 2
"""How often an event may come, in the same context, to components that are at work."""


class TooDeepError(EventEmissionExit):
    """The event was emitted by the component that would receive it, or further down that chain."""

    drop_reason = "recursion"


class _Nesting:
    """A call of a component during another call, perhaps in the same context."""

    __slots__ = ("around", "is_active")

    def __init__(self) -> None:
        self.around: _Nesting | None = None
        self.is_active = True  # a task that inherits the context may live longer than the call


def nested(function: Callable[[Event], R], event: Event) -> R:
    """Call a component that may have emitted the event itself.

    Raises:
        TooDeepError: there are too many such calls around this one.
    """
    nesting = _Nesting()
    try:
        nesting.around = _active(_innermost.get())
        depth, around = 1, nesting.around
        while around is not None:
            depth, around = depth + 1, _active(around.around)
        if depth > MAX_DEPTH:
            raise TooDeepError("backends or processors that emit do so within each other")
        _innermost.set(nesting)
        return function(event)
    finally:
        nesting.is_active = False


def _active(nesting: _Nesting | None) -> _Nesting | None:
    while nesting is not None and not nesting.is_active:
        nesting = nesting.around
    return nesting


_innermost: Final[ContextVar[_Nesting | None]] = ContextVar("eventtracking_nesting", default=None)
