"""Validate events against the records of their types, as `emit` does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eventtracking_core import Event
from eventtracking_core.registry import EventType
from eventtracking_core.validation.schema import FieldSchema, context_schema, data_schema
from eventtracking_core.validation.violations import Violation, mismatches

__all__ = ["Checker"]

_UNREGISTERED: Final = "this name is not registered"


class Checker:
    """Finds differences between events and their records."""

    def __init__(self) -> None:
        self._schemas: dict[str, tuple[FieldSchema, FieldSchema]] = {}

    def violations(self, event: Event, record: EventType | None) -> Iterator[Violation]:
        """Yield the violations of an event; its record is None if the type is not registered."""
        if record is None:
            yield Violation("unregistered", "", _UNREGISTERED)
            return
        if record.id not in self._schemas:
            self._schemas[record.id] = data_schema(record), context_schema(record)
        data, context = self._schemas[record.id]
        yield from mismatches(data, event["data"], "data.")
        yield from mismatches(context, event["context"], "context.")
