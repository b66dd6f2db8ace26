"""A thread of the system for event loops, where gevent replaced the threads.

Greenlets of one thread share its running event loop: while one of them runs a loop, `asyncio.run`
fails in all others, those of the application too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["NativeThread", "threads_are_greenlets"]


class NativeThread:
    """Calls functions in a thread of the system; in the caller's, if that is one."""

    def __init__(self) -> None:
        self._pool: Any = None

    def call(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Return what a function returns; meanwhile other greenlets run.

        Raises:
            BaseException: what the function raises.
        """
        if not threads_are_greenlets():
            return function(*args)
        if self._pool is None:
            self._pool = import_module("gevent.threadpool").ThreadPool(1)
        value, error = self._pool.apply(_outcome, (function, *args))
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End the thread; the next call starts another one."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.kill()


def threads_are_greenlets() -> bool:
    """Return whether gevent replaced the threads of this program."""
    monkey: Any = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _outcome(function: Callable[..., Any], *args: Any) -> tuple[Any, BaseException | None]:
    # As a value: gevent prints what a function of a pool raises.
    try:
        return function(*args), None
    except BaseException as error:  # noqa: BLE001  raised again by the caller
        return None, error
