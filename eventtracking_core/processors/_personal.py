"""The base of processors that change fields, chosen by name or by their class of personal data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from eventtracking_core.diagnostics import WARNING, report
from eventtracking_core.errors import EventEmissionExit, require_lists
from eventtracking_core.events import clean_name, shared_context
from eventtracking_core.processors._fields import SCALARS, Field, parse, rewrite
from eventtracking_core.registry.columns import documented_fields
from eventtracking_core.registry.registry import Registry, find_record

if TYPE_CHECKING:
    from eventtracking_core.components import Processor
    from eventtracking_core.events import Event
    from eventtracking_core.registry.record import EventType

__all__ = ["FieldProcessor", "PersonalDataExit", "PersonalFields", "Unclassified"]

Unclassified = Literal["drop", "pass"]
"""What to do with an event whose type is not registered."""


_NO_TYPES: Final = Registry()


class PersonalDataExit(EventEmissionExit):
    """The event holds personal data that must not leave, or may hold some."""

    drop_reason = "pii"


class FieldProcessor(ABC):
    """Changes fields of events, in a copy of just the path that leads to them. Fails closed.

    Args:
        fields: dotted fields.
        pii: classes of personal data: the fields of which types say so, too.
        is_all: every class, whatever it is called.
        unclassified: what to do with an event of unknown type, if classes are looked for.

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
        require_lists(fields=fields, pii=pii)
        self._fields = tuple(dict.fromkeys(map(parse, fields or ())))
        self._fields_of_context = [field for field in self._fields if field[0] == "context"]
        self._fields_of_data = [field for field in self._fields if field[0] == "data"]
        self._seen: tuple[dict[str, Any] | None, dict[str, Any] | None] = None, None
        """The last context of those that never change, and what became of it if it came again."""
        self._classes = frozenset(pii or ())
        self._is_all = is_all
        if not (self._fields or self._classes or is_all):
            raise ValueError("name fields, or classes of personal data in pii")
        if unclassified not in {"drop", "pass"}:
            raise ValueError("unclassified must be drop or pass")
        self._passes = unclassified == "pass"
        self._personal = PersonalFields(None, self._is_wanted)

    @property
    def bind_event_types(self) -> Callable[[Registry, Sequence[Processor]], None] | None:
        """Looks classes up in the event types of a tracker; None if no classes are wanted."""
        return self._bind if self._classes or self._is_all else None

    def _bind(self, event_types: Registry, _before: Sequence[Processor]) -> None:
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
            return self._changed(event, fields)
        context = event.get("context")
        seen, changed = self._seen
        if context is not seen or context is None:
            self._seen = shared_context[0], None
            return self._changed(event, fields)
        if changed is None:
            if not SCALARS.issuperset(map(type, context.values())):
                return self._changed(event, fields)
            changed = self._changed(event, self._fields_of_context)["context"]
            self._seen = context, changed
        if changed is not context:
            event = event.copy()
            event["context"] = shared_context[0] = changed
        for field in self._fields_of_data:
            event = rewrite(event, field, self._change, below=True)
        return event

    def _changed(self, event: Event, fields: Iterable[Field]) -> Event:
        for field in fields:
            event = rewrite(event, field, self._change, below=True)
        return event

    @abstractmethod
    def _change(self, mapping: dict[str, Any], key: str) -> None:
        """Change, or remove, what a mapping of ours has under a key; the same way each time."""

    def _is_wanted(self, field: Field, pii_class: str) -> bool:  # noqa: ARG002  as `masks`
        return self._is_all or pii_class in self._classes

    @staticmethod
    def _refuse(event: Event) -> None:
        name = clean_name(event["name"])
        why = "event %s is dropped: no registered type says which of its fields hold personal data"
        attributes = {"code": "unclassified", "event_name": name, "reason": "pii"}
        report(WARNING, ("unclassified", name), why, name, **attributes)
        raise PersonalDataExit


def declared(record: EventType) -> Iterator[tuple[Field, str]]:
    """Yield the fields that a record says to hold personal data, with the class of the data."""
    return ((field, str(doc.pii)) for field, doc in documented_fields([record]) if doc.pii)


class PersonalFields:
    """Finds the fields of events that hold personal data of some classes.

    An event is described by the record that its `name_id` refers to, by the one that holds for its
    name now, and by those of its contexts. A field is personal if any of them says so: a forged id
    hides nothing.

    Args:
        event_types: where types are registered; without it, none is known.
        is_wanted: returns whether to look for a field, given the field and the class of its data.
    """

    def __init__(
        self, event_types: Registry | None, is_wanted: Callable[[Field, str], bool]
    ) -> None:
        self._types = _NO_TYPES if event_types is None else event_types
        self._is_wanted = is_wanted
        self._wanted_fields: dict[str, tuple[Field, ...]] = {}

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
        fields = self._wanted_fields.get(record.id)
        if fields is None:
            wanted = [field for field, kind in declared(record) if self._is_wanted(field, kind)]
            fields = self._wanted_fields[record.id] = _joined(tuple(wanted), ())
        return fields


def _joined(fields: tuple[Field, ...], others: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return fields of two records, each once, those that hold others first."""
    return tuple(sorted(dict.fromkeys((*fields, *others)), key=len))
