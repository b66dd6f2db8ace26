"""A view per event type, with a typed column per documented field.

Views only grow: a field keeps its column, also when its documentation is removed, and a field whose
type changes gets a further column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc
from eventtracking_core.registry.columns import (
    ColumnType,
    Path,
    column_type,
    documented_fields,
    named_columns,
)
from eventtracking_postgres.tables import MAX_NAME

__all__ = ["columns", "identifier", "view"]

_OWN: Final = ("id", "timestamp", "user_id", "name_id", "context_type_id")
"""Columns that every view has."""

_SQL_TYPES: Final[Mapping[ColumnType, str]] = {
    "string": "text",
    "integer": "numeric",
    "number": "numeric",
    "boolean": "boolean",
}
_EXPRESSIONS: Final[Mapping[str, str]] = {
    "text": "({value} #>> '{{}}')",
    "numeric": "CASE WHEN jsonb_typeof({value}) = 'number' THEN ({value})::numeric END",
    "boolean": "CASE WHEN jsonb_typeof({value}) = 'boolean' THEN ({value})::boolean END",
    "jsonb": "{value}",
}
_VALUE: Final = "(event #> {path})"
_VIEW: Final = """
CREATE OR REPLACE VIEW {view} AS SELECT {columns} FROM {table} WHERE name = {name}
"""


Columns = Mapping[tuple[Path, str], str]
"""The names of columns, by the path of their field and their SQL type."""


def columns(records: Iterable[EventType]) -> Columns:
    """Return the columns of an event type, the ones of its first record first."""
    fields = documented_fields(records)
    storable = ((tuple(map(_without_nul, path)), doc) for path, doc in fields)
    return named_columns(storable, _OWN, type_of=_type, names=_names)


def view(schema: str, name: str, table: Composable, fields: Columns) -> Composed:
    """Return the statement that creates or extends the view of an event type.

    Args:
        schema: where the view is.
        name: of the event type.
        table: the table of events.
        fields: the view's columns, after those that every view has.
    """
    selected: list[Composable] = [Identifier(own) for own in _OWN]
    for (path, kind), column in fields.items():
        value = SQL(_VALUE).format(path=Literal(list(path)))
        expression = SQL(_EXPRESSIONS[kind]).format(value=value)
        selected.append(SQL("{} AS {}").format(expression, Identifier(column)))
    return SQL(_VIEW).format(
        view=Identifier(schema, identifier(name)),
        columns=SQL(", ").join(selected),
        table=table,
        name=Literal(name),
    )


def identifier(name: str) -> str:
    """Return a name as PostgreSQL can have it: a long one is cut, and ends with a hash."""
    name = _without_nul(name)
    encoded = name.encode()
    if len(encoded) <= MAX_NAME:
        return name
    mark = f"…{sha256(encoded).hexdigest()[:8]}"
    return encoded[: MAX_NAME - len(mark.encode())].decode(errors="ignore") + mark


def _names(path: Path, kind: str) -> Iterator[str]:
    dotted = ".".join(path)
    return map(identifier, (".".join(path[1:]), dotted, f"{dotted} ({kind})"))


def _type(doc: FieldDoc) -> str:
    kind = column_type(doc)
    return "jsonb" if kind is None else _SQL_TYPES[kind]


def _without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd")
