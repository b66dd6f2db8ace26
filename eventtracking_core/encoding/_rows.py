"""Events as rows of a table: the JSON of each, and the columns by which it is found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from eventtracking_core.encoding._batches import encode_each, in_json
from eventtracking_core.encoding._columns import Columns, Head, read_columns, user_text
from eventtracking_core.encoding._json import encode_json
from eventtracking_core.encoding._normal import normalize_event

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = [
    "Cells",
    "Lines",
    "Table",
    "encode_columns",
    "encode_heads",
    "encode_table",
    "encode_with_columns",
]

Read_co = TypeVar("Read_co", bound=Head, covariant=True)

Cells = tuple[bytes, str, str, datetime, str | None, str | None, str | None]
"""A row of a `Table`."""

_OPTIONAL: Final = frozenset({str, type(None)})


class Lines(NamedTuple, Generic[Read_co]):
    """Events that have a JSON; equal places of all lists are of one event."""

    indexes: Sequence[int]
    """In the batch that was encoded."""

    texts: Sequence[bytes]
    columns: Sequence[Read_co]
    """Or heads."""


class Table(NamedTuple):
    """Events by columns; a row is an event's, and agrees with its JSON."""

    texts: list[bytes]
    ids: list[str]
    names: list[str]
    moments: list[datetime]
    user_ids: list[str | None]
    name_ids: list[str | None]
    context_type_ids: list[str | None]

    def replace(self, index: int, text: bytes) -> None:
        """Replace the row of an event by that of another JSON.

        Raises:
            ValueError: it is not an event in normal form.
        """
        columns: tuple[list[Any], ...] = self
        for column, value in zip(columns, _cells(text, read_columns(text)), strict=True):
            column[index] = value


def encode_with_columns(event: Event) -> tuple[bytes, Columns]:
    """Return the JSON of an event, and its columns; of its normal form if it has none itself."""
    text = encode_json(event)
    try:
        return text, read_columns(text)
    except ValueError:
        text = encode_json(normalize_event(event))
        return text, read_columns(text)


def encode_columns(events: Sequence[Event]) -> tuple[Lines[Columns], dict[int, Exception]]:
    """Return the events of a batch beside their columns, without those that fail.

    For sinks that name or place events by their columns; see `encode_each` for the failures. The
    texts of a `JsonBatch` are taken as they are.
    """
    batch = in_json(events)
    if batch is not None:
        with suppress(ValueError):
            return Lines(range(len(events)), batch.texts, batch.columns), {}
    pairs, failures = encode_each(events, encode_with_columns)
    texts, columns = map(list, zip(*pairs.values(), strict=True)) if pairs else ([], [])
    return Lines(list(pairs), texts, columns), failures


def encode_heads(events: Sequence[Event]) -> tuple[Lines[Head], dict[int, Exception]]:
    """Return what `encode_columns` returns, with no more than the head of each event."""
    batch = in_json(events)
    if batch is not None:
        with suppress(ValueError):
            return Lines(range(len(events)), batch.texts, batch.heads), {}
    return encode_columns(events)


def encode_table(events: Sequence[Event]) -> tuple[Table, dict[int, Exception]]:
    """Return the events of a batch by columns, without those that fail; see `encode_each`.

    For drivers that take columns, or many rows at once. The events of a `JsonBatch` or a
    `NormalBatch` take a third of the time.
    """
    lines, failures = encode_columns(events)
    columns = lines.columns
    try:
        moments = [each.moment for each in columns]
    except ValueError:  # a time as text in a `NormalBatch`, from a file
        return encode_table(list(events))
    table = Table(
        list(lines.texts),
        [each.id for each in columns],
        [each.name for each in columns],
        moments,
        _user_texts([each.context.user_id for each in columns]),
        _texts([each.name_id for each in columns]),
        _texts([each.context_type_id for each in columns]),
    )
    return table, failures


def _user_texts(values: list[Any]) -> list[str | None]:
    return [value if type(value) is str and value else user_text(value) for value in values]


def _texts(values: list[Any]) -> list[str | None]:
    if _OPTIONAL.issuperset(map(type, values)):
        return values
    return [value if type(value) is str else None for value in values]


def _cells(text: bytes, columns: Columns) -> Cells:
    return text, columns.id, columns.name, columns.moment, columns.user_text, *columns.type_ids
