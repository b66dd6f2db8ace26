"""The values that context providers add to each event, below the contexts that were entered."""

from __future__ import annotations

from typing import Any

from eventtracking_core.contexts.stack import Context, ContextProvider, Frame
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = ["Provided"]

_Last = tuple[Context | None, Frame | None, dict[str, Any] | None, Frame | None]
"""What constant providers returned, the innermost frame, what was entered, and what comes of it."""


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
        self._last: _Last = None, None, None, None
        self._nothing: dict[str, Any] = {}

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
                key, name = (self, type(provider), type(error)), type(provider).__name__
                report(ERROR, key, "context provider %s failed: %s", name, error, provider=name)
        if not values:
            return entered
        values |= entered
        return values

    def over(self, top: Frame | None) -> tuple[Frame | None, dict[str, Any], dict[str, Any]]:
        """Return the innermost frame, what was entered in all, and what `context` returns.

        If the providers are constant, and nothing changed since the last event, the frame has their
        values too: it goes on being the same, so that what is found out about it is kept.

        Args:
            top: the innermost frame that was entered.
        """
        entered = self._nothing if top is None else top.merged
        if not self.is_constant:
            return top, entered, self.context(entered)
        try:
            values = self._find()
        except Exception as error:  # noqa: BLE001  as in `context`, which says so
            pass_on(error)
            return top, entered, self.context(entered)
        if not values:
            return top, entered, entered
        last_values, last_top, last_entered, frame = self._last
        # Two dicts that are the same are compared all the same.
        if (
            top is last_top
            and entered is last_entered
            and (values is last_values or values == last_values)
        ):
            if frame is None:
                frame = Frame(None, {**values, **entered}, None, None)
                frame.types = () if top is None else top.types
                self._last = values, top, entered, frame
            return frame, frame.merged, frame.merged
        self._last = values, top, entered, None
        return top, entered, {**values, **entered}

    def _find_all(self) -> Context:
        values: dict[str, Any] = {}
        for call in self._calls:
            values |= call()
        return values
