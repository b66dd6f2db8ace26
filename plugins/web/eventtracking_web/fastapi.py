"""A dependency for FastAPI."""

from __future__ import annotations

from eventtracking_core import Tracker, get_tracker

__all__ = ["tracker"]


def tracker() -> Tracker:
    """Return the default tracker: `tracker: Annotated[Tracker, Depends(tracker)]`.

    Tests can replace it through `app.dependency_overrides`.
    """
    return get_tracker()
