"""Count what a configuration has on disk: waiting events and dead letters."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, leaves_of
from eventtracking_cli.terminal import console, plain, print_json
from eventtracking_core.delivery import BufferedLeaf, spool_status

__all__ = ["stats"]


@click.command()
@parameters.config
@backend
@parameters.as_json
def stats(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Count waiting events and dead letters.

    The counters of a running process are its own: `tracker.stats()` returns them.
    """
    rows = [_row(leaf) for leaf in leaves_of(config, backend)]
    if as_json:
        print_json(rows)
        return
    table = Table("backend", "delivery", "waiting", "processes", "dead letters")
    for row in rows:
        reasons = ", ".join(f"{number} {reason}" for reason, number in row["dead_letters"].items())
        table.add_row(
            plain(row["backend"]),
            row["delivery"],
            str(row["waiting"]),
            str(row["processes"]),
            reasons or "none",
        )
    console().print(table if rows else "no backend has a queue or a spool")


def _row(leaf: BufferedLeaf) -> dict[str, Any]:
    processes = list(spool_status(leaf.directory / "spool"))
    return {
        "backend": leaf.path,
        "delivery": leaf.mode,
        "waiting": sum(process.events for process in processes),
        "processes": sum(process.is_alive for process in processes),
        "dead_letters": dict(Counter(letter.reason for letter in leaf.dead_letters.letters())),
    }
