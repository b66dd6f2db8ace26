"""Configure a worker when it starts; deliver, release and log its counts when it ends."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from time import monotonic
from typing import Any

from celery.signals import (
    worker_init,
    worker_process_shutdown,
    worker_shutdown,
)

from eventtracking_async_router import sweep
from eventtracking_async_router.leaf import RemoteLeaf
from eventtracking_core import configure, get_tracker
from eventtracking_core.config.source import CONFIG_FILE
from eventtracking_core.deadlines import seconds_until
from eventtracking_core.diagnostics import log
from eventtracking_core.tracker.tracker import Tracker, alive

__all__ = ["connect", "end"]


def connect() -> None:
    """Connect to the signals of Celery's workers."""
    worker_init.connect(_begin, dispatch_uid="eventtracking")
    worker_process_shutdown.connect(end, dispatch_uid="eventtracking")
    worker_shutdown.connect(end, dispatch_uid="eventtracking")


def _begin(sender: Any, **_signal: Any) -> None:
    """Configure the default tracker, unless the application has configured it."""
    sweep.install(sender.app)
    if not get_tracker().backends and os.environ.get(CONFIG_FILE):
        configure()


def end(**_signal: Any) -> None:
    """Deliver what the application's tasks emitted, release every backend, and log the counts.

    Processes of a pool end without running `atexit`.
    """
    trackers = list(alive)
    deadline = monotonic() + max(tracker.shutdown_timeout for tracker in trackers)
    for tracker in trackers:
        tracker.shutdown(seconds_until(deadline))
    for tracker in trackers:
        for line in _ledgers(tracker):
            log(logging.INFO, "%s", line)


def _ledgers(tracker: Tracker) -> Iterator[str]:
    """Yield a log line for each leaf that this process delivered to."""
    for leaf in tracker.root.leaves():
        if not isinstance(leaf, RemoteLeaf):
            continue
        stats = leaf.stats()
        numbers = {key: stats[key] for key in ("accepted", "delivered", "dead_lettered")}
        numbers |= {**stats["dropped"], "requeued": stats["requeued"]}
        text = ", ".join(f"{number} {key}" for key, number in numbers.items() if number)
        if text:
            yield f"process {os.getpid()}, {leaf.path}: {text}"
