"""Events as Parquet: a typed column for each documented field, and the whole event as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from eventtracking_core import EventType
from eventtracking_core.encoding import JsonBatch, decode_json
from eventtracking_core.registry import Column, typed_columns
from eventtracking_objects.batches import Group

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
pa.array([""])  # pyarrow imports pandas with its first array: not in the time of a batch


def columns(records: Iterable[EventType]) -> list[Column]:
    """Return the columns of an event type, in the order of its records."""
    return typed_columns(records, _OWN.names)


def table(group: Group, fields: Sequence[Column]) -> bytes:
    """Return a Parquet file of events.

    Args:
        group: the events.
        fields: the columns after those that every file has.
    """
    columns = JsonBatch(list(group.texts)).columns
    type_ids = [each.type_ids for each in columns]
    arrays = [
        pa.array(group.ids, pa.string()),
        pa.array([each.name for each in columns], pa.string()),
        pa.array([each.moment for each in columns], pa.timestamp("us", tz="UTC")),
        pa.array([each.user_text for each in columns], pa.string()),
        pa.array([name_id for name_id, _ in type_ids], pa.string()),
        pa.array([context_type_id for _, context_type_id in type_ids], pa.string()),
        pa.array(group.texts, pa.binary()).cast(pa.string()),
    ]
    schema = _OWN
    events = [decode_json(text) for text in group.texts] if fields else []
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
    lines: list[str] = read["event"].to_pylist()
    return lines
