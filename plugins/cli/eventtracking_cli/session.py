"""A tracker that is configured for one run of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from eventtracking_cli.parameters import tracker_name
from eventtracking_core import Tracker

__all__ = ["open_tracker"]


@contextmanager
def open_tracker(config: Path | None, *, needs_backend: bool = True) -> Iterator[Tracker]:
    """Configure a tracker; shut it down in the end.

    Args:
        config: a configuration's file; the default one without.
        needs_backend: refuse a configuration that has no backend.

    Raises:
        ConfigurationError: it cannot be used.
        ClickException: it has no backend, so that nothing would be stored.
    """
    tracker = Tracker(name=tracker_name())  # that of the configuration, so workers find its nodes
    tracker.configure(config)
    if needs_backend and not tracker.root.leaves():
        message = "the configuration has no backend (or EVENTTRACKING_DISABLED is set): add one"
        raise click.ClickException(message)
    try:
        yield tracker
    finally:
        tracker.shutdown()
