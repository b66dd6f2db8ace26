"""The age of spooled events, and spools that belong to no configured backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import click

from eventtracking_cli.listing import full_time
from eventtracking_cli.parameters import tracker_name
from eventtracking_cli.terminal import count, plain
from eventtracking_core.delivery import (
    BatchLeaf,
    ProcessSpool,
    SegmentStatus,
    spool_status,
)
from eventtracking_core.delivery.storage.reader import SegmentReader, UnknownFormatError
from eventtracking_core.encoding import decode_wire

__all__ = [
    "Foreign",
    "age",
    "foreign_spools",
    "oldest_in",
    "report_unreadable",
    "said_of_foreign",
]

_SECONDS: Final = (("d", 86400), ("h", 3600), ("min", 60))


class Foreign(NamedTuple):
    """A spool that belongs to no backend of the configuration."""

    directory: Path
    events: int


def oldest_in(processes: Iterable[ProcessSpool]) -> str | None:
    """Return the time of the oldest event that waits, None if none does."""
    times = [
        time
        for process in processes
        for segment in process.segments
        if segment.events and (time := _first_time(segment.path)) is not None
    ]
    return full_time(min(times)) if times else None


def _first_time(path: Path) -> datetime | None:
    try:
        with closing(SegmentReader(path)) as reader:
            batch = reader.read(1, 1, complete=True)
        time = decode_wire(batch.records[0][0])["timestamp"] if batch.records else None
    except (OSError, UnknownFormatError, ValueError, LookupError, TypeError):
        return None  # delivered meanwhile, or no event
    return time if isinstance(time, datetime) else None


def report_unreadable(segments: Iterable[SegmentStatus]) -> bool:
    """Name on stderr the segments that cannot be read; return whether there are some."""
    unreadable = [segment for segment in segments if segment.error is not None]
    for segment in unreadable:
        click.echo(f"{plain(segment.path)} cannot be read: {segment.error}", err=True)
    return bool(unreadable)


def age(time: str | None) -> str:
    """Return how long ago a time was, such as `3 h`; a dash for none."""
    if time is None:
        return "-"
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()))
    for unit, size in _SECONDS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def foreign_spools(leaves: Sequence[BatchLeaf]) -> list[Foreign]:
    """Return the spools beside those of a configuration that hold events and belong to none."""
    own = {leaf.directory for leaf in leaves}
    foreign = []
    for parent in sorted({leaf.directory.parent for leaf in leaves}):
        for spool in sorted(parent.glob("*/spool")):
            if spool.parent not in own and _is_of_tracker(spool.parent.name, tracker_name()):
                events = sum(process.events for process in spool_status(spool))
                if events:
                    foreign.append(Foreign(spool.parent, events))
    return foreign


def _is_of_tracker(directory: str, tracker: str) -> bool:
    """Return whether a spool's directory is one of a tracker's: others have their names in them."""
    return "@" not in directory if tracker == "default" else directory.endswith(f"@{tracker}")


def said_of_foreign(spools: Iterable[Foreign]) -> None:
    """Report on stderr the spools that no configured backend delivers, and what to do."""
    for spool in spools:
        click.echo(
            f"{plain(spool.directory)}: {count(spool.events, 'event')} of a backend that the "
            "configuration does not name: restore the name, or rename the directory",
            err=True,
        )
