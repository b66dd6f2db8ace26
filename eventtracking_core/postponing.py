"""Functions that a signal handler of ours does not interrupt: it is called when they return."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from threading import get_ident, main_thread
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["is_main_thread", "postponed", "uninterrupted"]

P = ParamSpec("P")
R = TypeVar("R")

_postponed: Final[list[Callable[[], object]]] = []


def uninterrupted(function: Callable[P, R]) -> Callable[P, R]:
    """Postpone our signal handlers until a function returns."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return _call(function, *args, **kwargs)
        finally:
            if _postponed and is_main_thread() and not _is_inside(sys._getframe(1)):  # noqa: SLF001
                act = _postponed[0]
                _postponed.clear()
                act()

    return call


def postponed(act: Callable[[], object], frame: FrameType | None) -> bool:
    """Return whether a handler interrupted such a function, which calls `act` at its end then.

    Args:
        act: does what the handler does.
        frame: the frame that the handler interrupted.
    """
    is_inside = _is_inside(frame)
    if is_inside:
        _postponed.append(act)
    return is_inside


def is_main_thread() -> bool:
    """Return whether this is the thread that signal handlers are called in."""
    return get_ident() == main_thread().ident


def _call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


def _is_inside(frame: FrameType | None) -> bool:
    """Return whether a frame was called, directly or not, by an uninterrupted function."""
    while frame is not None:
        if frame.f_code is _call.__code__:
            return True
        frame = frame.f_back
    return False
