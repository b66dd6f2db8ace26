"""The commands that the plugin adds to the program `eventtracking`."""

from __future__ import annotations

from typing import Final

import click

from eventtracking_catalog.commands.catalog import catalog
from eventtracking_catalog.commands.export import export
from eventtracking_catalog.commands.learn import learn
from eventtracking_catalog.commands.validate import validate

__all__ = ["COMMANDS"]

COMMANDS: Final[tuple[click.Command, ...]] = (catalog, export, learn, validate)
