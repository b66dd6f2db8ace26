"""The event types of a tracker: the one that holds for each name, and every record there was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final
from weakref import WeakSet

from eventtracking_core.diagnostics import WARNING, log, report
from eventtracking_core.events import UNKNOWN, as_utc, clean_name
from eventtracking_core.registry.jsonschema import fields_of_schema
from eventtracking_core.registry.record import EventType, FieldDoc, RecordKind, registration

__all__ = [
    "MAX_TYPES",
    "FieldDescriptions",
    "Registry",
    "checked_name",
    "described_fields",
    "find_record",
]

FieldDescriptions = Mapping[str, "str | FieldDoc"]
"""What fields mean, by name; dotted where a field lies in another."""

MAX_TYPES: Final = 10_000
"""Records a registry keeps: names may be made up at run time."""

# An id says what its record says, so it does not matter which registry has it.
_registries: Final[WeakSet[Registry]] = WeakSet()


def find_record(record_id: str) -> EventType | None:
    """Return the record of an id, whichever registry of this process it was registered with."""
    candidates = [registry.record(record_id) for registry in list(_registries)]
    records = [record for record in candidates if record is not None]
    return max(records, key=attrgetter("registered_at"), default=None)


class Registry:
    """Says what names mean: the last registration of a name holds, earlier records stay.

    Any thread may use it; each change is one step, so there is no lock.

    Args:
        watcher: called with each record that comes to hold for its name.
    """

    def __init__(self, watcher: Callable[[EventType], object] | None = None) -> None:
        self._watcher = watcher
        self._records: dict[str, EventType] = {}
        self._current: dict[tuple[RecordKind, str], EventType] = {}
        self._of_contexts: dict[object, EventType] = {}
        self.has_events = False
        """Whether any event name is registered."""
        _registries.add(self)

    def describe_context(
        self, name: str, description: str = "", field_descriptions: FieldDescriptions | None = None
    ) -> str | None:
        """Say what a context means, from now on.

        Returns:
            The id of its record; None where there are too many to keep another.

        Raises:
            ValueError: the name is no text, or a description is neither text nor `FieldDoc`.
        """
        if not isinstance(field_descriptions, Mapping | None):
            raise ValueError("field descriptions are a mapping of texts by field name")
        # Contexts are entered with every request, and described in the same words.
        key = name, description, tuple((field_descriptions or {}).items())
        return self._known_id(
            key,
            lambda: EventType(
                kind="context",
                name=checked_name(name),
                description=description,
                fields=described_fields(field_descriptions),
                **registration(),
            ),
        )

    def compose(self, members: tuple[str, ...]) -> str | None:
        """Return the id of the record of several contexts that are active together.

        Args:
            members: ids of their records, outermost first.

        Returns:
            The id; None where there are too many records to keep another.
        """

        def compose() -> EventType:
            parts = [find_record(member) for member in members]
            name = "+".join(part.name for part in parts if part is not None)
            moment = as_utc(datetime.now(UTC))
            return EventType(kind="composed", name=name, members=members, registered_at=moment)

        return self._known_id(("composed", members), compose)

    def _known_id(self, key: object, make: Callable[[], EventType]) -> str | None:
        """Return the id of a record that is made once for its key; None if it cannot be kept."""
        record = self._of_contexts.get(key)
        if record is None:
            record = make()
            if len(self._of_contexts) < MAX_TYPES:
                self._of_contexts[key] = record
        if record.id not in self._records and len(self._records) >= MAX_TYPES:
            return None
        return self.add(record).id

    def add(self, record: EventType) -> EventType:
        """Let a record hold for its name, as it is; return the one that is kept under its id."""
        key = (record.kind, record.name)
        known = self._records.get(record.id)
        if known is not None and self._current.get(key) is known:
            return known
        if known is None:
            if len(self._records) >= MAX_TYPES:
                message = "there are %d event types; further ones are not kept"
                report(WARNING, "event types", message, MAX_TYPES)
                return record
            if record.kind == "event" and key not in self._current and "." not in record.name:
                message = "event type %s: use a dotted name such as org.area.verb"
                log(WARNING, message, record.name, code="undotted_name", event_name=record.name)
            known = self._records.setdefault(record.id, record)
        self._current[key] = known
        self.has_events = self.has_events or record.kind == "event"
        if self._watcher is not None:
            self._watcher(known)
        return known

    def get(self, name: str, kind: RecordKind = "event") -> EventType | None:
        """Return the current record of a name; None if it is not registered."""
        return self._current.get((kind, name))

    def record(self, record_id: str) -> EventType | None:
        """Return a record by its id, also one that a later registration took the place of."""
        return self._records.get(record_id)

    def records(self) -> tuple[EventType, ...]:
        """Return every record, oldest registration first."""
        return tuple(self._records.values())

    def __iter__(self) -> Iterator[EventType]:
        return iter(self.records())

    def __len__(self) -> int:
        return len(self._records)


def checked_name(name: object) -> str:
    """Return the name of an event type, clean.

    Raises:
        ValueError: it is no text, or empty.
    """
    clean = clean_name(name)
    if clean == UNKNOWN:
        raise ValueError("the name of an event type is a text that is not empty")
    return clean


def described_fields(
    descriptions: FieldDescriptions | None, schema: Mapping[str, Any] | None = None
) -> tuple[FieldDoc, ...]:
    """Return the fields of a schema, with what is described besides.

    Raises:
        ValueError: a description is neither text nor `FieldDoc`.
    """
    for table in (descriptions, schema):
        if table is not None and not isinstance(table, dict | Mapping):
            raise ValueError("field descriptions are a mapping of texts by field name")
    fields = {doc.name: doc for doc in fields_of_schema(schema)} if schema is not None else {}
    meanings: Mapping[Any, Any] = descriptions or {}
    for name, meaning in meanings.items():
        known = fields.get(name)
        if not isinstance(name, str) or not isinstance(meaning, str | FieldDoc):
            raise ValueError("a field description is a text or a FieldDoc, by field name")
        if isinstance(meaning, FieldDoc):
            fields[name] = replace(meaning, name=name)
        elif known is None:
            fields[name] = FieldDoc(name, meaning)
        else:
            fields[name] = replace(known, description=meaning)
    return tuple(fields.values())
