"""Carriers: what takes the active contexts elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import ParamSpec, TypeVar

__all__ = ["carry"]

P = ParamSpec("P")
R = TypeVar("R")


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs in the contexts that are active now, in whatever thread.

    For thread pools and callbacks: `pool.submit(carry(work), item)`. Everything kept in context
    variables is carried, the current trace among it.
    """
    contexts = copy_context()

    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        return contexts.copy().run(function, *args, **kwargs)

    return carried
