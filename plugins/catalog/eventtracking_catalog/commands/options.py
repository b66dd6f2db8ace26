"""Options of several commands: sources, a configuration, a directory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

__all__ = ["DIRECTORY", "LOG", "config", "sources"]

DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)
LOG: Final = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path)

sources = click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="MODULE | STORE | LOG",
    help="A module to import, an SQLite database, a URI such as mongodb://… or s3://…, a log, or a"
    " saved catalogue; several are joined. Else the store of the configuration.",
)

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A configuration, whose routing tree is shown; else, without --from, what"
    " EVENTTRACKING_CONFIG_FILE or pyproject.toml says.",
)
