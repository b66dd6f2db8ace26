"""Route the events that arrive from the event bus."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from django.dispatch import receiver
from openedx_events.analytics.signals import TRACKING_EVENT_EMITTED

from eventtracking.backends.event_bus import EventBusRoutingBackend
from eventtracking.config import SEND_TRACKING_EVENT_EMITTED_SIGNAL
from eventtracking.processors.exceptions import EventEmissionExit
from eventtracking.tracker import get_tracker

__all__ = ["SIGNAL_PROCESSED_FROM_EVENT_BUS", "send_tracking_log_to_backends"]

logger = logging.getLogger(__name__)

SIGNAL_PROCESSED_FROM_EVENT_BUS: Final = "from_event_bus"


@receiver(TRACKING_EVENT_EMITTED)
def send_tracking_log_to_backends(sender: Any, signal: Any, **kwargs: Any) -> None:  # noqa: ARG001
    """Route a tracking log below each `EventBusRoutingBackend` of the default tracker."""
    is_enabled = SEND_TRACKING_EVENT_EMITTED_SIGNAL.is_enabled()
    if not (is_enabled and kwargs.get(SIGNAL_PROCESSED_FROM_EVENT_BUS)):
        return
    log = kwargs["tracking_log"]
    for backend in get_tracker().backends.values():
        if isinstance(backend, EventBusRoutingBackend):
            _route(backend, log)


def _route(backend: EventBusRoutingBackend, log: Any) -> None:
    event = {
        "name": log.name,
        "timestamp": log.timestamp,
        "data": json.loads(log.data),
        "context": json.loads(log.context),
    }
    try:
        processed = backend.process_event(event)
    except EventEmissionExit:
        logger.info("[EventEmissionExit] skipping event %s", log.name)
        return
    logger.info('Successfully processed event "%s"', log.name)
    backend.send_to_backends(processed)
