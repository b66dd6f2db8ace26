"""Draft typed events from a log."""

from __future__ import annotations

from pathlib import Path

import click

from eventtracking_catalog.commands import options
from eventtracking_catalog.commands.progress import report_progress
from eventtracking_core._text import escaped, no_events

__all__ = ["learn"]


@click.command()
@click.argument("logs", nargs=-1, required=True, type=options.LOG, metavar="LOG... | -")
def learn(logs: tuple[Path, ...]) -> None:
    """Draft typed events from logs, as a Python module.

    The module is printed. Fields, their types, whether they are always present, and whether
    their names suggest personal data come from the events; the descriptions are left to you.
    `eventtracking validate` passes on the same logs. The module contains values of events only
    for fields that had one of a few words, twenty times or more.
    """
    from eventtracking_catalog.learning import draft, observe_logs  # noqa: PLC0415

    with report_progress() as report:
        catalogue = observe_logs(logs, report)
    if not catalogue.entries:
        raise click.ClickException("there are no events to learn from")
    click.echo(draft(catalogue, ", ".join(escaped(path.name) for path in logs)), nl=False)
    if catalogue.rejected:
        click.echo(no_events(catalogue.rejected), err=True)
    if catalogue.left_out:
        click.echo(f"{catalogue.left_out:,} events of further names are left out", err=True)
