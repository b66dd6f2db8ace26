"""The thread that delivers the pending events of one leaf."""

from __future__ import annotations

import logging
from collections.abc import Callable
from sys import maxsize
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.buffer import FlushMarker
from eventtracking_core.delivery.control import WorkerThread
from eventtracking_core.delivery.outcomes import RETRY_INTERVAL
from eventtracking_core.diagnostics import report_backend
from eventtracking_core.lifecycle.claims import Claim
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from eventtracking_core.delivery.buffer import Buffer
    from eventtracking_core.delivery.control import WorkerControl
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.outcomes import DeliveryOutcomes
    from eventtracking_core.delivery.retry import RetrySender

__all__ = ["Worker"]

PAUSE: Final = 0.01
"""Seconds to wait for events that arrive without waking the worker."""

ARRIVES_WITHIN: Final = 0.5
"""Seconds that a closed leaf waits for threads that are about to store an event."""

ENDS_BEFORE: Final = 0.2
"""Seconds before its deadline at which a worker starts no further attempt."""


class Worker:
    """Takes batches from a buffer and delivers them, until it is stopped.

    There is no thread before there is something to do. An emitting thread rings the bell, and calls
    `wake` if it is not heard.

    Args:
        name: the leaf's name, for the thread.
        path: the leaf's path, for the log.
        options: when a batch is due.
        buffer: holds the events that wait.
        sender: takes them from there and sends them.
        outcomes: records what became of them.
        control: signals from other threads.
        prepare: called before the thread starts.
        release: called after the last event, to release the backend in the seconds left.
        ended: called at the very end.
    """

    def __init__(
        self,
        name: str,
        path: str,
        options: DeliveryOptions,
        *,
        buffer: Buffer,
        sender: RetrySender,
        outcomes: DeliveryOutcomes,
        control: WorkerControl,
        prepare: Callable[[], object],
        release: Callable[[float], object],
        ended: Callable[[], object],
    ) -> None:
        self._path = path
        self._options = options
        self._buffer = buffer
        self._sender = sender
        self._outcomes = outcomes
        self._control = control
        self._release = release
        self._ended = ended
        # A batch goes when half of the queue is full, so that a burst finds room meanwhile.
        self._full_size = min(options.max_batch_size, (options.max_queue_size + 1) // 2)
        self._full_bytes = min(options.max_batch_bytes, (options.max_queue_bytes + 1) // 2)
        self._thread = WorkerThread(f"eventtracking-{name}", control, self._run, prepare)
        self.occupy = self._thread.occupy

    # ── for other threads ──

    def wake(self) -> None:
        """Let the worker look at the buffer; start it if it isn't running."""
        if self._thread.done.is_set:
            self._outcomes.spool_or_drop([])  # what was stored late
        elif not self._control.bell.ring():
            self._thread.start()

    def flush(self, timeout: float) -> bool:
        """Deliver at once what is pending; return whether that ended within `timeout` seconds."""
        self._thread.follow_patch()
        if self._thread.done.is_set or not (self._control.bell.is_heard or self._has_work()):
            return True
        deadline = monotonic() + timeout
        marker = FlushMarker(self._control.bell.latch())
        try:
            self._buffer.mark(marker)
            self._control.markers.append(marker)
            self.wake()
            if not self._thread.start():
                self._flush_here(deadline)
            return marker.done.wait(0 if self._thread.is_interrupted else deadline - monotonic())
        finally:
            marker.is_withdrawn = True  # it leaves the buffer in its turn, and ends no batch
            self._control.withdraw(marker)

    def join(self, timeout: float) -> bool:
        """Wait for the end, for at most `timeout` seconds; return whether it came."""
        if self._thread.done.is_set:
            return True
        self._thread.follow_patch()
        # A little earlier than that, so that it has ended when this returns.
        self._control.extend_deadline(monotonic() + timeout - min(0.1 * timeout, ENDS_BEFORE))
        is_idle = not (self._control.bell.is_heard or self._has_work() or self._has_incoming())
        if is_idle or not self._thread.start():
            self._end_here()
        self._control.bell.ring()
        return self._thread.done.wait(0 if self._thread.is_interrupted else timeout)

    @property
    def is_interrupted(self) -> bool:
        """Whether the caller is a signal handler that interrupted a call of the backend."""
        return self._thread.is_interrupted

    def _flush_here(self, deadline: float) -> None:
        """Deliver what is pending in the calling thread, unless another thread does."""
        claim = Claim()
        try:
            if self._thread.begin(claim):
                self._control.deadline = deadline
                try:
                    self._drain()
                finally:
                    self._control.deadline = None
        finally:
            claim.is_over = True

    def _end_here(self) -> None:
        """Deliver what is pending in the calling thread, and end, unless another thread does."""
        claim = Claim()
        try:
            if self._thread.begin(claim) and not self._thread.done.is_set:
                self._drain()
                self._finish(raises=True)
        finally:
            claim.is_over = True

    # ── the thread ──

    def _run(self) -> None:
        # An interrupt may strike the thread that starts this one, which then starts another.
        control = self._control
        claim = Claim(lasts=True)
        if not self._thread.begin(claim):
            return
        while not self._thread.done.is_set:
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001  a worker that ends loses everything
                text, problem = ": the worker continues after %s", ("worker", type(error))
                report_backend(logging.CRITICAL, self._path, problem, text, error)
                control.own_bell.wait(PAUSE)
            if control.own_bell.is_outdated and not self._thread.done.is_set:
                control.own_bell.at_count = 1  # the next event starts a greenlet
                self._thread.leave(claim)
                return

    def _work(self) -> None:
        buffer, control, sender = self._buffer, self._control, self._sender
        letters = self._outcomes.letters
        while True:
            if sender.pending:  # a batch, or what an error left of it
                sender.send()
            if letters.waiting:
                self._outcomes.store_due_letters()
            if control.markers:
                self._complete_flushes()
            if buffer.deaths is not None and not (
                sender.pending or letters.waiting or buffer.has_more
            ):
                buffer.deaths.clear()
            if control.stopped_at is not None and (control.past_deadline() or self._is_empty()):
                self._finish()
                return
            if not self._wait_for_batch():
                return
            if not sender.take(self._options.max_batch_size):
                self._complete_flushes()
                if (
                    control.stopped_at is not None
                    or letters.waiting
                    or buffer.has_more
                    or control.markers  # events are in flight elsewhere, such as in a greenlet
                ):
                    control.own_bell.wait(PAUSE)

    def _wait_for_batch(self) -> bool:
        """Wait for a batch that is full, due or asked for; return False if the bell is outdated."""
        buffer, control, letters = self._buffer, self._control, self._outcomes.letters
        bell = control.own_bell
        due: float | None = None
        while control.stopped_at is None and not control.markers:
            bell.at_count, bell.at_bytes = 1, self._full_bytes
            is_refused = buffer.is_refused
            if is_refused:
                buffer.write_back_queue()
            waiting = buffer.waiting
            if waiting >= self._full_size or buffer.bytes >= self._full_bytes:
                break
            now = monotonic()
            if waiting and due is None:
                due = now + self._options.schedule_delay
            if (due is not None and now >= due) or buffer.has_adopted:
                break
            if letters.waiting and letters.is_due:
                break
            if waiting:
                bell.at_count = self._full_size
            pause = None if due is None else due - now
            if letters.waiting or is_refused:
                pause = min(pause or RETRY_INTERVAL, RETRY_INTERVAL)
            if not bell.wait(pause):
                return False
        bell.at_count = bell.at_bytes = maxsize
        return not bell.is_outdated

    def _drain(self) -> None:
        """Deliver what is pending in the calling thread, where no other can be started."""
        self._sender.send()
        while self._has_more_here() and not self._control.past_deadline():
            self._sender.take(self._options.max_batch_size)
            self._sender.send()
            if self._outcomes.letters.is_full:
                break
        self._outcomes.store_letters()
        self._complete_flushes()

    def _has_more_here(self) -> bool:
        """Return whether there is more to take: events, or a flush behind those already taken."""
        markers = list(self._control.markers)
        return self._buffer.has_more or not all(marker.reached for marker in markers)

    def _finish(self, *, raises: bool = False) -> None:
        pending, self._sender.pending = self._sender.pending, []
        self._outcomes.abandon(pending)
        try:
            self._buffer.close()
            self._release(self._control.seconds_left(self._options.export_timeout))
        except BaseException as error:  # noqa: BLE001  the worker ends whatever is raised
            if raises:  # an interrupt: the next caller that waits ends the worker
                pass_on(error)
            text, problem = ": closing failed: %s", ("finish", type(error))
            report_backend(logging.ERROR, self._path, problem, text, error)
        self._thread.end()
        self._complete_flushes()
        self._outcomes.spool_or_drop([])  # what was stored late
        self._ended()

    def _complete_flushes(self) -> None:
        """Let the callers of flushes go on before which everything has an outcome."""
        for marker in list(self._control.markers):
            is_past = self._buffer.is_past(marker) and self._outcomes.in_flight == 0
            if is_past or self._thread.done.is_set:
                self._control.withdraw(marker)
                marker.done.set()

    # ── the next task ──

    def _has_work(self) -> bool:
        return self._buffer.waiting > 0 or self._outcomes.in_flight > 0

    def _is_empty(self) -> bool:
        # In this order: a thread that was about to store an event may have done so meanwhile.
        is_busy = self._has_incoming() or self._sender.pending or self._buffer.has_more
        return not (is_busy or self._outcomes.letters.waiting)

    def _has_incoming(self) -> bool:
        """Return whether a thread is about to store an event, and may get there."""
        since = self._control.stopped_at or monotonic()
        return self._outcomes.incoming > 0 and monotonic() < since + ARRIVES_WITHIN
