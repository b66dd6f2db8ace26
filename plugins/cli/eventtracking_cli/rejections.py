"""Report lines of files that are not events."""

from __future__ import annotations

import click

from eventtracking_cli.text import count, plain
from eventtracking_core._text import no_events
from eventtracking_core.logs import LogFiles
from eventtracking_core.reading import EventReader

__all__ = ["check_lines", "report_rejected"]


def check_lines(reader: EventReader) -> None:
    """Check that files, which have been read, have a line that is an event, or have no lines.

    Raises:
        ClickException: every line was rejected: these are not files of events.
    """
    if isinstance(reader, LogFiles) and reader.rejected and not reader.accepted:
        names = ", ".join(plain(path) for path in reader.paths)
        lines = count(reader.rejected, "line")
        raise click.ClickException(f"{names}: {lines} read, and none is an event")


def report_rejected(reader: EventReader) -> None:
    """Say how many lines of files were rejected; see `check_lines`."""
    check_lines(reader)
    if isinstance(reader, LogFiles) and reader.rejected:
        click.echo(no_events(reader.rejected), err=True)
