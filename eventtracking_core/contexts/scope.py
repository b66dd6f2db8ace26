"""A tracker's active contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from eventtracking_core.contexts.locators import ContextVarLocator, stack_locator
from eventtracking_core.contexts.stack import (
    Context,
    ContextLocator,
    EnteredContext,
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
    """

    def __init__(self, locator: ContextLocator | None) -> None:
        self._locator = stack_locator(locator or ContextVarLocator())
        is_ours = isinstance(self._locator, ContextVarLocator)
        self.top = self._locator.top if is_ours else self._guarded_top
        """Returns the innermost frame, or None; never raises."""
        variable = getattr(self._locator, "variable", None)
        self.entered: Callable[[str | None, Context, str | None], EnteredContext] = partial(
            EnteredContext, self._locator, variable
        )
        """Returns a context manager that enters a context for its block."""

    def enter(self, name: str, context: Context, type_id: str | None) -> None:
        """Make a context the innermost one."""
        self._locator.set_top(Frame(name, context, self._locator.top(), None, type_id))

    def exit(self, name: str) -> None:
        """Leave the innermost context of a name.

        Raises:
            KeyError: no context of that name is active.
        """
        remove(self._locator, lambda frame: frame.name == name, name)

    def merged(self) -> dict[str, Any]:
        """Return the union of the active contexts as a new dict; the innermost value wins."""
        frame = self.top()
        return frame.merged.copy() if frame is not None else {}

    def located(self) -> Mapping[str, Context]:
        """Return the active contexts by name, innermost last."""
        return self._locator.get()

    def _guarded_top(self) -> Frame | None:
        """Return the innermost frame; a locator of the application's own may fail."""
        try:
            return self._locator.top()
        except Exception as error:  # noqa: BLE001  the event matters more than its context
            pass_on(error)
            report(ERROR, ("locator", type(error)), "the context locator failed: %s", error)
            return None
