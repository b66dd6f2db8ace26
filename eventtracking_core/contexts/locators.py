"""Locators: where the active contexts are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

from eventtracking_core.contexts.stack import (
    ContextLocator,
    ContextStack,
    Frame,
    StackLocator,
)
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = [
    "ContextVarLocator",
    "DefaultContextLocator",
    "ThreadLocalContextLocator",
    "safe_top",
    "stack_locator",
]


class ContextVarLocator:
    """One stack a thread, task and greenlet, each inheriting what its parent task had entered."""

    def __init__(self) -> None:
        self.variable: ContextVar[Frame | None] = ContextVar("eventtracking_contexts", default=None)
        self.top = self.variable.get
        self.set_top = self.variable.set

    def get(self) -> ContextStack:
        """Return the active contexts by name, innermost last."""
        return ContextStack(self)


class DefaultContextLocator:
    """One stack for the whole process: for programs with a single thread."""

    def __init__(self) -> None:
        self._top: Frame | None = None

    def top(self) -> Frame | None:
        """Return the innermost frame."""
        return self._top

    def set_top(self, frame: Frame | None) -> None:
        """Make a frame the innermost one."""
        self._top = frame

    def get(self) -> ContextStack:
        """Return the active contexts by name, innermost last."""
        return ContextStack(self)


class ThreadLocalContextLocator:
    """One stack a thread. Its `threading.local` is made on first use, after gevent has patched."""

    def __init__(self) -> None:
        self._local: threading.local | None = None

    def _storage(self) -> threading.local:
        if self._local is None:
            self._local = threading.local()
        return self._local

    def top(self) -> Frame | None:
        """Return the innermost frame."""
        top: Frame | None = getattr(self._storage(), "top", None)
        return top

    def set_top(self, frame: Frame | None) -> None:
        """Make a frame the innermost one."""
        self._storage().top = frame

    def get(self) -> ContextStack:
        """Return the active contexts by name, innermost last."""
        return ContextStack(self)


class _MappingLocator:
    """A custom locator: its mapping, read and written as a stack.

    A name that is entered again while it is active gets a key of its own, so that it nests.
    """

    def __init__(self, locator: ContextLocator) -> None:
        self._locator = locator
        self.get = locator.get

    def top(self) -> Frame | None:
        top = None
        for key, context in self.get().items():
            name = key.name if isinstance(key, _DuplicateName) else key
            owner, type_id = getattr(context, "owner", None), getattr(context, "type_id", None)
            top = Frame(name, context, top, owner, type_id)
        return top

    def set_top(self, frame: Frame | None) -> None:
        contexts = self.get()
        contexts.clear()
        for entered in reversed(list(frame.down() if frame else ())):
            name = entered.name or ""
            key = _DuplicateName(name) if name in contexts else name
            contexts[key] = _FrameDict(entered)


class _DuplicateName(str):
    """A key that equals no other: a name entered while it is active."""

    __slots__ = ("name",)

    name: str

    def __new__(cls, name: str) -> Self:
        key = super().__new__(cls, name)
        key.name = name
        return key

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class _FrameDict(dict[str, Any]):
    """A context with the block that entered it and the id of its type."""

    __slots__ = ("owner", "type_id")

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame.context)
        self.owner = frame.owner
        self.type_id = frame.type_id


def stack_locator(locator: ContextLocator) -> StackLocator:
    """Return a locator as a stack; one with only `get` is read through its mapping."""
    if callable(getattr(locator, "top", None)) and callable(getattr(locator, "set_top", None)):
        return locator  # type: ignore[return-value]
    return _MappingLocator(locator)


def safe_top(locator: StackLocator) -> Callable[[], Frame | None]:
    """Return a function that returns the innermost frame, and never raises."""
    if isinstance(locator, ContextVarLocator):
        return locator.top

    def guarded_top() -> Frame | None:
        try:
            return locator.top()
        except Exception as error:  # noqa: BLE001  the event matters more than its context
            pass_on(error)
            report(ERROR, ("locator", type(error)), "the context locator failed: %s", error)
            return None

    return guarded_top
