"""A catalogue of event types: what events mean, who emits them, where they go, and how many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from eventtracking_core import hookimpl

if TYPE_CHECKING:
    import click

__all__: list[str] = []


@hookimpl
def eventtracking_commands() -> Iterable[click.Command]:
    """Return `catalog`, `export`, `learn` and `validate`."""
    from eventtracking_catalog.commands import COMMANDS  # noqa: PLC0415  jinja2 and click

    return COMMANDS
