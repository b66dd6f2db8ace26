"""A table with typed columns for each event type, which the server fills from the table of events.

Tables only grow: a field keeps its column when its documentation is removed, and one whose type
changes gets a further column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final

from eventtracking_clickhouse.tables import Tables, literal
from eventtracking_core import EventType
from eventtracking_core.registry import Column, typed_columns
from eventtracking_core.registry.columns import ColumnType

__all__ = ["typed_tables"]

LONGEST: Final = 100
"""Characters of an event type's name in the name of its table."""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")
_OWN: Final = ("timestamp", "id", "user_id", "name_id", "context_type_id")
"""Columns that every table has, as the table of events."""

_TYPES: Final[Mapping[ColumnType, str]] = {
    "string": "Nullable(String)",
    "integer": "Nullable(Int64)",
    "number": "Nullable(Float64)",
    "boolean": "Nullable(Bool)",
}
_JSON: Final[Mapping[ColumnType, str]] = {
    "string": "('String')",
    "integer": "('Int64', 'UInt64')",
    "number": "('Int64', 'UInt64', 'Double')",
    "boolean": "('Bool')",
}
"""What JSONType says of values of a type; any other value is NULL."""

_TABLE: Final = """\
CREATE TABLE IF NOT EXISTS {table} (
    timestamp DateTime64(6, 'UTC'),
    id String,
    user_id String,
    name_id LowCardinality(String),
    context_type_id LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (timestamp, id)"""
_SELECT: Final = "SELECT {columns}\nFROM {events} WHERE name = {name}"


def typed_tables(tables: Tables, event_types: Iterable[EventType]) -> Iterator[str]:
    """Yield the statements that create or extend the tables of event types.

    Args:
        tables: the names of the store's tables.
        event_types: records, oldest first.
    """
    by_name: dict[str, list[EventType]] = {}
    for record in event_types:
        if record.kind == "event":
            by_name.setdefault(record.name, []).append(record)
    for name, records in by_name.items():
        fields = typed_columns(records, _OWN)
        table, view = tables.beside(_suffix(name)), tables.beside(f"{_suffix(name)}_view")
        yield _TABLE.format(table=table)
        if fields:
            added = [f"ADD COLUMN IF NOT EXISTS {each.name} {_TYPES[each.type]}" for each in fields]
            yield f"ALTER TABLE {table}\n    " + ",\n    ".join(added)
        select = _select(tables, name, fields)
        yield f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO {table} AS\n{select}"
        yield f"ALTER TABLE {view} MODIFY QUERY\n{select}"


def _select(tables: Tables, name: str, fields: Sequence[Column]) -> str:
    columns = ",\n    ".join([", ".join(_OWN), *map(_selected, fields)])
    return _SELECT.format(columns=columns, events=tables.events, name=literal(name))


def _selected(column: Column) -> str:
    path = ", ".join(map(literal, column.path))
    value = f"JSONExtract(event, {path}, '{_TYPES[column.type]}')"
    return f"if(JSONType(event, {path}) IN {_JSON[column.type]}, {value}, NULL) AS {column.name}"


def _suffix(name: str) -> str:
    """Return an event type's name as part of a table's name; one that is cut ends with a hash."""
    plain = _UNSAFE.sub("_", name)[:LONGEST]
    return plain if plain == name else f"{plain}~{sha256(name.encode()).hexdigest()[:8]}"
