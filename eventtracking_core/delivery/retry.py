"""Trying a batch again and again, until each of its events is delivered or given up."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.attempt import Attempt, QueuedEvent, sender
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.delivery.control import WorkerControl
    from eventtracking_core.delivery.leaf import BufferedLeaf
    from eventtracking_core.delivery.outcomes import DeliveryOutcomes

__all__ = ["RetrySender"]

MAX_POISON_STRIKES: Final = 5
"""Attempts of one event alone, for a reason its backend does not name, while others get through."""

STOPPING_INTERVAL: Final = 0.2
"""The most seconds between two attempts once the leaf is shut down."""

LAST_ATTEMPT: Final = 1.0
"""The least seconds that an attempt is given, however near the deadline is."""


class RetrySender:
    """Holds the batch that is being tried; what `pending` names is neither delivered nor given up.

    Args:
        leaf: whose backend is tried.
        control: end a backoff, or the whole.
        outcomes: are told what became of the events.
        take: returns so many more events, of those that wait.
    """

    def __init__(
        self,
        leaf: BufferedLeaf,
        control: WorkerControl,
        outcomes: DeliveryOutcomes,
        take: Callable[[int], list[QueuedEvent]],
    ) -> None:
        self._leaf = leaf
        self._options = leaf.options
        self._control = control
        self._outcomes = outcomes
        self._take = take
        self.backoff = Backoff(self._options.initial_interval, self._options.max_interval)
        self.pending: list[QueuedEvent] = []

    def deliver(self, batch: list[QueuedEvent]) -> None:
        """Try what is pending and a batch behind it, until all is settled or time is up."""
        self.pending += batch
        while self.pending:
            attempt = self._attempt()
            if not (attempt.retryable and self.pending):
                continue
            if self._control.past_deadline:
                return
            self._back_off(attempt)

    def _attempt(self) -> Attempt:
        is_probing = self.backoff.probes and self.pending[0].transient
        tried = self.pending[:1] if is_probing else self._together()
        send = sender(
            self._leaf.backend, self._leaf.event_type_writer, lambda: self._control.past_deadline
        )
        attempt = Attempt(send, self._timeout)
        deaths = self._leaf.deaths
        spooled = [str(item.event.get("id")) for item in tried if item.spooled is not None]
        if spooled:
            deaths.trying(spooled)
        self._leaf.run(attempt, tried)
        if attempt.retryable:
            deaths.returned()
        elif spooled and tried[0].deaths:
            deaths.forget(spooled[0])
        # From here on, nothing that goes wrong brings a settled event back.
        self.pending = attempt.retryable + self.pending[len(tried) :]
        self._outcomes.delivered(attempt.delivered)
        self._outcomes.dead_letter(attempt.rejected, "rejected")
        if attempt.delivered or attempt.rejected:
            self.backoff.succeeded()
        self._dead_letter("error", [item for item in attempt.retryable if self._is_poison(item)])
        self._dead_letter("expired", [item for item in self.pending if self._is_expired(item)])
        return attempt

    def _together(self) -> list[QueuedEvent]:
        """Return the next events to try at once: one on which a process died is tried alone."""
        number = next((n for n, item in enumerate(self.pending) if item.deaths), len(self.pending))
        return self.pending[: number or 1]

    def _timeout(self) -> float:
        limit = self._options.export_timeout
        return min(limit, max(LAST_ATTEMPT, self._control.seconds_left(limit)))

    def _dead_letter(self, reason: str, items: list[QueuedEvent]) -> None:
        gone = set(map(id, items))
        self.pending = [item for item in self.pending if id(item) not in gone]
        self._outcomes.dead_letter(items, reason)

    def _is_expired(self, item: QueuedEvent) -> bool:
        limit, since = self._options.max_elapsed_time, item.failing_since
        return limit is not None and since is not None and monotonic() - since >= limit

    def _is_poison(self, item: QueuedEvent) -> bool:
        """Tell whether an event fails for no named reason while others get through."""
        if item.attempts == 1:
            item.delivered_at_first_failure = self._outcomes.delivered_count
        if (
            item.is_alone
            and not item.transient
            and self._outcomes.delivered_count > item.delivered_at_first_failure
        ):
            item.poison_strikes += 1
        return item.poison_strikes >= MAX_POISON_STRIKES

    def _back_off(self, attempt: Attempt) -> None:
        first = attempt.retryable[0]
        report(
            logging.WARNING,
            (self._leaf.path, "retry"),
            "backend %s: attempt %d failed, trying again: %s",
            self._leaf.path,
            first.attempts,
            first.error,
            extra={"backend": self._leaf.path, "attempts": first.attempts},
        )
        until = monotonic() + self.backoff.failed(attempt.retry_after)
        while not self._control.flush_requested:
            if self._control.is_stopping:
                until = min(until, monotonic() + STOPPING_INTERVAL)
            left = until - monotonic()
            left = min(left, self._control.seconds_left(otherwise=left))
            if left <= 0:
                break
            self._control.wait(left)
        # The batch grows by what waits: an event that is to blame shows by what gets through.
        room = self._options.max_batch_size - len(self.pending)
        if room > 0:
            self.pending += self._take(room)
