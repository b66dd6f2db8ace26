"""Events as flat rows: a column for each field, named by its dotted path."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import click
from msgspec import to_builtins

__all__ = ["Row", "as_text", "check_number", "flatten", "in_order"]

MAX_COLUMNS: Final = 1000
"""Columns of a table: some applications make fields of ids."""

_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1
_AS_IT_IS: Final = frozenset((str, float, bool, type(None)))
_FIRST: Final = ("id", "name", "timestamp", "name_id", "context_type_id")

Row = dict[str, Any]


def flatten(fields: Mapping[str, Any]) -> Row:
    """Return an event's values by dotted path: texts, numbers, booleans and None."""
    row: Row = {}
    _fill(row, "", fields)
    return row


def in_order(columns: Iterable[str]) -> list[str]:
    """Return columns as a reader expects them: the event's own, its context, its data."""
    own = [column for column in _FIRST if column in columns]
    rest = [column for column in columns if column not in _FIRST]
    rest.sort(key=lambda column: not column.startswith("context."))
    return own + rest


def check_number(columns: Collection[str]) -> None:
    """Check that a table can have that many columns.

    Raises:
        ClickException: there are too many.
    """
    if len(columns) > MAX_COLUMNS:
        raise click.ClickException(
            f"there are more than {MAX_COLUMNS:,} fields; choose events by --name, or write them "
            "with --format ndjson"
        )


def as_text(value: Any) -> str:
    """Return the text of a value: of lists and objects, their JSON."""
    if isinstance(value, datetime):
        return str(to_builtins(value))  # as isoformat() has it, but Z for UTC, and faster
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _fill(row: Row, prefix: str, fields: Mapping[str, Any]) -> None:
    for key, value in fields.items():
        kind = type(value)
        if kind in _AS_IT_IS or (kind is int and _INT64_MIN <= value <= _INT64_MAX):
            row[prefix + key] = value
        elif isinstance(value, Mapping):
            _fill(row, f"{prefix}{key}.", value)
        else:
            row[prefix + key] = as_text(value)
