"""Send events to the event bus of Open edX."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings

from eventtracking.backends.routing import RoutingBackend
from eventtracking.config import SEND_TRACKING_EVENT_EMITTED_SIGNAL
from eventtracking_core.encoding import normalize
from eventtracking_logger import DateTimeJSONEncoder

try:
    from openedx_events.analytics.data import TrackingLogData
    from openedx_events.analytics.signals import TRACKING_EVENT_EMITTED
except ImportError as error:
    raise ImportError(
        "the event bus needs openedx-events: pip install 'eventtracking-compat[event-bus]'"
    ) from error

__all__ = ["EventBusRoutingBackend"]

logger = logging.getLogger(__name__)


class EventBusRoutingBackend(RoutingBackend):
    """Sends the signal `TRACKING_EVENT_EMITTED` for each event whose name is listed.

    The setting `EVENT_BUS_TRACKING_LOGS` is the list of names, without patterns. Nothing is sent
    without it, nor unless `SEND_TRACKING_EVENT_EMITTED_SIGNAL` is on.

    Its processors and backends run in the service that receives the event from the bus.

    Args:
        processors: run there.
        backends: called there.
        backend_name: its name in `EVENT_TRACKING_BACKENDS`.
    """

    def __init__(
        self, processors: Any = None, backends: Any = None, backend_name: str = ""
    ) -> None:
        super().__init__(backends=backends, processors=processors)
        self.backend_name = backend_name

    def send(self, event: Any) -> None:
        """Send the signal, if the event is one of those for the bus."""
        name = event.get("name") or ""
        if not SEND_TRACKING_EVENT_EMITTED_SIGNAL.is_enabled() or name not in _names():
            return
        timestamp = event.get("timestamp")
        if isinstance(timestamp, str):
            timestamp = datetime.fromisoformat(timestamp)
        TRACKING_EVENT_EMITTED.send_event(
            tracking_log=TrackingLogData(
                name=name,
                timestamp=timestamp,
                data=_text(event.get("data")),
                context=_text(event.get("context")),
            )
        )
        logger.info("Tracking log %s emitted to the event bus.", name)


def _names() -> Collection[str]:
    return getattr(settings, "EVENT_BUS_TRACKING_LOGS", ())


def _text(value: Any) -> str:
    try:
        return json.dumps(value, cls=DateTimeJSONEncoder)
    except (TypeError, ValueError, RecursionError):  # a value that JSON cannot hold as it is
        return json.dumps(normalize(value), cls=DateTimeJSONEncoder)
