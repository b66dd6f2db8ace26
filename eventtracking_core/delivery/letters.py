"""Dead letters that are not on the disk yet: they stay in memory while it cannot take them."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from eventtracking_core.delivery.attempt import NO_EVENT
from eventtracking_core.delivery.storage.dead_letters import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventtracking_core.delivery.attempt import QueuedEvent

__all__ = ["RETRY_INTERVAL", "PendingLetter", "PendingLetters"]

RETRY_INTERVAL: Final = 0.2
"""Seconds after which the disk is tried again."""

MAX_STORED_AT_ONCE: Final = 512
"""A disk with little room takes few letters, where it refuses many."""


class PendingLetter(NamedTuple):
    """An event that becomes a dead letter, and why."""

    queued: QueuedEvent
    reason: str
    time: datetime


class PendingLetters:
    """The events of one leaf that become dead letters; for the thread that delivers.

    Args:
        path: the leaf's path, part of each letter.
        dead_letters: where they are stored.
        max_number: letters that may wait; with more, `is_full` is true.
        max_bytes: bytes that may wait.
    """

    def __init__(
        self, path: str, dead_letters: DeadLetters, max_number: int, max_bytes: int
    ) -> None:
        self._path = path
        self._dead_letters = dead_letters
        self._max_number = max_number
        self._max_bytes = max_bytes
        self.waiting: deque[PendingLetter] = deque()
        """Those that wait, oldest first; read by others, changed here alone."""
        self._bytes = 0
        self._retry_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether no more should be added before some are stored."""
        return len(self.waiting) >= self._max_number or self._bytes >= self._max_bytes

    @property
    def is_due(self) -> bool:
        """Whether it is time to try the disk again."""
        return bool(self.waiting) and monotonic() >= self._retry_at

    def add(self, events: Iterable[QueuedEvent], reason: str) -> None:
        """Add events at the end."""
        now = datetime.now(UTC)
        for queued in events:
            queued.event = NO_EVENT  # its bytes are all that is stored
            self.waiting.append(PendingLetter(queued, reason, now))
            self._bytes += len(queued.wire)

    def store(self) -> tuple[list[PendingLetter], int]:
        """Store some of those that wait; return them, and for how many of them there was room.

        Raises:
            OSError: the disk does not take them; they go on waiting.
        """
        some = list(islice(self.waiting, MAX_STORED_AT_ONCE))
        self._retry_at = monotonic() + RETRY_INTERVAL
        stored = self._dead_letters.add(map(self._letter, some))
        self._retry_at = 0.0
        for _ in some:
            self._bytes -= len(self.waiting.popleft().queued.wire)
        return some, stored

    def take(self) -> list[PendingLetter]:
        """Take back those that wait."""
        letters = list(self.waiting)
        self.waiting.clear()
        self._bytes = 0
        return letters

    def _letter(self, pending: PendingLetter) -> DeadLetter:
        queued = pending.queued
        return DeadLetter(
            wire=queued.wire,
            backend=self._path,
            reason=pending.reason,
            error=queued.error,
            attempts=queued.attempts,
            time=pending.time,
        )
