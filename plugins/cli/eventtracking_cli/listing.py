"""A table of events that fits its terminal: time, id, name, user, data."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Final, NamedTuple

import click
from rich.cells import cell_len, set_cell_size

from eventtracking_cli.terminal import plain
from eventtracking_core import Event
from eventtracking_core.encoding import encode_json

__all__ = ["Table", "cut", "full_time", "print_events", "short_id", "terminal_width"]

LOOKED_AT: Final = 200
"""Events by which the widths of columns are chosen."""

_GAP: Final = "  "
_SHORT_ID: Final = slice(9, 23)
_UUID_LENGTH: Final = 36
_LONGEST_SHORT_ID: Final = 14
_MAX_USER: Final = 12
_LEAST_NAME: Final = 12
_DATA: Final = 16
"""Cells that a long name leaves to the data."""
_USUAL: Final = ("12-31 12:00:00", "1234-7123-1234", "a.name.of.twenty.letters", "1234567")


class Widths(NamedTuple):
    """Columns of a table, in cells; the data take what is left."""

    time: int
    id: int
    name: int
    user: int


class Table:
    """Prints events as lines of columns.

    Args:
        width: cells of a line; None to cut nothing.
        sample: events by which the widths are chosen.
    """

    def __init__(self, width: int | None, sample: Sequence[Event]) -> None:
        self._width = width
        self._format, self._heading = _time_format(width, sample)
        rows = [self._columns(event) for event in sample] or [_USUAL]
        time, id_, name, user = (max(cell_len(row[column]) for row in rows) for column in range(4))
        time = max(time, len(self._heading))
        if width is not None:
            user = min(user, _MAX_USER)
            name = min(name, max(_LEAST_NAME, width - time - id_ - user - 4 * len(_GAP) - _DATA))
        self._widths = Widths(
            max(time, len(self._heading)), max(id_, 2), max(name, 4), max(user, 4)
        )

    def header(self) -> str:
        """Return the line above the events."""
        return self._line((self._heading, "id", "name", "user"), "data")

    def line(self, event: Event) -> str:
        """Return the line of an event."""
        data = json.dumps(event["data"], ensure_ascii=False, default=str)
        return self._line(self._columns(event), plain(data))

    def _columns(self, event: Event) -> tuple[str, str, str, str]:
        context = event["context"]
        user = next(
            (context[key] for key in ("user_id", "username") if context.get(key) is not None), "-"
        )
        if self._width is None:
            columns = full_time(event["timestamp"]), event["id"], event["name"], user
        else:
            time = event["timestamp"].strftime(self._format)
            columns = time, short_id(event["id"]), event["name"], user
        time, id_, name, user = map(plain, columns)
        return time, id_, name, user

    def _line(self, columns: Sequence[str], data: str) -> str:
        cells = [
            _fitted(text, width, keep_end=column == "name")
            for column, text, width in zip(Widths._fields, columns, self._widths, strict=True)
        ]
        line = _GAP.join([*cells, data])
        return line if self._width is None else _fitted(line, self._width).rstrip()


def _time_format(width: int | None, sample: Sequence[Event]) -> tuple[str, str]:
    """Return the format of the events' times, and a heading that has what the format leaves out."""
    today = datetime.now(UTC).date()
    days = {event["timestamp"].date() for event in sample}
    if len(days) == 1 and len(sample) < LOOKED_AT:  # these are all, as a rule
        [day] = days
        return "%H:%M:%S", "time" if day == today or width is None else f"{day}"
    is_recent = all(day.year == today.year for day in days)
    return "%m-%d %H:%M:%S" if is_recent else "%Y-%m-%d %H:%M:%S", "time"


def print_events(
    events: Iterable[Event], *, as_json: bool, wide: bool, looked_at: int = LOOKED_AT
) -> int:
    """Print events as they come, as a table or as lines of JSON; return how many.

    Args:
        events: what to print.
        as_json: print lines of JSON.
        wide: cut nothing off.
        looked_at: events to wait for, so that the widths of columns can be chosen.
    """
    if as_json:
        return _print_lines(encode_json(event) for event in events)
    iterator = iter(events)
    sample = list(islice(iterator, looked_at))
    table = Table(None if wide else terminal_width(), sample)
    if sample and sys.stdout.isatty():
        click.echo(click.style(table.header(), dim=True))
    elif sample:
        click.echo(table.header())
    return _print_lines(table.line(event) for event in chain(sample, iterator))


def _print_lines(lines: Iterable[str | bytes]) -> int:
    number = 0
    for line in lines:
        click.echo(line)
        number += 1
    return number


def terminal_width() -> int | None:
    """Return how many cells a line has; None in files and pipes, which have no edge."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return None


def full_time(time: datetime) -> str:
    """Return a time in UTC as RFC 3339, to the second."""
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def short_id(event_id: str) -> str:
    """Return a part of an id that hardly any other event has; `events show` accepts it."""
    if len(event_id) == _UUID_LENGTH:
        return event_id[_SHORT_ID]
    return event_id[-_LONGEST_SHORT_ID:]


def cut(text: str, width: int) -> str:
    """Return a text of a width at most, without its beginning if it is longer."""
    if cell_len(text) <= width:
        return text
    reversed_end = set_cell_size(text[::-1], width - 1)
    return f"…{reversed_end[::-1]}"


def _fitted(text: str, width: int, *, keep_end: bool = False) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return cut(text, width) if keep_end else f"{set_cell_size(text, width - 1)}…"
