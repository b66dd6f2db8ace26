"""The thread that delivers what waits before one leaf."""

from __future__ import annotations

import logging
from sys import maxsize
from threading import Lock, current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from eventtracking_core._threads import Bell, Latch, start_daemon
from eventtracking_core.delivery.attempt import INVALID, QueuedEvent
from eventtracking_core.delivery.control import WorkerControl
from eventtracking_core.delivery.outcomes import DeliveryOutcomes
from eventtracking_core.delivery.retry import RetrySender
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.encoding import encode_msgpack, normal_from_msgpack
from eventtracking_core.holders import hold, let_go

if TYPE_CHECKING:
    from eventtracking_core.delivery.leaf import BufferedLeaf
    from eventtracking_core.delivery.queue import FlushMarker
    from eventtracking_core.delivery.storage.spool import SpooledEvent
    from eventtracking_core.events import Event

__all__ = ["Worker"]

PAUSE: Final = 0.01
"""Seconds to wait where there is something to come and nothing to wake for it."""

ARRIVES_WITHIN: Final = 0.5
"""Seconds that a closed leaf waits for threads that were on their way into its queue."""

ENDS_BEFORE: Final = 0.2
"""Seconds before the end of its time at which a worker tries nothing again."""

_NO_EVENT: Final = cast("Event", {})


class Worker:
    """Takes batches from a leaf's queue and spool and delivers them, until it is stopped.

    There is no thread before there is something to do. An emitting thread calls `wake` when
    `wake_at_count` events or `wake_at_bytes` bytes wait, and nothing else here.
    """

    def __init__(self, leaf: BufferedLeaf) -> None:
        options = leaf.options
        self._leaf = leaf
        self._options = options
        self._control = WorkerControl()
        self._outcomes = DeliveryOutcomes(leaf)
        self._retry_sender = RetrySender(leaf, self._control, self._outcomes, self._take)
        # A batch goes when half of the queue is full, so that a burst finds room meanwhile.
        self._full_size = min(options.max_batch_size, (options.max_queue_size + 1) // 2)
        self._full_bytes = min(options.max_batch_bytes, (options.max_queue_bytes + 1) // 2)
        self._running = Lock()
        self._is_started = False
        self._done = self.latch()
        self.wake_at_count = 1
        self.wake_at_bytes = maxsize

    @property
    def in_flight(self) -> int:
        """How many events were taken, and are neither delivered nor given up."""
        return self._outcomes.in_flight

    @property
    def failures(self) -> int:
        """How often the backend failed in a row."""
        return self._retry_sender.backoff.failures

    # ── for other threads ──

    def latch(self) -> Latch:
        """Return a latch that this worker sets and any thread waits for."""
        return self._control.bell.latch()

    def wake(self) -> None:
        """Let the worker look at what waits; start it where it does not run yet."""
        self.wake_at_count = self.wake_at_bytes = maxsize
        try:
            if self._done.is_set:
                self._drop_late_events()
            elif self._start():
                self._control.wake()
            else:
                self.wake_at_count = 1
        except BaseException:  # an interrupt: the next event wakes it
            self.wake_at_count = 1
            raise

    def flush(self, marker: FlushMarker, timeout: float) -> bool:
        """Deliver at once what is there; tell whether that is settled within `timeout` seconds."""
        if self._done.is_set or not (self._is_started or self._has_work()):
            return True
        deadline = monotonic() + timeout
        try:
            self._leaf.queue.put_marker(marker)
            self._control.flush(marker)
            self.wake()
            if not self._start():
                self._control.set_deadline(deadline)
                self._drain()
                self._control.set_deadline(None)
            return marker.done.wait(deadline - monotonic())
        finally:
            self._leaf.queue.withdraw(marker)
            self._control.withdraw(marker)

    def stop(self) -> None:
        """Let the worker end when nothing waits any more."""
        self._control.stop()
        self._control.wake()

    def join(self, timeout: float) -> bool:
        """Wait for the end, for at most `timeout` seconds; tell whether everything is settled."""
        # A little earlier than that, so that it has ended when this returns.
        self._control.extend_deadline(monotonic() + timeout - min(0.1 * timeout, ENDS_BEFORE))
        is_idle = not (self._is_started or self._has_work() or self._has_incoming())
        if not self._done.is_set and (is_idle or not self._start()):
            self._end_here()
        self._control.wake()
        return self._done.wait(timeout)

    def _end_here(self) -> None:
        """Deliver what is pending in the calling thread, and end, unless another thread does."""
        if self._running.acquire(blocking=False):
            try:
                if not self._done.is_set:
                    self._drain()
                    self._finish()
            finally:
                self._running.release()

    def _start(self) -> bool:
        """Start the thread, unless there is one or will be; return whether that is so."""
        if self._is_started:
            return True
        self._is_started = True
        is_started = False
        try:
            hold(self._leaf)
            if self._control.bell.is_outdated:  # gevent or eventlet came in between
                self._control.bell = Bell()
                self._done = self.latch()
            self._leaf.begin()
            is_started = start_daemon(self._run, f"eventtracking-{self._leaf.name}")
        finally:  # an interrupt may come when the thread runs already: a second one ends at once
            self._is_started = is_started
            if not is_started:
                self.wake_at_count = 1
        return is_started

    # ── the thread ──

    def _run(self) -> None:
        # An interrupt may strike the thread that starts this one, which then starts another.
        if not self._running.acquire(blocking=False):
            return
        while not self._done.is_set:
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001  a worker that ends loses everything
                report(
                    logging.CRITICAL,
                    ("worker", self._leaf.path, type(error)),
                    "backend %s: the worker goes on after %s",
                    self._leaf.path,
                    describe(error),
                    extra={"backend": self._leaf.path, "error": type(error).__name__},
                )
                self._control.wait(PAUSE)

    def _work(self) -> None:
        batch: list[QueuedEvent] = []
        while True:
            self._retry_sender.deliver(batch)  # and what is pending, after an error
            self._control.complete(self._is_done)
            if not (self._retry_sender.pending or self._has_more()):
                self._leaf.deaths.clear()
            if self._control.is_stopping and (self._control.past_deadline or self._is_empty()):
                self._finish()
                return
            batch = self._next_batch()

    def _drain(self) -> None:
        """Deliver what waits in the calling thread, where no other can be started."""
        self._retry_sender.deliver([])
        while self._has_more() and not self._control.past_deadline:
            self._retry_sender.deliver(self._take(self._options.max_batch_size))
        self._control.complete(self._is_done)

    def _finish(self) -> None:
        pending, self._retry_sender.pending = self._retry_sender.pending, []
        self._outcomes.abandon(pending)
        try:
            if self._leaf.spool is not None:
                self._leaf.spool.close()
                self._leaf.deaths.close()
            if not self._leaf.is_retired:
                seconds = self._control.seconds_left(self._options.export_timeout)
                self._leaf.release_once(monotonic() + seconds)
        except BaseException as error:
            if current_thread() is main_thread() and not isinstance(error, Exception):
                raise  # Ctrl-C: whoever waits next ends the worker
            report(
                logging.ERROR,
                ("finish", self._leaf.path, type(error)),
                "backend %s: closing failed: %s",
                self._leaf.path,
                describe(error),
                extra={"backend": self._leaf.path, "error": type(error).__name__},
            )
        self._done.set()
        self._control.complete(self._is_done)
        self._drop_late_events()
        if not self._leaf.is_retired:
            let_go(self._leaf)

    def _drop_late_events(self) -> None:
        """Count events that came after the end: their threads were on the way into the queue."""
        self.wake_at_count = 1
        self._leaf.spool_or_drop([])

    # ── batches ──

    def _next_batch(self) -> list[QueuedEvent]:
        """Wait until a batch is full, or due, or asked for; return it."""
        due: float | None = None
        while not (self._control.is_stopping or self._control.is_flushing):
            waiting = self._leaf.waiting
            if self._is_full(waiting):
                break
            now = monotonic()
            if waiting and due is None:
                due = now + self._options.schedule_delay
            if due is not None and now >= due:
                break
            self.wake_at_bytes = self._full_bytes
            self.wake_at_count = self._full_size if waiting else 1
            # Whoever added an event before the thresholds were set did not wake it.
            if self._leaf.waiting <= waiting:
                self._control.wait(None if due is None else due - now)
        self.wake_at_count = self.wake_at_bytes = maxsize
        batch = self._take(self._options.max_batch_size)
        if not batch and (self._control.is_stopping or self._has_more()):
            self._control.wait(PAUSE)
        return batch

    def _is_full(self, waiting: int) -> bool:
        is_full = waiting >= self._full_size or self._leaf.queue.bytes >= self._full_bytes
        return is_full or self._has_adopted()

    def _has_adopted(self) -> bool:
        spool = self._leaf.spool
        return spool is not None and spool.has_more and spool.unread == 0

    def _has_more(self) -> bool:
        spool = self._leaf.spool
        return len(self._leaf.queue) > 0 or (spool is not None and spool.has_more)

    def _has_work(self) -> bool:
        return self._leaf.waiting > 0 or self.in_flight > 0

    def _is_empty(self) -> bool:
        # In this order: whoever was awaited a moment ago may have put its event down meanwhile.
        return not (self._has_incoming() or self._retry_sender.pending or self._has_more())

    def _has_incoming(self) -> bool:
        """Tell whether a thread is on its way into the queue, and may get there."""
        since = self._control.stopped_at or monotonic()
        return self._leaf.incoming > 0 and monotonic() < since + ARRIVES_WITHIN

    def _is_done(self, marker: FlushMarker) -> bool:
        spool = self._leaf.spool
        spooled = spool is None or spool.taken >= marker.spooled
        return self._done.is_set or (marker.reached and spooled and self.in_flight == 0)

    def _take(self, count: int) -> list[QueuedEvent]:
        leaf, size = self._leaf, self._options.max_batch_bytes
        wires: list[tuple[bytes, SpooledEvent | None]] = []
        recovered = 0
        if self._options.mode == "queue":
            wires += [(wire, None) for wire in leaf.queue.take(count, size)]
        if leaf.spool is not None and len(wires) < count:
            spooled, recovered = leaf.spool.take(count - len(wires), size)
            if recovered:
                leaf.deaths.collect()
            wires += [(event.wire, event) for event in spooled]
        if self._options.mode == "spool" and len(wires) < count:
            wires += [(wire, None) for wire in leaf.queue.take(count - len(wires), size)]
        self._outcomes.take(len(wires), recovered=recovered)
        return [item for pair in wires if (item := self._item(*pair)) is not None]

    def _item(self, wire: bytes, spooled: SpooledEvent | None) -> QueuedEvent | None:
        """Return an event to deliver; None for one that goes to the dead letters from here."""
        try:
            read = getattr(type(self._leaf.backend), "read_wire", normal_from_msgpack)
            event: Event = read(wire)
            if INVALID not in event:
                item = QueuedEvent(wire, event, spooled)
                deaths = self._leaf.deaths.of(str(event.get("id")))
                if deaths < self._options.max_worker_deaths:
                    if deaths:
                        item.deaths = deaths
                    return item
                item.error = f"{deaths} processes died while they delivered it"
                self._outcomes.dead_letter([item], "worker_deaths")
                return None
            error, reason = str(event.pop(INVALID)), "invalid"  # type: ignore[typeddict-item]
            wire = encode_msgpack(event)
        except Exception as unreadable:  # noqa: BLE001  a file may hold anything
            error, reason = describe(unreadable), "rejected"
        item = QueuedEvent(wire, _NO_EVENT, spooled)
        item.error = error
        self._outcomes.dead_letter([item], reason)
        return None
