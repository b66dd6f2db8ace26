"""Refuse files that the configured backends write: reading them would store events twice."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from io import UnsupportedOperation
from pathlib import Path

import click

from eventtracking_cli.terminal import plain
from eventtracking_core import Tracker
from eventtracking_core.components import WritesFiles
from eventtracking_core.logs import STDIN
from eventtracking_core.routing import Leaf, walk_tree

__all__ = ["refuse_inputs", "refuse_output"]


def refuse_inputs(tracker: Tracker, paths: Iterable[Path], only: Leaf | None = None) -> None:
    """Refuse inputs that backends write, by whatever name.

    Args:
        tracker: whose backends they are.
        paths: what is to be read, `-` for the standard input.
        only: the one backend that gets the events, if it is only one.

    Raises:
        UsageError: one of them is the file of a backend, which would double its events.
    """
    inputs = {identity: path for path in paths if (identity := _identity(path))}
    for name, file in _files(tracker, only) if inputs else ():
        path = inputs.get(_identity(file))
        if path is not None:
            shown = "the standard input" if path == STDIN else plain(path)
            raise click.UsageError(
                f"{shown} is a file of the backend {plain(name)}, which would store its events"
                " twice: use a configuration whose backends write elsewhere"
            )


def refuse_output(tracker: Tracker, path: Path, option: str) -> None:
    """Refuse to overwrite what backends write.

    Raises:
        UsageError: the path is that of a backend's file, which need not exist yet.
    """
    identity = _identity(path)
    for name, file in _files(tracker, None):
        if _identity(file) == identity if identity else file.resolve() == path.resolve():
            raise click.UsageError(f"{option} would overwrite a file of the backend {plain(name)}")


def _files(tracker: Tracker, only: Leaf | None) -> Iterator[tuple[str, Path]]:
    """Yield the files of backends, with the names of the backends."""
    for names, leaf in walk_tree(tracker.root, everywhere=True):
        if not isinstance(leaf, Leaf) or (only is not None and leaf is not only):
            continue
        if isinstance(leaf.registered, WritesFiles):
            for file in leaf.registered.written_files():
                yield ".".join(names), file


def _identity(path: Path) -> tuple[int, ...]:
    """Return what links to a file have in common; nothing where there is no regular file."""
    try:
        status = os.fstat(sys.stdin.fileno()) if path == STDIN else path.stat()
    except (OSError, UnsupportedOperation, ValueError):
        return ()
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else ()
