"""Record each event's outcome in the ledger, the spool and the dead-letter store."""

from __future__ import annotations

import logging
from sys import maxsize
from typing import TYPE_CHECKING

from eventtracking_core._text import counted
from eventtracking_core.diagnostics import log, report_backend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.delivery.attempt import Attempt, QueuedEvent
    from eventtracking_core.delivery.buffer import Buffer
    from eventtracking_core.delivery.letters import PendingLetters
    from eventtracking_core.routing import Ledger

__all__ = ["DeliveryOutcomes"]


class DeliveryOutcomes:
    """The outcomes of one leaf's events, for the thread that delivers.

    `spool_or_drop` is for any thread. `in_flight` counts events that were taken and have no outcome
    yet, `delivered` those that the backend took.

    Args:
        path: the leaf's path, for the log and in dead letters.
        ledger: the leaf's counts.
        buffer: where the events came from.
        letters: rejected events, until they are stored.
    """

    def __init__(self, path: str, ledger: Ledger, buffer: Buffer, letters: PendingLetters) -> None:
        self._path = path
        self._ledger = ledger
        self._buffer = buffer
        self.letters = letters
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
        report_backend(
            logging.ERROR, self._path, reason, text, number, reason, error, reason=reason
        )
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
            log(
                logging.ERROR,
                "backend %s: %s lost: the dead letters could not be written",
                self._path,
                counted(len(lost), "event"),
                extra={"backend": self._path, "reason": lost[0].reason},
            )

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
            report_backend(logging.ERROR, self._path, "shutdown", text, number, reason="shutdown")

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
        report_backend(logging.ERROR, self._path, problem, text, place, error)
