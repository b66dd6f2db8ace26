"""Count what a configuration has on disk: waiting events and dead letters."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, leaves_of
from eventtracking_cli.spooled import (
    age,
    foreign_spools,
    oldest_in,
    report_unreadable,
    said_of_foreign,
)
from eventtracking_cli.terminal import print_rows
from eventtracking_cli.text import symbol
from eventtracking_core.delivery import BufferedLeaf, spool_status

__all__ = ["stats"]


@click.command()
@parameters.config
@backend
@parameters.as_json
def stats(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Count waiting events and dead letters.

    What waits in a queue is in the memory of its process, so it is not known here (\u2013);
    `tracker.stats()` returns the counters of a running process.
    """
    leaves = leaves_of(config, backend)
    rows = [_row(leaf) for leaf in leaves]
    if not as_json:
        rows = [_shown(row) for row in rows]
    columns = ("backend", "delivery", "waiting", "oldest", "processes", "dead letters")
    print_rows(rows, *columns, otherwise="no backend has a queue or a spool", as_json=as_json)
    if backend is None:
        said_of_foreign(foreign_spools(leaves))


def _row(leaf: BufferedLeaf) -> dict[str, Any]:
    processes = list(spool_status(leaf.directory / "spool"))
    report_unreadable(segment for process in processes for segment in process.segments)
    spools = leaf.buffer.spool is not None or bool(processes)
    return {
        "backend": leaf.path,
        "delivery": leaf.mode,
        "waiting": sum(process.events for process in processes) if spools else None,
        "oldest": oldest_in(processes),
        "processes": sum(process.is_alive for process in processes) if spools else None,
        "dead_letters": dict(Counter(letter.reason for letter in leaf.dead_letters.letters())),
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    unseen = symbol("\u2013", "-")  # the running process alone knows the number
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in row["dead_letters"].items())
    return {
        **row,
        "waiting": unseen if row["waiting"] is None else f"{row['waiting']:,}",
        "oldest": age(row["oldest"]),
        "processes": unseen if row["processes"] is None else row["processes"],
        "dead_letters": reasons or "none",
    }
