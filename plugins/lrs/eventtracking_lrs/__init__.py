"""Send xAPI statements to a Learning Record Store."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_lrs.backend import LrsBackend

__all__ = ["LrsBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[LrsBackend]]:
    """Return the type `lrs`."""
    return {"lrs": LrsBackend}
