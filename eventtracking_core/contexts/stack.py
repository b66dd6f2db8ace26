"""The context stack: named mappings, entered and left, whose union every event carries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar, Token
from typing import Any, Final, Protocol

__all__ = [
    "Context",
    "ContextLocator",
    "ContextProvider",
    "ContextStack",
    "EnteredContext",
    "Frame",
    "StackLocator",
    "remove",
]

_GENERATOR: Final = 0x20 | 0x200
"""Flags of the code of generators, plain and asynchronous."""

Context = Mapping[str, Any]
"""The values of a context by field name."""


class ContextProvider(Protocol):
    """Called for each event. Entered contexts override what it returns.

    Its class may have an `is_constant`: if True, no mapping that it returned changes afterwards, so
    that events may share one; a subclass says so for itself.
    """

    def __call__(self) -> Context:
        """Return values by field name."""
        ...


class Frame:
    """One entered context, immutable, with the union of itself and all below it.

    `types` are the ids of the records that describe it and those below it, outermost first.
    `type_info` caches what the event builders need of the frame.
    """

    __slots__ = ("below", "context", "merged", "name", "owner", "type_id", "type_info", "types")

    def __init__(
        self,
        name: str | None,
        context: Context,
        below: Frame | None,
        owner: object,
        type_id: str | None = None,
    ) -> None:
        self.name = name
        self.context = dict(context)
        self.below = below
        self.owner = owner
        self.merged: dict[str, Any]
        self.types: tuple[str, ...]
        if below is None:
            self.merged, self.types = self.context, ()
        else:
            self.merged, self.types = {**below.merged, **self.context}, below.types
        self.type_id = type_id
        if type_id is not None and type_id not in self.types:
            self.types += (type_id,)
        self.type_info: Any = None

    def without(self, unwanted: Frame) -> Frame | None:
        """Return the stack without one of its frames."""
        above = []
        for frame in self.down():
            if frame is unwanted:
                break
            above.append(frame)
        top = unwanted.below
        for frame in reversed(above):
            top = Frame(frame.name, frame.context, top, frame.owner, frame.type_id)
        return top

    def down(self) -> Iterator[Frame]:
        """Yield the frames, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.below


class GeneratorFrame(Frame):
    """A context entered by a generator, whose block may be left where it was not entered.

    An abandoned generator is closed by the thread that collects it, and by asyncio in a new task.
    Context variables that are set there do not reach the task that iterated. So the frame notes
    that its block was left, and is removed where it was entered, at the next look. Tasks that were
    started within the block keep it.
    """

    __slots__ = ("_is_removed", "_union", "_variable", "is_left", "token")

    def __init__(
        self,
        name: str | None,
        context: Context,
        owner: object,
        type_id: str | None,
        variable: ContextVar[Frame | None],
    ) -> None:
        self._variable = variable
        self._is_removed = False
        self.is_left = False
        super().__init__(name, context, variable.get(), owner, type_id)
        self.token: Token[Frame | None] = variable.set(self)

    @property
    def merged(self) -> dict[str, Any]:
        """The union of this context and all below it; without it, once its block was left."""
        if self.is_left and self.remove():
            return self.below.merged if self.below is not None else {}
        return self._union

    @merged.setter
    def merged(self, union: dict[str, Any]) -> None:
        self._union = union

    def remove(self) -> bool:
        """Remove the frame if it was entered here, and is there; return whether it was."""
        if self._is_removed:
            return False
        top = self._variable.get()
        try:
            self._variable.reset(self.token)
        except ValueError:  # entered elsewhere: here it was inherited
            return False
        self._is_removed = True
        # Frames above one that was removed are copies, with the same owner.
        mine = (frame for frame in (top.down() if top else ()) if frame.owner is self.owner)
        own = next(mine, None)
        self._variable.set(top.without(own) if top is not None and own is not None else top)
        return True


class ContextLocator(Protocol):
    """Returns the contexts that are active in the current thread or task.

    `get` returns an `OrderedDict`-like object of contexts by name, innermost last. The locators of
    this module keep a `ContextStack`; one of your own may return a plain `OrderedDict`.
    """

    def get(self) -> MutableMapping[str, Context]:
        """Return the active contexts by name, innermost last; changes to it take effect."""
        ...


class StackLocator(ContextLocator, Protocol):
    """A locator that returns its frames without building a mapping: what a tracker reads."""

    def top(self) -> Frame | None:
        """Return the innermost frame."""
        ...

    def set_top(self, frame: Frame | None, /) -> object:
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
        return self._frames()[name].context.copy()  # events may share it

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

    __slots__ = ("_context", "_generator_frame", "_locator", "_name", "_type_id", "_variable")

    def __init__(
        self,
        locator: StackLocator,
        variable: ContextVar[Frame | None] | None,
        name: str | None,
        context: Context,
        type_id: str | None,
    ) -> None:
        self._locator = locator
        self._variable = variable
        self._name = name
        self._context = context
        self._type_id = type_id
        self._generator_frame: GeneratorFrame | None = None

    def __enter__(self) -> None:
        locator, variable = self._locator, self._variable
        if variable is not None and sys._getframe(1).f_code.co_flags & _GENERATOR:  # noqa: SLF001
            self._generator_frame = GeneratorFrame(
                self._name, self._context, self, self._type_id, variable
            )
            return
        locator.set_top(Frame(self._name, self._context, locator.top(), self, self._type_id))

    def __exit__(self, _type: object, _error: object, _traceback: object, /) -> None:
        locator = self._locator
        if self._generator_frame is not None:
            frame, self._generator_frame = self._generator_frame, None
            frame.is_left = True
            if frame.remove():
                return
        top = locator.top()
        if top is not None and top.owner is self:
            locator.set_top(top.below)
            return
        try:
            remove(locator, lambda frame: frame.owner is self, self._name)
        except KeyError:  # left by name within the block
            return
