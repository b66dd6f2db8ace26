"""Count what a configuration has on disk: waiting events and dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

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
from eventtracking_cli.terminal import plain, print_rows
from eventtracking_cli.text import symbol
from eventtracking_core.components import ReportsBacklog
from eventtracking_core.delivery import BatchLeaf, spool_status
from eventtracking_core.diagnostics import describe

__all__ = ["stats"]

BROKER_TIMEOUT: Final = 3.0
"""Seconds in which a broker must say how many messages it has."""


@click.command()
@parameters.config
@backend
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    metavar="SECONDS",
    help="Count twice, this long apart, and show how fast the number of waiting events changes.",
)
@parameters.as_json
def stats(
    config: Path | None, backend: str | None, interval: float | None, *, as_json: bool
) -> None:
    """Count waiting events and dead letters.

    The events in a queue are in the memory of their process, so they cannot be counted here
    (\u2013); `tracker.stats()` returns the counters of a running process. Brokers are asked how
    many messages wait for workers; a message holds a batch of events.
    """
    leaves = leaves_of(config, backend)
    before = None if interval is None else _waiting_until(leaves, monotonic() + interval)
    rows = [_row(leaf) for leaf in leaves]
    columns = ["backend", "delivery", "waiting", "oldest", "processes", "dead letters"]
    if any(isinstance(leaf.backend, ReportsBacklog) for leaf in leaves):
        columns.insert(4, "in broker")
        for leaf, row in zip(leaves, rows, strict=True):
            row["in_broker"] = _in_broker(leaf)
    if before is not None:
        columns.insert(3, "per second")
        for row, (time, waiting) in zip(rows, before, strict=True):
            row["per_second"] = _rate(waiting, row["waiting"], monotonic() - time)
    if not as_json:
        rows = [_shown(row) for row in rows]
    print_rows(rows, *columns, otherwise="no backend has a queue or a spool", as_json=as_json)
    if backend is None:
        said_of_foreign(foreign_spools(leaves))


def _waiting_until(leaves: Sequence[BatchLeaf], end: float) -> list[tuple[float, int | None]]:
    """Return when each leaf was counted and how many events waited; at the end of a time."""
    counted = [(monotonic(), _row(leaf)["waiting"]) for leaf in leaves]
    sleep(max(0.0, end - monotonic()))
    return counted


def _rate(before: int | None, after: int | None, seconds: float) -> float | None:
    if before is None or after is None:
        return None
    return round((after - before) / seconds, 1)


def _row(leaf: BatchLeaf) -> dict[str, Any]:
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


def _in_broker(leaf: BatchLeaf) -> int | None:
    if not isinstance(leaf.backend, ReportsBacklog):
        return None
    try:
        return leaf.backend.backlog(BROKER_TIMEOUT)
    except Exception as error:  # noqa: BLE001  whatever a backend raises
        click.echo(f"{plain(leaf.path)}: {plain(describe(error))}", err=True)
        return None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    unseen = symbol("\u2013", "-")  # the running process alone knows the number
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in row["dead_letters"].items())
    known = {key: unseen if value is None else value for key, value in row.items()}
    if isinstance(rate := row.get("per_second"), float):
        known["per_second"] = f"{rate:+,.1f}"
    return {
        **known,
        "waiting": unseen if row["waiting"] is None else f"{row['waiting']:,}",
        "oldest": unseen if row["waiting"] is None else age(row["oldest"]),
        "dead_letters": reasons or "none",
    }
