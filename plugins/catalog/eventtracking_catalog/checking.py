"""Hold events to the records of their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from eventtracking_catalog.differences import types_of
from eventtracking_catalog.exporting.fields import Node, tree
from eventtracking_catalog.shapes import json_type
from eventtracking_core import Event
from eventtracking_core.registry import EventType

__all__ = ["Checker", "Problem", "Violation"]

Problem = Literal["unregistered", "unknown field", "missing field", "wrong type", "not a choice"]

_UNREGISTERED: Final = "nobody registered this name"


class Violation(NamedTuple):
    """Something in an event that is not as documented; it never holds a value of the event.

    Args:
        problem: of which kind it is.
        path: of the field, as `data.address.street`; empty for the whole event.
        expected: what the record says.
    """

    problem: Problem
    path: str
    expected: str


class Checker:
    """Finds what in events is not as their records say."""

    def __init__(self) -> None:
        self._trees: dict[str, tuple[dict[str, Node], dict[str, Node]]] = {}

    def violations(self, event: Event, record: EventType | None) -> Iterator[Violation]:
        """Yield the violations of an event; its record is None where nobody registered it."""
        if record is None:
            yield Violation("unregistered", "", _UNREGISTERED)
            return
        if record.id not in self._trees:
            self._trees[record.id] = tree(record.fields), tree(record.context_fields)
        data, context = self._trees[record.id]
        values = event["data"]
        if _is_open(record):
            values = {key: value for key, value in values.items() if key in data}
        yield from _object(values, data, "data")
        # The context is the union of several, most of which the record need not know.
        known = {key: value for key, value in event["context"].items() if key in context}
        yield from _object(known, context, "context")


def _is_open(record: EventType) -> bool:
    """Tell whether its schema welcomes fields that it does not describe."""
    schema = record.schema or {}
    allowed = schema.get("additionalProperties", False) is not False
    return allowed or bool(schema.get("patternProperties"))


def _object(
    values: Mapping[str, Any], fields: Mapping[str, Node], path: str
) -> Iterator[Violation]:
    for key in values:
        if key not in fields:
            yield Violation("unknown field", f"{path}.{key}", "not documented")
    for key, node in fields.items():
        inner = f"{path}.{key}"
        if key in values:
            yield from _value(values[key], node, inner)
        elif node.doc.required:
            yield Violation("missing field", inner, f"required: {types_of(node.doc)}")


def _value(value: Any, node: Node, path: str) -> Iterator[Violation]:
    if not _is_of(value, node.kinds):
        found = json_type(value)
        yield Violation("wrong type", path, f"expected {types_of(node.doc)}, got {found}")
        return
    if node.doc.enum and value not in node.doc.enum:
        yield Violation("not a choice", path, f"expected one of {len(node.doc.enum)} choices")
    if not node.fields:
        return
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield from _object(item, node.fields, path)


def _is_of(value: Any, kinds: tuple[str, ...]) -> bool:
    kind = json_type(value)
    if not kinds or kind in kinds:
        return True
    if kind == "integer":
        return "number" in kinds
    return kind == "number" and "integer" in kinds and float(value).is_integer()
