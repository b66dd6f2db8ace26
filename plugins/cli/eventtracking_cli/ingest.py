"""Read logs and route their events, as if they had just been emitted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

import click

from eventtracking_cli import parameters
from eventtracking_cli.drawing import draw_tree, drop_reasons, leaves
from eventtracking_cli.in_flight import BATCH, PATIENCE, Room, drain
from eventtracking_cli.ingest_progress import Progress, show_progress
from eventtracking_cli.own_files import refuse_inputs, refuse_output
from eventtracking_cli.session import open_tracker
from eventtracking_cli.terminal import console, count, plain, print_json
from eventtracking_core import EventTrackingError, Tracker
from eventtracking_core.delivery import collect_batches
from eventtracking_core.logs import (
    STDIN,
    Entry,
    Line,
    Rejected,
    Source,
    UnreadableInputError,
    entries_of,
    is_surely_normal,
    opened,
)
from eventtracking_core.reading import EventReader
from eventtracking_core.registry import EventType

__all__ = ["ingest"]

SHOWN_REJECTS: Final = 10
STEP: Final = 1000
"""Lines between two looks at the progress."""

IN_FLIGHT: Final = 10_000
"""Maximum number of events in flight."""

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C."""

_KEPT_OF_TOO_LONG: Final = 1024


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
    help="Write every rejected line here, as JSON with its number and the reason.",
)
@click.option("--strict", is_flag=True, help="Stop at the first rejected line, and exit with 1.")
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

    They go through the configuration's processors to its backends. A line may be an event as
    eventtracking writes it, a plain event (name, timestamp, context, data), an edX tracking
    line, or a document of mongoexport; a log's prefix and the wrapping of Docker and other
    collectors are removed. Files may be compressed with gzip, bzip2, xz or zstd. A line without
    an id always gets the same one, so ingesting twice stores once. Exits with 1 if every line
    was rejected, a file is damaged, or a backend did not accept an event.
    """
    if rejects is not None and rejects.exists():
        for path in files:
            if path != STDIN and path.samefile(rejects):
                raise click.UsageError("--rejects would overwrite one of the files to read")
    with open_tracker(config) as tracker, ExitStack() as stack:
        refuse_inputs(tracker, files)
        if rejects is not None:
            refuse_output(tracker, rejects, "--rejects")
        show = stack.enter_context(show_progress(files))
        rejected = _Rejects(
            stack.enter_context(_created(rejects)) if rejects else None, show.message
        )
        run = _Run(tracker, rejected, strict=strict)
        try:
            run.read(files, show)
        except KeyboardInterrupt:
            run.is_interrupted = True
        finally:
            stack.close()
            in_time = drain(tracker)
            run.summarize(in_time=in_time, as_json=as_json)
    if run.is_interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    if run.failed or not in_time:
        raise click.exceptions.Exit(1)


class _Rejects:
    """Rejected lines: counted, the first ones printed, all written to a file if there is one."""

    def __init__(self, file: IO[str] | None, say: Callable[[str], None]) -> None:
        self.count = 0
        self._file = file
        self._say = say

    def add(self, path: Path, line: Line, reason: str) -> None:
        self.count += 1
        if self.count <= SHOWN_REJECTS:
            self._say(f"{plain(path)}:{line.number}: rejected: {reason}")
        if self._file is None:
            return
        content = line.content[:_KEPT_OF_TOO_LONG] if line.too_long else line.content
        text = content.decode(errors="backslashreplace").rstrip("\r\n")
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
        self.is_interrupted = False
        self._readers = dict(_readers(tracker))
        self._before = _counts(self._readers)
        self._room = Room(tracker, IN_FLIGHT)
        self._collecting = collect_batches(tracker.root, BATCH, are_normal=True)

    def read(self, files: tuple[Path, ...], show: Progress) -> None:
        for path in files:
            try:
                with opened(path) as source:
                    self._read(source, show)
            except UnreadableInputError as error:
                self.damaged += 1
                show.message(plain(error))
            if self.stopped:
                return

    def _read(self, source: Source, show: Progress) -> None:
        for line, entry in entries_of(self._counted(source, show)):
            self._take(source.path, line, entry)
            if self.stopped:
                return

    def _counted(self, source: Source, show: Progress) -> Iterator[Line]:
        for line in source.lines():
            self.lines += 1
            if self.lines % STEP == 0:
                show.update(source, self.lines)
            yield line
            if source.would_wait():  # what came through a pipe waits for no further line
                for leaf in self._collecting:
                    leaf.flush(PATIENCE)

    def _take(self, path: Path, line: Line, entry: Entry) -> None:
        if isinstance(entry, Rejected):
            self._rejects.add(path, line, entry.reason)
            self.stopped = self._strict
        elif isinstance(entry, EventType):
            self._tracker.event_types.add(entry)  # the sinks that keep records get it
        else:
            self.events += 1
            size = len(line.content)
            if self._room.is_full(size):  # reading is faster than any sink
                drain(self._tracker)
                self._room.clear()
            self._room.take(size)
            if not is_surely_normal(line.content):
                for leaf in self._collecting:
                    leaf.expect_any()
            self._tracker.send(entry)

    @property
    def failed(self) -> bool:
        """Whether a file, every line, or an event in a backend or a processor was lost."""
        nothing_read = self._rejects.count > 0 and not self.events
        return bool(self.stopped or self.damaged or nothing_read or self._has_lost())

    def _has_lost(self) -> bool:
        tree = self._tracker.stats()["tree"]
        lost = any(leaf.lost for leaf in leaves(tree))
        return lost or bool(drop_reasons(tree).keys() - {"filtered"})

    def summarize(self, *, in_time: bool, as_json: bool) -> None:
        tree = self._tracker.stats()["tree"]
        stored = {leaf.path: leaf.delivered for leaf in leaves(tree)}
        new = {
            path: number - self._before[path]
            for path, number in _counts(self._readers).items()
            if path in self._before
        }
        if as_json:
            print_json(
                {
                    "lines": self.lines,
                    "events": self.events,
                    "rejected": self._rejects.count,
                    "dropped": drop_reasons(tree),
                    "stored": stored,
                    "new": new,
                    "interrupted": self.is_interrupted,
                    "flushed": in_time,
                    "tree": tree,
                }
            )
            return
        hidden = self._rejects.count - SHOWN_REJECTS
        if hidden > 0:
            click.echo(f"… and {count(hidden, 'line')} more; --rejects FILE has them all", err=True)
        console().print(draw_tree(tree, "events", counters=True))
        total = f"{count(self.lines, 'line')} read"
        parts = [total, f"{self._rejects.count:,} rejected"]
        parts += [f"{number:,} {reason}" for reason, number in drop_reasons(tree).items()]
        parts += [
            f"{number:,} in {plain(path)}" + (f" ({new[path]:,} new)" if path in new else "")
            for path, number in stored.items()
        ]
        click.echo(", ".join(parts))
        if self.is_interrupted:
            click.echo(
                "interrupted; run it again to continue (a store keeps one event an id)", err=True
            )
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


def _readers(tracker: Tracker) -> Iterator[tuple[str, EventReader]]:
    """Yield the backends that can say how many events they have, by their paths."""
    paths = (counts.path for counts in leaves(tracker.stats()["tree"]))
    for path, leaf in zip(paths, tracker.root.leaves(), strict=True):
        if isinstance(leaf.backend, EventReader):
            yield path, leaf.backend


def _counts(readers: Mapping[str, EventReader]) -> dict[str, int]:
    counts = {}
    for path, reader in readers.items():
        try:
            counts[path] = reader.count()
        except FileNotFoundError:  # it is made by the first event
            counts[path] = 0
        except (EventTrackingError, OSError):
            continue
    return counts
