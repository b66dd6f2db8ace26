"""Observe the events of one name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from eventtracking_catalog.shapes import Shape
from eventtracking_core import Event
from eventtracking_core.registry import EventType, json_schema

__all__ = ["Observation"]

MAX_SAMPLES: Final = 3
"""Maximum number of sample events per name; each has fields that the others lack."""


class Observation:
    """The shapes of data and context, and a few samples, of the events of one name.

    Args:
        name: the events' name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = Shape()
        self.context = Shape()
        self.samples: list[Event] = []
        self.name_ids: set[str] = set()
        self.context_type_ids: set[str] = set()
        self._known: set[tuple[Any, ...]] = set()

    def add(self, event: Event) -> None:
        """Observe an event."""
        self.data.add(event["data"])
        self.context.add(event["context"])
        if "name_id" in event:
            self.name_ids.add(event["name_id"])
        if "context_type_id" in event:
            self.context_type_ids.add(event["context_type_id"])
        if len(self.samples) < MAX_SAMPLES:
            fields = (*event["data"], None, *event["context"])
            if fields not in self._known:
                self._known.add(fields)
                self.samples.append(event)

    def inferred(self) -> EventType:
        """Return a record of the observed fields, without descriptions."""
        record = EventType(
            name=self.name,
            fields=tuple(self.data.documented()),
            context_fields=tuple(self.context.documented()),
        )
        if not self.data.is_open:
            return record
        schema = json_schema(record)
        keywords = ("type", "properties", "required")
        narrow: dict[str, Any] = {key: schema[key] for key in keywords if key in schema}
        return replace(record, schema={**narrow, "additionalProperties": True})
