"""Send events to any HTTP endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_http.backend import HttpBackend

__all__ = ["HttpBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[HttpBackend]]:
    """Return the type `http`."""
    return {"http": HttpBackend}
