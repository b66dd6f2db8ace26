"""Enter, describe and leave the contexts of a tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eventtracking_core.contexts import EnteredContext, Frame
from eventtracking_core.contexts.stack import remove
from eventtracking_core.tracker.emitter import Emitter

if TYPE_CHECKING:
    from contextvars import ContextVar

    from eventtracking_core.contexts import Context, ContextLocator
    from eventtracking_core.registry import FieldDoc

__all__ = ["ContextEmitter"]


class ContextEmitter(Emitter):
    """Emits events with the contexts that are entered here.

    Args:
        context_locator: finds the active contexts; by default each task and thread has its own.
        strict: raise what would be a warning.
    """

    def __init__(self, context_locator: ContextLocator | None, *, strict: bool) -> None:
        super().__init__(context_locator, strict=strict)
        self._variable: ContextVar[Frame | None] | None = getattr(self._locator, "variable", None)

    def context(
        self,
        name: str | Context | None = None,
        ctx: Context | None = None,
        description: str | None = None,
        field_descriptions: Mapping[str, str | FieldDoc] | None = None,
        **fields: object,
    ) -> EnteredContext:
        """Return a context manager: events emitted inside its block carry the context.

        `context("request", {"user_id": 1})`, or without a name `context({"user_id": 1})` and
        `context(user_id=1)`; the last form has no fields called as these arguments are.

        Args:
            name: of the context.
            ctx: its values by field name.
            description: when it is active; events refer to contexts that are described.
            field_descriptions: descriptions of its fields, by name; see `register`.
            fields: its values, in the form without a name.

        Raises:
            TypeError: the arguments have none of these forms.
            ValueError: a described context has no name, or a description is not text.
        """
        # Exact types first: to ask whether a text is a mapping takes longer.
        if type(name) is not str and (type(name) is dict or isinstance(name, Mapping)):
            name, ctx = None, name if ctx is None and not fields else None
        elif fields and name is None and ctx is None:
            ctx, fields = fields, {}
        if ctx is None or fields:
            raise TypeError("context takes a name and a mapping, a mapping, or keyword fields")
        type_id = None
        if description is not None or field_descriptions is not None:
            type_id = self._described(name, description, field_descriptions)
        return EnteredContext(self._locator, self._variable, name, ctx, type_id)

    def enter_context(
        self,
        name: str,
        ctx: Context,
        description: str | None = None,
        field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    ) -> None:
        """Enter a named context, until `exit_context`. Re-entering a name nests.

        Args:
            name: of the context.
            ctx: its values by field name.
            description: when it is active; events refer to contexts that are described.
            field_descriptions: descriptions of its fields, by name; see `register`.

        Raises:
            ValueError: a described context has no name, or a description is not text.
        """
        type_id = self._described(name, description, field_descriptions)
        self._locator.set_top(Frame(name, ctx, self._locator.top(), None, type_id))

    def _described(
        self,
        name: str | None,
        description: str | None,
        field_descriptions: Mapping[str, str | FieldDoc] | None,
    ) -> str | None:
        """Return the id of a context's record; None without a description."""
        if description is None and field_descriptions is None:
            return None
        if name is None:
            raise ValueError("a context that is described has a name")
        return self.event_types.describe_context(name, description or "", field_descriptions)

    def exit_context(self, name: str) -> None:
        """Leave the innermost context of that name, in whatever order contexts were entered.

        Raises:
            KeyError: no context of that name is active.
        """
        remove(self._locator, lambda frame: frame.name == name, name)

    @property
    def located_context(self) -> Mapping[str, Context]:
        """The contexts that are active here, by name, innermost last."""
        return self._locator.get()
