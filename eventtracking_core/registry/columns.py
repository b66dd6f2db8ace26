"""The columns that the documented fields of an event type have in a store with typed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar, get_args

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry.record import EventType, FieldDoc

__all__ = [
    "Column",
    "ColumnType",
    "Path",
    "column_type",
    "documented_fields",
    "named_columns",
    "typed_columns",
]

T = TypeVar("T")
Path = tuple[str, ...]
"""The parts of a field's dotted name, after `data` or `context`."""

ColumnType = Literal["string", "integer", "number", "boolean"]
Scalar = str | int | float | bool | None

_OTHERS: Final = re.compile(r"[^A-Za-z0-9]+")
_INT64: Final = range(-(2**63), 2**63)


class Column(NamedTuple):
    """A column of a documented field: its name, its JSON type, and the path of its field."""

    name: str
    type: ColumnType
    path: Path

    def value(self, event: Event) -> Scalar:
        """Return the value of an event in its normal form; None if it is of another type."""
        value: object = event
        for part in self.path:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return _CONVERTERS[self.type](value)


def typed_columns(records: Iterable[EventType], own: Collection[str]) -> list[Column]:
    """Return the columns of an event type, those of its first record first.

    A field that is an object or an array, or may have several types, has none.

    Args:
        records: of one event type, in the order of their registration.
        own: names of columns that the store has for every event, in lower case.
    """
    fields = documented_fields(records)
    # Queries tell names apart by more than their case.
    columns: dict[tuple[Path, ColumnType], str] = named_columns(
        fields, own, type_of=column_type, names=_names, key=str.lower
    )
    return [Column(name, kind, path) for (path, kind), name in columns.items()]


def named_columns(
    fields: Iterable[tuple[Path, FieldDoc]],
    own: Iterable[str],
    *,
    type_of: Callable[[FieldDoc], T | None],
    names: Callable[[Path, T], Iterable[str]],
    key: Callable[[str], str] = str,
) -> dict[tuple[Path, T], str]:
    """Return the name of each column, by the path and the type of its field.

    Columns keep their names whatever is documented later. A field whose type changes gets a further
    column, so a column never changes its type.

    Args:
        fields: paths and descriptions, the earliest first.
        own: keys of the columns that the store has for every event.
        type_of: the type of a field's column; None if it has no column.
        names: of a column, the best one first; it gets the first one that is free, if there is one.
        key: names with the same key are one name to the store.
    """
    columns: dict[tuple[Path, T], str] = {}
    used = set(own)
    for path, doc in fields:
        kind = type_of(doc)
        if kind is None or (path, kind) in columns:
            continue
        name = next((each for each in names(path, kind) if key(each) not in used), None)
        if name is not None:
            used.add(key(name))
            columns[path, kind] = name
    return columns


def documented_fields(records: Iterable[EventType]) -> Iterator[tuple[Path, FieldDoc]]:
    """Yield the paths and the descriptions of the fields of records."""
    for record in records:
        own = "data" if record.kind == "event" else "context"
        for part, docs in ((own, record.fields), ("context", record.context_fields)):
            for doc in docs:
                yield (part, *doc.name.split(".")), doc


def column_type(doc: FieldDoc) -> ColumnType | None:
    """Return the one type of a field that is not null; None if there are several, or no scalar."""
    kinds = {kind for kind in (doc.type or "").split("|") if kind != "null"}
    if kinds == {"integer", "number"}:
        return "number"
    return next((kind for kind in get_args(ColumnType) if kinds == {kind}), None)


def _names(path: Path, kind: ColumnType) -> tuple[str, str]:
    name = _OTHERS.sub("_", "_".join(path)).strip("_")
    return name, f"{name}_{kind}"


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
