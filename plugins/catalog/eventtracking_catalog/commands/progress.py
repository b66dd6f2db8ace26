"""Say on a terminal how far the reading of logs is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import click

from eventtracking_core._text import escaped
from eventtracking_core.logs import STDIN

__all__ = ["Report", "report_progress"]

Report = Callable[[Path, int], None]
"""Called with a file and the number of its bytes that have been read."""

INTERVAL: Final = 0.2
"""Seconds between two looks."""

_CLEAR: Final = "\r\x1b[K"


@contextmanager
def report_progress() -> Iterator[Report | None]:
    """Show a line on stderr, which is gone in the end; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    begun = last = monotonic()

    def report(path: Path, position: int) -> None:
        nonlocal last
        now = monotonic()
        if now - last < INTERVAL:
            return
        last = now
        size = 0 if path == STDIN else path.stat().st_size
        share = f"{min(1.0, position / size):.0%}" if size else "…"
        text = f"reading {escaped(path.name)}: {share}, {now - begun:.0f} s elapsed"
        click.echo(f"{_CLEAR}{text}", nl=False, err=True)

    try:
        yield report
    finally:
        click.echo(_CLEAR, nl=False, err=True)
