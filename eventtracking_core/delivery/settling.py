"""Trying a batch again and again, until each of its events is delivered or given up."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.attempt import Attempt, Item, sender
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.delivery.accounts import Accounts
    from eventtracking_core.delivery.leaf import BufferedLeaf
    from eventtracking_core.delivery.requests import Requests

__all__ = ["Settler"]

GIVES_UP_AFTER: Final = 5
"""Attempts of one event alone, for a reason its backend does not name, while others get through."""

STOPPING_INTERVAL: Final = 0.2
"""The most seconds between two attempts once the leaf is shut down."""

LAST_ATTEMPT: Final = 1.0
"""The least seconds that an attempt is given, however near the deadline is."""


class Settler:
    """Holds the batch that is being tried; what `held` names is neither delivered nor given up.

    Args:
        leaf: whose backend is tried.
        requests: end a backoff, or the whole.
        accounts: are told what became of the events.
        take: returns so many more events, of those that wait.
    """

    def __init__(
        self,
        leaf: BufferedLeaf,
        requests: Requests,
        accounts: Accounts,
        take: Callable[[int], list[Item]],
    ) -> None:
        self._leaf = leaf
        self._options = leaf.options
        self._requests = requests
        self._accounts = accounts
        self._take = take
        self.backoff = Backoff(self._options.initial_interval, self._options.max_interval)
        self.held: list[Item] = []

    def settle(self, batch: list[Item]) -> None:
        """Try what is held and a batch behind it, until all is settled or time is up."""
        self.held += batch
        while self.held:
            attempt = self._attempt()
            if not (attempt.retryable and self.held):
                continue
            if self._requests.is_late:
                return
            self._back_off(attempt)

    def _attempt(self) -> Attempt:
        is_probing = self.backoff.probes and self.held[0].is_named
        tried = self.held[:1] if is_probing else self._together()
        send = sender(self._leaf.backend, self._leaf.saver, lambda: self._requests.is_late)
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
        self.held = attempt.retryable + self.held[len(tried) :]
        self._accounts.deliver(attempt.delivered)
        self._accounts.give_up(attempt.rejected, "rejected")
        if attempt.delivered or attempt.rejected:
            self.backoff.succeeded()
        self._give_up("error", [item for item in attempt.retryable if self._is_poison(item)])
        self._give_up("expired", [item for item in self.held if self._is_expired(item)])
        return attempt

    def _together(self) -> list[Item]:
        """Return the next events to try at once: one on which a process died is tried alone."""
        number = next((n for n, item in enumerate(self.held) if item.deaths), len(self.held))
        return self.held[: number or 1]

    def _timeout(self) -> float:
        limit = self._options.export_timeout
        return min(limit, max(LAST_ATTEMPT, self._requests.seconds_left(limit)))

    def _give_up(self, reason: str, items: list[Item]) -> None:
        gone = set(map(id, items))
        self.held = [item for item in self.held if id(item) not in gone]
        self._accounts.give_up(items, reason)

    def _is_expired(self, item: Item) -> bool:
        limit, since = self._options.max_elapsed_time, item.failing_since
        return limit is not None and since is not None and monotonic() - since >= limit

    def _is_poison(self, item: Item) -> bool:
        """Tell whether an event fails for no named reason while others get through."""
        if item.attempts == 1:
            item.others = self._accounts.delivered
        if item.is_alone and not item.is_named and self._accounts.delivered > item.others:
            item.blamed += 1
        return item.blamed >= GIVES_UP_AFTER

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
        while not self._requests.is_hurried:
            if self._requests.is_stopping:
                until = min(until, monotonic() + STOPPING_INTERVAL)
            left = until - monotonic()
            left = min(left, self._requests.seconds_left(otherwise=left))
            if left <= 0:
                break
            self._requests.wait(left)
        # The batch grows by what waits: an event that is to blame shows by what gets through.
        room = self._options.max_batch_size - len(self.held)
        if room > 0:
            self.held += self._take(room)
