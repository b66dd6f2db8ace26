"""Printing what came from events and plugins: nothing in it may act on the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from eventtracking_cli.text import count, plain

__all__ = ["console", "count", "plain", "print_json", "print_rows"]

WIDE: Final = 200
"""Columns where there is no terminal to fit: files and pipes have no edge to wrap at."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes text as it stands: no markup, no emoji codes, no colouring in."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON; what is not printable is escaped, so it stays JSON and harmless."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    click.echo(text)


def print_rows(
    rows: Sequence[Mapping[str, object]], *columns: str, otherwise: str, as_json: bool
) -> None:
    """Print rows as a table that cuts nothing off, or as JSON.

    Args:
        rows: values by their names in JSON, in the order of the columns.
        columns: the table's headings.
        otherwise: what to say where there are no rows.
        as_json: print JSON.
    """
    if as_json:
        print_json(rows)
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(plain(value) for value in row.values()))
    console().print(table if rows else otherwise)
