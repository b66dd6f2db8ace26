"""The context stack: named mappings, entered and left, whose union every event carries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, Protocol, Self, TypeVar

__all__ = [
    "Context",
    "ContextLocator",
    "ContextProvider",
    "ContextStack",
    "ContextVarLocator",
    "DefaultContextLocator",
    "EnteredContext",
    "StackLocator",
    "ThreadLocalContextLocator",
    "carry",
    "stack_locator",
]

P = ParamSpec("P")
R = TypeVar("R")

Context = Mapping[str, Any]
"""What a context holds: values by field name."""


class ContextProvider(Protocol):
    """Called at each event; what it returns lies under the stack, so entered contexts win."""

    def __call__(self) -> Context:
        """Return values by field name."""
        ...


class Frame:
    """One entered context, immutable, with the union of itself and all below it."""

    __slots__ = ("below", "context", "merged", "name", "owner")

    def __init__(
        self, name: str | None, context: Context, below: Frame | None, owner: object
    ) -> None:
        self.name = name
        self.context = dict(context)
        self.below = below
        self.owner = owner
        self.merged: dict[str, Any] = {**below.merged, **self.context} if below else self.context

    def without(self, unwanted: Frame) -> Frame | None:
        """Return the stack without one of its frames."""
        above = []
        for frame in self.down():
            if frame is unwanted:
                break
            above.append(frame)
        top = unwanted.below
        for frame in reversed(above):
            top = Frame(frame.name, frame.context, top, frame.owner)
        return top

    def down(self) -> Iterator[Frame]:
        """Yield the frames, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.below


class ContextLocator(Protocol):
    """Finds the contexts that are active where it is asked.

    `get` returns an `OrderedDict`-like object of contexts by name, innermost last. The locators of
    this module keep a `ContextStack`; one of your own may return a plain `OrderedDict`.
    """

    def get(self) -> MutableMapping[str, Context]:
        """Return the active contexts by name, innermost last; changes to it take effect."""
        ...


class StackLocator(ContextLocator, Protocol):
    """A locator that hands out its stack without building a mapping: what a tracker reads."""

    def top(self) -> Frame | None:
        """Return the innermost frame."""
        ...

    def set_top(self, frame: Frame | None) -> None:
        """Make a frame the innermost one."""
        ...


class ContextStack(MutableMapping[str, Context]):
    """The frames of a locator as a mapping: contexts by name, outermost first."""

    def __init__(self, locator: StackLocator) -> None:
        self._locator = locator

    def _frames(self) -> dict[str, Frame]:
        """Return the innermost frame of each name, in the order of entering."""
        top = self._locator.top()
        return {frame.name or "": frame for frame in reversed(list(top.down() if top else ()))}

    def __getitem__(self, name: str) -> Context:
        return self._frames()[name].context

    def __setitem__(self, name: str, context: Context) -> None:
        top = self._locator.top()
        frame = self._frames().get(name)
        if frame is not None and top is not None:
            top = top.without(frame)
        self._locator.set_top(Frame(name, context, top, None))

    def __delitem__(self, name: str) -> None:
        remove(self._locator, lambda frame: (frame.name or "") == name, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames())

    def __len__(self) -> int:
        return len(self._frames())

    def __repr__(self) -> str:
        return f"ContextStack({', '.join(self)})"


def remove(locator: StackLocator, matches: Callable[[Frame], bool], name: object) -> None:
    """Remove the innermost frame that matches.

    Raises:
        KeyError: there is none.
    """
    top = locator.top()
    for frame in top.down() if top else ():
        if matches(frame):
            locator.set_top(top.without(frame) if top else None)
            return
    raise KeyError(name)


class EnteredContext:
    """Enters a context for a block; leaves it again, in whatever order blocks end."""

    __slots__ = ("_context", "_locator", "_name")

    def __init__(self, locator: StackLocator, name: str | None, context: Context) -> None:
        self._locator = locator
        self._name = name
        self._context = context

    def __enter__(self) -> None:
        locator = self._locator
        locator.set_top(Frame(self._name, self._context, locator.top(), self))

    def __exit__(self, *_: object) -> None:
        locator = self._locator
        top = locator.top()
        if top is not None and top.owner is self:
            locator.set_top(top.below)
            return
        try:
            remove(locator, lambda frame: frame.owner is self, self._name)
        except KeyError:  # left by name within the block
            return


class ContextVarLocator:
    """One stack a thread, task and greenlet, each inheriting what its parent task had entered."""

    def __init__(self) -> None:
        variable: ContextVar[Frame | None] = ContextVar("eventtracking_contexts", default=None)
        self.top = variable.get
        self._set = variable.set

    def set_top(self, frame: Frame | None) -> None:
        """Make a frame the innermost one."""
        self._set(frame)

    def get(self) -> ContextStack:
        """Return the active contexts by name, innermost last."""
        return ContextStack(self)


class DefaultContextLocator:
    """One stack for everything that uses the tracker: for programs with a single thread."""

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
    """A locator of somebody's own: its mapping, read and written as a stack.

    A name that is entered again while it is active is kept apart under a key of its own, so that
    it nests.
    """

    def __init__(self, locator: ContextLocator) -> None:
        self._locator = locator
        self.get = locator.get

    def top(self) -> Frame | None:
        top = None
        for key, context in self.get().items():
            name = key.name if isinstance(key, _Again) else key
            top = Frame(name, context, top, getattr(context, "owner", None))
        return top

    def set_top(self, frame: Frame | None) -> None:
        contexts = self.get()
        contexts.clear()
        for kept in reversed(list(frame.down() if frame else ())):
            name = kept.name or ""
            key = _Again(name) if name in contexts else name
            contexts[key] = _Owned(kept.context, kept.owner)


class _Again(str):
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


class _Owned(dict[str, Any]):
    """A context that remembers which block entered it."""

    __slots__ = ("owner",)

    def __init__(self, context: Context, owner: object) -> None:
        super().__init__(context)
        self.owner = owner


def stack_locator(locator: ContextLocator) -> StackLocator:
    """Return a locator's stack; one with `get` alone is read through its mapping."""
    if callable(getattr(locator, "top", None)) and callable(getattr(locator, "set_top", None)):
        return locator  # type: ignore[return-value]
    return _MappingLocator(locator)


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs in the contexts that are active now, in whatever thread.

    For thread pools and callbacks: `pool.submit(carry(work), item)`. Everything kept in context
    variables is carried, the current trace among it.
    """
    contexts = copy_context()

    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        return contexts.copy().run(function, *args, **kwargs)

    return carried
