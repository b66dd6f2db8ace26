"""Write events to files, one JSON line an event."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_file.backend import FileBackend

__all__ = ["FileBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[FileBackend]]:
    """Return the type `file`."""
    return {"file": FileBackend}


@hookimpl
def eventtracking_metadata_stores() -> Mapping[str, type[FileBackend]]:
    """Return the type `file`: records of event types are lines of their own kind."""
    return {"file": FileBackend}
