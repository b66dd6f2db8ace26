"""Record each event's outcome in the ledger, the spool and the dead-letter store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eventtracking_core.delivery.storage.dead_letters import DeadLetter
from eventtracking_core.diagnostics import describe, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.delivery.attempt import QueuedEvent
    from eventtracking_core.delivery.leaf import BufferedLeaf

__all__ = ["DeliveryOutcomes"]


class DeliveryOutcomes:
    """The outcomes of one worker's events; only its thread writes them.

    `in_flight` counts events that were taken and have no outcome yet.
    """

    def __init__(self, leaf: BufferedLeaf) -> None:
        self._leaf = leaf
        self.in_flight = 0
        self.delivered_count = 0

    def take(self, number: int, *, recovered: int) -> None:
        """Note events that were taken, and how many of them other processes had accepted."""
        self._leaf.ledger.recovered.add_many(recovered)
        self._leaf.ledger.accepted.add_many(recovered)
        self.in_flight += number

    def delivered(self, items: Sequence[QueuedEvent]) -> None:
        """Note events that were delivered."""
        self.delivered_count += len(items)
        self._leaf.ledger.delivered.add_many(len(items))
        self._acknowledge(items)

    def dead_letter(self, items: Sequence[QueuedEvent], reason: str) -> None:
        """Keep events as dead letters; count as dropped those for which there is no room."""
        if not items:
            return
        kept = self._keep(items, reason)
        self._leaf.ledger.dead_lettered.add_many(kept)
        if kept < len(items):
            self._leaf.ledger.drop(reason, len(items) - kept)
        report(
            logging.ERROR,
            (self._leaf.path, reason),
            "backend %s: %d events were given up (%s): %s",
            self._leaf.path,
            len(items),
            reason,
            items[0].error,
            extra={"backend": self._leaf.path, "reason": reason},
        )
        self._acknowledge(items)

    def abandon(self, items: Sequence[QueuedEvent]) -> None:
        """Let go of events that could not be settled in time; what is spooled stays there."""
        unspooled = [item.wire for item in items if item.spooled is None]
        self.in_flight -= len(unspooled)
        self._leaf.spool_or_drop(unspooled)

    def _keep(self, items: Sequence[QueuedEvent], reason: str) -> int:
        now = datetime.now(UTC)
        try:
            return self._leaf.dead_letters.add(
                DeadLetter(
                    wire=item.wire,
                    backend=self._leaf.path,
                    reason=reason,
                    error=item.error,
                    attempts=item.attempts,
                    time=now,
                )
                for item in items
            )
        except OSError as error:
            self._report("dead letters", error)
            return 0

    def _acknowledge(self, items: Sequence[QueuedEvent]) -> None:
        self.in_flight -= len(items)
        spool = self._leaf.spool
        if spool is None:
            return
        for item in items:
            if item.spooled is not None:
                try:
                    spool.acknowledge(item.spooled)
                except OSError as error:  # it is delivered; at worst it will be once more
                    self._report("spool", error)

    def _report(self, place: str, error: OSError) -> None:
        report(
            logging.ERROR,
            (self._leaf.path, place, error.errno),
            "backend %s: the %s cannot be written: %s",
            self._leaf.path,
            place,
            describe(error),
            extra={"backend": self._leaf.path, "error": type(error).__name__},
        )
