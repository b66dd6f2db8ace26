"""Look at the events of a store: list, show, count, follow."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from time import sleep
from typing import Any, Final, Unpack

import click

from eventtracking_cli import parameters
from eventtracking_cli.charts import bars, columns
from eventtracking_cli.store import EventStore, Filters, opened
from eventtracking_cli.terminal import console, plain, print_json
from eventtracking_core import Event
from eventtracking_core.encoding import encode_json

__all__ = ["events"]

POLL_INTERVAL: Final = 0.5
"""Seconds between two looks for new events."""


@click.group()
def events() -> None:
    """Look at stored events: list, show, count, tail.

    The store is the SQLite database that --db names, else the first backend of the configuration
    that can be queried.
    """


def _filtered(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the store's and the filters' options; it gets the open store."""

    @wraps(verb)
    def run(*, db: Path | None, config: Path | None, **options: Any) -> None:
        with opened(db, config) as store:
            verb(store, **options)

    for option in (
        click.option("--user", help="The user's id."),
        click.option("--until", type=parameters.time, metavar="TIME", help="Before this time."),
        click.option("--since", type=parameters.time, metavar="TIME", help="From this time on."),
        click.option("--name", metavar="GLOB", help="The event's name: 'edx.video.*'."),
    ):
        run = option(run)
    return _stored(run)


def _stored(run: Callable[..., None]) -> Callable[..., None]:
    db = click.option(
        "--db", type=parameters.INPUT, metavar="PATH", help="An SQLite database of events."
    )
    return db(parameters.config(run))


@events.command("list")
@_filtered
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@parameters.as_json
def list_(store: EventStore, *, limit: int, as_json: bool, **filters: Unpack[Filters]) -> None:
    """List events, newest first.

    Times are RFC 3339 (2026-09-12T12:55:00Z), dates, or how long ago (10m, 2h, 3d).
    """
    for event in store.query(**filters, newest_first=True, limit=limit):
        _print(event, as_json=as_json)


@events.command()
@click.argument("event_id", metavar="ID")
@_stored
@parameters.as_json
def show(event_id: str, db: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Show one event, all of it."""
    with opened(db, config) as store:
        event = store.get(event_id)
    if event is None:
        raise click.ClickException(f"no event {plain(event_id)}")
    print_json(json.loads(encode_json(event)), indent=None if as_json else 2)


@events.command("count")
@_filtered
@click.option("--by", type=click.Choice(["name", "minute"]), help="One number for each of these.")
@parameters.as_json
def count_(store: EventStore, *, by: str | None, as_json: bool, **filters: Unpack[Filters]) -> None:
    """Count events, or say how many there are of each name or in each minute."""
    if by == "name":
        names = store.count_by_name(**filters)
        if as_json:
            print_json([{"name": name, "count": number} for name, number in names])
        else:
            console().print(bars(names))
    elif by == "minute":
        minutes = store.count_by_minute(**filters)
        if as_json:
            print_json([{"minute": _text(at), "count": number} for at, number in minutes])
        else:
            console().print(columns(minutes))
    else:
        number = store.count(**filters)
        if as_json:
            print_json({"count": number})
        else:
            click.echo(number)


@events.command()
@_filtered
@click.option("-f", "--follow", is_flag=True, help="Go on with new events until Ctrl-C.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True)
@parameters.as_json
def tail(
    store: EventStore, *, follow: bool, limit: int, as_json: bool, **filters: Unpack[Filters]
) -> None:
    """Print the latest events, oldest first, and with --follow the new ones as they are stored.

    Latest and new are told by when they were stored, not by the events' own times.
    """
    latest = list(store.query(**filters, after="", newest_first=True, limit=limit))
    last = latest[0]["id"] if latest else ""
    for event in reversed(latest):
        _print(event, as_json=as_json)
    while follow:
        sleep(POLL_INTERVAL)
        for event in store.query(**filters, after=last):
            _print(event, as_json=as_json)
            last = event["id"]


def _print(event: Event, *, as_json: bool) -> None:
    """Print an event as a line: all of it, except that a terminal's edge cuts its data."""
    if as_json:
        click.echo(encode_json(event))
        return
    user = event["context"].get("user_id") or event["context"].get("username") or "-"
    head = "  ".join([_text(event["timestamp"]), event["id"], event["name"], str(user)])
    line = plain(f"{head}  {json.dumps(event['data'], ensure_ascii=False, default=str)}")
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, len(plain(head)))
        line = line if len(line) <= width else f"{line[: width - 1]}…"
    click.echo(line)


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
