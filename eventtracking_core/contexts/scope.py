"""A tracker's active contexts."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from eventtracking_core.contexts.locators import ContextVarLocator, stack_locator
from eventtracking_core.contexts.stack import (
    Context,
    ContextLocator,
    Frame,
    remove,
)
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.interrupts import pass_on

__all__ = ["Scope"]


class Scope:
    """The active contexts of the calling thread or task, found by a locator.

    Args:
        locator: finds the active contexts; by default each task and thread has its own.

    Attributes:
        locator: the same, as a stack.
        variable: where it keeps the innermost frame, if that is a context variable.
    """

    def __init__(self, locator: ContextLocator | None) -> None:
        self.locator = stack_locator(locator or ContextVarLocator())
        self.variable: ContextVar[Frame | None] | None = getattr(self.locator, "variable", None)
        is_ours = isinstance(self.locator, ContextVarLocator)
        self.top = self.locator.top if is_ours else self._guarded_top
        """Returns the innermost frame, or None; never raises."""

    def enter(self, name: str, context: Context, type_id: str | None) -> None:
        """Make a context the innermost one."""
        self.locator.set_top(Frame(name, context, self.locator.top(), None, type_id))

    def exit(self, name: str) -> None:
        """Leave the innermost context of a name.

        Raises:
            KeyError: no context of that name is active.
        """
        remove(self.locator, lambda frame: frame.name == name, name)

    def merged(self) -> dict[str, Any]:
        """Return the union of the active contexts as a new dict; the innermost value wins."""
        frame = self.top()
        return frame.merged.copy() if frame is not None else {}

    def located(self) -> Mapping[str, Context]:
        """Return the active contexts by name, innermost last."""
        return self.locator.get()

    def _guarded_top(self) -> Frame | None:
        """Return the innermost frame; a locator of the application's own may fail."""
        try:
            return self.locator.top()
        except Exception as error:  # noqa: BLE001  the event matters more than its context
            pass_on(error)
            report(ERROR, ("locator", type(error)), "the context locator failed: %s", error)
            return None
