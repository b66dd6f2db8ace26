"""Print the JSON Schema of a configuration, for editors."""

from __future__ import annotations

import click

from eventtracking_cli.terminal import plain, print_json
from eventtracking_core.config import json_schema
from eventtracking_core.plugins import plugins

__all__ = ["schema"]


@click.command()
def schema() -> None:
    """Print the JSON Schema of a configuration.

    It is for draft 2020-12, and covers the installed plugins. A plugin that cannot be imported
    is left out and named on stderr.
    """
    components, failed = plugins.available()
    for error in failed.values():
        click.echo(plain(error), err=True)
    print_json(json_schema(components))
