"""The fields of an event type as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from eventtracking_core.registry.jsonschema import open_objects
from eventtracking_core.registry.record import EventType, FieldDoc

__all__ = ["FieldSchema", "context_schema", "data_schema"]

_ANY: Final[frozenset[str]] = frozenset()


class FieldSchema:
    """A field with the fields in it; without a path, the data or the context.

    The items of an array have the schema of the array.

    Attributes:
        path: the field's dotted name.
        fields: the fields in it, by name.
        types: what JSON Schema calls its types; any type if empty.
        enum: the only values it may have; any value if empty.
        is_required: whether an event without it is incomplete.
        is_open: whether it may have fields that nothing describes.
    """

    __slots__ = ("enum", "fields", "is_open", "is_required", "path", "types")

    def __init__(self, path: str, doc: FieldDoc | None = None) -> None:
        self.path = path
        self.fields: dict[str, FieldSchema] = {}
        self.types = frozenset(doc.type.split("|")) if doc and doc.type else _ANY
        self.enum = doc.enum if doc else ()
        self.is_required = doc.required if doc else False
        self.is_open = False

    def paths(self) -> Iterator[str]:
        """Yield the dotted name of each field in it, at any depth."""
        for field in self.fields.values():
            yield field.path
            yield from field.paths()


def data_schema(record: EventType) -> FieldSchema:
    """Return the schema of the data of a record's events."""
    opened = open_objects(record.schema) if record.schema is not None else frozenset()
    return _tree(record.fields, opened)


def context_schema(record: EventType) -> FieldSchema:
    """Return the schema of the context of a record's events, which may have further fields."""
    return _tree(record.context_fields, frozenset({""}))


def _tree(docs: Iterable[FieldDoc], opened: frozenset[str]) -> FieldSchema:
    root = FieldSchema("")
    root.is_open = "" in opened
    schemas = {"": root}
    for doc in sorted(docs, key=lambda doc: doc.name.count(".")):
        parent = _parent(schemas, doc)
        field = FieldSchema(doc.name, doc)
        field.is_open = doc.name in opened
        schemas[doc.name] = field
        parent.fields[doc.name[len(parent.path) :].lstrip(".")] = field
    return root


def _parent(schemas: dict[str, FieldSchema], doc: FieldDoc) -> FieldSchema:
    """Return the field that contains a field; one that nothing describes is added."""
    path, _, _ = doc.name.rpartition(".")
    if path not in schemas:
        above = _parent(schemas, FieldDoc(path, required=doc.required))
        schemas[path] = FieldSchema(path)
        above.fields[path[len(above.path) :].lstrip(".")] = schemas[path]
    parent = schemas[path]
    if path and not parent.types:
        parent.is_required = parent.is_required or doc.required
    return parent
