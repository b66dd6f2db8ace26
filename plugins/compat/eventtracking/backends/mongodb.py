"""Write events to MongoDB."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from inspect import signature
from typing import Any, Final

from eventtracking._delivery import Delivery
from eventtracking._ids import native_events
from eventtracking_mongo import MongoBackend as NativeBackend

__all__ = ["MongoBackend"]

logger = logging.getLogger(__name__)

_OPTIONS: Final = frozenset(signature(NativeBackend).parameters)


class MongoBackend:
    """Writes events to a collection, acknowledged, in batches, from a queue.

    An event's document has its id as `_id`, so that a retried event is stored once.

    Args:
        delivery: how events get there, as in the native configuration; `{"mode": "inline"}` writes
            each one while it is emitted.
        options: `host`, `port`, `user`, `password`, `database`, `collection`, `extra`, and every
            other option of the native `mongo` backend.
    """

    def __init__(self, *, delivery: Mapping[str, Any] | None = None, **options: Any) -> None:
        unknown = sorted(options.keys() - _OPTIONS)
        if unknown:
            logger.warning("MongoBackend ignores unknown options: %s", ", ".join(unknown))
        known = {key: value for key, value in options.items() if key in _OPTIONS}
        if not isinstance(known.get("host", ""), str):  # a list of hosts
            hosts, port = known.pop("host"), known.pop("port", None)
            ended = [host if port is None or ":" in host else f"{host}:{port}" for host in hosts]
            known["uri"] = f"mongodb://{','.join(ended)}"
        extra = dict(known.pop("extra", None) or {})
        for replaced in ("w", "tz_aware"):  # writes are acknowledged, and times are aware
            extra.pop(replaced, None)
        self._delivery = Delivery("mongo", {"type": "mongo", **known, "extra": extra}, delivery)

    def send(self, event: Any) -> None:
        """Accept an event, or a list of events."""
        for each in native_events(event):
            self._delivery.send(each)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is written; return whether it is."""
        return self._delivery.flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Write what is pending and close the connection."""
        return self._delivery.shutdown(timeout)
