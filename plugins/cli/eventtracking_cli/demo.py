"""Emit an hour of a course: its events are routed, filtered, redacted and stored in seconds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Final

import click

from eventtracking_cli.charts import bars, columns
from eventtracking_cli.demo_course import COURSE_ID, HOUR, Happening, happenings
from eventtracking_cli.demo_types import (
    COURSE,
    COURSE_FIELDS,
    SESSION,
    SESSION_FIELDS,
    register_types,
)
from eventtracking_cli.drawing import draw_tree
from eventtracking_cli.session import open_tracker
from eventtracking_cli.terminal import console, count
from eventtracking_core import Tracker
from eventtracking_core.sources import open_reader

__all__ = ["demo"]

HOME: Final = Path("eventtracking-demo")
DATABASE: Final = HOME / "events.db"
CONFIG: Final = HOME / "eventtracking.toml"

SHOWN_NAMES: Final = 5
CHART_HEIGHT: Final = 4
"""Both small enough for all to fit a terminal of 80 by 24."""

_CATALOG: Final = Path(__file__).parents[2] / "catalog"
"""There in a clone, where a dependency group installs it."""

_MARKER: Final = ".made-by-eventtracking-demo"
"""Holds the digest of the configuration that was written, so that a change of it is noticed."""

_OWNED: Final = (
    "events.ndjson",
    "events.db",
    "events.db-shm",
    "events.db-wal",
    "eventtracking.toml",
)

_CONFIGURATION: Final = """\
# What `eventtracking demo` ran with. Paths are relative to where it was started.

# Only the events of the course: the heartbeats of its pages are dropped.
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
    """Emit and route the events of a small course.

    Some thousands of events go through contexts, a filter and a redactor into a file and an
    SQLite database in ./eventtracking-demo/. A second run replaces them. Files that the demo
    did not create are never overwritten.
    """
    _prepare()
    events = happenings(datetime.now(UTC) - HOUR)
    with open_tracker(CONFIG) as tracker:
        register_types(tracker)
        began = perf_counter()
        _emit(tracker, events)
        in_time = tracker.flush()
        rate = len(events) / (perf_counter() - began)
        tree = tracker.stats()["tree"]
    out = console()
    learners = len({happening.learner for happening in events})
    click.echo(
        f"{count(len(events), 'event')} of {learners} learners in an hour of a course, "
        f"{rate:,.0f} a second:"
    )
    out.print(draw_tree(tree, "events", counters=True))
    with open_reader([str(DATABASE)]) as store:
        click.echo()
        out.print(bars(store.count_by("name", limit=SHOWN_NAMES)))
        out.print(columns(store.count_per("minute"), height=CHART_HEIGHT))
    click.echo(f"Events and configuration are in ./{HOME}/. Try next:")
    for command in _commands():
        click.echo(f"  {command}")
    if not in_time:
        raise click.ClickException("not everything was delivered in time")


def _prepare() -> None:
    """Make the directory, and remove what an earlier run left in it, and nothing else.

    Raises:
        ClickException: something is there that no earlier run made.
    """
    if HOME.is_symlink() or (HOME.exists() and not HOME.is_dir()):
        raise click.ClickException(f"./{HOME} is no directory; move it out of the way")
    marker = HOME / _MARKER
    leftovers = [name for name in _OWNED if (HOME / name).exists() or (HOME / name).is_symlink()]
    if leftovers and not marker.is_file():
        raise click.ClickException(
            f"./{HOME}/{leftovers[0]} was not made by this command; move it out of the way"
        )
    if CONFIG.exists() and _digest(CONFIG.read_text(encoding="utf-8")) != marker.read_text():
        raise click.ClickException(f"./{CONFIG} was changed; move it out of the way, or use it")
    for name in leftovers:
        (HOME / name).unlink()
    HOME.mkdir(exist_ok=True)
    marker.write_text(_digest(_CONFIGURATION))
    CONFIG.write_text(_CONFIGURATION, encoding="utf-8")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _emit(tracker: Tracker, events: Iterable[Happening]) -> None:
    course = {"course_id": COURSE_ID, "org_id": "Demo"}
    with tracker.context("course", course, COURSE, COURSE_FIELDS):
        for happening in events:
            learner = happening.learner
            session = {
                "user_id": learner.user_id,
                "session": learner.session,
                "ip": learner.ip,
                "agent": learner.agent,
            }
            with tracker.context("session", session, SESSION, SESSION_FIELDS):
                tracker.emit(happening.name, happening.data, timestamp=happening.at)


def _commands() -> list[str]:
    """Return what to try next, as it is run where this was run."""
    program = catalog = "eventtracking"
    under_uv = "UV_RUN_RECURSION_DEPTH" in os.environ
    if under_uv:
        program = catalog = "uv run --no-sync eventtracking"
    commands = [
        f"{program} events list --from {DATABASE}",
        f"{program} events count --by name --from {DATABASE}",
    ]
    has_catalog = find_spec("eventtracking_catalog") is not None
    if not has_catalog and under_uv and _CATALOG.is_dir():
        catalog, has_catalog = "uv run --only-group catalog eventtracking", True
    if has_catalog:
        commands.append(f"{catalog} catalog serve --from {DATABASE}")
    return commands
