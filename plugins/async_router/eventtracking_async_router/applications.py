"""Celery applications: the user's own, found by its path, or a small one made for a broker."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from celery import Celery
from celery.app import app_or_default

from eventtracking_core import RetryableError

if TYPE_CHECKING:
    from eventtracking_async_router.node import AsyncRouter

__all__ = ["TASK", "application", "current", "small"]

TASK: Final = "eventtracking.deliver"
"""The name of the task that delivers a batch."""

TASKS: Final = "eventtracking_async_router.tasks"
ETA_LIMIT: Final = 200
"""Messages a worker holds until they are due; with so many, it takes no others for a while."""

SWEEPS_EVERY: Final = 10.0
"""Seconds between two looks for messages of workers that did not come back."""


def application(node: AsyncRouter) -> Celery:
    """Return the Celery application that a node's messages go through.

    Raises:
        RetryableError: there is none yet; the message says which one.
    """
    if node.broker is not None:
        return small(node.broker, node.queue, node.visibility_timeout)
    if node.app is None:
        found = current()
        if found is None:
            text = "there is no Celery application: name one with app, or a broker"
            raise RetryableError(text)
        return found
    module, _, attribute = node.app.partition(":")
    try:
        found = attrgetter(attribute)(import_module(module))
    except Exception as error:
        text = f"the Celery application {node.app} cannot be imported: {type(error).__name__}"
        raise RetryableError(text) from error
    if not isinstance(found, Celery):
        raise RetryableError(f"{node.app} is no Celery application")
    return found


def small(broker: str | None, queue: str, visibility_timeout: float) -> Celery:
    """Return an application that knows a broker and the one task.

    Args:
        broker: its address; the one that `CELERY_BROKER_URL` names, if none is given.
        queue: what its worker consumes, unless it is told otherwise.
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
        worker_lost_wait=1.0,  # for results, of which there are none
        worker_prefetch_multiplier=1,
    )
    return app


def _transport_options(app: Celery, visibility_timeout: float) -> dict[str, float]:
    if app.connection_for_write().transport.driver_type != "redis":
        return {}
    return {
        "visibility_timeout": visibility_timeout,
        "unacked_restore_interval": min(SWEEPS_EVERY, visibility_timeout / 2),
        "unacked_restore_throttle": 1,
    }


def current() -> Celery | None:
    """Return the application that is current in this thread, if there is one."""
    app = app_or_default()
    # Celery makes an application of that name where there is none.
    return None if app.main == "default" and not app.conf.broker_url else app
