"""Events that are the same in every run: their ids and times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from eventtracking_core import events
from eventtracking_core.tracker import emitter

__all__ = ["FrozenClock", "frozen"]

MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class FrozenClock:
    """The time that events are emitted at, while it stands still.

    Args:
        now: the time, in UTC.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        """The time."""

    def read(self, tz: tzinfo | None = None) -> datetime:  # noqa: ARG002  that of `datetime.now`
        """Return the time, as `datetime.now(UTC)` does."""
        return self.now

    def tick(self, seconds: float = 1.0) -> None:
        """Go on by some seconds."""
        self.now += timedelta(seconds=seconds)


@contextmanager
def frozen(moment: datetime = MOMENT) -> Iterator[FrozenClock]:
    """Let events be emitted at one moment, with ids that are the same in every run.

    It holds for every tracker of the process. Ids are UUIDs of version 7, and increase; all are of
    the moment that is given, also when the clock ticks.

    Args:
        moment: a naive one is taken as UTC; the beginning of 2026, if not given.
    """
    clock = FrozenClock(events.as_utc(moment))
    thaw_ids, thaw_clock = events.freeze_ids(clock.now), emitter.freeze_clock(clock.read)
    try:
        yield clock
    finally:
        thaw_clock()
        thaw_ids()
