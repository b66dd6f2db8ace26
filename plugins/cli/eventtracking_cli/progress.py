"""Show on stderr how far something is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from eventtracking_cli.terminal import console

__all__ = ["with_progress"]

T = TypeVar("T")

STEP = 500
"""Items between two looks at the clock."""


def with_progress(
    items: Iterable[T], description: str, total: int | None, done: int = 0
) -> Iterator[T]:
    """Yield items, and show how many have been; `total` if it is known, `done` of them before."""
    target = console(stderr=True)
    if not target.is_terminal:
        yield from items
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=target, transient=True) as progress:
        task = progress.add_task(description, total=total, completed=done)
        for number, item in enumerate(items, start=done + 1):
            if number % STEP == 0:
                progress.update(task, completed=number)
            yield item
