"""Show the main job in seconds: an hour of a course, routed, filtered, redacted and stored."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import click

from eventtracking_cli.charts import bars, columns
from eventtracking_cli.demo_course import COURSE_ID, HOUR, Happening, happenings
from eventtracking_cli.drawing import drawn
from eventtracking_cli.running import configured
from eventtracking_cli.store import opened
from eventtracking_cli.terminal import console, count
from eventtracking_core import Tracker

__all__ = ["demo"]

HOME: Final = Path("eventtracking-demo")
DATABASE: Final = HOME / "events.db"
CONFIG: Final = HOME / "eventtracking.toml"

_WRITTEN: Final = ("events.ndjson", "events.db", "eventtracking.toml")
_OWNED: Final = (*_WRITTEN, "events.db-shm", "events.db-wal")

_CONFIGURATION: Final = """\
# What `eventtracking demo` ran with. Paths are relative to where it was started.

# Only what the course says of itself; the page's own heartbeats stay out.
processors = [
    { type = "regex_filter", filter_type = "allowlist", regular_expressions = ["edx\\\\..*"] },
]

[backends.analytics]  # a router: what it redacts, no backend below it sees
processors = [{ type = "redact", fields = ["context.ip"] }]

[backends.analytics.backends.events]
type = "file"
path = "eventtracking-demo/events.ndjson"

[backends.analytics.backends.store]
type = "sqlite"
path = "eventtracking-demo/events.db"
"""


@click.command()
def demo() -> None:
    """Show the main job: an hour of a small course.

    Some thousands of events go through contexts, a filter and a redactor into a file and an SQLite
    database in ./eventtracking-demo/. Run again, it starts anew.
    """
    _prepare()
    events = happenings(datetime.now(UTC) - HOUR)
    with configured(CONFIG) as tracker:
        began = perf_counter()
        _emit(tracker, events)
        in_time = tracker.flush()
        seconds = perf_counter() - began
        tree = tracker.stats()["tree"]
    out = console()
    learners = len({happening.learner for happening in events})
    click.echo(f"{count(len(events), 'event')} of {learners} learners, in one hour of a course:\n")
    out.print(drawn(tree, "events", counters=True))
    with opened(DATABASE, None) as store:
        click.echo("\nThe ten most frequent\n")
        out.print(bars(store.count_by_name(limit=10)))
        click.echo("\nEvents per minute\n")
        out.print(columns(store.count_by_minute()))
    rate = len(events) / seconds
    click.echo(
        f"\nEmitted and stored in {seconds:.1f} s: {rate:,.0f} events per second, two sinks."
    )
    click.echo(f"Written to ./{HOME}/: {', '.join(_WRITTEN)}")
    click.echo("\nTry next:\n")
    for command in _commands():
        click.echo(f"  {command}")
    if not in_time:
        raise click.ClickException("not everything was delivered in time")


def _prepare() -> None:
    """Make the directory, and take away what an earlier run left in it."""
    if HOME.is_symlink() or (HOME.exists() and not HOME.is_dir()):
        raise click.ClickException(f"./{HOME} is no directory; move it out of the way")
    HOME.mkdir(exist_ok=True)
    for name in _OWNED:
        (HOME / name).unlink(missing_ok=True)
    CONFIG.write_text(_CONFIGURATION, encoding="utf-8")


def _emit(tracker: Tracker, events: Iterable[Happening]) -> None:
    with tracker.context("course", {"course_id": COURSE_ID, "org_id": "Demo"}):
        for happening in events:
            learner = happening.learner
            session = {
                "user_id": learner.user_id,
                "session": learner.session,
                "ip": learner.ip,
                "agent": learner.agent,
            }
            with tracker.context("session", session):
                tracker.emit(happening.name, happening.data, timestamp=happening.at)


def _commands() -> list[str]:
    """Return what to try next, as it is run where this was run."""
    program = (
        "uv run --no-sync eventtracking"
        if "UV_RUN_RECURSION_DEPTH" in os.environ
        else "eventtracking"
    )
    return [
        f"{program} events list --db {DATABASE} --name 'edx.problem.*' --limit 5",
        f"{program} events count --db {DATABASE} --by name --since 30m",
        f"{program} tree {CONFIG}",
    ]
