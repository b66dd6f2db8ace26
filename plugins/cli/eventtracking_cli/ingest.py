"""Read logs and route their events, as if they had just been emitted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from eventtracking_cli import parameters
from eventtracking_cli.drawing import drawn, leaves, reasons
from eventtracking_cli.running import configured, drained
from eventtracking_cli.terminal import console, count, plain, print_json
from eventtracking_core import Tracker
from eventtracking_core.logs import (
    STDIN,
    Entry,
    Line,
    Rejected,
    Source,
    UnreadableInputError,
    entries_of,
    opened,
)
from eventtracking_core.registry import EventType

__all__ = ["ingest"]

SHOWN_REJECTS: Final = 10
STEP: Final = 1000
"""Lines between two looks at the progress."""

IN_FLIGHT: Final = 10_000
"""Events read before what waits is delivered, so that no queue overflows."""

PLAIN_STEP: Final = 100_000
"""Lines between two progress reports where there is no terminal."""

_KEPT_OF_TOO_LONG: Final = 1024
_NAME_WIDTH: Final = 30


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path),
    metavar="FILE... | -",
)
@parameters.config
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every line that is no event here, as JSON with its number and the reason.",
)
@click.option("--strict", is_flag=True, help="Stop at the first line that is no event; exit 1.")
@parameters.as_json
def ingest(
    files: tuple[Path, ...],
    config: Path | None,
    rejects: Path | None,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    """Route the events of log files.

    They go through the configuration's processors to its backends. Lines may be events of ours,
    plain events (name, timestamp, context, data) or edX tracking lines, with or without a log's
    prefix or what Docker and other collectors wrap around them, and what mongoexport writes; files
    may be compressed (gzip, bzip2, xz, zstd). A line without an id always gets the same
    one, so that ingesting twice stores once.
    """
    if rejects is not None and rejects.exists():
        for path in files:
            if path != STDIN and path.samefile(rejects):
                raise click.UsageError("--rejects would overwrite one of the files to read")
    with configured(config) as tracker, ExitStack() as stack:
        rejected = _Rejects(stack.enter_context(_created(rejects)) if rejects else None)
        run = _Run(tracker, rejected, strict=strict)
        show = stack.enter_context(_progress(files))
        try:
            run.read(files, show)
        finally:
            stack.close()
            in_time = drained(tracker)
            run.summarize(in_time=in_time, as_json=as_json)
    if run.stopped or run.damaged or not in_time or run.undelivered:
        raise click.exceptions.Exit(1)


class _Rejects:
    """The lines that are no events: counted, the first ones shown, all written where asked."""

    def __init__(self, file: IO[str] | None) -> None:
        self.count = 0
        self._file = file

    def add(self, path: Path, line: Line, reason: str) -> None:
        self.count += 1
        if self.count <= SHOWN_REJECTS:
            click.echo(f"{plain(path)}:{line.number}: rejected: {reason}", err=True)
        if self._file is None:
            return
        kept = line.content[:_KEPT_OF_TOO_LONG] if line.too_long else line.content
        text = kept.decode(errors="backslashreplace").rstrip("\r\n")
        entry = {"file": str(path), "line": line.number, "reason": reason, "text": text}
        self._file.write(json.dumps(entry) + "\n")


class _Run:
    """One pass over the files."""

    def __init__(self, tracker: Tracker, rejects: _Rejects, *, strict: bool) -> None:
        self._tracker = tracker
        self._rejects = rejects
        self._strict = strict
        self.lines = 0
        self.events = 0
        self.damaged = 0
        """Files that were not read to their end."""
        self.stopped = False

    def read(self, files: tuple[Path, ...], show: Callable[[Source, int], None]) -> None:
        for path in files:
            try:
                with opened(path) as source:
                    self._read(source, show)
            except UnreadableInputError as error:
                self.damaged += 1
                click.echo(plain(error), err=True)
            if self.stopped:
                return

    def _read(self, source: Source, show: Callable[[Source, int], None]) -> None:
        for line, entry in entries_of(self._counted(source, show)):
            self._take(source.path, line, entry)
            if self.stopped:
                return

    def _counted(self, source: Source, show: Callable[[Source, int], None]) -> Iterator[Line]:
        for line in source.lines():
            self.lines += 1
            if self.lines % STEP == 0:
                show(source, self.lines)
            yield line

    def _take(self, path: Path, line: Line, entry: Entry) -> None:
        if isinstance(entry, Rejected):
            self._rejects.add(path, line, entry.reason)
            self.stopped = self._strict
        elif isinstance(entry, EventType):
            self._tracker.event_types.add(entry)  # the sinks that keep records get it
        else:
            self.events += 1
            self._tracker.send(entry)
            if self.events % IN_FLIGHT == 0:  # reading is faster than any sink
                drained(self._tracker)

    @property
    def undelivered(self) -> bool:
        """Whether a backend, or a processor that must not fail, lost an event."""
        tree = self._tracker.stats()["tree"]
        lost = any(leaf.lost for leaf in leaves(tree))
        return lost or bool(reasons(tree).keys() - {"filtered"})

    def summarize(self, *, in_time: bool, as_json: bool) -> None:
        tree = self._tracker.stats()["tree"]
        stored = {leaf.path: leaf.delivered for leaf in leaves(tree)}
        if as_json:
            print_json(
                {
                    "lines": self.lines,
                    "events": self.events,
                    "rejected": self._rejects.count,
                    "dropped": reasons(tree),
                    "stored": stored,
                    "flushed": in_time,
                    "tree": tree,
                }
            )
            return
        hidden = self._rejects.count - SHOWN_REJECTS
        if hidden > 0:
            click.echo(f"… and {count(hidden, 'line')} more; --rejects FILE has them all", err=True)
        console().print(drawn(tree, "events", counters=True))
        total = f"{count(self.lines, 'line')} read"
        parts = [total, f"{self._rejects.count:,} rejected"]
        parts += [f"{number:,} {reason}" for reason, number in reasons(tree).items()]
        parts += [f"{number:,} in {plain(path)}" for path, number in stored.items()]
        click.echo(", ".join(parts))
        if self.stopped:
            click.echo("stopped at the first rejected line (--strict)", err=True)
        if not in_time:
            click.echo("not everything was delivered in time", err=True)


@contextmanager
def _created(path: Path) -> Iterator[IO[str]]:
    """Create a file that only its owner reads: rejected lines hold what the log held."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  by descriptor
        yield file


@contextmanager
def _progress(files: tuple[Path, ...]) -> Iterator[Callable[[Source, int], None]]:
    """Show how far reading is: a bar on a terminal, else a line now and then."""
    target = console(stderr=True)
    if not target.is_terminal:
        yield _show_plainly
        return
    columns: Any = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=target, transient=True) as progress:
        sizes = {path: path.stat().st_size for path in files if path != STDIN}
        tasks = {
            path: progress.add_task(
                plain(path.name)[-_NAME_WIDTH:], total=sizes.get(path) or None, lines=0
            )
            for path in dict.fromkeys(files)
        }

        def show(source: Source, lines: int) -> None:
            progress.update(tasks[source.path], completed=source.position, lines=lines)

        yield show


def _show_plainly(_source: Source, lines: int) -> None:
    if lines % PLAIN_STEP == 0:
        click.echo(f"{lines:,} lines read", err=True)
