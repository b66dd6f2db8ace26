"""Write events to files, one line of JSON per event."""

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
    """Return the type `file`: event-type records are lines of their own kind."""
    return {"file": FileBackend}
