"""Send events to Apache Kafka."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_kafka.backend import KafkaBackend

__all__ = ["KafkaBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[KafkaBackend]]:
    """Return the type `kafka`."""
    return {"kafka": KafkaBackend}
