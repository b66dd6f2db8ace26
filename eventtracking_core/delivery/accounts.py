"""What became of the events that a worker took: told to the ledger, the spool, the dead letters."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eventtracking_core.delivery.storage.dead_letters import DeadLetter
from eventtracking_core.diagnostics import describe, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.delivery.attempt import Item
    from eventtracking_core.delivery.leaf import BufferedLeaf

__all__ = ["Accounts"]


class Accounts:
    """The books of one leaf's worker; only its thread writes them.

    `in_hand` is how many events it took and has not settled, `delivered` how many it delivered.
    """

    def __init__(self, leaf: BufferedLeaf) -> None:
        self._leaf = leaf
        self.in_hand = 0
        self.delivered = 0

    def taken(self, number: int, *, recovered: int) -> None:
        """Note events that were taken, and how many of them other processes had accepted."""
        self._leaf.ledger.recovered.add_many(recovered)
        self._leaf.ledger.accepted.add_many(recovered)
        self.in_hand += number

    def deliver(self, items: Sequence[Item]) -> None:
        """Note events that were delivered."""
        self.delivered += len(items)
        self._leaf.ledger.delivered.add_many(len(items))
        self._settle(items)

    def give_up(self, items: Sequence[Item], reason: str) -> None:
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
        self._settle(items)

    def leave(self, items: Sequence[Item]) -> None:
        """Let go of events that could not be settled in time; what is spooled stays there."""
        unspooled = [item.wire for item in items if item.spooled is None]
        self.in_hand -= len(unspooled)
        self._leaf.keep_or_drop(unspooled)

    def _keep(self, items: Sequence[Item], reason: str) -> int:
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

    def _settle(self, items: Sequence[Item]) -> None:
        self.in_hand -= len(items)
        spool = self._leaf.spool
        if spool is None:
            return
        for item in items:
            if item.spooled is not None:
                try:
                    spool.settle(item.spooled)
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
