"""Look into the spools of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, leaves_of
from eventtracking_cli.terminal import plain, print_json, print_rows
from eventtracking_core.delivery import BufferedLeaf, ProcessSpool, spool_status

__all__ = ["spool"]


@click.group()
def spool() -> None:
    """Look into the files where events wait for delivery."""


@spool.command()
@parameters.config
@backend
@parameters.as_json
def status(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Show what waits in each spool, by the process that put it there.

    What a process that ended left behind is delivered by the next one that uses the configuration.
    """
    rows = [row for leaf in _spooled(config, backend) for row in _rows(leaf)]
    columns = ("backend", "process", "state", "segments", "events", "bytes", "damaged bytes")
    print_rows(rows, *columns, otherwise="nothing waits in a spool", as_json=as_json)


@spool.command()
@parameters.config
@backend
@parameters.as_json
def verify(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """Read every record of every spool and check it. Exits 1 where bytes are damaged."""
    found = [
        (leaf.path, segment)
        for leaf in _spooled(config, backend)
        for process in spool_status(leaf.directory / "spool")
        for segment in process.segments
    ]
    damaged = [segment for _, segment in found if segment.damaged]
    if as_json:
        print_json([{"backend": path, **segment._asdict()} for path, segment in found])
    else:
        for segment in damaged:
            click.echo(f"{plain(segment.path)}: {segment.damaged} damaged bytes")
        events = sum(segment.events for _, segment in found)
        click.echo(f"{len(found)} segments, {events} events, {len(damaged)} segments damaged")
    if damaged:
        raise click.exceptions.Exit(1)


def _spooled(config: Path | None, path: str | None) -> list[BufferedLeaf]:
    return [leaf for leaf in leaves_of(config, path) if leaf.spool is not None]


def _rows(leaf: BufferedLeaf) -> list[dict[str, Any]]:
    return [_row(leaf, process) for process in spool_status(leaf.directory / "spool")]


def _row(leaf: BufferedLeaf, process: ProcessSpool) -> dict[str, Any]:
    return {
        "backend": leaf.path,
        "process": process.name,
        "state": "alive" if process.is_alive else "ended",
        "segments": len(process.segments),
        "events": process.events,
        "bytes": process.size,
        "damaged_bytes": process.damaged,
    }
