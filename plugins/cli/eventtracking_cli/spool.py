"""Look into the spools of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, leaves_of
from eventtracking_cli.groups import Group
from eventtracking_cli.spooled import (
    age,
    foreign_spools,
    oldest_in,
    report_unreadable,
    said_of_foreign,
)
from eventtracking_cli.terminal import count, plain, print_json, print_rows
from eventtracking_core.delivery import BatchLeaf, ProcessSpool, spool_status

__all__ = ["spool"]


@click.group(cls=Group)
def spool() -> None:
    """Inspect the files in which events wait for delivery."""


@spool.command()
@parameters.config
@backend
@parameters.as_json
def status(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Show pending events by spool and process.

    Events of a process that ended are delivered by the next process with the same
    configuration.
    """
    leaves = leaves_of(config, backend)
    spools = [
        (leaf, process)
        for leaf in leaves
        if leaf.buffer.spool is not None
        for process in spool_status(leaf.directory / "spool")
    ]
    report_unreadable(segment for _, process in spools for segment in process.segments)
    rows = [_row(leaf, process) for leaf, process in spools]
    foreign = foreign_spools(leaves) if backend is None else []
    if as_json:
        rows += [
            {"backend": None, "directory": str(f.directory), "events": f.events} for f in foreign
        ]
        print_json(rows)
        return
    rows = [{**row, "oldest": age(row["oldest"])} for row in rows]
    columns = (
        "backend",
        "process",
        "state",
        "segments",
        "events",
        "oldest",
        "bytes",
        "damaged bytes",
    )
    print_rows(rows, *columns, otherwise="nothing waits in a spool", as_json=False)
    said_of_foreign(foreign)


@spool.command()
@parameters.config
@backend
@parameters.as_json
def verify(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Read and check every record of every spool.

    Exits with 1 if a record is damaged or a segment cannot be read.
    """
    segments = [
        (leaf.path, segment)
        for leaf in _spooled(config, backend)
        for process in spool_status(leaf.directory / "spool")
        for segment in process.segments
    ]
    is_unreadable = report_unreadable(segment for _, segment in segments)
    damaged = [segment for _, segment in segments if segment.damaged]
    if as_json:
        print_json([{"backend": path, **segment._asdict()} for path, segment in segments])
    else:
        for segment in damaged:
            click.echo(f"{plain(segment.path)}: {count(segment.damaged, 'damaged byte')}")
        events = sum(segment.events for _, segment in segments)
        counts = (
            count(len(segments), "segment"),
            count(events, "event"),
            count(len(damaged), "segment"),
        )
        click.echo(f"{counts[0]}, {counts[1]}, {counts[2]} damaged")
    if damaged or is_unreadable:
        raise click.exceptions.Exit(1)


def _spooled(config: Path | None, path: str | None) -> list[BatchLeaf]:
    return [leaf for leaf in leaves_of(config, path) if leaf.buffer.spool is not None]


def _row(leaf: BatchLeaf, process: ProcessSpool) -> dict[str, Any]:
    return {
        "backend": leaf.path,
        "process": process.name,
        "state": "alive" if process.is_alive else "ended",
        "segments": len(process.segments),
        "events": process.events,
        "oldest": oldest_in([process]),
        "bytes": process.size,
        "damaged_bytes": process.damaged,
    }
