"""Events as Parquet: a typed column for each documented field, and the whole event as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import id_text
from eventtracking_core.registry import Column, typed_columns
from eventtracking_objects.rows import Row

__all__ = ["columns", "table", "texts"]

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
_NAME_ID: Final = Column("name_id", "string", ("name_id",))
_CONTEXT_TYPE_ID: Final = Column("context_type_id", "string", ("context_type_id",))
pa.array([""])  # pyarrow imports pandas with its first array: not in the time of a batch


def columns(records: Iterable[EventType]) -> list[Column]:
    """Return the columns of an event type, in the order of its records."""
    return typed_columns(records, _OWN.names)


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
        pa.array([_NAME_ID.value(event) for event in events], pa.string()),
        pa.array([_CONTEXT_TYPE_ID.value(event) for event in events], pa.string()),
        pa.array([each.text.decode() for each in rows], pa.string()),
    ]
    schema = _OWN
    for column in fields:
        values = [column.value(event) for event in events]
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


def _user(event: Event) -> str | None:
    return id_text(event["context"].get("user_id")) or None
