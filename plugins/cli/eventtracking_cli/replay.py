"""Send stored events once more: from a store or files, through the tree or straight to a leaf."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, Unpack

import click

from eventtracking_cli import parameters
from eventtracking_cli.choosing import with_filters
from eventtracking_cli.drawing import draw_tree, drop_reasons, leaves
from eventtracking_cli.in_flight import BATCH, Room, drain
from eventtracking_cli.own_files import refuse_inputs
from eventtracking_cli.progress import with_progress
from eventtracking_cli.rejections import report_rejected
from eventtracking_cli.replay_state import ReplayProgress, StateFile
from eventtracking_cli.session import open_tracker
from eventtracking_cli.terminal import console, count, plain, print_json
from eventtracking_core import Event, EventTrackingError, Tracker
from eventtracking_core.delivery import BufferedLeaf, collect_batches
from eventtracking_core.delivery.queued import NO_EVENT
from eventtracking_core.encoding import decode_stored, encode_msgpack, json_text
from eventtracking_core.logs import STDIN, LogFiles
from eventtracking_core.reading import EventReader, Filters, ReadsJson
from eventtracking_core.registry import EventType, LoadsEventTypes
from eventtracking_core.routing import Leaf
from eventtracking_core.sources import open_reader

__all__ = ["replay"]

STEP: Final = 5000
"""Events that are sent before their delivery is waited for, and remembered."""

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C."""


@click.command()
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    metavar="STORE | FILE",
    help="An SQLite database, a URI such as mongodb://… or s3://…, a configuration that has a"
    " store, or files of events; repeatable for files.",
)
@parameters.config
@click.option("--to", metavar="PATH", help="Only this backend, such as warehouse.mongo.")
@with_filters
@click.option("--dry-run", is_flag=True, help="Count the events, and send none.")
@click.option(
    "--restart", is_flag=True, help="Start from the beginning, also after an interruption."
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to store the progress; by default, a file in this directory.",
)
@parameters.as_json
def replay(
    sources: tuple[str, ...],
    config: Path | None,
    to: str | None,
    state: Path | None,
    *,
    dry_run: bool,
    restart: bool,
    as_json: bool,
    **filters: Unpack[Filters],
) -> None:
    """Send stored events once more.

    They go through the configuration's processors to its backends; with --to, straight to one
    backend. Each keeps its id, so a store that has it already stores nothing. An interrupted replay
    continues when it is run again with the same options. Exits with 1 if a backend did not
    accept an event.
    """
    state_file = StateFile.of(state, sources, config, to, filters)
    if restart:
        state_file.forget()
    progress = state_file.load(filters)
    filters = progress.filters(filters)
    with open_reader(sources) as reader, open_tracker(config) as tracker:
        collect_batches(tracker.root, BATCH)
        target = None if to is None else _leaf(tracker, to)
        if isinstance(reader, LogFiles):
            refuse_inputs(tracker, reader.paths, target)
        if dry_run:
            _say_what_there_is(reader, progress, filters, as_json=as_json)
            report_rejected(reader)
            return
        run = _Run(tracker, target, state_file, progress)
        try:
            run.send(reader, filters)
        except KeyboardInterrupt:
            run.is_interrupted = True
        run.summarize(as_json=as_json)
        if run.is_complete:
            report_rejected(reader)
    if run.is_interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    if not run.is_complete or run.has_lost():
        raise click.exceptions.Exit(1)


class _Run:
    """One pass over the events that were not delivered before."""

    def __init__(
        self, tracker: Tracker, target: Leaf | None, state_file: StateFile, progress: ReplayProgress
    ) -> None:
        self._tracker = tracker
        self._send = tracker.send if target is None else target.deliver
        self._leaf = target if isinstance(target, BufferedLeaf) else None
        self._state_file = state_file
        self._before = progress.events
        self._progress = progress
        self._room = Room(tracker, STEP)
        self.is_complete = False
        self.is_interrupted = False

    def send(self, reader: EventReader, filters: Filters) -> None:
        """Send all events, and remember every step that was delivered."""
        for record in _records(reader):
            self._tracker.event_types.add(record)  # the sinks that keep records get it
        total = None if isinstance(reader, LogFiles) else reader.count(**filters)
        encoded = self._encoded(reader, filters)
        last = ""
        for event_id, event, wire in with_progress(encoded, "replaying", total, self._before):
            size = len(wire)
            if self._room.is_full(size) and not self._delivered(last):
                return
            self._room.take(size)
            if self._leaf is None:
                self._send(event)
            else:
                self._leaf.deliver_wire(wire, event)
            last = event_id
        if self._delivered(last):
            self.is_complete = True
            self._state_file.forget()

    def _encoded(self, reader: EventReader, filters: Filters) -> Iterator[tuple[str, Event, bytes]]:
        """Yield the id of each event, the event, and its bytes.

        Where a store has the JSON that the leaf takes, no event is decoded.
        """
        leaf = self._leaf
        if isinstance(reader, ReadsJson) and (leaf is None or leaf.capabilities.takes_json):
            for text in _texts(reader, self._progress, filters):
                if leaf is None:
                    event = decode_stored(text)
                    yield event["id"], event, text
                else:
                    wire, event_id = _json_text(text)
                    yield event_id, NO_EVENT, wire
            return
        encode = encode_msgpack if leaf is None else leaf.encode
        for event in _events(reader, self._progress, filters):
            yield event["id"], event, encode(event)

    def _delivered(self, last: str) -> bool:
        if not drain(self._tracker):
            return False
        if self._room.events:
            self._progress = self._progress._replace(
                events=self._progress.events + self._room.events, last=last
            )
            self._state_file.save(self._progress)
            self._room.clear()
        return True

    def has_lost(self) -> bool:
        """Return whether a backend or a processor lost an event."""
        tree = self._tracker.stats()["tree"]
        return any(leaf.lost for leaf in leaves(tree)) or bool(
            drop_reasons(tree).keys() - {"filtered"}
        )

    def summarize(self, *, as_json: bool) -> None:
        """Say what became of the events."""
        tree = self._tracker.stats()["tree"]
        sent = self._progress.events - self._before
        if as_json:
            print_json(
                {
                    "events": sent,
                    "before": self._before,
                    "complete": self.is_complete,
                    "interrupted": self.is_interrupted,
                    "delivered": {leaf.path: leaf.delivered for leaf in leaves(tree)},
                    "dropped": drop_reasons(tree),
                    "tree": tree,
                }
            )
            return
        console().print(draw_tree(tree, "events", counters=True))
        before = f" ({self._before:,} before)" if self._before else ""
        click.echo(f"{count(sent, 'event')} replayed{before}")
        if not self.is_complete:
            why = "interrupted" if self.is_interrupted else "not everything was delivered in time"
            click.echo(f"{why}; run it again to continue", err=True)


def _leaf(tracker: Tracker, path: str) -> Leaf:
    paths = [node.path for node in leaves(tracker.stats()["tree"])]
    for name, leaf in zip(paths, tracker.root.leaves(), strict=True):
        if name == path:
            return leaf
    known = ", ".join(map(plain, paths))
    raise click.BadParameter(f"no backend {plain(path)!r}; there are: {known}", param_hint="'--to'")


def _events(reader: EventReader, progress: ReplayProgress, filters: Filters) -> Iterator[Event]:
    """Yield the events after those that are done, in the order in which they were stored."""
    if isinstance(reader, LogFiles):
        events = reader.query(**filters)
        if progress.events and _id_of(events, progress.events) != progress.last:
            raise click.ClickException(
                "the files have other events than before the interruption; start from the"
                " beginning with --restart"
            )
        yield from events
        return
    last = progress.last
    while page := list(reader.query(after=last, limit=STEP, **filters)):  # leaves no cursor open
        yield from page
        last = page[-1]["id"]


def _texts(reader: ReadsJson, progress: ReplayProgress, filters: Filters) -> Iterator[bytes]:
    """Yield the JSON of what `_events` yields."""
    last = progress.last
    while page := list(reader.query_json(after=last, limit=STEP, **filters)):
        yield from page
        _, last = _json_text(page[-1])


def _json_text(text: bytes) -> tuple[bytes, str]:
    try:
        return json_text(text)
    except ValueError as error:
        raise EventTrackingError(f"a stored event is damaged: {error}") from error


def _id_of(events: Iterator[Event], number: int) -> str | None:
    """Read as many events, and return the id of the last one."""
    event = next(islice(events, number - 1, None), None)
    return None if event is None else event["id"]


def _records(reader: EventReader) -> Iterator[EventType]:
    if isinstance(reader, LogFiles) and STDIN in reader.paths:  # it can be read once
        return
    if isinstance(reader, LoadsEventTypes):
        yield from reader.load_event_types()


def _say_what_there_is(
    reader: EventReader, progress: ReplayProgress, filters: Filters, *, as_json: bool
) -> None:
    left = max(reader.count(**filters) - progress.events, 0)
    if as_json:
        print_json({"events": left, "before": progress.events})
    else:
        before = f" ({progress.events:,} were before)" if progress.events else ""
        click.echo(f"{count(left, 'event')} would be replayed{before}")
