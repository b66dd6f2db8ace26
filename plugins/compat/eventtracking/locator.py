"""Locators, which hold the active contexts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from typing import Any

__all__ = ["DefaultContextLocator", "ThreadLocalContextLocator"]

Context = dict[str, Any]


class DefaultContextLocator:
    """The same contexts for every thread."""

    def __init__(self) -> None:
        self.context: OrderedDict[str, Context] = OrderedDict()

    def get(self) -> MutableMapping[str, Context]:
        """Return the contexts by name, in the order in which they were entered."""
        return self.context


class ThreadLocalContextLocator:
    """Contexts of each thread, and of each asyncio task and greenlet in it.

    A task begins with the contexts of the one that created it; what it enters stays its own.
    """

    def __init__(self) -> None:
        self._contexts = _Contexts()

    def get(self) -> MutableMapping[str, Context]:
        """Return the contexts by name, in the order in which they were entered."""
        return self._contexts


class _Contexts(MutableMapping[str, Context]):
    """A mapping with other contents in each thread, task and greenlet."""

    def __init__(self) -> None:
        # A change replaces the dict, since tasks share the one that they began with.
        self._current: ContextVar[dict[str, Context] | None] = ContextVar(
            "eventtracking_compat_contexts", default=None
        )

    def _get(self) -> dict[str, Context]:
        return self._current.get() or {}

    def __getitem__(self, name: str) -> Context:
        return self._get()[name]

    def __setitem__(self, name: str, context: Context) -> None:
        self._current.set({**self._get(), name: context})

    def __delitem__(self, name: str) -> None:
        remaining = dict(self._get())
        del remaining[name]
        self._current.set(remaining)

    def __iter__(self) -> Iterator[str]:
        return iter(self._get())

    def __len__(self) -> int:
        return len(self._get())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._get())})"
