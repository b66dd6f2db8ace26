"""The leaves of a configuration that keep something on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from eventtracking_cli.parameters import tracker_name
from eventtracking_core import Tracker
from eventtracking_core.config import build, read
from eventtracking_core.delivery import BatchLeaf

__all__ = ["backend", "chosen", "leaves_of", "tracking"]

backend = click.option(
    "--backend", metavar="PATH", help="Only this one, by its path in the tree: warehouse.mongo."
)


def leaves_of(config: Path | None, path: str | None) -> list[BatchLeaf]:
    """Return the leaves with a queue or a spool; nothing is begun, adopted or delivered.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ClickException: there is no such leaf.
    """
    return chosen(build(read(config), tracker_name()).root.leaves(), path)


@contextmanager
def tracking(config: Path | None) -> Iterator[Tracker]:
    """Configure a tracker that delivers; shut it down in the end."""
    tracker = Tracker()
    tracker.name = tracker_name()  # whose configuration it is, so workers find its nodes
    tracker.configure(config)
    try:
        yield tracker
    finally:
        tracker.shutdown()


def chosen(leaves: Iterable[object], path: str | None) -> list[BatchLeaf]:
    """Return those of the leaves that are buffered, or the one at a path.

    Raises:
        ClickException: there is none there.
    """
    buffered = [leaf for leaf in leaves if isinstance(leaf, BatchLeaf)]
    if path is None:
        return buffered
    found = [leaf for leaf in buffered if leaf.path == path]
    if not found:
        there = ", ".join(leaf.path for leaf in buffered) or "none"
        raise click.ClickException(f"no backend with a queue or a spool at that path ({there})")
    return found
