"""Write events as CSV: how those of one shape become rows is worked out once."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from itertools import chain, islice
from operator import itemgetter
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, NamedTuple, TextIO

from msgspec import to_builtins

from eventtracking_cli.flattening import as_text, check_number, flatten, in_order
from eventtracking_core import Event
from eventtracking_core._text import encodable

__all__ = ["write_csv"]

FIRST: Final = 10_000
"""Events that are read before the first is written: mostly they have all the columns."""

BATCH: Final = 1000
"""Rows that are written at a time."""

MAX_PLANS: Final = 1000
"""Shapes of events that are remembered at a time."""

_NESTED: Final = 2
"""The objects of an event whose context and data hold none."""

_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    int: str,
    float: str,
    bool: ("false", "true").__getitem__,
    datetime: to_builtins,
}
_is_special: Final = re.compile(r'[",\r\n]').search


class _Plan(NamedTuple):
    """How events with the same fields, of the same types, become rows."""

    converted: tuple[tuple[int, Callable[[Any], str]], ...]
    """Positions of values that are not text, and their text."""
    arranged: Callable[[list[Any]], Sequence[str]]
    """Puts values, with an empty text after them, in the order of the columns."""


def write_csv(events: Iterable[Event], file: BinaryIO) -> None:
    """Write a header and a row for each event.

    All columns are known only after the last event, so rows wait in a temporary file.
    """
    events = iter(events)
    table = _Table()
    with TemporaryFile() as temporary, _text(file) as output:
        with _text(temporary) as draft:
            first = list(islice(events, FIRST))
            table.expect(first)
            _write(draft, table.rows(chain(first, events)))
        temporary.seek(0)
        columns = in_order(table.columns)
        _write(output, [columns])
        if columns == table.columns and not table.has_grown:
            output.flush()
            copyfileobj(temporary, file)
        else:
            _rearrange(temporary, table.columns, output, columns)


class _Table:
    """Rows of events. Columns that the first events don't have are added after the others."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.has_grown = False
        self._known: set[str] = set()
        self._plans: dict[tuple[Any, ...], _Plan | None] = {}

    def expect(self, events: Iterable[Event]) -> None:
        """Make the columns of the first events."""
        for _ in self.rows(events):
            pass
        self.columns = in_order(self.columns)
        self._plans.clear()
        self.has_grown = False

    def rows(self, events: Iterable[Event]) -> Iterator[Sequence[str]]:
        """Yield the texts of each event in the order of the columns, as far as there are any."""
        plans = self._plans
        for event in events:
            context, data = event["context"], event["data"]
            values = [*event.values(), *context.values(), *data.values()]
            kinds = tuple(map(type, values))
            shape: tuple[Any, ...] = (*event, None, *context, None, *data, *kinds)
            if kinds.count(dict) != _NESTED:
                inner = _parts(event)[_NESTED:]
                values += chain.from_iterable(part.values() for part in inner)
                kinds = tuple(map(type, values))
                shape = (*shape, *(key for part in inner for key in (None, *part)), *kinds)
            try:
                plan = plans[shape]
            except KeyError:
                plan = plans[shape] = self._planned(event, kinds)
            if plan is None:
                yield self._flattened(event)
                continue
            for index, text in plan.converted:
                values[index] = text(values[index])
            values.append("")
            yield plan.arranged(values)

    def _planned(self, event: Event, kinds: tuple[type, ...]) -> _Plan | None:
        """Return the plan for events as this one, None if they are to be flattened singly.

        Those have mappings that are not dicts, or two fields of one name: `{"a.b": 1, "a": {…}}`.
        """
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        names = _names(event)
        has_others = any(issubclass(kind, Mapping) and kind is not dict for kind in kinds)
        if has_others or len(set(names)) < len(names):
            return None
        fields = {
            name: index if kinds[index] is not type(None) else len(kinds)
            for index, name in enumerate(names)
            if kinds[index] is not dict
        }
        self._add(flatten(event))  # in the order in which a reader finds them
        return _Plan(
            tuple(
                (index, _TEXTS.get(kind, as_text))
                for index, kind in enumerate(kinds)
                if kind not in (str, dict, type(None))
            ),
            itemgetter(*(fields.get(column, len(kinds)) for column in self.columns)),
        )

    def _flattened(self, event: Event) -> list[str]:
        row = flatten(event)
        self._add(row)
        values = map(row.get, self.columns)
        return [
            "" if value is None else _TEXTS.get(type(value), as_text)(value) for value in values
        ]

    def _add(self, columns: Iterable[str]) -> None:
        new = [column for column in columns if column not in self._known]
        if new:
            self._known.update(new)
            self.columns += new
            self.has_grown = True
            check_number(self.columns)


def _parts(event: Event) -> list[dict[str, Any]]:
    """Return the objects of an event: its context, its data, and level by level those in them."""
    parts = [event["context"], event["data"]]
    for part in parts:  # which grows meanwhile
        parts += [value for value in part.values() if type(value) is dict]
    return parts


def _names(event: Event) -> list[str]:
    """Return the dotted fields of an event: its own, then those of its parts."""
    names = list[str](event)
    prefixes = ["context.", "data."]
    for prefix, part in zip(prefixes, _parts(event), strict=True):
        names += [f"{prefix}{key}" for key in part]
        prefixes += [f"{prefix}{key}." for key, value in part.items() if type(value) is dict]
    return names


def _rearrange(draft: BinaryIO, columns: list[str], output: TextIO, wanted: list[str]) -> None:
    """Write rows of a draft, the first of which may lack the last columns, in another order."""
    arranged = itemgetter(*map(columns.index, wanted))
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with _text(draft) as text:
            rows = csv.reader(text)
            _write(output, (arranged(row + [""] * (len(columns) - len(row))) for row in rows))
    finally:
        csv.field_size_limit(limit)


def _write(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    lines = map(_line, rows)
    while batch := list(islice(lines, BATCH)):
        text = "\n".join(batch) + "\n"
        try:
            file.write(text)
        except UnicodeEncodeError:  # half a character, from a log
            file.write(encodable(text))


def _line(texts: Sequence[str]) -> str:
    """Return a row as `csv.writer` writes it, which looks at each character and takes longer."""
    line = ",".join(texts)
    if line.count(",") >= len(texts) or '"' in line or "\n" in line or "\r" in line:
        return ",".join([_quoted(text) if _is_special(text) else text for text in texts])
    return line


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@contextmanager
def _text(file: BinaryIO) -> Iterator[TextIO]:
    """Write or read text in a file of bytes, which stays open."""
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()
