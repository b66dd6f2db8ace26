"""Functions that a signal handler of ours does not interrupt: it is called when they return."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from types import FrameType

    Act = Callable[[FrameType], object]

__all__ = ["postponed", "uninterrupted"]

P = ParamSpec("P")
R = TypeVar("R")

_postponed: Final[list[tuple[FrameType, Act]]] = []
"""What handlers have left to do, and the calls at whose end it is done."""


def uninterrupted(function: Callable[P, R]) -> Callable[P, R]:
    """Postpone our signal handlers until a function returns."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return _call(function, *args, **kwargs)
        finally:
            if _postponed:
                _act_at_end_of(sys._getframe())  # noqa: SLF001  as a signal handler is given it

    return call


def postponed(act: Act, frame: FrameType | None) -> bool:
    """Return whether a handler interrupted an uninterrupted function; if so, postpone its work.

    Args:
        act: does the handler's work when the function returns; called with the frame of that call.
        frame: the frame that the handler interrupted.
    """
    outermost: FrameType | None = None
    while frame is not None:
        if frame.f_code is _call.__code__:
            outermost = frame.f_back
        frame = frame.f_back
    if outermost is None:
        return False
    _postponed.append((outermost, act))
    return True


def _call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


def _act_at_end_of(call: FrameType) -> None:
    """Do everything that was postponed to the end of a call, even if a part of it raises."""
    for each in _postponed:
        frame, act = each
        if frame is call:
            _postponed.remove(each)
            try:
                act(call)
            finally:
                _act_at_end_of(call)
            return
