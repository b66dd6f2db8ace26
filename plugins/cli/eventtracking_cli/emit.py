"""Emit one event from the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from eventtracking_cli import parameters
from eventtracking_cli.drawing import drop_reasons, leaves
from eventtracking_cli.session import open_tracker
from eventtracking_cli.terminal import plain, print_json
from eventtracking_core import Tracker

__all__ = ["emit"]


@click.command()
@click.argument("name")
@click.argument("data", nargs=-1, type=parameters.pair, metavar="[KEY=VALUE]...")
@click.option(
    "--context",
    multiple=True,
    type=parameters.pair,
    metavar="KEY=VALUE",
    help="A field of the context; repeatable.",
)
@parameters.config
@parameters.as_json
def emit(
    name: str,
    data: tuple[tuple[str, Any], ...],
    context: tuple[tuple[str, Any], ...],
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Emit one event, and print its id.

    A value that is valid JSON has its JSON type (attempts=3, done=true, tags='["a"]'); any
    other value is a string. Exits with 1 if a backend failed or no backend received the event.
    """
    if not name:
        raise click.BadParameter("an event needs a name", param_hint="NAME")
    fields, surroundings = _fields(data), _fields(context)
    with open_tracker(config) as tracker:
        with tracker.context("cli", surroundings):
            event_id = tracker.emit(name, fields)
        in_time = tracker.flush()
        problem = _problem(tracker, in_time=in_time)
    if as_json:
        print_json({"id": event_id, "delivered": not problem, "problem": problem})
    else:
        click.echo(event_id)
    if problem:
        raise click.ClickException(f"not delivered: {problem}")


def _fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise click.UsageError(f"{plain(key)} is given twice")
        fields[key] = value
    return fields


def _problem(tracker: Tracker, *, in_time: bool) -> str | None:
    tree = tracker.stats()["tree"]
    reached = list(leaves(tree))
    failed = [f"{leaf.path} ({', '.join(leaf.lost)})" for leaf in reached if leaf.lost]
    if failed:
        return plain(", ".join(failed))
    if not in_time:
        waiting = ", ".join(plain(leaf.path) for leaf in reached if leaf.pending)
        return f"{waiting or 'a backend'} did not deliver it in time"
    if not any(leaf.delivered for leaf in reached):
        return ", ".join(drop_reasons(tree)) or "no backend took it"
    return None
