"""The fields of a type as a tree: what lies in what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from eventtracking_core.registry.jsonschema import open_objects
from eventtracking_core.registry.record import EventType, FieldDoc

__all__ = ["FieldSchema", "context_schema", "data_schema"]

_ANY: Final[frozenset[str]] = frozenset()


class FieldSchema:
    """A field, with those that lie in it; or the whole, without a name.

    `types` are those it may be of, any if empty; `is_open` tells whether it may have fields that
    nobody described. The items of an array have the array's shape.
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
        for inner in self.fields.values():
            yield inner.path
            yield from inner.paths()


def data_schema(record: EventType) -> FieldSchema:
    """Return what the data of an event of a type source like."""
    opened = open_objects(record.schema) if record.schema is not None else frozenset()
    return _shape(record.fields, opened)


def context_schema(record: EventType) -> FieldSchema:
    """Return what the context of an event of a type has; there may be more in it."""
    return _shape(record.context_fields, frozenset({""}))


def _shape(docs: Iterable[FieldDoc], opened: frozenset[str]) -> FieldSchema:
    whole = FieldSchema("")
    whole.is_open = "" in opened
    made = {"": whole}
    for doc in sorted(docs, key=lambda doc: doc.name.count(".")):
        holder = _holder(made, doc)
        inner = FieldSchema(doc.name, doc)
        inner.is_open = doc.name in opened
        made[doc.name] = inner
        holder.fields[doc.name[len(holder.path) :].lstrip(".")] = inner
    return whole


def _holder(made: dict[str, FieldSchema], doc: FieldDoc) -> FieldSchema:
    """Return what a field lies in; where nobody described that, it is there for its fields."""
    above, _, _ = doc.name.rpartition(".")
    if above not in made:
        upper = _holder(made, FieldDoc(above, required=doc.required))
        made[above] = FieldSchema(above)
        upper.fields[above[len(upper.path) :].lstrip(".")] = made[above]
    holder = made[above]
    if above and not holder.types:
        holder.is_required = holder.is_required or doc.required
    return holder
