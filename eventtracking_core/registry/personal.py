"""Which fields of an event hold personal data, as the types say that were registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from eventtracking_core.registry.registry import Registry, find_record

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry.record import EventType

__all__ = ["Field", "PersonalFields", "declared"]

Field = tuple[str, ...]
"""The parts of a field's dotted name, `context` or `data` first."""


def declared(record: EventType) -> Iterator[tuple[Field, str]]:
    """Yield the fields that a record says to hold personal data, with the class of the data."""
    part = "data" if record.kind == "event" else "context"
    for holder, docs in ((part, record.fields), ("context", record.context_fields)):
        for doc in docs:
            if doc.pii:
                yield (holder, *doc.name.split(".")), str(doc.pii)


class PersonalFields:
    """Finds the fields of events that hold personal data of some classes.

    An event is described by the record that its `name_id` refers to, by the one that holds for its
    name now, and by those of its contexts. What one of them calls personal is so, whatever the
    others say: an id that somebody made up hides nothing.

    Args:
        event_types: where types are registered; without it, none is known.
        is_wanted: tells of a field, and of the class of its data, whether it is looked for.
    """

    def __init__(
        self, event_types: Registry | None, is_wanted: Callable[[Field, str], bool]
    ) -> None:
        self._types = Registry() if event_types is None else event_types
        self._is_wanted = is_wanted
        self._found: dict[str, tuple[Field, ...]] = {}

    def of(self, event: Event) -> tuple[tuple[Field, ...], bool]:
        """Return the wanted fields of an event's types, and whether all its types are known.

        A field that holds others stands before them.
        """
        name, name_id = event["name"], event.get("name_id")
        by_name = self._types.get(name)
        by_id = by_name if by_name is not None and by_name.id == name_id else self._record(name_id)
        is_known = by_name is not None or (by_id is not None and by_id.name == name)
        fields = self._fields(by_name)
        if by_id is not by_name:
            fields = _joined(fields, self._fields(by_id))
        context_id = event.get("context_type_id")
        if context_id is None:
            return fields, is_known
        of_contexts, are_known = self._of_contexts(context_id)
        return _joined(fields, of_contexts), is_known and are_known

    def wanted(self) -> set[str]:
        """Return the classes of the wanted fields of all types that are registered."""
        return {
            kind
            for record in self._types.records()
            for field, kind in declared(record)
            if self._is_wanted(field, kind)
        }

    def _of_contexts(self, context_id: str) -> tuple[tuple[Field, ...], bool]:
        record = self._record(context_id)
        members = record.members if record is not None else ()
        described = [self._record(member) for member in members] or [record]
        fields: tuple[Field, ...] = ()
        for context in described:
            fields = _joined(fields, self._fields(context))
        return fields, None not in described

    def _record(self, record_id: str | None) -> EventType | None:
        if record_id is None:
            return None
        return self._types.record(record_id) or find_record(record_id)

    def _fields(self, record: EventType | None) -> tuple[Field, ...]:
        if record is None:
            return ()
        fields = self._found.get(record.id)
        if fields is None:
            wanted = [field for field, kind in declared(record) if self._is_wanted(field, kind)]
            fields = self._found[record.id] = _joined(tuple(wanted), ())
        return fields


def _joined(fields: tuple[Field, ...], others: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return fields of two records, each once, those that hold others first."""
    return tuple(sorted(dict.fromkeys((*fields, *others)), key=len))
