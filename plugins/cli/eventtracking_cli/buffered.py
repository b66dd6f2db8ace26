"""The leaves of a configuration that keep something on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from eventtracking_cli.parameters import tracker_name
from eventtracking_core.config import build, read
from eventtracking_core.delivery import BatchLeaf

__all__ = ["backend", "leaves_of", "select_buffered"]

backend = click.option(
    "--backend", metavar="PATH", help="Only this one, by its path in the tree: warehouse.mongo."
)


def leaves_of(config: Path | None, path: str | None) -> list[BatchLeaf]:
    """Return the leaves with a queue or a spool; nothing is begun, adopted or delivered.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ClickException: there is no such leaf.
    """
    return select_buffered(build(read(config), tracker_name()).root.leaves(), path)


def select_buffered(leaves: Iterable[object], path: str | None) -> list[BatchLeaf]:
    """Return those of the leaves that are buffered, or the one at a path.

    Raises:
        ClickException: there is none there.
    """
    buffered = [leaf for leaf in leaves if isinstance(leaf, BatchLeaf)]
    if path is None:
        return buffered
    matching = [leaf for leaf in buffered if leaf.path == path]
    if not matching:
        paths = ", ".join(leaf.path for leaf in buffered) or "none"
        raise click.ClickException(f"no backend with a queue or a spool at that path ({paths})")
    return matching
