"""What surrounds a tracker's events: the contexts that are active, and what it all means."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

from eventtracking_core.contexts import (
    ContextVarLocator,
    EnteredContext,
    Frame,
    remove,
    stack_locator,
)
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context, ContextLocator
    from eventtracking_core.registry import EventType, FieldDoc, Registry

__all__ = ["Scope"]


def _registered(scope: ref[Scope], record: EventType) -> None:
    found = scope()
    if found is not None:
        found._registered(record)  # noqa: SLF001  a method, but for the weak reference


class Scope:
    """The contexts of a tracker, and its event types.

    Args:
        context_locator: finds the active contexts; by default each task and thread has its own.
    """

    _event_types: Registry | None = None  # until they are asked for

    def __init__(self, context_locator: ContextLocator | None) -> None:
        self._locator = stack_locator(context_locator or ContextVarLocator())
        ours = isinstance(self._locator, ContextVarLocator)
        self._top = self._locator.top if ours else self._located

    @property
    def event_types(self) -> Registry:
        """What the names of events and contexts mean, with every record there was."""
        if self._event_types is None:
            from eventtracking_core.registry import Registry  # noqa: PLC0415  costs imports

            made = Registry()
            made.watch(partial(_registered, ref(self)))  # not strongly: processors hold registries
            # Of two threads that come here at once, one must not lose what it registers.
            return cast("Registry", self.__dict__.setdefault("_event_types", made))
        return self._event_types

    def _registered(self, record: EventType) -> None:
        """Take note of a record that holds from now on."""

    def register(
        self,
        name: str,
        description: str = "",
        field_descriptions: Mapping[str, str | FieldDoc] | None = None,
        context_field_descriptions: Mapping[str, str | FieldDoc] | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
        owner: str | None = None,
        tags: Sequence[str] = (),
        examples: Iterable[Mapping[str, Any]] = (),
        deprecated: str | None = None,
    ) -> EventType:
        """Say what an event name means, from now on; earlier records stay.

        Args:
            name: of the events, dotted: `org.area.verb`.
            description: what happened, and under which conditions the event is emitted.
            field_descriptions: of the data, by field name: a text, or a `FieldDoc`; dotted names
                for what lies in another field, or in the items of one.
            context_field_descriptions: of the context that every such event has.
            schema: JSON Schema (2020-12) of the data; `x-pii` names a class of personal data.
            owner: who answers for it.
            tags: words to find it by.
            examples: data of sample events.
            deprecated: what to use instead, where it should not be used any more.

        Raises:
            ValueError: the name is no text, or a description is neither text nor `FieldDoc`.
        """
        return self.event_types.register(
            name,
            description,
            field_descriptions,
            context_field_descriptions,
            schema=schema,
            owner=owner,
            tags=tags,
            examples=examples,
            deprecated=deprecated,
        )

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
            description: under which conditions it is there; events refer to what is described.
            field_descriptions: what its fields mean, by name; see `register`.
            fields: its values, in the form without a name.

        Raises:
            TypeError: the arguments are of none of these forms.
            ValueError: what is described has no name, or not in words.
        """
        if isinstance(name, Mapping):
            name, ctx = None, name if ctx is None and not fields else None
        elif fields and name is None and ctx is None:
            ctx, fields = fields, {}
        if ctx is None or fields:
            raise TypeError("context takes a name and a mapping, a mapping, or keyword fields")
        type_id = self._described(name, description, field_descriptions)
        return EnteredContext(self._locator, name, ctx, type_id)

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
            description: under which conditions it is there; events refer to what is described.
            field_descriptions: what its fields mean, by name; see `register`.

        Raises:
            ValueError: what is described has no name, or not in words.
        """
        type_id = self._described(name, description, field_descriptions)
        self._locator.set_top(Frame(name, ctx, self._locator.top(), None, type_id))

    def _described(
        self,
        name: str | None,
        description: str | None,
        field_descriptions: Mapping[str, str | FieldDoc] | None,
    ) -> str | None:
        """Return the id of a context's record; None where nobody describes it."""
        if description is None and field_descriptions is None:
            return None
        if name is None:
            raise ValueError("a context that is described has a name")
        return self.event_types.describe_context(name, description or "", field_descriptions)

    def exit_context(self, name: str) -> None:
        """Leave the innermost context of that name, in whatever order contexts were entered.

        Raises:
            KeyError: there is none.
        """
        remove(self._locator, lambda frame: frame.name == name, name)

    def resolve_context(self) -> dict[str, Any]:
        """Return the union of the entered contexts as a new dict; the innermost value wins."""
        frame = self._top()
        return frame.merged.copy() if frame is not None else {}

    @property
    def located_context(self) -> Mapping[str, Context]:
        """The contexts that are active here, by name, innermost last."""
        return self._locator.get()

    def _located(self) -> Frame | None:
        """Return the contexts; a locator of somebody's own may fail."""
        try:
            return self._locator.top()
        except Exception as error:  # noqa: BLE001  the event matters more than its context
            pass_on(error)
            report(
                logging.ERROR,
                ("locator", type(error)),
                "the context locator failed: %s",
                describe(error),
            )
            return None
