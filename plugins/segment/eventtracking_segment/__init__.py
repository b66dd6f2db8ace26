"""Send events to Segment without losing any."""

from __future__ import annotations

from collections.abc import Mapping

from eventtracking_core import hookimpl
from eventtracking_segment.backend import SegmentBackend

__all__ = ["SegmentBackend"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[SegmentBackend]]:
    """Return the type `segment`."""
    return {"segment": SegmentBackend}
