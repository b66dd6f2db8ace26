"""Validate events against the records of their types, as `emit` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from eventtracking_core import Event
from eventtracking_core.registry import EventType
from eventtracking_core.validation.schema import FieldSchema, context_schema, data_schema
from eventtracking_core.validation.violations import mismatches

__all__ = ["Checker", "Problem"]

_UNREGISTERED: Final = "this name is not registered"


class Problem(NamedTuple):
    """A difference between an event and its documentation; never contains a value of the event.

    Args:
        code: the kind of problem: `unregistered`, or one of the core's.
        path: the field's path, such as `data.address.street`; empty for the whole event.
        message: a description.
    """

    code: str
    path: str
    message: str


class Checker:
    """Finds differences between events and their records."""

    def __init__(self) -> None:
        self._schemas: dict[str, tuple[FieldSchema, FieldSchema]] = {}

    def problems(self, event: Event, record: EventType | None) -> Iterator[Problem]:
        """Yield the problems of an event; its record is None if the type is not registered."""
        if record is None:
            yield Problem("unregistered", "", _UNREGISTERED)
            return
        if record.id not in self._schemas:
            self._schemas[record.id] = data_schema(record), context_schema(record)
        data, context = self._schemas[record.id]
        yield from _mismatches(data, event["data"], "data.")
        yield from _mismatches(context, event["context"], "context.")


def _mismatches(schema: FieldSchema, values: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    for code, field, message in mismatches(schema, values, prefix):
        yield Problem(code, field, message)
