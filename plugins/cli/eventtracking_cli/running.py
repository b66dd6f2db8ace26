"""A tracker that is configured for one run, and what it says afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from eventtracking_cli.parameters import tracker_name
from eventtracking_core import Tracker

__all__ = ["configured", "drained"]

PATIENCE: Final = 30.0
"""Seconds in which something must be delivered, while anything waits."""


@contextmanager
def configured(config: Path | None) -> Iterator[Tracker]:
    """Configure a tracker; shut it down in the end.

    Args:
        config: a configuration's file; the default one without.

    Raises:
        ConfigurationError: it cannot be used.
        ClickException: it has no backend, so that nothing would be kept.
    """
    tracker = Tracker()
    tracker.name = tracker_name()  # whose configuration it is, so workers find its nodes
    tracker.configure(config)
    if not any(tracker.root.leaves()):
        message = "the configuration has no backend (or EVENTTRACKING_DISABLED is set): add one"
        raise click.ClickException(message)
    try:
        yield tracker
    finally:
        tracker.shutdown()


def drained(tracker: Tracker) -> bool:
    """Wait until pending events are delivered; return whether all of them are."""
    left = _unsettled(tracker)
    while not tracker.flush(PATIENCE):
        before, left = left, _unsettled(tracker)
        if left >= before:
            return False
    return True


def _unsettled(tracker: Tracker) -> int:
    return sum(leaf.ledger.unsettled() for leaf in tracker.root.leaves())
