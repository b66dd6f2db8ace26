"""The catalogue: event types and contexts, with everything known about them."""

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
    """A field: its documentation, and how often it was present.

    Args:
        doc: its documentation, or else a description of its observed values.
        documented: whether it has documentation.
        seen: the number of events (for a nested field, of objects) that have it.
        of: the number of all such events or objects.
        observed: the type of its observed values.
    """

    doc: FieldDoc
    documented: bool
    seen: int = 0
    of: int = 0
    observed: str | None = None

    @property
    def type(self) -> str:
        """Its documented type, or else the observed one."""
        return self.doc.type or self.observed or "any"

    @property
    def share(self) -> float | None:
        """The share of events that have it; None if no event was observed."""
        return self.seen / self.of if self.of else None


@dataclass(frozen=True)
class Sample:
    """A sample event, with personal data masked."""

    timestamp: datetime | None
    data: Mapping[str, Any]
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """Everything known about the events of one name.

    Args:
        name: the events' name.
        versions: its records, oldest first; empty if it is undocumented.
        observation: what was observed of its events.
        timeline: the number of events over time.
        emitters: the lines that emit it.
    """

    name: str
    versions: tuple[EventType, ...] = ()
    observation: Observation | None = None
    timeline: Timeline = field(default_factory=Timeline)
    emitters: tuple[Emitter, ...] = ()

    @property
    def documented(self) -> bool:
        """Whether the event type is registered."""
        return bool(self.versions)

    @cached_property
    def current(self) -> EventType:
        """The latest record, or one drafted from observed events."""
        if self.versions:
            return self.versions[-1]
        return self.observation.inferred() if self.observation else EventType(name=self.name)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of its data: documented fields, then other observed ones."""
        seen = self.observation.data if self.observation else Shape()
        return tuple(_fields(self.current.fields if self.documented else (), seen))

    @property
    def is_open(self) -> bool:
        """Whether observed data have keys that are values instead of field names."""
        return self.observation is not None and self.observation.data.is_open

    @cached_property
    def context_fields(self) -> tuple[Field, ...]:
        """The fields of its context, in the same order."""
        seen = self.observation.context if self.observation else Shape()
        return tuple(_fields(self.current.context_fields if self.documented else (), seen))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Its classes of personal data: documented, or else guessed from its fields."""
        rows = (*self.fields, *self.context_fields)
        relevant = (row for row in rows if row.documented == self.documented)
        return tuple(sorted({row.doc.pii for row in relevant if row.doc.pii}))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """A few of its events, or else the examples of its record."""
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
    observed = {doc.name: doc for doc in shape.documented()}
    for doc in documented:
        seen, of = presence.get(doc.name, (0, shape.types["object"]))
        observation = observed.get(doc.name)
        yield Field(
            doc,
            documented=True,
            seen=seen,
            of=of,
            observed=observation.type if observation else None,
        )
    names = {doc.name for doc in documented}
    for doc in observed.values():
        if doc.name not in names:
            seen, of = presence[doc.name]
            yield Field(replace(doc, description=""), documented=False, seen=seen, of=of)


@dataclass(frozen=True)
class ContextEntry:
    """Everything known about a context, or a composition of contexts.

    Args:
        name: the context's name.
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
    """Event types, contexts, and the routing of events.

    Args:
        entries: the event types by name, in order.
        contexts: the contexts by name, in order.
        composed: the compositions of contexts, by id.
        routing: the routing tree of `Tracker.stats()`, without counters.
        sources: the names of its sources.
        rejected: the number of log lines that are not events.
        left_out: the number of events left out because there were too many names.
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
        """The number of events of all names."""
        whole = Timeline()
        for entry in self.entries.values():
            whole.merge(entry.timeline)
        return whole

    @cached_property
    def records(self) -> Mapping[str, EventType]:
        """All records, by id."""
        every = [
            *(record for entry in self.entries.values() for record in entry.versions),
            *(record for context in self.contexts.values() for record in context.versions),
            *self.composed.values(),
        ]
        return {record.id: record for record in every}
