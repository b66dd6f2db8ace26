"""A leaf whose events are delivered in a thread of its own, from a buffer."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core._text import counted
from eventtracking_core.deadlines import seconds_until
from eventtracking_core.delivery.attempt import Attempt, Run
from eventtracking_core.delivery.batch_leaf import BatchLeaf, marked_invalid
from eventtracking_core.delivery.buffer import QUEUE_FULL
from eventtracking_core.delivery.control import WorkerControl
from eventtracking_core.delivery.queued import NO_EVENT
from eventtracking_core.delivery.retry import RetrySender
from eventtracking_core.delivery.spooled_buffer import SPOOL_FULL
from eventtracking_core.delivery.worker import Worker
from eventtracking_core.diagnostics import report_backend
from eventtracking_core.encoding import (
    JSON,
    decode_wire,
    encode_msgpack,
    encode_text,
    snapshot,
)
from eventtracking_core.lifecycle.holders import hold, join_holder, let_go
from eventtracking_core.lifecycle.interrupts import StoredError, pass_on
from eventtracking_core.lifecycle.signals import drain_by_default
from eventtracking_core.routing import AtomicCounter, LeafPlace
from eventtracking_core.routing.compiled import takes_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.events import Event

__all__ = ["BufferedLeaf"]

BLOCKS_FOR: Final = 0.1
"""Seconds that `when_full = "block"` waits for room."""

_REASONS: Final = {QUEUE_FULL: "queue_full", SPOOL_FULL: "spool_full"}


class BufferedLeaf(BatchLeaf):
    """Stores events in the emitting thread, and delivers them in a thread of its own.

    Args:
        backend: where events go.
        place: where the leaf stands.
        options: how to store and deliver events.
        run: makes an attempt to deliver a batch; telemetry measures it.
    """

    def __init__(
        self,
        backend: Backend | BatchBackend,
        place: LeafPlace,
        options: DeliveryOptions,
        run: Run = Attempt.run,
    ) -> None:
        super().__init__(backend, place, options)
        with suppress(RuntimeError):  # the interpreter ends already
            # Many clients import this with their first request, perhaps as late as that. Not in
            # `emit`: Python swallows what a signal handler raises in the middle of an import.
            import concurrent.futures.thread  # noqa: F401, PLC0415
        self._run = run
        self._equip()
        join_holder(self)
        if self.mode == "queue":
            drain_by_default()

    def _equip(self) -> None:
        """Make the worker and what it is given."""
        self._control = control = WorkerControl()
        self._sender = RetrySender(
            self.path,
            self.options,
            self.capabilities,
            self.event_type_writer,
            buffer=self.buffer,
            outcomes=self.outcomes,
            control=control,
            run=self._run,
        )
        self.worker = Worker(
            self.name,
            self.path,
            self.options,
            buffer=self.buffer,
            sender=self._sender,
            outcomes=self.outcomes,
            control=control,
            prepare=self._prepare,
            release=self._release_backend,
            ended=self._let_go,
        )
        blocks = self.buffer.spool is None and self.options.when_full == "block"
        self._store = self._block if blocks else self.buffer.put

    # ── what the worker calls ──

    def _prepare(self) -> None:
        """Let the backend start what can't be started any more once the interpreter ends."""
        hold(self)
        warm_up = self.capabilities.warm_up
        if warm_up is not None:
            try:
                self.worker.occupy(warm_up)
            except Exception as error:  # noqa: BLE001  its events are delivered all the same
                pass_on(error)
                text = ": warm_up failed: %s"
                report_backend(logging.WARNING, self.path, "warm_up", text, error)

    def _release_backend(self, seconds: float) -> None:
        if not self.is_retired:
            self.release_once(monotonic() + seconds)

    def _let_go(self) -> None:
        if not self.is_retired:
            let_go(self)

    # ── events ──

    is_read_only = True  # it stores bytes

    def start(self) -> None:
        """Adopt what ended processes left in the spool, and deliver it."""
        if not self.closed and self.buffer.seek_orphans():
            self.worker.wake()

    def _delivery(self) -> Callable[[Event], object]:
        """Return a function that stores an event, and returns its bytes for the next leaf."""
        accepted, interrupted = self.ledger.accepted.tick, self.ledger.interrupted
        takes_json, encode = self.capabilities.takes_json, self.encode

        @takes_wire
        def deliver(event: Event, wire: bytes | None = None) -> bytes | None:
            # An interrupt may come at any call: what is counted stands before the last one.
            outcome: AtomicCounter | None = interrupted
            waiting = 0
            try:
                next(accepted)
                if self.closed:
                    original = (
                        decode_wire(wire) if wire is not None and event is NO_EVENT else event
                    )
                    outcome = self._deliver_late(original)
                else:
                    if wire is None or (wire[0] == JSON and not takes_json):
                        wire = encode(event)
                    waiting = self._store(wire)
                    outcome = None if waiting > 0 else self._dropped(_REASONS[waiting])
            except StoredError as stored:
                outcome = None
                raise (stored.__cause__ or stored) from None
            except BaseException as error:  # noqa: BLE001  the siblings have no part in it
                outcome = self._failed(error)
            finally:
                if outcome is not None:
                    next(outcome.tick)
            bell = self._control.bell
            if (waiting >= bell.at_count or self.buffer.bytes >= bell.at_bytes) and not bell.ring():
                self.worker.wake()
            return wire

        return deliver

    @property
    def encode(self) -> Callable[[Event], bytes]:
        """Returns the bytes in which an event waits here."""
        return encode_text if self.capabilities.takes_json else encode_msgpack

    def deliver_wire(self, wire: bytes, event: Event = NO_EVENT) -> None:
        """Deliver an event that is encoded already.

        Args:
            wire: what `encode` returns of it.
            event: the event; it may be left out if the bytes are JSON, and the backend takes that.
        """
        deliver: Callable[..., object] = self.deliver
        deliver(event, wire)

    def reject_invalid(self, error: str, event: Event) -> None:
        """Store an event as a dead letter, when it is taken to be delivered.

        It waits in MessagePack, also before a backend that takes JSON: so its mark is found.
        """
        marked = marked_invalid(event, error)
        self.deliver_wire(encode_msgpack(marked), marked)

    def _deliver_late(self, event: Event) -> AtomicCounter:
        """Deliver an event inline that was emitted as the leaf lost its place; else drop it."""
        if not self.is_retired:
            return self._dropped("shutdown")
        self.save_and_send(snapshot(event))
        return self.ledger.delivered

    def _block(self, wire: bytes) -> int:
        if waiting := self.buffer.put(wire):
            return waiting
        self.worker.wake()
        deadline = monotonic() + BLOCKS_FOR
        while not (waiting := self.buffer.put(wire)) and monotonic() < deadline:
            time.sleep(0.001)
        return waiting

    def _dropped(self, reason: str) -> AtomicCounter:
        text = ": events are dropped: %s"
        report_backend(logging.ERROR, self.path, reason, text, reason, reason=reason)
        return self.ledger.counter(reason)

    # ── the end ──

    def close(self) -> None:
        """Accept no more events; deliver what is pending."""
        self.closed = True
        if self._control.stopped_at is None:
            self._control.stop()

    def flush(self, timeout: float) -> bool:
        """Wait until every event accepted before has an outcome; return whether it has."""
        deadline = monotonic() + timeout
        done = self.worker.flush(timeout)
        return done and super().flush(seconds_until(deadline))

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending, within `timeout` seconds, then release what the backend holds.

        If it was shut down before, wait for the same worker.
        """
        deadline = monotonic() + timeout
        self.close()
        done = self.worker.join(timeout)
        if not (done or self.worker.is_interrupted):
            # The backend holds the worker up: waiting events cannot be delivered.
            self.outcomes.spool_or_drop([])
            self._report_in_flight()
        return done and (not self.is_retired or self.release_once(deadline))

    def _report_in_flight(self) -> None:
        in_flight = self.outcomes.in_flight
        if in_flight and self.options.mode == "queue":
            events, text = counted(in_flight, "event"), ": shutdown timed out with %s in flight"
            report_backend(logging.ERROR, self.path, "in flight", text, events, reason="shutdown")

    def stats(self) -> dict[str, Any]:
        """Return the ledger, and how the sink is doing."""
        buffer, backlog = self.buffer, self.buffer.backlog
        stats = super().stats()
        return {
            **stats,
            "accepted": stats["accepted"] + backlog,
            "recovered": self.ledger.recovered.value + backlog,
            "dead_lettered": self.ledger.dead_lettered.value,
            "pending": buffer.waiting + self.outcomes.in_flight + backlog,
            "failures_in_a_row": self._sender.backoff.failures,
            "damaged": buffer.spool.damaged if buffer.spool else 0,
        }

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        super().forked()
        self._equip()
