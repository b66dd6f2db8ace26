"""Store events as objects in S3, Google Cloud Storage, Azure or a directory, and query them."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_objects.backend import ObjectsBackend

__all__ = ["ObjectsBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[ObjectsBackend]]:
    """Return the type `objects`."""
    return {"objects": ObjectsBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, type[ObjectsBackend]]:
    """Return the type `objects`: the store also holds event-type records."""
    return {"objects": ObjectsBackend}
