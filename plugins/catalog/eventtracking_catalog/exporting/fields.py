"""Fields as a tree: those with dotted names lie in others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from eventtracking_core.registry import FieldDoc

__all__ = ["Node", "tree"]


@dataclass
class Node:
    """A field and those in it, by the last parts of their names."""

    doc: FieldDoc
    fields: dict[str, Node] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The JSON Schema types it may have; none, where it may have any."""
        if self.doc.type is None:
            return ("object",) if self.fields else ()
        return tuple(self.doc.type.split("|"))


def tree(docs: Iterable[FieldDoc]) -> dict[str, Node]:
    """Return fields by their names; a field that only its inner fields speak of is an object.

    The fields in an array are those of its items.
    """
    top: dict[str, Node] = {}
    for doc in sorted(docs, key=lambda doc: doc.name.count(".")):
        *outer, last = doc.name.split(".")
        fields = top
        path = ""
        for part in outer:
            path = f"{path}.{part}" if path else part
            fields = fields.setdefault(part, Node(FieldDoc(name=path, type="object"))).fields
        fields[last] = Node(doc)
    return top
