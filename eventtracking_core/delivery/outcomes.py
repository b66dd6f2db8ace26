"""Record each event's outcome in the ledger, the spool and the dead-letter store."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from itertools import islice
from sys import maxsize
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from eventtracking_core._text import counted
from eventtracking_core.delivery.queued import NO_EVENT
from eventtracking_core.delivery.storage.dead_letters import DeadLetter, DeadLetters
from eventtracking_core.diagnostics import ERROR, log, report_backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventtracking_core.delivery.attempt import Attempt
    from eventtracking_core.delivery.buffer import Buffer
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.queued import QueuedEvent
    from eventtracking_core.routing import Ledger

__all__ = ["RETRY_INTERVAL", "DeliveryOutcomes", "PendingLetters"]

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
    """Dead letters of one leaf that are not on the disk yet; for the thread that delivers.

    They stay in memory while the disk cannot take them.

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


class DeliveryOutcomes:
    """The outcomes of one leaf's events, for the thread that delivers.

    `spool_or_drop` is for any thread. `in_flight` counts events that were taken and have no outcome
    yet, `delivered` those that the backend took.

    Args:
        path: the leaf's path, for the log and in dead letters.
        ledger: the leaf's counts.
        buffer: where the events came from.
        dead_letters: where rejected events are stored.
        options: how many of them may wait for that.
    """

    def __init__(
        self,
        path: str,
        ledger: Ledger,
        buffer: Buffer,
        dead_letters: DeadLetters,
        options: DeliveryOptions,
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._buffer = buffer
        self.letters = PendingLetters(
            path, dead_letters, options.max_queue_size, options.max_queue_bytes
        )
        self.in_flight = 0
        self.delivered = 0

    @property
    def incoming(self) -> int:
        """How many events were accepted by threads that have not stored them yet."""
        return self._ledger.pending() - self._buffer.waiting - self.in_flight

    def take(self, number: int, *, recovered: int = 0) -> None:
        """Record events that were taken, some of which other processes had accepted."""
        if recovered:
            self._ledger.recovered.add_many(recovered)
            self._ledger.accepted.add_many(recovered)
        self.in_flight += number

    def record(self, attempt: Attempt) -> bool:
        """Record what the backend took and what it rejected; return whether there is any."""
        if attempt.delivered:
            self.delivered += len(attempt.delivered)
            self._ledger.delivered.add_many(len(attempt.delivered))
            self._acknowledge(attempt.delivered)
        if attempt.rejected:
            self.dead_letter(attempt.rejected, "rejected")
        return bool(attempt.delivered or attempt.rejected)

    def dead_letter(self, events: Sequence[QueuedEvent], reason: str) -> None:
        """Store events as dead letters; drop those that exceed the configured size.

        While the disk does not take them, they stay in flight.
        """
        if not events:
            return
        number, error = counted(len(events), "event"), events[0].error
        text = ": %s not delivered (%s): %s"
        report_backend(ERROR, self._path, reason, text, number, reason, error, reason=reason)
        self.letters.add(events, reason)
        self.store_due_letters()

    def store_due_letters(self) -> None:
        """Store the dead letters that wait, unless the disk refused some just now."""
        if self.letters.is_due:
            self.store_letters()

    def store_letters(self) -> None:
        """Store the dead letters that wait, as far as the disk takes them now."""
        while self.letters.waiting:
            try:
                letters, stored = self.letters.store()
            except OSError as error:
                self._report("dead letters", error)
                return
            self._ledger.dead_lettered.add_many(stored)
            for letter in letters[stored:]:
                self._ledger.drop(letter.reason)
            self._acknowledge([letter.queued for letter in letters])

    def take_letters(self) -> list[QueuedEvent]:
        """Take back the events that the disk does not take as dead letters; they stay in flight."""
        self.store_letters()
        return [letter.queued for letter in self.letters.take()]

    def abandon(self, events: Sequence[QueuedEvent]) -> None:
        """Spool or drop events whose time is up; those that came from the spool stay there."""
        self._drop_letters()
        unspooled = [event.wire for event in events if event.segment is None]
        self.in_flight -= len(unspooled)
        self.spool_or_drop(unspooled)

    def _drop_letters(self) -> None:
        """Store the dead letters that wait, or drop them; those from the spool stay there."""
        self.store_letters()
        lost = [each for each in self.letters.take() if each.queued.segment is None]
        for letter in lost:
            self._ledger.drop(letter.reason)
        self.in_flight -= len(lost)
        if lost:
            message = "backend %s: %s lost: the dead letters could not be written"
            number, reason = counted(len(lost), "event"), lost[0].reason
            log(ERROR, message, self._path, number, backend=self._path, reason=reason)

    def spool_or_drop(self, wires: list[bytes]) -> None:
        """Spool these events and the queue's, which cannot be delivered; drop what has no room."""
        lost = 0
        while True:
            for wire in wires:
                try:
                    lost += not self._buffer.put_in_spool(wire)
                except OSError:
                    lost += 1
            wires = self._buffer.take_from_memory(maxsize, maxsize)
            if not wires and not self._buffer.in_memory:
                break
        if lost:
            self._ledger.drop("shutdown", lost)
            number, text = counted(lost, "event"), ": %s not delivered in time"
            report_backend(ERROR, self._path, "shutdown", text, number, reason="shutdown")

    def _acknowledge(self, events: Sequence[QueuedEvent]) -> None:
        self.in_flight -= len(events)
        for event in events:
            if event.segment is not None:
                try:
                    self._buffer.acknowledge(event.segment)
                except OSError as error:  # it has its outcome; at worst it is delivered twice
                    self._report("spool", error)

    def _report(self, place: str, error: OSError) -> None:
        text, problem = ": the %s cannot be written: %s", (place, error.errno)
        report_backend(ERROR, self._path, problem, text, place, error)
