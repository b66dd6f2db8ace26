"""Send events to Redis and Valkey streams."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_redis.backend import RedisBackend

__all__ = ["RedisBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[RedisBackend]]:
    """Return the type `redis`."""
    return {"redis": RedisBackend}
