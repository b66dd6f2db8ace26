"""See in a test what a tracker emits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventtracking_core.encoding import snapshot
from eventtracking_core.events import Event
from eventtracking_core.tracker import Tracker
from eventtracking_core.trackers import get_tracker

__all__ = ["capture"]

NAME: Final = "eventtracking.testing.capture"


@contextmanager
def capture(tracker: Tracker | None = None) -> Iterator[list[Event]]:
    """Collect the events that leave a tracker's own processors, next to its backends.

    The list grows while the block runs. The tracker keeps one idle backend afterwards, and a
    tracker that is configured inside the block is no longer listened to.

    Args:
        tracker: whom to listen to; the default tracker, if not given.
    """
    tracker = get_tracker() if tracker is None else tracker
    tap = tracker.backends.get(NAME)
    if not isinstance(tap, _Tap):
        tap = _Tap()
        tracker.root.register_backend(NAME, tap)
    events: list[Event] = []
    tap.listeners[id(events)] = events
    try:
        yield events
    finally:
        del tap.listeners[id(events)]


class _Tap:
    """Copies each event to whoever listens."""

    def __init__(self) -> None:
        self.listeners: dict[int, list[Event]] = {}

    def send(self, event: Event) -> None:
        for events in self.listeners.copy().values():
            events.append(snapshot(event))
