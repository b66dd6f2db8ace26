"""The task that routes an event in a worker."""

from __future__ import annotations

import json
import logging
from time import monotonic
from typing import Any, Final

from celery import Task, shared_task
from celery.signals import worker_process_shutdown, worker_shutdown

from eventtracking._ids import routing
from eventtracking.backends.routing import RoutingBackend
from eventtracking.tracker import DEFAULT_TRACKER_NAME, TRACKERS
from eventtracking_core.events import new_id
from eventtracking_core.tracker.tracker import alive

__all__ = ["COUNTDOWN", "MAX_RETRIES", "send_event"]

logger = logging.getLogger(__name__)

MAX_RETRIES: Final = 3
COUNTDOWN: Final = 30
"""Seconds until a retry."""

FLUSH_TIMEOUT: Final = 30.0
"""Seconds that a task waits until what it sent is delivered."""

_REMAINING: Final = "eventtracking_backends"
"""The header with the names of the backends that a retry is for."""


@shared_task(bind=True, name="eventtracking.tasks.send_event", max_retries=MAX_RETRIES)
def send_event(self: Task[Any, Any], backend_name: str, processed_event: Any) -> None:
    """Send an event to the backends below an `AsyncRoutingBackend`; again to those that failed.

    Raises:
        KeyError: no tracker of this process has such a backend.
    """
    try:
        failed = _send(self.request, backend_name, processed_event)
        error: Exception | None = None
    except Exception as raised:
        logger.exception("Failed to send event to the backend %s", backend_name)
        if self.request.called_directly:
            raise
        failed, error = [], raised
    if self.request.called_directly or (not failed and error is None):
        return
    headers = {_REMAINING: json.dumps(failed)} if failed else {}
    raise self.retry(exc=error, countdown=COUNTDOWN, max_retries=MAX_RETRIES, headers=headers)


def _send(request: Any, backend_name: str, processed_event: Any) -> list[str]:
    router = _find(backend_name)
    headers = request.headers or {}
    remaining = headers.get(_REMAINING) or request.get(_REMAINING)
    with routing(request.id or new_id()):
        if remaining:
            failed = router.send_to(json.loads(remaining), processed_event)
        elif type(router).send_to_backends is RoutingBackend.send_to_backends:
            failed = router.send_to(router.backends, processed_event)
        else:
            router.send_to_backends(processed_event)
            failed = []
    router.flush(FLUSH_TIMEOUT)
    return failed


def _find(path: str) -> RoutingBackend:
    """Return a backend by its dotted path, in the default tracker or else in another one.

    Raises:
        KeyError: there is none.
    """
    names = sorted(TRACKERS, key=lambda name: name != DEFAULT_TRACKER_NAME)
    for tracker in [TRACKERS[name] for name in names]:
        backend: Any = tracker.routing_backend
        if path in backend.backends:
            return backend.backends[path]  # type: ignore[no-any-return]
        for name in path.split("."):
            backend = getattr(backend, "backends", {}).get(name)
        if backend is not None:
            return backend  # type: ignore[no-any-return]
    raise KeyError(path)


def _end(**_signal: Any) -> None:
    """Deliver what is pending: processes of a pool end without running `atexit`."""
    trackers = list(alive)
    deadline = monotonic() + max(tracker.shutdown_timeout for tracker in trackers)
    for tracker in trackers:
        tracker.shutdown(max(0.0, deadline - monotonic()))


worker_process_shutdown.connect(_end, dispatch_uid="eventtracking-compat")
worker_shutdown.connect(_end, dispatch_uid="eventtracking-compat")
