"""Write events as CSV: those of one shape are converted by one plan, mostly in C."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain, islice
from operator import itemgetter
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, NamedTuple, Protocol, TextIO

from eventtracking_cli.flattening import as_text, check_number, flatten, in_order
from eventtracking_core import Event

__all__ = ["write_csv"]

FIRST: Final = 10_000
"""Events that are read before the first is written: mostly they have all the columns."""

MAX_PLANS: Final = 1000
"""Shapes of events that are remembered at a time."""

_PARTS: Final = ("context", "data")
_AS_IT_IS: Final = (str, int, float, type(None))

_Values = list[Any]


class _Writer(Protocol):
    def writerow(self, row: Iterable[Any], /) -> object: ...
    def writerows(self, rows: Iterable[Iterable[Any]], /) -> object: ...


class _Plan(NamedTuple):
    """How events with the same fields, of the same types, become rows."""

    converted: tuple[tuple[int, Callable[[Any], str]], ...]
    """Positions of values that the CSV writer would not write as we do, and their text."""
    arranged: Callable[[_Values], Iterable[Any]]
    """Puts values, with a None after them, in the order of the columns."""


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
            _writer(draft).writerows(table.rows(chain(first, events)))
        temporary.seek(0)
        columns = in_order(table.columns)
        _writer(output).writerow(columns)
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

    def rows(self, events: Iterable[Event]) -> Iterator[Iterable[Any]]:
        """Yield the values of each event in the order of the columns, as far as there are any."""
        plans = self._plans
        for event in events:
            context, data = event["context"], event["data"]
            values = [*event.values(), *context.values(), *data.values()]
            shape = (*event, None, *context, None, *data, *map(type, values))
            try:
                plan = plans[shape]
            except KeyError:
                plan = self._planned(shape, event, context, data)
            if plan is None:
                yield self._flattened(event)
                continue
            for index, convert in plan.converted:
                values[index] = convert(values[index])
            values.append(None)
            yield plan.arranged(values)

    def _planned(
        self, shape: tuple[Any, ...], event: Event, *parts: Mapping[str, Any]
    ) -> _Plan | None:
        """Return the plan for a shape of event, None if its values are nested deeper."""
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        names = list[str](event)
        values = list[Any](event.values())
        for prefix, part in zip(_PARTS, parts, strict=True):
            names += (f"{prefix}.{key}" for key in part)
            values += part.values()
        fields = {name: index for index, name in enumerate(names) if name not in _PARTS}
        kinds = {index: type(values[index]) for index in fields.values()}
        plan = None
        if not any(issubclass(kind, Mapping) for kind in kinds.values()):
            self._add(fields)
            plan = _Plan(
                tuple(
                    (index, _boolean if kind is bool else as_text)
                    for index, kind in kinds.items()
                    if kind not in _AS_IT_IS
                ),
                itemgetter(*(fields.get(column, len(values)) for column in self.columns)),
            )
        self._plans[shape] = plan
        return plan

    def _flattened(self, event: Event) -> _Values:
        row = flatten(event)
        self._add(row)
        values = map(row.get, self.columns)
        return [_boolean(value) if type(value) is bool else value for value in values]

    def _add(self, columns: Iterable[str]) -> None:
        new = [column for column in columns if column not in self._known]
        if new:
            self._known.update(new)
            self.columns += new
            self.has_grown = True
            check_number(self.columns)


def _rearrange(draft: BinaryIO, columns: list[str], output: TextIO, wanted: list[str]) -> None:
    """Write rows of a draft, the first of which may lack the last columns, in another order."""
    arranged = itemgetter(*map(columns.index, wanted))
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with _text(draft) as text:
            rows = csv.reader(text)
            _writer(output).writerows(
                arranged(row + [""] * (len(columns) - len(row))) for row in rows
            )
    finally:
        csv.field_size_limit(limit)


def _boolean(value: bool) -> str:  # noqa: FBT001  it converts one
    return "true" if value else "false"


class _Lines:
    """Lines end with LF. The writer quotes what its own line terminator has: CR and LF."""

    def __init__(self, file: TextIO) -> None:
        self._write = file.write

    def write(self, line: str) -> int:
        return self._write(line[:-2] + "\n")


def _writer(file: TextIO) -> _Writer:
    return csv.writer(_Lines(file), lineterminator="\r\n")


@contextmanager
def _text(file: BinaryIO) -> Iterator[TextIO]:
    """Write or read text in a file of bytes, which stays open."""
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()
