"""A leaf below a node whose children run elsewhere: what waits for it, waits in a broker."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from random import uniform
from threading import Lock
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventtracking_core.delivery.attempt import Attempt, sender
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.delivery.leaf import BufferedLeaf
from eventtracking_core.delivery.outcomes import DeliveryOutcomes
from eventtracking_core.delivery.retry import MAX_POISON_STRIKES
from eventtracking_core.diagnostics import report
from eventtracking_core.errors import ClosedError
from eventtracking_core.routing import Counter, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventtracking_core.delivery.attempt import QueuedEvent
    from eventtracking_core.events import Event

__all__ = ["Postponed", "RemoteLeaf", "taken"]

taken: Final[ContextVar[dict[RemoteLeaf, list[Event]] | None]] = ContextVar(
    "eventtracking_taken", default=None
)
"""Where events are put that reach a leaf while they are routed for delivery."""


class Postponed(NamedTuple):
    """Events that a leaf could not deliver now.

    Attributes:
        items: the events, with how their attempts went.
        since: when the first of them failed first, in seconds of the system's clock.
        last: when they were last tried.
        delay: seconds to wait before the next attempt.
    """

    items: list[QueuedEvent]
    since: float
    last: float | None
    delay: float


class RemoteLeaf(BufferedLeaf):
    """Delivers what a broker kept for it, a batch at a time, in the thread that brings the batch.

    Nothing waits here: `settle` returns what is to be tried again, and whoever called it puts that
    back where it survives. An event that is sent to the leaf in a process that does not deliver
    is handed on to one that does.
    """

    stage = 1  # the leaf that hands events on may deliver to it, in the same process

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.mode = "worker"
        self.hand_on: Callable[[Event], None] = _refuse

    def _make_new(self) -> None:
        super()._make_new()
        self.returned = Counter()
        self._backoff = Backoff(self.options.initial_interval, self.options.max_interval)
        self._outcomes = DeliveryOutcomes(self)
        self._lock = Lock()
        self._rests_until = 0.0  # of the monotonic clock
        self._delivered_at = 0.0  # of the system's clock, as events bring it from other processes

    @property
    def is_failing(self) -> bool:
        """Whether its last attempt delivered nothing."""
        return self._backoff.failures > 0

    def _delivery(self) -> Callable[[Event], None]:
        def deliver(event: Event) -> None:
            found = taken.get()
            if found is None:
                self._hand_on(event)
            elif self.closed:
                raise ClosedError
            else:
                found[self].append(event)

        return deliver

    def _hand_on(self, event: Event) -> None:
        outcome = self.ledger.interrupted
        try:
            next(self.ledger.accepted.tick)
            (_refuse if self.closed else self.hand_on)(event)
            outcome = self.ledger.delivered
        except BaseException as error:  # noqa: BLE001  whatever it raises ends here
            outcome = self._failed(error)
        finally:
            next(outcome.tick)

    def settle(
        self, items: Sequence[QueuedEvent], *, since: float | None, last: float | None
    ) -> Postponed | None:
        """Deliver what can be delivered; return what is to be tried again.

        One thread at a time calls the backend. While it rests after a failure, it is not called.

        Args:
            items: the events, with how their attempts went before.
            since: when one of them failed first, in seconds of the system's clock.
            last: when their last attempt was.
        """
        batch = list(items)
        patience = 0.0 if self.is_failing else self.options.export_timeout
        if not self._lock.acquire(timeout=patience):
            return self._returned(batch, since, last, self.options.max_interval / 2)
        try:
            rests = self._rests_until - monotonic()
            if rests > 0:
                return self._returned(batch, since, last, rests)
            if self.closed:
                raise ClosedError
            return self._attempt(batch, since, last)
        finally:
            self._lock.release()

    def _attempt(
        self, batch: list[QueuedEvent], since: float | None, last: float | None
    ) -> Postponed | None:
        attempt = Attempt(sender(self.backend), lambda: self.options.export_timeout)
        size = self.options.max_batch_size
        for start in range(0, len(batch), size):
            attempt.run(batch[start : start + size])
        self.ledger.accepted.add_many(len(batch))
        self._outcomes.take(len(batch), recovered=0)
        self._outcomes.delivered(attempt.delivered)
        self._outcomes.dead_letter(attempt.rejected, "rejected")
        if attempt.delivered:
            self._delivered_at = time()
        if attempt.delivered or attempt.rejected:
            self._backoff.succeeded()
        left = self._without_poison(attempt.retryable, last)
        limit = self.options.max_elapsed_time
        if left and limit is not None and since is not None and time() - since >= limit:
            self._outcomes.dead_letter(left, "expired")
            left = []
        if not left:
            return None
        self._report(left[0])
        delay = self._backoff.failed(attempt.retry_after)
        if not attempt.delivered:
            self._rests_until = monotonic() + delay
        self._outcomes.in_flight -= len(left)
        self.returned.add_many(len(left))
        return Postponed(left, since or time(), time(), delay)

    def _without_poison(self, items: list[QueuedEvent], last: float | None) -> list[QueuedEvent]:
        """Give up events that fail alone, for no named reason, while others get through."""
        for item in items:
            others = last is not None and self._delivered_at > last
            if item.is_alone and not item.transient and others:
                item.poison_strikes += 1
        poison = [item for item in items if item.poison_strikes >= MAX_POISON_STRIKES]
        self._outcomes.dead_letter(poison, "error")
        return [item for item in items if item.poison_strikes < MAX_POISON_STRIKES]

    def _returned(
        self, batch: list[QueuedEvent], since: float | None, last: float | None, delay: float
    ) -> Postponed:
        """Return a batch that was not tried, some time after `delay`: not all at once."""
        self.ledger.accepted.add_many(len(batch))
        self.returned.add_many(len(batch))
        return Postponed(batch, since or time(), last, delay * uniform(1, 2))  # noqa: S311

    def _report(self, item: QueuedEvent) -> None:
        report(
            logging.WARNING,
            (self.path, "retry"),
            "backend %s: attempt %d failed, it will be tried again: %s",
            self.path,
            item.attempts,
            item.error,
        )

    def close(self) -> None:
        """Go on taking events: a leaf before this one may deliver to it until that has ended."""

    def flush(self, timeout: float) -> bool:
        """Wait until the backend has delivered what it took, where it took anything."""
        return not self._is_used or Leaf.flush(self, timeout)

    def shutdown(self, timeout: float) -> bool:
        """Take no more events, wait for a batch, then release what the backend holds."""
        self.closed = True
        if not self._is_used:
            return True
        deadline = monotonic() + timeout
        if not self._lock.acquire(timeout=timeout):
            return False
        self._lock.release()
        return self.release_once(deadline)

    @property
    def _is_used(self) -> bool:
        return self.ledger.accepted.value > 0

    def stats(self) -> dict[str, Any]:
        """Return the ledger of what this process delivered; `returned` went back to the broker."""
        returned = self.returned.value
        return {
            **Leaf.stats(self),
            "dead_lettered": self.ledger.dead_lettered.value,
            "returned": returned,
            "pending": self.ledger.unsettled() - returned,
            "failures_in_a_row": self._backoff.failures,
        }


def _refuse(_event: Event) -> None:
    raise ClosedError
