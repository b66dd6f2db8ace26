"""What context providers add to every event, below the contexts that were entered."""

from __future__ import annotations

from typing import Any

from eventtracking_core.contexts.stack import Context, ContextProvider, Frame
from eventtracking_core.diagnostics import ERROR, describe, report
from eventtracking_core.interrupts import pass_on

__all__ = ["Provided"]

_Last = tuple[object, Frame | None, dict[str, Any] | None, Frame]
"""What constant providers returned, the innermost frame, what was entered, and what came of it."""


class Provided:
    """The providers of a pipeline, and what they added to the last event.

    Args:
        providers: in their order.

    Attributes:
        is_constant: whether no mapping that they return changes afterwards.
    """

    def __init__(self, providers: tuple[ContextProvider, ...]) -> None:
        self.providers = providers
        self.is_constant = all(vars(type(each)).get("is_constant") is True for each in providers)
        self._calls = [each.__call__ for each in providers]  # called faster than the objects
        self._find = self._calls[0] if len(providers) == 1 else self._find_all
        self._last: _Last = None, None, None, Frame(None, {}, None, None)

    def context(self, entered: dict[str, Any]) -> dict[str, Any]:
        """Return the providers' values, with the entered contexts on top.

        Without values, the entered contexts themselves.
        """
        values: dict[str, Any] = {}
        for provider in self.providers:
            try:
                values |= provider()
            except Exception as error:  # noqa: BLE001  the event matters more than its context
                pass_on(error)
                report(
                    ERROR,
                    (self, type(provider), type(error)),
                    "context provider %s failed: %s",
                    type(provider).__name__,
                    describe(error),
                    extra={"provider": type(provider).__name__, "error": type(error).__name__},
                )
        if not values:
            return entered
        values |= entered
        return values

    def frame(self, top: Frame | None) -> Frame:
        """Return a frame with what `context` returns, if the providers are constant.

        As long as nothing changes it is the same one.
        """
        entered = None if top is None else top.merged
        seen, below, seen_entered, frame = self._last
        try:
            found = self._find()
        except Exception as error:  # noqa: BLE001  as in `context`, which says so
            pass_on(error)
            return self._framed(top, entered)
        # Two dicts that are the same are compared all the same.
        if entered is seen_entered and top is below and (found is seen or found == seen):
            return frame
        frame = self._framed(top, entered)
        self._last = found, top, entered, frame
        return frame

    def _find_all(self) -> list[Context]:
        return [call() for call in self._calls]

    def _framed(self, top: Frame | None, entered: dict[str, Any] | None) -> Frame:
        frame = Frame(None, self.context(entered or {}), None, None)
        frame.types = () if top is None else top.types
        return frame
