"""Capture in a test what a tracker emits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eventtracking_core.encoding import snapshot
from eventtracking_core.pipeline.interception import interceptors
from eventtracking_core.testing._captured import CapturedEvents
from eventtracking_core.tracker.tracker import Tracker, alive
from eventtracking_core.tracker.trackers import get_tracker

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["capture", "recompile"]


@contextmanager
def capture(
    tracker: Tracker | None = None, *, pass_through: bool = False
) -> Iterator[CapturedEvents]:
    """Collect the events that leave a tracker's own processors, and keep them from its backends.

    The list grows while the block runs, also where the tracker is configured inside the block. In
    that time its backends deliver nothing: no event, no record of an event type, and nothing that
    an earlier process left in a spool.

    Args:
        tracker: the tracker; by default, whichever is the default tracker at that moment.
        pass_through: deliver the events to the backends as well.
    """
    captured = _Capture(tracker, passes=pass_through)
    interceptors.append(captured)
    recompile()
    try:
        yield captured.events
    finally:
        interceptors.remove(captured)
        recompile()


def recompile() -> None:
    """Compile the tree of every tracker again, so that interceptors and observers take effect."""
    for tracker in list(alive):
        tracker.root.changed()


class _Capture:
    """An interceptor that copies each event to a list."""

    def __init__(self, tracker: Tracker | None, *, passes: bool) -> None:
        self.events = CapturedEvents()
        self.passes = passes
        self._tracker = tracker

    def wants(self, owner: object) -> bool:
        # A tree has a weak proxy of its tracker, which is equal to it and not identical.
        return owner == (get_tracker() if self._tracker is None else self._tracker)

    def take(self, event: Event) -> None:
        self.events.append(snapshot(event))
