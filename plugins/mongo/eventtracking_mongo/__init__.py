"""Send events to MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import BatchBackend, hookimpl
from eventtracking_mongo.backend import MongoBackend

__all__ = ["MongoBackend", "eventtracking_backends"]


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., BatchBackend]]:
    """Return the plugin's backend, by its type name."""
    return {"mongo": MongoBackend}
