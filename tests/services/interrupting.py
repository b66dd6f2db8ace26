"""Interrupts at each call, as an exception of a signal handler is one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from threading import Thread
from typing import TypeVar

__all__ = ["Interrupt", "calls_interrupted", "in_a_thread"]

T = TypeVar("T")


class Interrupt(BaseException):
    """What a signal handler raises."""


def _raise() -> None:
    raise Interrupt


def calls_interrupted(
    function: Callable[[], object], step: int = 1, handler: Callable[[], object] = _raise
) -> Iterator[int]:
    """Run a function again and again, each time interrupted later; yield after each interrupt.

    Handlers run where a function of Python begins, and where one of C has returned.

    Args:
        function: what is interrupted; it may let the interrupt pass or not.
        step: how many of these places later the next interrupt comes.
        handler: is called there; by default, it raises.
    """
    number = step
    while _is_interrupted(function, number, handler):
        yield number
        number += step


def _is_interrupted(
    function: Callable[[], object], number: int, handler: Callable[[], object]
) -> bool:
    left = number

    def count(_frame: object, kind: str, _argument: object) -> None:
        nonlocal left
        left -= kind in {"call", "c_return"}
        if left == 0:
            sys.setprofile(None)
            handler()

    try:
        sys.setprofile(count)
        function()
    except Interrupt:
        return True
    finally:
        sys.setprofile(None)
    return left <= 0


def in_a_thread(function: Callable[[], T]) -> T:
    """Return what a function returns in another thread, which waits for a lock that is held."""
    found: list[T] = []
    thread = Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]
