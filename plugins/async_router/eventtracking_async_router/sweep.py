"""The worker's periodic search for messages that Celery lost on Redis (see `redis_receipts`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from celery import bootsteps

from eventtracking_async_router.requeue import PUBLISH_TIMEOUT, queue_publisher
from eventtracking_core import RetryableError
from eventtracking_core.diagnostics import log, report

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["install"]

VISIBILITY_TIMEOUT: Final = 3600.0
"""Seconds; Celery's default."""


def install(app: Celery) -> None:
    """Make each worker of an application search."""
    app.steps["consumer"].add(_Sweep)


class _Sweep(bootsteps.StartStopStep):
    """Starts with every connection to the broker, because Celery drops timers on reconnection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        if consumer.connection.transport.driver_type != "redis":
            return
        options = consumer.app.conf.broker_transport_options
        patience = float(options.get("visibility_timeout", VISIBILITY_TIMEOUT))
        publishers = [
            queue_publisher(consumer.app, queue.name) for queue in consumer.task_consumer.queues
        ]

        def search() -> None:
            for each in publishers:
                try:
                    number = each.republish_lost(patience, timeout=PUBLISH_TIMEOUT)
                except RetryableError as error:
                    report(
                        logging.WARNING, "lost", "the search for lost messages failed: %s", error
                    )
                    return
                if number:
                    text = "%d messages were lost by Celery; published them again"
                    log(logging.WARNING, text, number)

        self._timer = consumer.timer.call_repeatedly(patience / 2, search)

    def stop(self, consumer: Any) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            consumer.timer.cancel(timer)
