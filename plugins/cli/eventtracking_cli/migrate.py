"""Print the native configuration for the settings of `event-tracking`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from eventtracking_cli.terminal import plain
from eventtracking_cli.translation import Translation, as_toml
from eventtracking_core import ConfigurationError
from eventtracking_core.config import build, read
from eventtracking_core.importing import import_named

__all__ = ["migrate"]


@click.command()
@click.argument("module", metavar="SETTINGS_MODULE")
def migrate(module: str) -> None:
    """Print the TOML for the settings of event-tracking.

    SETTINGS_MODULE is imported, as in DJANGO_SETTINGS_MODULE. It reports on stderr what could not
    be translated, and what is wrong with the result. No secret is printed: environment variables
    stand for them. Exits with 1 if something could not be translated, or is wrong.
    """
    try:
        settings = import_named(module)
    except ImportError as error:
        raise click.ClickException(str(error)) from error
    translation = Translation(
        getattr(settings, "EVENT_TRACKING_BACKENDS", None),
        getattr(settings, "EVENT_TRACKING_PROCESSORS", None),
    )
    click.echo(as_toml(translation.config), nl=False)
    notes = [*translation.notes, *_problems(translation)]
    if not getattr(settings, "EVENT_TRACKING_ENABLED", False):
        notes.append("EVENT_TRACKING_ENABLED is off: nothing was tracked so far")
    for note in notes:
        click.echo(plain(note), err=True)
    if notes:
        raise click.exceptions.Exit(1)


def _problems(translation: Translation) -> Iterator[str]:
    """Yield what is wrong with the configuration, once its environment variables are set."""
    for name, value in translation.secrets.items():
        os.environ.setdefault(name, value)
    try:
        build(read(translation.config)).shutdown(1)
    except ConfigurationError as error:
        yield from (f"{problem.path}: {problem.message}" for problem in error.problems)
