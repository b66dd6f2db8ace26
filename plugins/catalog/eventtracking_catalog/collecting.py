"""Collect records, events and counts into a catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from eventtracking_catalog.model import Catalogue, ContextEntry, Emitter, Entry
from eventtracking_catalog.observation import Observation
from eventtracking_catalog.timeline import Timeline
from eventtracking_core import Event
from eventtracking_core.events import clean_name
from eventtracking_core.registry import EventType

__all__ = ["MAX_NAMES", "Collection"]

MAX_NAMES: Final = 5000
"""Maximum number of event names: some applications put addresses into names."""


class Collection:
    """Collects records, events and counts, in any order and from any number of sources."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.rejected = 0
        self.left_out = 0
        self.routing: Mapping[str, Any] | None = None
        self._records: dict[str, EventType] = {}
        self._observations: dict[str, Observation] = {}
        self._timelines: dict[str, Timeline] = defaultdict(Timeline)
        self._emitters: dict[str, set[Emitter]] = defaultdict(set)

    def record(self, record: EventType) -> None:
        """Add a record; of several with the same id, keep the one registered first."""
        known = self._records.get(record.id)
        if known is None or record.registered_at < known.registered_at:
            self._records[record.id] = record

    def observe(self, event: Event) -> None:
        """Observe an event without counting it."""
        name = clean_name(event["name"])
        if name not in self._observations:
            self._observations[name] = Observation(name)
        self._observations[name].add(event)

    def count(self, name: str, timeline: Timeline) -> None:
        """Add the number of events of a name, by time."""
        self._timelines[clean_name(name)].merge(timeline)

    def event(self, event: Event) -> None:
        """Observe and count an event; only count it if there are too many names."""
        name = clean_name(event["name"])
        if name not in self._timelines and len(self._timelines) >= MAX_NAMES:
            self.left_out += 1
            return
        self.observe(event)
        self._timelines[name].add(event["timestamp"])

    def emitters(self, name: str, emitters: Iterable[Emitter]) -> None:
        """Add the lines that emit events of a name."""
        self._emitters[name].update(emitters)

    def catalogue(self) -> Catalogue:
        """Return the catalogue of everything collected."""
        records = sorted(self._records.values(), key=lambda record: record.registered_at)
        events, contexts = _by_name(records, "event"), _by_name(records, "context")
        names = {*events, *self._observations, *self._timelines, *self._emitters}
        return Catalogue(
            entries={name: self._entry(name, events.get(name, ())) for name in sorted(names)},
            contexts={name: ContextEntry(name, contexts[name]) for name in sorted(contexts)},
            composed={record.id: record for record in records if record.kind == "composed"},
            routing=self.routing,
            sources=tuple(self.sources),
            rejected=self.rejected,
            left_out=self.left_out,
        )

    def _entry(self, name: str, versions: tuple[EventType, ...]) -> Entry:
        return Entry(
            name=name,
            versions=versions,
            observation=self._observations.get(name),
            timeline=self._timelines.get(name, Timeline()),
            emitters=tuple(sorted(self._emitters.get(name, ()))),
        )


def _by_name(records: Iterable[EventType], kind: str) -> dict[str, tuple[EventType, ...]]:
    by_name: dict[str, tuple[EventType, ...]] = {}
    for record in records:
        if record.kind == kind:
            by_name[record.name] = (*by_name.get(record.name, ()), record)
    return by_name
