"""The broker and the queue of the messages of a node."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BrokerSettings"]


class BrokerSettings(NamedTuple):
    """A Celery application, or a broker, and a queue; see `AsyncRouter` for each."""

    app: str | None = None
    broker: str | None = None
    queue: str = "events"
    visibility_timeout: float = 300.0
