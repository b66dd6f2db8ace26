"""A view per event type, with a typed column per documented field.

Views only grow: a field keeps its column, also when its documentation is removed, and a field whose
type changes gets a further column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc
from eventtracking_postgres.tables import MAX_NAME

__all__ = ["Column", "columns", "identifier", "view"]

_OWN: Final = ("id", "timestamp", "user_id", "name_id", "context_type_id")
"""Columns that every view has."""

_SQL_TYPES: Final[Mapping[str, str]] = {
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


class Column(NamedTuple):
    """A column of a view: its name, its type, and the path of its field."""

    name: str
    type: str
    path: tuple[str, ...]


def columns(records: Iterable[EventType]) -> list[Column]:
    """Return the columns of an event type, the ones of its first record first."""
    found: dict[tuple[tuple[str, ...], str], Column] = {}
    names = set(_OWN)
    for path, kind in (field for record in records for field in _fields(record)):
        if (path, kind) in found:
            continue
        name = identifier(".".join(path[1:]))
        for other in (".".join(path), f"{'.'.join(path)} ({kind})"):
            name = identifier(other) if name in names else name
        if name not in names:
            names.add(name)
            found[path, kind] = Column(name, kind, path)
    return list(found.values())


def view(schema: str, name: str, table: Composable, fields: Iterable[Column]) -> Composed:
    """Return the statement that creates or extends the view of an event type.

    Args:
        schema: where the view is.
        name: of the event type.
        table: the table of events.
        fields: the view's columns, after those that every view has.
    """
    selected: list[Composable] = [Identifier(own) for own in _OWN]
    for column in fields:
        value = SQL(_VALUE).format(path=Literal(list(column.path)))
        expression = SQL(_EXPRESSIONS[column.type]).format(value=value)
        selected.append(SQL("{} AS {}").format(expression, Identifier(column.name)))
    return SQL(_VIEW).format(
        view=Identifier(schema, identifier(name)),
        columns=SQL(", ").join(selected),
        table=table,
        name=Literal(name),
    )


def identifier(name: str) -> str:
    """Return a name as PostgreSQL can have it: a long one is cut, and ends with a hash."""
    name = name.replace("\0", "\ufffd")
    encoded = name.encode()
    if len(encoded) <= MAX_NAME:
        return name
    mark = f"…{sha256(encoded).hexdigest()[:8]}"
    return encoded[: MAX_NAME - len(mark.encode())].decode(errors="ignore") + mark


def _fields(record: EventType) -> Iterator[tuple[tuple[str, ...], str]]:
    for part, docs in (("data", record.fields), ("context", record.context_fields)):
        for doc in docs:
            name = doc.name.replace("\0", "\ufffd")
            yield (part, *name.split(".")), _type(doc)


def _type(doc: FieldDoc) -> str:
    kinds = {kind for kind in (doc.type or "").split("|") if kind != "null"}
    types = {_SQL_TYPES.get(kind, "jsonb") for kind in kinds}
    return types.pop() if len(types) == 1 else "jsonb"
