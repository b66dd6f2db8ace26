"""What the processors have in common that change fields: by name, or by what types say of them."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from eventtracking_core.diagnostics import report
from eventtracking_core.errors import EventEmissionExit
from eventtracking_core.events import clean_name
from eventtracking_core.processors._fields import Field, parse, rewrite
from eventtracking_core.registry.personal import PersonalFields

if TYPE_CHECKING:
    from eventtracking_core.components import Processor
    from eventtracking_core.events import Event
    from eventtracking_core.registry import Registry

__all__ = ["FieldProcessor", "PersonalDataExit", "Unclassified"]

Unclassified = Literal["drop", "pass"]
"""What becomes of an event of which no registered type says what it holds."""


class PersonalDataExit(EventEmissionExit):
    """The event holds personal data that must not go on, or nobody knows whether it does."""

    drop_reason = "pii"


class FieldProcessor(ABC):
    """Changes fields of events, in a copy of just the path that leads to them. Fails closed.

    Args:
        fields: dotted fields.
        pii: classes of personal data: the fields of which types say so, too.
        is_all: every class, whatever it is called.
        unclassified: what becomes of an event of unknown type, where classes are looked for.

    Raises:
        ValueError: there is neither field nor class, or a field lies neither below `context` nor
            below `data`.
    """

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    def __init__(
        self,
        fields: Iterable[str] | None,
        pii: Iterable[str] | None,
        unclassified: Unclassified,
        *,
        is_all: bool = False,
    ) -> None:
        self._fields = tuple(dict.fromkeys(parse(field) for field in fields or ()))
        self._classes = frozenset(pii or ())
        self._is_all = is_all
        if not (self._fields or self._classes or is_all):
            raise ValueError("name fields, or classes of personal data in pii")
        if unclassified not in {"drop", "pass"}:
            raise ValueError("unclassified must be drop or pass")
        self._passes = unclassified == "pass"
        self._personal = PersonalFields(None, self._is_wanted)

    def bind_event_types(self, event_types: Registry, before: Sequence[Processor]) -> None:  # noqa: ARG002  as all
        """Look classes up in the event types of a tracker."""
        self._personal = PersonalFields(event_types, self._is_wanted)

    def masks(self, field: Field, pii_class: str) -> bool:
        """Return True if no raw value of a field of that class can leave this processor."""
        by_name = any(field[: len(above)] == above for above in self._fields)
        return by_name or self._is_wanted(field, pii_class)

    def __call__(self, event: Event, /) -> Event:
        """Return the event with its fields changed."""
        fields = self._fields
        if self._classes or self._is_all:
            personal, is_known = self._personal.of(event)
            if not is_known and not self._passes:
                self._refuse(event)
            fields = tuple(dict.fromkeys((*personal, *fields)))
        for field in fields:
            event = rewrite(event, field, self._change, below=True)
        return event

    @abstractmethod
    def _change(self, mapping: dict[str, Any], key: str) -> None:
        """Change, or remove, what a mapping of ours has under a key."""

    def _is_wanted(self, field: Field, pii_class: str) -> bool:  # noqa: ARG002  as `masks`
        return self._is_all or pii_class in self._classes

    @staticmethod
    def _refuse(event: Event) -> None:
        name = clean_name(event["name"])
        report(
            logging.WARNING,
            ("unclassified", name),
            "event %s is dropped: no registered type says which of its fields hold personal data",
            name,
            extra={"code": "unclassified", "event_name": name, "reason": "pii"},
        )
        raise PersonalDataExit
