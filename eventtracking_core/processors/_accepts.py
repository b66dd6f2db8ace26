"""Let no event onto a branch that holds personal data which the branch does not accept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.events import clean_name
from eventtracking_core.processors._fields import Field, values
from eventtracking_core.processors._filter import Filter
from eventtracking_core.processors._personal import PersonalDataExit, PersonalFields

if TYPE_CHECKING:
    from eventtracking_core.components import Processor
    from eventtracking_core.events import Event
    from eventtracking_core.registry import Registry

__all__ = ["Accepts"]


class Accepts(Filter):
    """Drop events carrying personal data of a class that is neither accepted nor masked upstream.

    A processor masks a class if it removes, replaces or truncates the values of its fields, and
    drops events on which it fails. Events of unregistered types are dropped, because their fields
    are unknown.

    Args:
        classes: the classes of personal data that may pass.
    """

    def __init__(self, classes: Iterable[str]) -> None:
        self._classes = frozenset(classes)
        self._before: Sequence[Processor] = ()
        self._refused = PersonalFields(None, self._is_refused)

    def bind_event_types(self, event_types: Registry, before: Sequence[Processor]) -> None:
        """Judge by the event types of a tracker, and by the processors that come before."""
        self._before = before
        self._refused = PersonalFields(event_types, self._is_refused)

    def refused(self) -> list[str]:
        """Return the classes of registered types that would get here, and may not pass."""
        return sorted(self._refused.wanted())

    def __call__(self, event: Event, /) -> None:
        """Drop the event, or let it through.

        Raises:
            PersonalDataExit: it may not pass.
        """
        fields, is_known = self._refused.of(event)
        if not is_known:
            self._drop(event, "its type is not registered")
        for field in fields:
            if any(value is not None for value in values(event, field, below=True)):
                self._drop(event, f"{'.'.join(field)} is of a class that is not accepted")

    def _is_refused(self, field: Field, pii_class: str) -> bool:
        return pii_class not in self._classes and not any(
            masks(field, pii_class)
            for processor in self._before
            if callable(masks := getattr(processor, "masks", None))
        )

    def _drop(self, event: Event, why: str) -> None:
        name = clean_name(event["name"])
        message = "event %s is dropped from a branch that accepts only some personal data: %s"
        attributes = {"code": "pii", "event_name": name, "reason": "pii"}
        report(ERROR, (self._refused, name, why), message, name, why, **attributes)
        raise PersonalDataExit
