"""The thread that delivers what waits before one leaf."""

from __future__ import annotations

import logging
import sys
from collections import deque
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from sys import maxsize
from threading import Event as Signal
from threading import Lock, Thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from eventtracking_core.delivery.attempt import Attempt, Item, sender
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.delivery.deadletters import DeadLetter
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.encoding import normal_from_msgpack

if TYPE_CHECKING:
    from eventtracking_core.delivery.leaf import BufferedLeaf
    from eventtracking_core.delivery.queue import Ticket
    from eventtracking_core.delivery.spool import SpooledEvent
    from eventtracking_core.events import Event

__all__ = ["Worker"]

GIVES_UP_AFTER: Final = 5
"""Attempts of one event alone, for a reason its backend does not name, while others get through."""

STOPPING_INTERVAL: Final = 0.2
"""The most seconds between two attempts once the leaf is shut down."""

GRACE: Final = 0.2
"""Seconds beyond its deadline in which a worker puts away what it could not deliver."""

LAST_ATTEMPT: Final = 1.0
"""The least seconds that an attempt is given, however near the deadline is."""


EMPTY: Final = cast("Event", {})


class Worker:
    """Takes batches from a leaf's queue and spool and delivers them, until it is stopped.

    There is no thread before there is something to do. `alarm` is how many events must wait for
    an emitting thread to call `wake`; nothing else here is for the emitting threads.
    """

    def __init__(self, leaf: BufferedLeaf) -> None:
        self._leaf = leaf
        self._options = leaf.options
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._tickets: deque[Ticket] = deque()
        self._thread: Thread | None = None
        self._stopping = False
        self._deadline: float | None = None
        self._done = Signal()
        self._delivered = 0
        self.backoff = Backoff(self._options.initial_interval, self._options.max_interval)
        self._starting = Lock()
        self._held: list[Item] = []
        self._settled_all = False
        self.alarm = 1
        self.in_hand = 0
        self.releases = True

    # ── for other threads ──

    def wake(self) -> None:
        """Let the worker look at what waits; start it where it does not run yet."""
        self.alarm = maxsize
        if self._thread is None:
            self._start()
        self._wakes.put(None)

    def flush(self, ticket: Ticket) -> None:
        """Deliver at once what is there now; the ticket is settled after it."""
        self._tickets.append(ticket)
        self._leaf.queue.put_ticket(ticket)
        if self._done.is_set():
            ticket.settled.set()
        self.wake()
        if self._thread is None:
            self._drain(once=True)

    def stop(self) -> None:
        """Let the worker end when nothing waits any more."""
        self._stopping = True
        if self._thread is not None:
            self._wakes.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the end, for at most `timeout` seconds; tell whether everything is settled."""
        self._deadline = monotonic() + timeout
        if self._thread is None and not self._done.is_set():
            self._start()
        self._wakes.put(None)
        if self._thread is None:
            self._drain(once=False)
        # A worker that is not held up by its backend ends a moment after the deadline.
        return self._done.wait(timeout + GRACE) and self._settled_all

    def _start(self) -> None:
        # Once the interpreter ends, threads cannot be started: 3.11 would hang.
        if not main_thread().is_alive() or sys.is_finalizing():
            return
        if not self._starting.acquire(blocking=False):
            return
        thread = Thread(target=self._run, name=f"eventtracking-{self._leaf.name}", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            self._thread = None
            self._starting.release()

    # ── the thread ──

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001  a worker that ends loses everything
                report(
                    logging.CRITICAL,
                    ("worker", self._leaf.path, type(error)),
                    "backend %s: the worker goes on after %s",
                    self._leaf.path,
                    describe(error),
                )

    def _work(self) -> None:
        while True:
            batch = self._next_batch()
            if batch:
                self._settle(batch)
            self._settle_tickets()
            if self._stopping and (self._is_late() or not (batch or self._has_more())):
                self._finish()
                return

    def _drain(self, *, once: bool) -> None:
        """Deliver what waits in the calling thread, where no other can be started."""
        while self._has_more() and not self._is_late():
            self._settle(self._take(self._options.max_batch_size))
        self._settle_tickets()
        if not once:
            self._finish()

    def _finish(self) -> None:
        self._settled_all = not (self.in_hand or self._has_more())
        self._leaf.keep_or_drop([item.wire for item in self._held if item.spooled is None])
        if self._leaf.spool is not None:
            self._leaf.spool.close()
        if self.releases:
            self._leaf.release(self._seconds_left())
        self._done.set()
        self._settle_tickets()

    def _has_more(self) -> bool:
        spool = self._leaf.spool
        return len(self._leaf.queue) > 0 or (spool is not None and spool.has_more)

    def _next_batch(self) -> list[Item]:
        """Wait until a batch is full, or due, or asked for; return it."""
        due: float | None = None
        while not self._stopping and not self._tickets:
            waiting = self._leaf.waiting
            if waiting >= self._options.max_batch_size or self._has_adopted():
                break
            now = monotonic()
            if waiting and due is None:
                due = now + self._options.schedule_delay
            if due is not None and now >= due:
                break
            self.alarm = self._options.max_batch_size if waiting else 1
            # Whoever added an event before the alarm was set did not ring it.
            if self._leaf.waiting > waiting:
                continue
            self._wait(None if due is None else due - now)
        self.alarm = maxsize
        return self._take(self._options.max_batch_size)

    def _has_adopted(self) -> bool:
        spool = self._leaf.spool
        return spool is not None and spool.has_more and spool.unread == 0

    def _wait(self, seconds: float | None) -> None:
        try:
            self._wakes.get(timeout=seconds)
        except Empty:
            return

    def _take(self, count: int) -> list[Item]:
        leaf, size = self._leaf, self._options.max_batch_bytes
        wires: list[tuple[bytes, SpooledEvent | None]] = []
        if self._options.mode == "queue":
            wires += [(wire, None) for wire in leaf.queue.take(count, size)]
        if leaf.spool is not None and len(wires) < count:
            spooled, recovered = leaf.spool.take(count - len(wires), size)
            leaf.ledger.recovered.add_many(recovered)
            leaf.ledger.accepted.add_many(recovered)
            wires += [(event.wire, event) for event in spooled]
        if self._options.mode == "spool" and len(wires) < count:
            wires += [(wire, None) for wire in leaf.queue.take(count - len(wires), size)]
        self.in_hand += len(wires)
        return [item for pair in wires if (item := self._item(*pair)) is not None]

    def _item(self, wire: bytes, spooled: SpooledEvent | None) -> Item | None:
        try:
            return Item(wire, normal_from_msgpack(wire), spooled)
        except ValueError as error:
            self._give_up(Item(wire, EMPTY, spooled), "rejected", error)
            return None

    def _settle(self, batch: list[Item]) -> None:
        """Try a batch until each of its events is delivered or given up, or time is up."""
        while batch:
            self._held = batch
            # An open circuit is probed with one event, not with everything that waits.
            is_probing = self.backoff.is_open and batch[0].is_named
            probe = batch[:1] if is_probing else batch
            attempt = Attempt(sender(self._leaf.backend), self._attempt_timeout)
            attempt.run(probe)
            self._delivered += len(attempt.delivered)
            self._leaf.ledger.delivered.add_many(len(attempt.delivered))
            for item in attempt.delivered:
                self._done_with(item)
            for item, error in attempt.rejected:
                self._give_up(item, "rejected", error)
            batch = self._remaining(attempt) + batch[len(probe) :]
            if attempt.delivered or attempt.rejected:
                self.backoff.succeeded()
            if attempt.retryable and batch:
                self._held = batch
                if self._is_late():
                    return
                self._back_off(attempt, batch)
        self._held = batch

    def _remaining(self, attempt: Attempt) -> list[Item]:
        limit = self._options.max_elapsed_time
        remaining = []
        for item, error in attempt.retryable:
            age = monotonic() - (item.failing_since or 0.0)
            if limit is not None and age >= limit:
                self._give_up(item, "expired", error)
            elif self._is_poison(item):
                self._give_up(item, "error", error)
            else:
                remaining.append(item)
        return remaining

    def _is_poison(self, item: Item) -> bool:
        """Tell whether an event fails for no named reason while others get through."""
        if item.attempts == 1:
            item.others = self._delivered
        return (
            not item.is_named and item.attempts >= GIVES_UP_AFTER and self._delivered > item.others
        )

    def _back_off(self, attempt: Attempt, batch: list[Item]) -> None:
        item, error = attempt.retryable[0]
        report(
            logging.WARNING,
            (self._leaf.path, "retry", type(error)),
            "backend %s: attempt %d failed, trying again: %s",
            self._leaf.path,
            item.attempts,
            describe(error),
        )
        until = monotonic() + self.backoff.failed(attempt.retry_after)
        if self._stopping:
            until = min(until, monotonic() + STOPPING_INTERVAL)
        while (left := until - monotonic()) > 0 and not self._is_hurried():
            self._wait(left)
            if self._stopping:
                until = min(until, monotonic() + STOPPING_INTERVAL)
        # The batch grows by what waits: an event that is to blame shows by what gets through.
        room = self._options.max_batch_size - len(batch)
        if room > 0:
            batch += self._take(room)

    def _is_hurried(self) -> bool:
        """Tell whether somebody flushes who has not had an immediate attempt yet."""
        waiting = [ticket for ticket in list(self._tickets) if not ticket.hurried]
        for ticket in waiting:
            ticket.hurried = True
        return bool(waiting)

    # ── accounts ──

    def _done_with(self, item: Item) -> None:
        self.in_hand -= 1
        if item.spooled is not None and self._leaf.spool is not None:
            self._leaf.spool.settle(item.spooled)

    def _give_up(self, item: Item, reason: str, error: BaseException) -> None:
        leaf = self._leaf
        letter = DeadLetter(
            wire=item.wire,
            backend=leaf.path,
            reason=reason,
            error=describe(error),
            attempts=item.attempts + (reason == "rejected"),
            time=datetime.now(UTC),
        )
        try:
            kept = leaf.dead_letters.add(letter)
        except OSError as problem:
            report(
                logging.ERROR, (leaf.path, "dead"), "backend %s: no dead letter could be kept: %s",
                leaf.path, describe(problem),
            )  # fmt: skip
            kept = False
        if kept:
            leaf.ledger.dead_lettered.add()
        else:
            leaf.ledger.drop(reason)
        report(
            logging.ERROR,
            (leaf.path, reason),
            "backend %s: an event was given up (%s): %s",
            leaf.path,
            reason,
            describe(error),
        )
        self._done_with(item)

    def _settle_tickets(self) -> None:
        spool = self._leaf.spool
        for ticket in list(self._tickets):
            spooled = spool is None or spool.taken >= ticket.spooled
            if self._done.is_set() or (ticket.passed and spooled and self.in_hand == 0):
                self._tickets.remove(ticket)
                ticket.settled.set()

    # ── deadlines ──

    def _seconds_left(self) -> float:
        if self._deadline is None:
            return self._options.export_timeout
        return max(0.0, self._deadline - monotonic())

    def _is_late(self) -> bool:
        return self._deadline is not None and monotonic() >= self._deadline

    def _attempt_timeout(self) -> float:
        left = max(LAST_ATTEMPT, self._seconds_left())  # export_timeout, unless there is a deadline
        return min(self._options.export_timeout, left)
