"""Events as Parquet: a typed column for each documented field, and the whole event as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import id_text
from eventtracking_core.registry import FieldDoc
from eventtracking_objects.rows import Row

__all__ = ["Column", "columns", "table", "texts"]

_TYPES: Final[Mapping[str, Any]] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
_OWN: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("user_id", pa.string()),
        pa.field("name_id", pa.string()),
        pa.field("context_type_id", pa.string()),
        pa.field("event", pa.string(), nullable=False),
    ]
)
pa.array([""])  # pyarrow imports pandas with its first array: not in the time of a batch

_OTHERS: Final = re.compile(r"[^A-Za-z0-9]+")
_INT64: Final = range(-(2**63), 2**63)


class Column(NamedTuple):
    """A column of a documented field: its name, its JSON type, and the path of its field."""

    name: str
    type: str
    path: tuple[str, ...]


def columns(records: Iterable[EventType]) -> list[Column]:
    """Return the columns of an event type, those of its first record first.

    A field whose type changes gets a further column, so a column never changes its type.
    """
    found: dict[tuple[tuple[str, ...], str], Column] = {}
    names = set(_OWN.names)
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


def table(rows: Sequence[Row], fields: Sequence[Column]) -> bytes:
    """Return a Parquet file of events.

    Args:
        rows: the events.
        fields: the columns after those that every file has.
    """
    events = [each.event for each in rows]
    arrays = [
        pa.array([event["id"] for event in events], pa.string()),
        pa.array([event["name"] for event in events], pa.string()),
        pa.array([event["timestamp"] for event in events], pa.timestamp("us", tz="UTC")),
        pa.array([_user(event) for event in events], pa.string()),
        pa.array([_text(event.get("name_id")) for event in events], pa.string()),
        pa.array([_text(event.get("context_type_id")) for event in events], pa.string()),
        pa.array([each.text.decode() for each in rows], pa.string()),
    ]
    schema = _OWN
    for column in fields:
        convert = _CONVERTERS[column.type]
        values = [convert(_value(event, column.path)) for event in events]
        arrays.append(pa.array(values, _TYPES[column.type]))
        schema = schema.append(pa.field(column.name, _TYPES[column.type]))
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    written: bytes = sink.getvalue().to_pybytes()
    return written


def texts(data: bytes) -> list[str]:
    """Return the JSON of the events of a Parquet file."""
    read = parquet.read_table(pa.BufferReader(data), columns=["event"], use_threads=False)
    found: list[str] = read["event"].to_pylist()
    return found


def _type(doc: FieldDoc) -> str | None:
    """Return the type of a field's column; None if it has none, or several."""
    kinds = {kind for kind in (doc.type or "").split("|") if kind != "null"}
    if kinds == {"integer", "number"}:
        return "number"
    kind = kinds.pop() if len(kinds) == 1 else ""
    return kind if kind in _TYPES else None


def _value(event: Event, path: Sequence[str]) -> object:
    value: object = event
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _user(event: Event) -> str | None:
    return id_text(event["context"].get("user_id")) or None


def _text(value: object) -> str | None:
    """Return a text as UTF-8 can have it; None for another value."""
    if not isinstance(value, str):
        return None
    return value.encode(errors="replace").decode()


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


_CONVERTERS: Final[Mapping[str, Callable[[object], object]]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
