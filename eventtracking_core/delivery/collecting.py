"""Inline delivery in batches, for a program that sends many events and waits for them itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.delivery.attempt import is_transient
from eventtracking_core.delivery.queued import batch_sender
from eventtracking_core.encoding import NormalBatch, snapshot
from eventtracking_core.errors import BatchError, RejectedError
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.routing import AtomicCounter, InlineLeaf, RoutingBackend
from eventtracking_core.routing.capabilities import refuse_awaitable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.events import Event

__all__ = ["CollectingLeaf", "collect_batches"]

TIMEOUT: Final = 30.0
"""Seconds that a backend has for a batch."""


def collect_batches(
    root: RoutingBackend, size: int, *, are_normal: bool = False
) -> list[CollectingLeaf]:
    """Let the inline leaves of a tree whose backends take batches collect some; return them.

    For a program that reads events and sends them from one thread, before it sends the first.
    `flush` delivers what they have collected.

    Args:
        root: the tree.
        size: events that are delivered at once.
        are_normal: whether the events are as those of a `NormalBatch`; before it sends one that
            may not be, the program calls `expect_any` of each leaf.
    """
    copies = len(root.leaves()) > 1
    return _collect(root, size, copies=copies, are_normal=are_normal and not copies)


def _collect(
    router: RoutingBackend, size: int, *, copies: bool, are_normal: bool
) -> list[CollectingLeaf]:
    leaves = []
    are_normal = are_normal and not router.processors
    for name, child in list(router.children.items()):
        if type(child) is RoutingBackend:
            leaves += _collect(child, size, copies=copies, are_normal=are_normal)
        elif type(child) is InlineLeaf and child.capabilities.send_batch is not None:
            leaf = CollectingLeaf(
                name, child.backend, child.type_name, size, copies=copies, are_normal=are_normal
            )
            router.register_backend(name, leaf)
            leaves.append(leaf)
    return leaves


class CollectingLeaf(InlineLeaf):
    """An inline leaf that delivers batches, for the one thread that sends events.

    An event is pending until it has an outcome, and counted as accepted together with that. If a
    batch fails and the backend does not name the events to blame, each event is delivered alone, so
    that no more are lost than by an inline leaf. An interrupt leaves the current events pending.

    Args:
        name: the backend's name in its router.
        backend: where events go; it has `send_batch`.
        type_name: the backend's type in the configuration.
        size: events that are delivered at once.
        copies: whether another leaf gets the same events.
        are_normal: whether the events are as those of a `NormalBatch`.
    """

    def __init__(
        self,
        name: str,
        backend: Backend | BatchBackend,
        type_name: str,
        size: int,
        *,
        copies: bool,
        are_normal: bool,
    ) -> None:
        self._size = size
        self._copies = copies
        self._are_normal = self._expects_normal = are_normal
        self._events: list[Event] = []
        self._is_delivering = self._is_closed = False
        super().__init__(name, backend, type_name=type_name)
        self._send_alone = self._send
        self._send_all = batch_sender(self.capabilities, self.event_type_writer)

    def _delivery(self) -> Callable[[Event], object]:
        """Return a function that collects an event."""
        events, size, copies = self._events, self._size, self._copies
        drop = super()._delivery()

        def deliver(event: Event) -> None:
            if self._is_closed:
                drop(event)
                return
            if self._is_delivering:
                self.expect_any()
            events.append(snapshot(event) if copies else event)
            if len(events) >= size:
                self._deliver_collected(TIMEOUT)

        return deliver

    def expect_any(self) -> None:
        """Let the batch that is collected have events that are not in normal form."""
        self._are_normal = False

    # ── a batch ──

    def _deliver_collected(self, timeout: float) -> None:
        """Deliver what is collected by now; a backend that sends events itself adds to the next."""
        if self._is_delivering:
            return
        self._is_delivering = True
        try:
            batch_type = NormalBatch if self._are_normal else list
            self._are_normal = self._expects_normal
            error, left = self._try(batch_type(self._events), timeout)
            if is_transient(error):
                error, left = self._try(batch_type(self._events[:left]), timeout)
            if error is not None and is_transient(error):
                self._record(left, [self._failed(error)] * left)
            else:
                for _ in range(left):
                    self._record(1, [self._outcome_alone(self._events[0])])
        finally:
            self._is_delivering = False
            if self._events:
                self.expect_any()

    def _try(self, batch: list[Event], timeout: float) -> tuple[BaseException | None, int]:
        """Deliver the first events; return why some are left, and how many, which come first."""
        number = len(batch)
        try:
            self._send_all(batch, timeout)
        except BaseException as error:  # noqa: BLE001  an interrupt is raised again
            pass_on(error)
            failures: object = error.failures if isinstance(error, BatchError) else None
            if isinstance(failures, Mapping):
                return self._record_named(batch, failures)
            return error, number
        self._record(number, [self.ledger.delivered] * number)
        return None, 0

    def _record_named(
        self, batch: Sequence[Event], failures: Mapping[Any, Any]
    ) -> tuple[BaseException | None, int]:
        """Count what was delivered or rejected; return the last other failure, and how many."""
        last: BaseException | None = None
        left: list[Event] = []
        outcomes = []
        for index, event in enumerate(batch):
            error = failures.get(index)
            if error is None:
                outcomes.append(self.ledger.delivered)
            elif isinstance(error, RejectedError):
                outcomes.append(self._failed(error))
            else:
                last = error
                left.append(event)
        self._record(len(batch), outcomes, left)
        return last, len(left)

    def _outcome_alone(self, event: Event) -> AtomicCounter:
        """Deliver one event; return the counter of its outcome."""
        try:
            result = self._send_alone(event)
            if result is not None:
                refuse_awaitable(result)
        except BaseException as error:  # noqa: BLE001  an interrupt is raised again
            return self._failed(error)
        return self.ledger.delivered

    def _record(
        self, number: int, outcomes: Sequence[AtomicCounter], left: Sequence[Event] = ()
    ) -> None:
        """Count outcomes, and let events take the place of the first ones."""
        ticks = [self.ledger.accepted.tick] * len(outcomes)
        ticks += [outcome.tick for outcome in outcomes]
        place = map(self._events.__setitem__, [slice(number)], [left])
        # One step of C, so that an interrupt comes before or after all of it.
        deque(chain(map(next, ticks), place), maxlen=0)

    # ── the end ──

    def flush(self, timeout: float) -> bool:
        """Deliver what is collected; return whether that ended within `timeout` seconds."""
        deadline = monotonic() + timeout
        while self._events and not self._is_delivering and monotonic() < deadline:
            self._deliver_collected(min(TIMEOUT, deadline - monotonic()))
        return not self._events and super().flush(seconds_until(deadline))

    def close(self) -> None:
        """Accept no more events; what is collected is delivered by `shutdown`."""
        self._is_closed = True
        super().close()

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is collected, and release the backend's resources."""
        deadline = monotonic() + timeout
        self.close()
        is_done = self.flush(timeout)
        return super().shutdown(seconds_until(deadline)) and is_done

    def outlive(self) -> None:
        """Deliver what is collected before the leaf leaves its tree."""
        self.flush(TIMEOUT)
        super().outlive()

    def stats(self) -> dict[str, Any]:
        """Return the ledger, with the events that are collected."""
        stats, collected = super().stats(), len(self._events)
        return {
            **stats,
            "accepted": stats["accepted"] + collected,
            "pending": stats["pending"] + collected,
        }

    def forked(self) -> None:
        """Reset in a forked child: the events are the parent's."""
        super().forked()
        self._events.clear()
        self._is_delivering = False
