"""Count events over time, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Timeline"]

MAX_BUCKETS: Final = 512
"""Maximum number of buckets; above it, neighbours are merged in pairs."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = 60


class Timeline:
    """Counts events in buckets of time, which are widened as needed."""

    def __init__(self) -> None:
        self.total = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._width = _MINUTE
        self._buckets: dict[int, int] = {}

    def add(self, moment: datetime, number: int = 1) -> None:
        """Count events at a time, in UTC."""
        self.total += number
        self.first = min(self.first or moment, moment)
        self.last = max(self.last or moment, moment)
        bucket = self._bucket(moment)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + number
        while len(self._buckets) > MAX_BUCKETS:
            self._widen()

    def merge(self, other: Timeline) -> None:
        """Add the counts of another timeline."""
        self.total += other.total
        self.first = min(filter(None, (self.first, other.first)), default=None)
        self.last = max(filter(None, (self.last, other.last)), default=None)
        while self._width < other._width:
            self._widen()
        for bucket, number in other._buckets.items():
            mine = bucket * other._width // self._width
            self._buckets[mine] = self._buckets.get(mine, 0) + number
        while len(self._buckets) > MAX_BUCKETS:
            self._widen()

    def bars(self, start: datetime, end: datetime, number: int) -> Sequence[int]:
        """Return the counts of a time span, divided into equal parts."""
        bars = [0] * number
        span = max((end - start).total_seconds(), 1.0)
        for bucket, counted in self._buckets.items():
            begun = _EPOCH + timedelta(seconds=bucket * self._width)
            share = (max(begun, start) - start).total_seconds() / span
            bars[min(number - 1, int(share * number))] += counted
        return bars

    @classmethod
    def of(cls, minutes: Iterable[tuple[datetime, int]]) -> Timeline:
        """Return a timeline from minutes and their counts."""
        timeline = cls()
        for minute, number in minutes:
            timeline.add(minute, number)
        return timeline

    def _bucket(self, moment: datetime) -> int:
        return int((moment - _EPOCH).total_seconds() // self._width)

    def _widen(self) -> None:
        self._width *= 2
        narrow, self._buckets = self._buckets, {}
        for bucket, number in narrow.items():
            self._buckets[bucket // 2] = self._buckets.get(bucket // 2, 0) + number
