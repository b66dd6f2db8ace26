"""The Celery application of `benchmarks.drop_in`: of its program, which emits, and of its worker.

`BENCHMARKS_BROKER` is its broker, and counts what arrives besides.
"""

from __future__ import annotations

import os
from typing import Any, Final

import django
from celery import Celery
from django.conf import settings
from redis import Redis

from eventtracking.backends.async_routing import AsyncRoutingBackend
from eventtracking.tracker import Tracker, register_tracker

__all__ = ["COUNT", "app", "counter", "tracker"]

settings.configure()  # the task of the published package reads them
django.setup()

COUNT: Final = "drop_in.count"

app = Celery("drop_in", broker=os.environ["BENCHMARKS_BROKER"], include=["eventtracking.tasks"])
app.conf.update(broker_connection_retry_on_startup=True, task_ignore_result=True)
app.set_default()
counter: Final = Redis.from_url(os.environ["BENCHMARKS_BROKER"])


class Counting:
    """Counts what arrives, in all processes of a worker."""

    def send(self, _event: Any) -> None:
        """Count an event."""
        counter.incr(COUNT)


tracker = Tracker(
    {"celery": AsyncRoutingBackend(backend_name="celery", backends={"sink": Counting()})}
)
register_tracker(tracker)
