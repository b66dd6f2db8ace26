"""Look at stored events: list, show, count, follow, export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import sleep
from typing import Final, Unpack

import click

from eventtracking_cli import parameters
from eventtracking_cli.choosing import with_source, with_source_and_filters
from eventtracking_cli.counting import print_periods, print_values, print_values_per
from eventtracking_cli.exporting import FORMATS, STDOUT, write
from eventtracking_cli.groups import Group
from eventtracking_cli.listing import print_events
from eventtracking_cli.progress import with_progress
from eventtracking_cli.rejections import check_lines, report_rejected
from eventtracking_cli.terminal import count, plain, print_json
from eventtracking_core import Event
from eventtracking_core.encoding import encode_json
from eventtracking_core.logs import LogFiles
from eventtracking_core.reading import PERIODS, EventReader, Filters, Period
from eventtracking_core.sources import is_database

__all__ = ["events"]

POLL_INTERVAL: Final = 0.5
"""Seconds between two looks for new events."""

MAX_CANDIDATES: Final = 10
"""Events that are named where a part of an id is in several."""

TOP: Final = 20
"""Values of a field that are shown by default."""


@click.group(cls=Group)
def events() -> None:
    """Look at stored events, count and export them.

    --from names an SQLite database, a URI such as mongodb://… or s3://…, or files of events (NDJSON
    or edX tracking logs, compressed or not; `-` is the standard input). Without it, events come
    from the first backend of the configuration that can be read.
    """


wide = click.option("--wide", is_flag=True, help="Full times and ids; cut nothing.")


@events.command("list")
@with_source_and_filters
@click.option(
    "--limit",
    type=click.IntRange(0, parameters.MAX_LIMIT),
    default=100,
    show_default=True,
    help="0 for all.",
)
@wide
@parameters.as_json
def list_(
    reader: EventReader, *, limit: int, wide: bool, as_json: bool, **filters: Unpack[Filters]
) -> None:
    """List events, newest first."""
    matching = reader.query(**filters, newest_first=True, limit=limit or None)
    shown = print_events(matching, as_json=as_json, wide=wide)
    report_rejected(reader)
    if not shown:
        click.echo("no events", err=True)
    elif shown == limit and (total := reader.count(**filters)) > limit:
        click.echo(f"{shown:,} of {total:,} events shown; --limit 0 shows all", err=True)


@events.command()
@click.argument("event_id", metavar="ID", type=parameters.text)
@with_source
@parameters.as_json
def show(reader: EventReader, *, event_id: str, as_json: bool) -> None:
    """Show one event in full.

    ID is the event's id or a part of it, such as the one that `events list` shows.
    """
    event = reader.get(event_id)
    if event is None:
        matching = reader.find(event_id, limit=MAX_CANDIDATES) if event_id else []
        if not matching:
            check_lines(reader)
            raise click.ClickException(f"no event {plain(event_id)}")
        if len(matching) > 1:
            ids = "\n".join(f"  {plain(each['id'])}  {plain(each['name'])}" for each in matching)
            message = f"several events have {plain(event_id)} in their ids:\n{ids}"
            raise click.ClickException(message)
        [event] = matching
    print_json(json.loads(encode_json(event)), indent=None if as_json else 2)


@events.command("count")
@with_source_and_filters
@click.option(
    "--by",
    metavar="FIELD | PERIOD",
    help="One number for each value of a field (name, user, data.problem_id), or for each minute,"
    " hour, day or week.",
)
@click.option(
    "--per",
    type=click.Choice(PERIODS),
    help="With --by FIELD: draw each value's events over time as well.",
)
@click.option(
    "--limit",
    type=click.IntRange(0, parameters.MAX_LIMIT),
    default=TOP,
    show_default=True,
    help="Values of a field at most; 0 for all.",
)
@parameters.as_json
def count_(
    reader: EventReader,
    *,
    by: str | None,
    per: Period | None,
    limit: int,
    as_json: bool,
    **filters: Unpack[Filters],
) -> None:
    """Count events: all, by the values of a field, or over time."""
    if per is not None:
        if by is None or by in PERIODS:
            raise click.UsageError("--per needs --by with a field")
        print_values_per(reader, by, per, limit or None, as_json=as_json, **filters)
    elif by is None:
        number = reader.count(**filters)
        check_lines(reader)
        if as_json:
            print_json({"count": number})
        else:
            click.echo(number)
    elif by in PERIODS:
        period: Period = by  # type: ignore[assignment]
        print_periods(reader, period, as_json=as_json, **filters)
    else:
        print_values(reader, by, limit or None, as_json=as_json, **filters)
    report_rejected(reader)


@events.command()
@with_source_and_filters
@click.option("-f", "--follow", is_flag=True, help="Continue with new events until Ctrl-C.")
@click.option(
    "--limit", type=click.IntRange(1, parameters.MAX_LIMIT), default=10, show_default=True
)
@wide
@parameters.as_json
def tail(
    reader: EventReader,
    *,
    follow: bool,
    limit: int,
    wide: bool,
    as_json: bool,
    **filters: Unpack[Filters],
) -> None:
    """Print the latest events, and follow new ones.

    With --follow, it prints new events as they are stored, until Ctrl-C.

    Events are in the order in which they were stored, the oldest first.
    """
    latest = list(reader.query(**filters, after="", newest_first=True, limit=limit))[::-1]
    last = latest[-1]["id"] if latest else "-"  # which sorts before every id

    def events() -> Iterator[Event]:
        nonlocal last
        yield from latest
        while follow:
            sleep(POLL_INTERVAL)
            for event in reader.query(**filters, after=last):
                last = event["id"]
                yield event

    if not follow:
        check_lines(reader)
        if not latest:
            click.echo("no events", err=True)
    print_events(events(), as_json=as_json, wide=wide, looked_at=len(latest))


@events.command()
@with_source_and_filters
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Default: what the name of the output ends with, else ndjson.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=STDOUT,
    metavar="FILE",
    help="The file to write; default: the standard output.",
)
def export(
    reader: EventReader, *, form: str | None, output: Path, **filters: Unpack[Filters]
) -> None:
    """Write events to a CSV, NDJSON or Parquet file, oldest first.

    CSV and Parquet have a column for each field, such as context.user_id; lists become JSON text.
    NDJSON has each event whole, and `ingest` and `events --from` read it.
    """
    suffix = output.suffix.removeprefix(".")
    form = form or (suffix if suffix in FORMATS else "ndjson")
    if form == "parquet" and output == STDOUT:
        raise click.UsageError("name a file for Parquet with -o")
    _check_output(output, reader)
    total = None if isinstance(reader, LogFiles) else reader.count(**filters)
    selected = _checked(reader.query(**filters), reader)
    number = write(form, with_progress(selected, "exporting", total), output)
    if output != STDOUT:
        click.echo(f"{count(number, 'event')} written to {plain(output)}", err=True)
    report_rejected(reader)


def _check_output(output: Path, reader: EventReader) -> None:
    """Check that an export replaces no events: neither what it reads, nor a database.

    Raises:
        ClickException: it would.
    """
    if not output.is_file():
        return
    sources = reader.paths if isinstance(reader, LogFiles) else ()
    if any(path.exists() and path.samefile(output) for path in sources):
        raise click.ClickException(f"{plain(output)} is read from: name another output")
    if is_database(output):
        raise click.ClickException(f"{plain(output)} is a database: name another output")


def _checked(events: Iterable[Event], reader: EventReader) -> Iterator[Event]:
    yield from events
    check_lines(reader)
