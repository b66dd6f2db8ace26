"""How far `ingest` is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from eventtracking_cli.terminal import console, plain
from eventtracking_core.logs import STDIN, Source

__all__ = ["Progress", "show_progress"]

PLAIN_STEP: Final = 100_000
"""Lines between two progress reports where there is no terminal."""

_NAME_WIDTH: Final = 20


class Progress:
    """Says how far reading is: a line now and then, where there is no terminal."""

    def update(self, source: Source, lines: int) -> None:
        """Show how many lines have been read."""
        del source
        if lines % PLAIN_STEP == 0:
            click.echo(f"{lines:,} lines read", err=True)

    def message(self, text: str) -> None:
        """Print a message."""
        click.echo(text, err=True)


class _Bars(Progress):
    """Draws a bar for each file; messages stand above the bars."""

    def __init__(self, bars: Bars, files: tuple[Path, ...]) -> None:
        self._bars = bars
        sizes = {path: path.stat().st_size for path in files if path != STDIN}
        self._tasks = {
            path: bars.add_task(
                plain(path.name)[-_NAME_WIDTH:],
                total=sizes.get(path) or None,
                start=False,
                lines=0,
                rate=0,
            )
            for path in dict.fromkeys(files)
        }
        self._begun: dict[Path, tuple[int, float]] = {}

    def update(self, source: Source, lines: int) -> None:
        task = self._tasks[source.path]
        if source.path not in self._begun:
            self._begun[source.path] = (lines, monotonic())
            self._bars.start_task(task)
        first, begun = self._begun[source.path]
        seconds = monotonic() - begun
        rate = (lines - first) / seconds if seconds else 0
        self._bars.update(task, completed=source.position, lines=lines, rate=rate)

    def message(self, text: str) -> None:
        self._bars.console.print(text, soft_wrap=True)


@contextmanager
def show_progress(files: tuple[Path, ...]) -> Iterator[Progress]:
    """Show how far reading is, on a terminal by bars."""
    target = console(stderr=True)
    if not target.is_terminal:
        yield Progress()
        return
    columns: Any = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[lines]:,} lines {task.fields[rate]:,.0f}/s elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=target, transient=True) as bars:
        yield _Bars(bars, files)
