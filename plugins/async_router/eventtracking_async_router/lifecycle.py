"""What happens when a worker begins and ends: it is configured; it says what it did."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from time import monotonic
from typing import Any, Final

from celery.signals import (
    worker_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)

from eventtracking_async_router.returning import PUBLISHES_IN, outlet
from eventtracking_core import RetryableError, configure, get_tracker
from eventtracking_core.config.source import CONFIG_FILE
from eventtracking_core.delivery import RemoteLeaf
from eventtracking_core.diagnostics import log, report
from eventtracking_core.tracker import Tracker, alive

__all__ = ["connect"]

VISIBILITY_TIMEOUT: Final = 3600.0
"""Seconds: Celery's own, where the application sets none."""


def connect() -> None:
    """Have Celery tell of the beginning and the end of its workers."""
    worker_init.connect(_begin, dispatch_uid="eventtracking")
    worker_ready.connect(_look_for_the_lost, dispatch_uid="eventtracking")
    worker_process_shutdown.connect(_end, dispatch_uid="eventtracking")
    worker_shutdown.connect(_end, dispatch_uid="eventtracking")


def _begin(**_signal: Any) -> None:
    """Configure the default tracker, unless the application did."""
    if not get_tracker().backends and os.environ.get(CONFIG_FILE):
        configure()


def _look_for_the_lost(sender: Any, **_signal: Any) -> None:
    """Look, every now and then, for messages that fell between two of Celery's steps on Redis."""
    options = sender.app.conf.broker_transport_options
    patience = float(options.get("visibility_timeout", VISIBILITY_TIMEOUT))
    outlets = [outlet(sender.app, queue.name) for queue in sender.task_consumer.queues]

    def look() -> None:
        for each in outlets:
            try:
                number = each.send_lost_again(patience, timeout=PUBLISHES_IN)
            except RetryableError as error:
                report(logging.WARNING, "lost", "lost messages were not looked for: %s", error)
                return
            if number:
                log(logging.WARNING, "%d messages were lost on the way, and are sent again", number)

    if sender.connection.transport.driver_type == "redis":
        sender.timer.call_repeatedly(patience / 2, look)


def _end(**_signal: Any) -> None:
    """Deliver what the application's tasks emitted, release everything, and say what was done.

    The processes of a pool end without `atexit`.
    """
    trackers = list(alive)
    deadline = monotonic() + max(tracker.shutdown_timeout for tracker in trackers)
    for tracker in trackers:
        tracker.shutdown(max(0.0, deadline - monotonic()))
    for tracker in trackers:
        for line in _ledgers(tracker):
            log(logging.INFO, "%s", line)


def _ledgers(tracker: Tracker) -> Iterator[str]:
    """Yield a line for each leaf that this process delivered to."""
    for leaf in tracker.root.leaves():
        if not isinstance(leaf, RemoteLeaf):
            continue
        stats = leaf.stats()
        numbers = {key: stats[key] for key in ("accepted", "delivered", "dead_lettered")}
        numbers |= {**stats["dropped"], "returned": stats["returned"]}
        text = ", ".join(f"{number} {key}" for key, number in numbers.items() if number)
        if text:
            yield f"process {os.getpid()}, {leaf.path}: {text}"
