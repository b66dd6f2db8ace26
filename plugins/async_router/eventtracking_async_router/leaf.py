"""A leaf that runs in workers: its pending events are in a broker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from random import uniform
from time import monotonic, time
from typing import Any, Final, NamedTuple, Protocol

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.delivery import DeliveryOptions
from eventtracking_core.delivery.attempt import Attempt
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.delivery.batch_leaf import BatchLeaf
from eventtracking_core.delivery.queued import QueuedEvent, batch_sender
from eventtracking_core.diagnostics import report_backend
from eventtracking_core.encoding import JSON, encode_msgpack
from eventtracking_core.errors import ClosedError
from eventtracking_core.events import Event
from eventtracking_core.lifecycle.claims import Claim, ClaimLock
from eventtracking_core.lifecycle.holders import join_holder
from eventtracking_core.routing import AtomicCounter, LeafPlace
from eventtracking_core.routing.compiled import takes_wire

__all__ = ["RemoteLeaf", "RetryLater", "SendTo", "capture"]


class SendTo(Protocol):
    """Publishes events for one leaf, past all processors."""

    def __call__(self, leaf: str, events: Sequence[Event], /, *, timeout: float) -> None:
        """Publish events for the leaf of a path, within `timeout` seconds."""


class RetryLater(NamedTuple):
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


class RemoteLeaf(BatchLeaf):
    """Delivers in the thread that receives a message; events to retry go back to the broker.

    Nothing waits in this process. An event sent to the leaf in a process that emits is published,
    for a worker to deliver.
    """

    stage = 1  # the leaf that publishes may deliver to it, in the same process

    def __init__(
        self, backend: Backend | BatchBackend, place: LeafPlace, options: DeliveryOptions
    ) -> None:
        super().__init__(backend, place, options)
        self._send_to: SendTo = _refuse
        self._reset(options)
        self.mode = "worker"
        join_holder(self)

    def _reset(self, options: DeliveryOptions) -> None:
        self.requeued = AtomicCounter()
        self._backoff = Backoff(options.initial_interval, options.max_interval)
        self._lock = ClaimLock()
        self._rests_until = 0.0  # of the monotonic clock
        self._delivered_at = 0.0  # of the system's clock, as events bring it from other processes

    def connect(self, send_to: SendTo) -> None:
        """Publish events through a function, where this process emits them."""
        self._send_to = send_to

    @property
    def is_failing(self) -> bool:
        """Whether its last attempt delivered nothing."""
        return self._backoff.failures > 0

    def _delivery(self) -> Callable[[Event], object]:
        """Return a function that publishes an event, or keeps it for `capture`."""

        @takes_wire
        def deliver(event: Event, wire: bytes | None = None) -> bytes | None:
            captured = _captured.get()
            if captured is None:
                self._forward(event)
                return wire
            if self.closed:
                raise ClosedError
            if wire is None or wire[0] == JSON:
                wire = encode_msgpack(event)
            captured[self].append(QueuedEvent(wire, event, None))
            return wire

        return deliver

    def _forward(self, event: Event) -> None:
        outcome = self.ledger.interrupted
        try:
            next(self.ledger.accepted.tick)
            send_to = _refuse if self.closed else self._send_to
            send_to(self.path, [event], timeout=self.options.export_timeout)
            outcome = self.ledger.delivered
        except BaseException as error:  # noqa: BLE001  any failure ends here
            outcome = self._failed(error)
        finally:
            next(outcome.tick)

    def deliver_batch(
        self, items: Sequence[QueuedEvent], *, since: float | None, last: float | None
    ) -> RetryLater | None:
        """Deliver a batch; return the events that must be retried.

        One thread at a time calls the backend. During a backoff, the backend is not called.

        Args:
            items: the events, with how their attempts went before.
            since: when one of them failed first, in seconds of the system's clock.
            last: when their last attempt was.
        """
        batch = list(items)
        patience = 0.0 if self.is_failing else self.options.export_timeout
        claim = Claim()
        try:
            if not self._lock.wait(claim, monotonic() + patience):
                return self._requeued(batch, since, last, self.options.max_interval / 2)
            rests = self._rests_until - monotonic()
            if rests > 0:
                return self._requeued(batch, since, last, rests)
            if self.closed:
                raise ClosedError
            return self._attempt(batch, since, last)
        finally:
            claim.is_over = True

    def _attempt(
        self, batch: list[QueuedEvent], since: float | None, last: float | None
    ) -> RetryLater | None:
        attempt = Attempt(batch_sender(self.capabilities), lambda: self.options.export_timeout)
        size = self.options.max_batch_size
        for start in range(0, len(batch), size):
            attempt.run(batch[start : start + size])
        self.ledger.accepted.add_many(len(batch))
        self.outcomes.take(len(batch))
        if self.outcomes.record(attempt):
            self._backoff.failures = 0
        if attempt.delivered:
            self._delivered_at = time()
        left = self._without_poison(attempt.retryable, last)
        limit = self.options.max_elapsed_time
        if left and limit is not None and since is not None and time() - since >= limit:
            self.outcomes.dead_letter(left, "expired")
            left = []
        left += self.outcomes.take_letters()  # the disk refuses them: they wait in the broker
        if not left:
            return None
        self._report(left[0])
        delay = self._backoff.failed(attempt.retry_after)
        if not attempt.delivered:
            self._rests_until = monotonic() + delay
        self.outcomes.in_flight -= len(left)
        self.requeued.add_many(len(left))
        return RetryLater(left, since or time(), time(), delay)

    def dead_letter(self, items: Sequence[QueuedEvent], reason: str) -> RetryLater | None:
        """Store events as dead letters; return those that cannot be stored now."""
        claim = Claim()
        try:
            if not self._lock.wait(claim, monotonic() + self.options.export_timeout):
                return self._requeued(list(items), None, None, self.options.max_interval / 2)
            self.ledger.accepted.add_many(len(items))
            self.outcomes.take(len(items))
            self.outcomes.dead_letter(items, reason)
            left = self.outcomes.take_letters()
            self.outcomes.in_flight -= len(left)
            self.requeued.add_many(len(left))
        finally:
            claim.is_over = True
        return RetryLater(left, time(), None, self.options.max_interval) if left else None

    def _without_poison(self, items: list[QueuedEvent], last: float | None) -> list[QueuedEvent]:
        """Dead-letter events that fail alone with an unclassified error while others succeed."""
        others_succeed = last is not None and self._delivered_at > last
        poison = [item for item in items if item.is_poison(others_succeed=others_succeed)]
        self.outcomes.dead_letter(poison, "error")
        return [item for item in items if item not in poison]

    def _requeued(
        self, batch: list[QueuedEvent], since: float | None, last: float | None, delay: float
    ) -> RetryLater:
        """Return a batch that was not tried, with jitter in its delay."""
        self.ledger.accepted.add_many(len(batch))
        self.requeued.add_many(len(batch))
        return RetryLater(batch, since or time(), last, delay * uniform(1, 2))  # noqa: S311

    def _report(self, item: QueuedEvent) -> None:
        text = ": attempt %d failed, will retry: %s"
        report_backend(logging.WARNING, self.path, "retry", text, item.attempts, item.error)

    def close(self) -> None:
        """Keep accepting events: the leaf that publishes may deliver here until it is shut down."""

    def flush(self, timeout: float) -> bool:
        """Flush the backend, if this process delivered anything to it."""
        return not self._is_used or super().flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Stop accepting events, wait for a batch in flight, then release the backend."""
        self.closed = True
        if not self._is_used:
            return True
        deadline = monotonic() + timeout
        claim = Claim()
        try:
            is_idle = self._lock.wait(claim, deadline)
        finally:
            claim.is_over = True
        return is_idle and self.release_once(deadline)

    @property
    def _is_used(self) -> bool:
        return self.ledger.accepted.value > 0

    def stats(self) -> dict[str, Any]:
        """Return the ledger of this process; `requeued` events went back to the broker."""
        requeued = self.requeued.value
        return {
            **super().stats(),
            "dead_lettered": self.ledger.dead_lettered.value,
            "requeued": requeued,
            "pending": self.ledger.pending() - requeued,
            "failures_in_a_row": self._backoff.failures,
        }


def _refuse(_leaf: str, _events: Sequence[Event], /, *, timeout: float) -> None:  # noqa: ARG001
    raise ClosedError


_captured: Final[ContextVar[dict[RemoteLeaf, list[QueuedEvent]] | None]] = ContextVar(
    "eventtracking_captured", default=None
)


@contextmanager
def capture(leaves: Iterable[RemoteLeaf]) -> Iterator[dict[RemoteLeaf, list[QueuedEvent]]]:
    """Collect the events that reach these leaves in this context, instead of publishing them."""
    captured: dict[RemoteLeaf, list[QueuedEvent]] = {leaf: [] for leaf in leaves}
    token = _captured.set(captured)
    try:
        yield captured
    finally:
        _captured.reset(token)
