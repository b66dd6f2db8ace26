"""The columns that the documented fields of an event type have in a store with typed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry.record import EventType, FieldDoc

__all__ = ["Column", "ColumnType", "typed_columns"]

ColumnType = Literal["string", "integer", "number", "boolean"]
Scalar = str | int | float | bool | None

_OTHERS: Final = re.compile(r"[^A-Za-z0-9]+")
_INT64: Final = range(-(2**63), 2**63)


class Column(NamedTuple):
    """A column of a documented field: its name, its JSON type, and the path of its field."""

    name: str
    type: ColumnType
    path: tuple[str, ...]

    def value(self, event: Event) -> Scalar:
        """Return the value of an event in its normal form; None if it is of another type."""
        found: object = event
        for part in self.path:
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return _CONVERTERS[self.type](found)


def typed_columns(records: Iterable[EventType], own: Collection[str]) -> list[Column]:
    """Return the columns of an event type, those of its first record first.

    A field whose type changes gets a further column, so a column never changes its type. A field
    that is an object or an array, or may have several types, has none.

    Args:
        records: of one event type, in the order of their registration.
        own: names of columns that the store has for every event, in lower case.
    """
    found: dict[tuple[tuple[str, ...], ColumnType], Column] = {}
    names = set(own)
    for record in records:
        for part, docs in (("data", record.fields), ("context", record.context_fields)):
            for doc in docs:
                path, kind = (part, *doc.name.split(".")), _type(doc)
                if kind is None or (path, kind) in found:
                    continue
                name = _OTHERS.sub("_", "_".join(path)).strip("_")
                if name.lower() in names:  # queries tell names apart by more than their case
                    name = f"{name}_{kind}"
                if name.lower() not in names:
                    names.add(name.lower())
                    found[path, kind] = Column(name, kind, path)
    return list(found.values())


def _type(doc: FieldDoc) -> ColumnType | None:
    kinds = {kind for kind in (doc.type or "").split("|") if kind != "null"}
    if kinds == {"integer", "number"}:
        return "number"
    return next((kind for kind in get_args(ColumnType) if kinds == {kind}), None)


def _text(value: object) -> str | None:
    """Return a text as UTF-8 can have it; None for another value."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value in _INT64 else None


def _number(value: object) -> float | None:
    try:
        return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]
    except OverflowError:
        return None


def _boolean(value: object) -> bool | None:
    return value if type(value) is bool else None


_CONVERTERS: Final[Mapping[ColumnType, Callable[[object], Scalar]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
