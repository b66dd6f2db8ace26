"""See in a test what a tracker emits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from eventtracking_core.encoding import snapshot
from eventtracking_core.events import Event
from eventtracking_core.testing._captured import CapturedEvents
from eventtracking_core.tracker import Tracker
from eventtracking_core.trackers import get_tracker

__all__ = ["capture"]

_numbers: Final = count()


@contextmanager
def capture(tracker: Tracker | None = None) -> Iterator[CapturedEvents]:
    """Collect the events that leave a tracker's own processors, next to its backends.

    The list grows while the block runs. A tracker that is configured inside the block is no longer
    listened to.

    Args:
        tracker: whom to listen to; the default tracker, if not given.
    """
    root = (get_tracker() if tracker is None else tracker).root
    name = f"eventtracking.testing.capture.{next(_numbers)}"
    events = CapturedEvents()
    root.register_backend(name, _Tap(events))
    try:
        yield events
    finally:
        root.unregister_backend(name)


class _Tap:
    """Copies each event to a list."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def send(self, event: Event) -> None:
        self._events.append(snapshot(event))
