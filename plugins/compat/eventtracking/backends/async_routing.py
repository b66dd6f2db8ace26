"""Route events to backends in Celery's workers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, cast

from celery import current_app
from kombu.serialization import dumps, loads

from eventtracking._delivery import Delivery
from eventtracking._ids import current_id
from eventtracking.backends.routing import Processor, RoutingBackend
from eventtracking.processors.exceptions import EventEmissionExit
from eventtracking.tasks import send_event
from eventtracking_core import Event
from eventtracking_core.encoding import normalize, snapshot
from eventtracking_core.events import new_id

__all__ = ["AsyncRoutingBackend"]

logger = logging.getLogger(__name__)


class AsyncRoutingBackend(RoutingBackend):
    """Runs its processors here, and its backends in a worker.

    Events are published from a queue, so a broker that is gone neither blocks `emit` nor loses
    them; in Celery's eager mode, at once.

    Args:
        processors: run in the process that emits.
        backends: called in a worker.
        backend_name: where a worker finds this backend: its name in `EVENT_TRACKING_BACKENDS`, or
            the dotted path to it below another one. Any registered tracker may have it.
        delivery: how events get to the broker, as in the native configuration;
            `{"mode": "inline"}` publishes each one while it is emitted.
    """

    def __init__(
        self,
        processors: Iterable[Processor] | None = None,
        backends: Mapping[str, Any] | None = None,
        backend_name: str = "",
        delivery: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(backends=backends, processors=processors)
        self.backend_name = backend_name
        self._options = delivery
        self._making = Lock()
        self._delivery: Delivery | None = None

    def send(self, event: Any) -> None:
        """Process an event and publish it."""
        name = event.get("name") if isinstance(event, dict) else None
        try:
            processed = self.process_event(snapshot(event))
        except EventEmissionExit:
            logger.info("[EventEmissionExit] skipping event %s", name)
            return
        logger.info('Successfully processed event "%s"', name)
        if current_app.conf.task_always_eager:
            send_event.apply_async((self.backend_name, processed), task_id=new_id())
        else:
            self._publisher().send(_parcel(current_id(), self.backend_name, processed))
        logger.info('Scheduled celery task for event "%s" processing and routing', name)

    def _publisher(self) -> Delivery:
        with self._making:
            if self._delivery is None:
                publisher = _Publisher(send_event.app)
                self._delivery = Delivery("publish", publisher, self._options)
            return self._delivery

    def flush(self, timeout: float) -> bool:
        """Wait until everything is published; return whether it is."""
        return self._delivery is None or self._delivery.flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Publish what is pending, then release the backends."""
        published = self._delivery is None or self._delivery.shutdown(timeout)
        return super().shutdown(timeout) and published


class _Publisher:
    """Publishes the arguments of tasks; the event's id is the task's."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def send(self, event: Event) -> None:
        arguments = event["data"]
        decoded = loads(arguments["body"], arguments["content_type"], arguments["encoding"])
        task = self._app.tasks[send_event.name]
        task.apply_async(tuple(decoded), task_id=event["id"], retry=False)


def _parcel(event_id: str, backend_name: str, processed: Any) -> Event:
    """Return an event of the core that carries the arguments of a task as text."""
    try:
        content_type, encoding, body = dumps([backend_name, processed], serializer="json")
    except Exception:
        plain = normalize(processed)
        content_type, encoding, body = dumps([backend_name, plain], serializer="json")
    data = {"content_type": content_type, "encoding": encoding, "body": body}
    name = processed.get("name") if isinstance(processed, dict) else None
    parcel = {"id": event_id, "name": str(name or "unknown"), "context": {}, "data": data}
    return cast("Event", {**parcel, "timestamp": _time(processed)})


def _time(processed: Any) -> object:
    from datetime import UTC, datetime

    time = processed.get("timestamp") if isinstance(processed, dict) else None
    return time if isinstance(time, datetime) else datetime.now(UTC)
