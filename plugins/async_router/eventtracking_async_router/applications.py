"""Celery applications: the user's own, imported by path, or a small one made for a broker."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import Final

from celery import Celery
from celery.app import app_or_default

from eventtracking_async_router.settings import BrokerSettings
from eventtracking_core import RetryableError

__all__ = ["application", "current", "small"]

TASKS: Final = "eventtracking_async_router.tasks"
ETA_LIMIT: Final = 200
"""Maximum number of delayed messages that a worker holds; with more, it stops consuming."""

RESTORE_INTERVAL: Final = 10.0
"""Seconds between two searches for messages that dead workers left unacknowledged."""


def application(settings: BrokerSettings) -> Celery:
    """Return the Celery application that publishes a node's messages.

    Raises:
        RetryableError: there is none yet; the message names it.
    """
    if settings.broker is not None:
        return small(settings.broker, settings.queue, settings.visibility_timeout)
    if settings.app is None:
        app = current()
        if app is None:
            text = "there is no Celery application: name one with app, or a broker"
            raise RetryableError(text)
        return app
    module, _, attribute = settings.app.partition(":")
    try:
        app = attrgetter(attribute)(import_module(module))
    except Exception as error:
        text = f"the Celery application {settings.app} cannot be imported: {type(error).__name__}"
        raise RetryableError(text) from error
    if not isinstance(app, Celery):
        raise RetryableError(f"{settings.app} is not a Celery application")
    return app


def small(broker: str | None, queue: str, visibility_timeout: float) -> Celery:
    """Return an application with one broker and one task.

    Args:
        broker: its address; by default `CELERY_BROKER_URL`.
        queue: the queue that its worker consumes by default.
        visibility_timeout: see `AsyncRouter`.
    """
    app = Celery("eventtracking", broker=broker, include=[TASKS], set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(app, visibility_timeout),
        task_default_queue=queue,
        task_ignore_result=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_eta_task_limit=ETA_LIMIT,
        worker_lost_wait=1.0,  # there are no results to wait for
        worker_prefetch_multiplier=1,
    )
    return app


def _transport_options(app: Celery, visibility_timeout: float) -> dict[str, float]:
    if app.connection_for_write().transport.driver_type != "redis":
        return {}
    return {
        "visibility_timeout": visibility_timeout,
        "unacked_restore_interval": min(RESTORE_INTERVAL, visibility_timeout / 2),
        "unacked_restore_throttle": 1,
    }


def current() -> Celery | None:
    """Return the application that is current in this thread, if there is one."""
    app = app_or_default()
    # Celery creates an application of that name if there is none.
    return None if app.main == "default" and not app.conf.broker_url else app
