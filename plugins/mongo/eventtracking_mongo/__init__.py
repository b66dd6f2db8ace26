"""Send events to MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import BatchBackend, hookimpl
from eventtracking_core.registry import MetadataStore
from eventtracking_mongo.backend import MongoBackend

__all__ = ["MongoBackend", "eventtracking_backends"]


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., BatchBackend]]:
    """Return the plugin's backend, by its type name."""
    return {"mongo": MongoBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, Callable[..., MetadataStore]]:
    """Return the type `mongo`: the database also stores event-type records."""
    return {"mongo": MongoBackend}
