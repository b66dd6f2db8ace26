"""Exact counts, on every path, without a lock.

At every leaf, once nothing is on its way:

    accepted = delivered + dropped{reason} + dead_lettered + pending
"""

from __future__ import annotations

from itertools import count

__all__ = ["Counter", "Ledger"]


class Counter:
    """A count that threads and signal handlers may add to at any moment."""

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = count()
        # `next` on a C iterator is one step; `n += 1` may lose a count between two threads.
        self.add = self._count.__next__

    @property
    def value(self) -> int:
        """How often `add` was called."""
        return int(repr(self._count)[6:-1])  # its repr shows the next number, and takes none


class Ledger:
    """What became of the events that reached one node."""

    __slots__ = ("accepted", "delivered", "dropped")

    def __init__(self) -> None:
        self.accepted = Counter()
        self.delivered = Counter()
        self.dropped: dict[str, Counter] = {}

    def drop(self, reason: str) -> None:
        """Count an event that goes no further from here."""
        self.dropped.setdefault(reason, Counter()).add()

    def dropped_by_reason(self) -> dict[str, int]:
        """Return how many events were dropped, by reason."""
        return {reason: counter.value for reason, counter in self.dropped.copy().items()}

    def pending(self) -> int:
        """Return how many events were accepted and are not accounted for yet."""
        settled = self.delivered.value + sum(self.dropped_by_reason().values())
        return self.accepted.value - settled
