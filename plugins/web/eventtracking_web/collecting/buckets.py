"""Token buckets in a table of bounded size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Final

__all__ = ["Buckets"]

MAX_BUCKETS: Final = 10_000


class Buckets:
    """Limits how much each sender takes.

    Args:
        rate: tokens a second.
        burst: tokens of a full bucket.
        clock: returns seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._lock = Lock()
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def take(self, sender: Hashable, tokens: int) -> float:
        """Take tokens of a sender; return 0, or the seconds after which there are enough.

        A sender that takes more than a full bucket empties it.
        """
        cost = min(float(tokens), self._burst) / self._rate
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(sender, now), now) + cost
            missing = full_at - now - self._burst / self._rate
            if missing > 1e-9:  # noqa: PLR2004  more than rounding
                return missing
            self._full_at[sender] = full_at
            self._full_at.move_to_end(sender)
            if len(self._full_at) > MAX_BUCKETS:
                self._full_at.popitem(last=False)
            return 0.0

    def __len__(self) -> int:
        return len(self._full_at)
