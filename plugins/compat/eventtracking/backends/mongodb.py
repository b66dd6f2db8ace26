"""Write events to MongoDB."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from inspect import signature
from typing import Any, Final

import eventtracking_mongo
from eventtracking.backends.native import NativeBackend

__all__ = ["MongoBackend"]

logger = logging.getLogger(__name__)

_OPTIONS: Final = frozenset(signature(eventtracking_mongo.MongoBackend).parameters)


class MongoBackend(NativeBackend):
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
        super().__init__("mongo", delivery=delivery, **known, extra=extra)
