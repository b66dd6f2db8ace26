"""Exact counts, on every path, without a lock.

At every leaf, once nothing is in flight:

    accepted = delivered + dropped{reason} + dead_lettered + pending

and at every router, where `added` is what its processors made of events beyond those they received:

    accepted + added = dropped{reason} + passed on to each of its backends
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from itertools import count, islice, repeat
from operator import length_hint
from sys import maxsize
from typing import Final

from eventtracking_core.diagnostics import ERROR, INFO
from eventtracking_core.errors import (
    ClosedError,
    NoBackendEnabled,
    NoTransformerImplemented,
    RejectedError,
)
from eventtracking_core.routing.nesting import TooDeepError

__all__ = ["AtomicCounter", "Ledger", "failure_level", "failure_reason"]

_REASONS: Final = (
    (RejectedError, "rejected"),
    (NoBackendEnabled, "no_backend"),
    (NoTransformerImplemented, "no_transformer"),
    (ClosedError, "shutdown"),
    (TooDeepError, "recursion"),
)
_QUIET: Final = frozenset({"no_backend", "no_transformer"})
_HAS_GIL: Final = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether `next` on a `repeat` is one step: it is faster than a `count`, which makes numbers."""


def failure_reason(error: BaseException) -> str:
    """Return the reason under which a component's failure is counted."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "error")


def failure_level(reason: str) -> int:
    """Return the level on which a failure is logged: those that are a component's say are INFO."""
    return INFO if reason in _QUIET else ERROR


class AtomicCounter:
    """A count that threads and signal handlers may add to at any moment."""

    __slots__ = ("_base", "tick")

    def __init__(self) -> None:
        # `next` on a C iterator is one step; `n += 1` may lose a count between two threads.
        self.tick: Iterator[object] = repeat(None, maxsize) if _HAS_GIL else count()
        """`next(counter.tick)` is `counter.add()`, for where every nanosecond counts."""
        self._base = 0

    def add(self) -> None:
        """Add one."""
        next(self.tick)

    @property
    def value(self) -> int:
        """How often `add` was called."""
        if _HAS_GIL:
            return maxsize - length_hint(self.tick) - self._base
        # The repr of a count shows the next number, and takes none.
        return int(repr(self.tick)[6:-1]) - self._base

    def add_many(self, number: int) -> None:
        """Add a number at once."""
        deque(islice(self.tick, number), maxlen=0)

    def reset(self) -> None:
        """Count from zero again."""
        self._base += self.value


class Ledger:
    """Counts the outcomes of the events that reached one node.

    `accepted` includes what was `recovered` from a process that ended. `is_busy` is true while an
    emitting thread is inside the node's components: an event that comes then may be emitted by
    them. It is set in one step with its test, by the one thread that resets it.
    """

    __slots__ = (
        "accepted",
        "added",
        "dead_lettered",
        "delivered",
        "dropped",
        "interrupted",
        "is_busy",
        "recovered",
    )

    def __init__(self) -> None:
        self.accepted = AtomicCounter()
        self.added = AtomicCounter()
        self.recovered = AtomicCounter()
        self.delivered = AtomicCounter()
        self.dead_lettered = AtomicCounter()
        self.interrupted = AtomicCounter()
        self.dropped = {"interrupted": self.interrupted}
        self.is_busy = False

    def drop(self, reason: str, number: int = 1) -> None:
        """Count events that go no further from here."""
        self.counter(reason).add_many(number)

    def counter(self, reason: str) -> AtomicCounter:
        """Return the counter of events that are dropped for a reason."""
        return self.dropped.setdefault(reason, AtomicCounter())

    def dropped_by_reason(self) -> dict[str, int]:
        """Return how many events were dropped, by reason; reasons without one are left out."""
        counts = {reason: counter.value for reason, counter in self.dropped.copy().items()}
        return {reason: number for reason, number in counts.items() if number}

    def outcomes(self) -> tuple[int, dict[str, int]]:
        """Return how many events were delivered, and how many failed, by reason."""
        failed = self.dropped_by_reason()
        if dead_lettered := self.dead_lettered.value:
            failed["dead_lettered"] = dead_lettered
        return self.delivered.value, failed

    def pending(self) -> int:
        """Return how many events were accepted and not delivered, dropped or dead-lettered yet."""
        final = self.dead_lettered.value + sum(self.dropped_by_reason().values())
        return self.accepted.value - self.delivered.value - final

    def reset(self) -> None:
        """Count from zero again, as a forked child does."""
        for counter in (
            *(self.accepted, self.added, self.recovered, self.delivered, self.dead_lettered),
            *self.dropped.values(),
        ):
            counter.reset()
        self.is_busy = False
