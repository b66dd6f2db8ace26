"""The catalogue: event types and contexts, with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from eventtracking_catalog.observation import Observation
from eventtracking_catalog.personal import masked
from eventtracking_catalog.shapes import Shape
from eventtracking_catalog.timeline import Timeline
from eventtracking_core._text import encodable
from eventtracking_core.registry import EventType, FieldDoc

__all__ = ["Catalogue", "ContextEntry", "Emitter", "Entry", "Field", "Sample"]


@dataclass(frozen=True, order=True)
class Emitter:
    """A line of code that emits or registers."""

    path: str
    line: int
    function: str = ""


@dataclass(frozen=True)
class Field:
    """A field: what is said of it, and how often it was there.

    Args:
        doc: its documentation; what has been seen of it, where nobody wrote any.
        documented: whether somebody did.
        seen: in how many events, or objects where it is nested.
        of: how many there were.
    """

    doc: FieldDoc
    documented: bool
    seen: int = 0
    of: int = 0

    @property
    def share(self) -> float | None:
        """The share of the events that have it, None where none has been seen."""
        return self.seen / self.of if self.of else None


@dataclass(frozen=True)
class Sample:
    """A sample event; what is personal in it is masked."""

    timestamp: datetime | None
    data: Mapping[str, Any]
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """All that is known of the events of one name.

    Args:
        name: of the events.
        versions: its records, oldest first; none where nobody documented it.
        observation: what has been seen of its events.
        timeline: how many there were, and when.
        emitters: the lines that emit it.
    """

    name: str
    versions: tuple[EventType, ...] = ()
    observation: Observation | None = None
    timeline: Timeline = field(default_factory=Timeline)
    emitters: tuple[Emitter, ...] = ()

    @property
    def documented(self) -> bool:
        """Whether somebody registered it."""
        return bool(self.versions)

    @cached_property
    def current(self) -> EventType:
        """The record that holds now: the latest, or what has been seen where there is none."""
        if self.versions:
            return self.versions[-1]
        return self.observation.inferred() if self.observation else EventType(name=self.name)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of its data: those that are documented, then others that have been seen."""
        seen = self.observation.data if self.observation else Shape()
        return tuple(_fields(self.current.fields if self.documented else (), seen))

    @property
    def is_open(self) -> bool:
        """Whether its data have been seen with keys that are values, and no names of fields."""
        return self.observation is not None and self.observation.data.is_open

    @cached_property
    def context_fields(self) -> tuple[Field, ...]:
        """The fields of its context, likewise."""
        seen = self.observation.context if self.observation else Shape()
        return tuple(_fields(self.current.context_fields if self.documented else (), seen))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of personal data it holds: as documented, or else as its fields suggest."""
        rows = (*self.fields, *self.context_fields)
        told = (row for row in rows if row.documented == self.documented)
        return tuple(sorted({row.doc.pii for row in told if row.doc.pii}))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """A few of its events, else the examples of its record."""
        data = {row.doc.name: row.doc.pii for row in self.fields if row.documented}
        context = {row.doc.name: row.doc.pii for row in self.context_fields if row.documented}
        if self.observation and self.observation.samples:
            return tuple(
                Sample(
                    event["timestamp"],
                    masked(event["data"], data),
                    masked(event["context"], context),
                )
                for event in self.observation.samples
            )
        return tuple(Sample(None, masked(shown, data), {}) for shown in self.current.examples)


def _fields(documented: tuple[FieldDoc, ...], shape: Shape) -> Iterator[Field]:
    presence = {encodable(path): (seen, of) for path, seen, of in shape.presence()}
    for doc in documented:
        seen, of = presence.get(doc.name, (0, shape.types["object"]))
        yield Field(doc, documented=True, seen=seen, of=of)
    names = {doc.name for doc in documented}
    for doc in shape.documented():
        if doc.name not in names:
            seen, of = presence[doc.name]
            yield Field(replace(doc, description=""), documented=False, seen=seen, of=of)


@dataclass(frozen=True)
class ContextEntry:
    """All that is known of a context, or of a composition of contexts.

    Args:
        name: of the context.
        versions: its records, oldest first.
    """

    name: str
    versions: tuple[EventType, ...]

    @property
    def current(self) -> EventType:
        """The latest record."""
        return self.versions[-1]


@dataclass(frozen=True)
class Catalogue:
    """Event types, contexts, and the way of the events.

    Args:
        entries: by the name of the events, in order.
        contexts: by name, in order.
        composed: the compositions of contexts, by id.
        routing: the routing tree, as `Tracker.stats()` has it, without its counters.
        sources: what it was made of, as it was named.
        rejected: lines of logs that are no events.
        left_out: events of further names, where there were too many names.
    """

    entries: Mapping[str, Entry]
    contexts: Mapping[str, ContextEntry] = field(default_factory=dict)
    composed: Mapping[str, EventType] = field(default_factory=dict)
    routing: Mapping[str, Any] | None = None
    sources: tuple[str, ...] = ()
    rejected: int = 0
    left_out: int = 0

    @cached_property
    def timeline(self) -> Timeline:
        """The events of all names."""
        whole = Timeline()
        for entry in self.entries.values():
            whole.merge(entry.timeline)
        return whole

    @cached_property
    def records(self) -> Mapping[str, EventType]:
        """Every record there is, by its id."""
        every = [
            *(record for entry in self.entries.values() for record in entry.versions),
            *(record for context in self.contexts.values() for record in context.versions),
            *self.composed.values(),
        ]
        return {record.id: record for record in every}
