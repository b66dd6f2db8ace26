"""Record each event's outcome in the ledger, the spool and the dead-letter store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from sys import maxsize
from typing import TYPE_CHECKING

from eventtracking_core.delivery.storage.dead_letters import DeadLetter, DeadLetters
from eventtracking_core.diagnostics import describe, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.delivery.attempt import QueuedEvent
    from eventtracking_core.delivery.buffer import Buffer
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
        dead_letters: where rejected events go.
    """

    def __init__(
        self, path: str, ledger: Ledger, buffer: Buffer, dead_letters: DeadLetters
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._buffer = buffer
        self._dead_letters = dead_letters
        self.in_flight = 0
        self.delivered = 0

    @property
    def incoming(self) -> int:
        """How many events were accepted by threads that have not stored them yet."""
        return self._ledger.unsettled() - self._buffer.waiting - self.in_flight

    def take(self, number: int, *, recovered: int = 0) -> None:
        """Record events that were taken, some of which other processes had accepted."""
        if recovered:
            self._ledger.recovered.add_many(recovered)
            self._ledger.accepted.add_many(recovered)
        self.in_flight += number

    def deliver(self, events: Sequence[QueuedEvent]) -> None:
        """Record events that the backend took."""
        if events:
            self.delivered += len(events)
            self._ledger.delivered.add_many(len(events))
            self._acknowledge(events)

    def dead_letter(self, events: Sequence[QueuedEvent], reason: str) -> None:
        """Store events as dead letters; drop those for which there is no room."""
        if not events:
            return
        stored = self._store(events, reason)
        self._ledger.dead_lettered.add_many(stored)
        if stored < len(events):
            self._ledger.drop(reason, len(events) - stored)
        report(
            logging.ERROR,
            (self._path, reason),
            "backend %s: %d events were given up (%s): %s",
            self._path,
            len(events),
            reason,
            events[0].error,
            extra={"backend": self._path, "reason": reason},
        )
        self._acknowledge(events)

    def abandon(self, events: Sequence[QueuedEvent]) -> None:
        """Spool or drop events whose time is up; those that came from the spool stay there."""
        unspooled = [event.wire for event in events if event.spooled is None]
        self.in_flight -= len(unspooled)
        self.spool_or_drop(unspooled)

    def spool_or_drop(self, wires: list[bytes]) -> None:
        """Spool these events and the queue's, which cannot be delivered; drop what has no room."""
        lost = 0
        while True:
            for wire in wires:
                try:
                    lost += not self._buffer.put_in_spool(wire)
                except OSError:
                    lost += 1
            wires = self._buffer.queue.take(maxsize, maxsize)
            if not wires and not len(self._buffer.queue):
                break
        if lost:
            self._ledger.drop("shutdown", lost)
            report(
                logging.ERROR, (self._path, "shutdown"),
                "backend %s: %d events were not delivered in time", self._path, lost,
                extra={"backend": self._path, "reason": "shutdown"},
            )  # fmt: skip

    def _store(self, events: Sequence[QueuedEvent], reason: str) -> int:
        now = datetime.now(UTC)
        try:
            return self._dead_letters.add(
                DeadLetter(
                    wire=event.wire,
                    backend=self._path,
                    reason=reason,
                    error=event.error,
                    attempts=event.attempts,
                    time=now,
                )
                for event in events
            )
        except OSError as error:
            self._report("dead letters", error)
            return 0

    def _acknowledge(self, events: Sequence[QueuedEvent]) -> None:
        self.in_flight -= len(events)
        for event in events:
            if event.spooled is not None:
                try:
                    self._buffer.acknowledge(event.spooled)
                except OSError as error:  # it has its outcome; at worst it is delivered twice
                    self._report("spool", error)

    def _report(self, place: str, error: OSError) -> None:
        report(
            logging.ERROR,
            (self._path, place, error.errno),
            "backend %s: the %s cannot be written: %s",
            self._path,
            place,
            describe(error),
            extra={"backend": self._path, "error": type(error).__name__},
        )
