"""A leaf with something before its backend: a queue in memory, a spool in files, or both."""

from __future__ import annotations

import logging
import time
from sys import maxsize
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.delivery.attempt import INVALID, Attempt, Run
from eventtracking_core.delivery.places import (
    DEFAULT_TRACKER,
    adopt_from,
    base_directory,
    leaf_directory,
)
from eventtracking_core.delivery.queue import QUEUE_FULL, FlushMarker, MemoryQueue, StoredError
from eventtracking_core.delivery.storage.dead_letters import DeadLetters
from eventtracking_core.delivery.storage.deaths import DeathCounts
from eventtracking_core.delivery.storage.directory import directory_name
from eventtracking_core.delivery.storage.spool import Spool
from eventtracking_core.delivery.worker import Worker
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.encoding import encode_msgpack
from eventtracking_core.interrupts import pass_on
from eventtracking_core.routing import AtomicCounter, Leaf
from eventtracking_core.signals import drain_by_default

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.events import Event

__all__ = ["BufferedLeaf"]

BLOCKS_FOR: Final = 0.1
"""Seconds that `when_full = "block"` waits for room."""

SPOOL_FULL: Final = -1
_REASONS: Final = {QUEUE_FULL: "queue_full", SPOOL_FULL: "spool_full"}


class BufferedLeaf(Leaf):
    """Takes events in the emitting thread, and delivers them in a thread of its own.

    Args:
        name: the backend's name in its router.
        backend: where events go.
        options: how.
        path: the leaf's path in the tree, by which its directory is called.
        type_name: what the configuration calls the backend.
        tracker: the name of its tracker, which is part of the directory's name too.
        owner: its tracker, or a proxy of it.
        run: makes an attempt to deliver a batch; telemetry measures it.
    """

    def __init__(
        self,
        name: str,
        backend: Backend | BatchBackend,
        *,
        options: DeliveryOptions,
        path: str,
        type_name: str | None = None,
        tracker: str | None = DEFAULT_TRACKER,
        owner: object = None,
        run: Run = Attempt.run,
    ) -> None:
        self.options = options
        self.path = path
        self.run = run
        self.owner = owner
        base = base_directory(options.directory)
        self.directory = leaf_directory(base, path or name, tracker, owner)
        self._earlier_directory = base / directory_name(path or name)
        self.spool = (
            Spool(
                self.directory / "spool",
                max_bytes=options.max_spool_bytes,
                fsync_interval=options.fsync_interval,
                lost=self._spool_lost,
                base=base,
            )
            if "spool" in {options.mode, options.when_full}
            else None
        )
        self.dead_letters = DeadLetters(
            self.directory / "dead", options.max_dead_letter_bytes, base=base
        )
        self.deaths = DeathCounts(self.directory / "deliveries", base)
        self._make_new()
        super().__init__(name, backend, type_name=type_name)
        self.mode = options.mode
        if self.mode == "queue":
            drain_by_default()

    def _make_new(self) -> None:
        self.queue = MemoryQueue(self.options.max_queue_size, self.options.max_queue_bytes)
        self.closed = False
        self.worker = Worker(self)
        self._store = self._storing()

    def begin(self) -> None:
        """Let the backend start what cannot be started any more once the interpreter ends."""
        warm_up = getattr(self.backend, "warm_up", None)
        if callable(warm_up):
            try:
                warm_up()
            except Exception as error:  # noqa: BLE001  its events are delivered all the same
                pass_on(error)
                report(
                    logging.WARNING, (self.path, "warm_up"), "backend %s: warm_up failed: %s",
                    self.path, describe(error), extra={"backend": self.path},
                )  # fmt: skip

    def start(self) -> None:
        """Adopt what processes that ended left in the spool, and deliver it."""
        adopt_from(self._earlier_directory, self.directory)
        if self.spool is not None and not self.closed and self.spool.seek_orphans():
            self.worker.wake()

    def _delivery(self) -> Callable[[Event], None]:
        accepted, interrupted = self.ledger.accepted.tick, self.ledger.interrupted

        def deliver(event: Event) -> None:
            # An interrupt may come at any call: what is counted stands before the last one.
            outcome: AtomicCounter | None = interrupted
            waiting = 0
            try:
                next(accepted)
                if self.closed:
                    outcome = self._deliver_late(event)
                else:
                    waiting = self._store(encode_msgpack(event))
                    outcome = None if waiting > 0 else self._dropped(_REASONS[waiting])
            except StoredError as stored:
                outcome = None
                raise (stored.__cause__ or stored) from None
            except BaseException as error:  # noqa: BLE001  the siblings have no part in it
                outcome = self._failed(error)
            finally:
                if outcome is not None:
                    next(outcome.tick)
            worker = self.worker
            if waiting >= worker.wake_at_count or self.queue.bytes >= worker.wake_at_bytes:
                worker.wake()

        return deliver

    def _deliver_late(self, event: Event) -> AtomicCounter:
        """Deliver inline what was on its way when the leaf lost its place; drop the rest."""
        if not self.is_retired:
            return self._dropped("shutdown")
        self._send(event)
        return self.ledger.delivered

    def reject_invalid(self, error: str, event: Event) -> None:
        """Put an event into the dead letters, as the worker comes to it."""
        self.deliver(cast("Event", {**event, INVALID: error}))

    def _storing(self) -> Callable[[bytes], int]:
        """Return what keeps an event and says how many wait then, or which room is full."""
        if self.spool is None:
            return self._block if self.options.when_full == "block" else self.queue.put
        return self._spool_first if self.options.mode == "spool" else self._spool_overflow

    def _block(self, wire: bytes) -> int:
        waiting = self.queue.put(wire)
        if waiting:
            return waiting
        self.worker.wake()
        deadline = monotonic() + BLOCKS_FOR
        while not (waiting := self.queue.put(wire)):
            if monotonic() >= deadline:
                return QUEUE_FULL
            time.sleep(0.001)
        return waiting

    def _spool_first(self, wire: bytes) -> int:
        waiting = self.waiting + 1
        try:
            return waiting if self._spooled(wire) else SPOOL_FULL
        except OSError as error:
            pass_on(error)
            self._spool_failed(error)
            return self.queue.put(wire)

    def _spool_overflow(self, wire: bytes) -> int:
        spool = self.spool
        # What overflowed goes first, and what comes meanwhile behind it: so the order is kept.
        if (spool is None or not spool.unread) and (waiting := self.queue.put(wire)):
            return waiting
        return self._spool_first(wire)

    def _spooled(self, wire: bytes) -> bool:
        return self.spool is not None and self.spool.append(wire)

    def _spool_failed(self, error: OSError) -> None:
        if isinstance(error, BlockingIOError):  # a signal handler emits
            return
        report(
            logging.ERROR,
            (self.path, "spool", error.errno),
            "backend %s: the spool cannot be written, events are kept in memory: %s",
            self.path,
            describe(error),
            extra={"backend": self.path, "error": type(error).__name__},
        )

    def _spool_lost(self, number: int) -> None:
        self.ledger.drop("damaged", number)

    def _dropped(self, reason: str) -> AtomicCounter:
        report(
            logging.ERROR, (self.path, reason), "backend %s: events are dropped: %s",
            self.path, reason, extra={"backend": self.path, "reason": reason},
        )  # fmt: skip
        return self.ledger.counter(reason)

    @property
    def waiting(self) -> int:
        """How many events wait to be taken by the worker."""
        spool = self.spool
        return len(self.queue) if spool is None else len(self.queue) + spool.unread

    @property
    def incoming(self) -> int:
        """How many events were accepted by threads that have not put them anywhere yet."""
        return self.ledger.unsettled() - self.waiting - self.worker.in_flight

    def close(self) -> None:
        """Take no more events, and let the worker know."""
        self.closed = True
        self.worker.stop()

    def flush(self, timeout: float) -> bool:
        """Wait until everything accepted before this call is settled; tell whether it is."""
        marker = FlushMarker(self.spool.appended if self.spool else 0, self.worker.latch())
        deadline = monotonic() + timeout
        settled = self.worker.flush(marker, timeout)
        return settled and super().flush(max(0.0, deadline - monotonic()))

    def abandon(self) -> None:
        """Deliver what is pending and end: no tracker refers to this leaf any more."""
        self.close()

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending, within `timeout` seconds, then release what the backend holds.

        If it was shut down before, wait for the same worker.
        """
        deadline = monotonic() + timeout
        self.close()
        done = self.worker.join(timeout)
        if not done:  # the backend holds the worker: what waits behind it cannot go
            self.spool_or_drop([])
            self._report_in_flight()
        return done and (not self.is_retired or self.release_once(deadline))

    def _report_in_flight(self) -> None:
        in_flight = self.worker.in_flight
        if in_flight and self.options.mode == "queue":
            report(
                logging.ERROR, (self.path, "in hand"),
                "backend %s: the time was up while %d events were on their way",
                self.path, in_flight, extra={"backend": self.path, "reason": "shutdown"},
            )  # fmt: skip

    def spool_or_drop(self, held: list[bytes]) -> None:
        """Spool what could not be delivered in time; count as dropped what cannot be spooled."""
        lost = 0
        while True:
            for wire in held:
                try:
                    lost += not self._spooled(wire)
                except OSError:
                    lost += 1
            held = self.queue.take(maxsize, maxsize)
            if not held and not len(self.queue):
                break
        if lost:
            self.ledger.drop("shutdown", lost)
            report(
                logging.ERROR, (self.path, "shutdown"),
                "backend %s: %d events were not delivered in time", self.path, lost,
                extra={"backend": self.path, "reason": "shutdown"},
            )  # fmt: skip

    def stats(self) -> dict[str, Any]:
        """Return the ledger, and how the sink is doing."""
        backlog = self.spool.backlog if self.spool else 0
        stats = super().stats()
        return {
            **stats,
            "accepted": stats["accepted"] + backlog,
            "recovered": self.ledger.recovered.value + backlog,
            "dead_lettered": self.ledger.dead_lettered.value,
            "pending": self.waiting + self.worker.in_flight + backlog,
            "failures_in_a_row": self.worker.failures,
            "damaged": self.spool.damaged if self.spool else 0,
        }

    def forked(self) -> None:
        """Begin empty in a forked child: what waits is the parent's."""
        super().forked()
        if self.spool is not None:
            self.spool.forked()
        self.deaths.forked()
        closed = self.closed
        self._make_new()
        self.closed = closed
