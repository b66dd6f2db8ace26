"""Take events and send them, again and again, until each one has an outcome."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery.attempt import Attempt, Run
from eventtracking_core.delivery.backoff import Backoff
from eventtracking_core.delivery.queued import (
    INVALID,
    NO_EVENT,
    QueuedEvent,
    batch_sender,
    gatherer,
)
from eventtracking_core.diagnostics import WARNING, describe, report_backend
from eventtracking_core.encoding import (
    JSON,
    encode_msgpack,
    encode_text,
    json_text,
    normal_from_json,
    normal_from_msgpack,
)

if TYPE_CHECKING:
    from eventtracking_core.delivery.buffer import Buffer
    from eventtracking_core.delivery.control import WorkerControl
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.delivery.outcomes import DeliveryOutcomes
    from eventtracking_core.delivery.storage.deaths import DeathCounts
    from eventtracking_core.registry.store import EventTypeWriter
    from eventtracking_core.routing.capabilities import BackendCapabilities

__all__ = ["RetrySender"]

STOPPING_INTERVAL: Final = 0.2
"""The most seconds between two attempts once the leaf is shut down."""

WRITES_BACK_WITHIN: Final = 0.5
"""The most seconds of a backoff after which a disk with room again is given what it refused."""


class RetrySender:
    """The events that the worker took and that have no outcome yet, for its thread alone.

    Args:
        path: the leaf's path, for the log.
        options: how large batches are, and how long to try.
        backend: delivers events, and reads them from MessagePack.
        writer: is shown each batch first.
        buffer: holds the events that wait.
        outcomes: records what became of each event.
        control: ends a backoff, or the whole.
        run: makes an attempt; telemetry measures it.
    """

    def __init__(
        self,
        path: str,
        options: DeliveryOptions,
        backend: BackendCapabilities,
        writer: EventTypeWriter | None,
        *,
        buffer: Buffer,
        outcomes: DeliveryOutcomes,
        control: WorkerControl,
        run: Run = Attempt.run,
    ) -> None:
        self._path = path
        self._options = options
        self._send = batch_sender(backend, writer, control.past_deadline)
        self._gather = gatherer(backend)
        self._read = backend.read_wire or normal_from_msgpack
        self._takes_json = backend.takes_json
        self._buffer = buffer
        self._outcomes = outcomes
        self._control = control
        self._make = run
        self._timeout = partial(control.attempt_timeout, options.export_timeout)
        self.backoff = Backoff(options.initial_interval, options.max_interval)
        self.pending: list[QueuedEvent] = []

    # ── taking ──

    def take(self, count: int) -> int:
        """Take events that wait, and decode them; return how many.

        None are taken while the disk refuses so many dead letters that no more may wait.
        """
        letters = self._outcomes.letters
        if letters.waiting and letters.is_full:
            return 0
        wires, recovered = self._buffer.take(count, self._options.max_batch_bytes)
        if wires:
            self._outcomes.take(len(wires), recovered=recovered)
        for wire, segment in wires:
            queued = QueuedEvent(wire, NO_EVENT, segment)
            reason = None
            try:
                # What this process encoded as JSON needs no look.
                if not self._takes_json or segment is not None or wire[0] != JSON:
                    reason = self._open(queued)
            except Exception as error:  # noqa: BLE001  a file may hold anything
                queued.error, reason = describe(error), "rejected"
            if reason is None:
                self.pending.append(queued)
            else:
                self._outcomes.dead_letter([queued], reason)
        return len(wires)

    def _open(self, queued: QueuedEvent) -> str | None:
        """Make of an event's bytes what the backend takes; return why it is not to be sent."""
        is_json = queued.wire[0] == JSON
        if is_json and self._takes_json:
            queued.wire, queued.event_id = json_text(queued.wire)
        else:
            event = normal_from_json(queued.wire) if is_json else self._read(queued.wire)
            if INVALID in event:
                queued.error = str(event.pop(INVALID))  # type: ignore[typeddict-item]
                queued.wire = encode_msgpack(event)
                return "invalid"
            if self._takes_json:
                queued.wire = encode_text(event)
            else:
                queued.event = event
            if queued.segment is not None:
                queued.event_id = str(event.get("id"))
        return None if queued.segment is None else self._rejection(queued)

    def _rejection(self, queued: QueuedEvent) -> str | None:
        """Return why an event of the spool is not to be sent: processes died sending it."""
        deaths = self._buffer.deaths.of(queued.event_id) if self._buffer.deaths else 0
        if deaths >= self._options.max_worker_deaths:
            queued.error = f"{deaths} processes died while they delivered it"
            return "worker_deaths"
        if deaths:
            queued.deaths = deaths
        return None

    def _write_back(self) -> None:
        """Write the events to the spool that its disk refused, as far as it takes them now."""
        index = 0
        while index < len(self.pending):
            queued = self.pending[index]
            if queued.segment is not None:
                index += 1
            elif self._buffer.write_back(queued.wire):
                del self.pending[index]
                self._outcomes.in_flight -= 1
            else:
                return
        self._buffer.write_back_queue()

    # ── sending ──

    def send(self) -> None:
        """Send what is pending until each event has an outcome or the deadline has passed."""
        while self.pending:
            attempt = self._attempt()
            if attempt.retryable and self.pending:
                if self._control.past_deadline():
                    return
                self._back_off(attempt)

    def _attempt(self) -> Attempt:
        tried = self._next_batch()
        attempt = Attempt(self._send, self._timeout, self._gather)
        if self._buffer.deaths is None:
            self._make(attempt, tried)
        else:
            self._make_noted(attempt, tried, self._buffer.deaths)
        # From here on, no error sends an event again that has an outcome.
        self.pending = attempt.retryable + self.pending[len(tried) :]
        if self._outcomes.record(attempt):
            self.backoff.failures = 0
        if self._outcomes.letters.waiting:
            self._outcomes.store_due_letters()
        if self.pending:
            self._dead_letter("error", list(filter(self._is_poison, attempt.retryable)))
            self._dead_letter("expired", list(filter(self._is_expired, self.pending)))
        return attempt

    def _next_batch(self) -> list[QueuedEvent]:
        """Return the next events to try at once; one on which a process died is tried alone."""
        if self.backoff.failures and self.backoff.probes and self.pending[0].transient:
            return self.pending[:1]
        number = 0
        for each in self.pending:
            if each.deaths:
                break
            number += 1
        return self.pending[: number or 1]

    def _make_noted(self, attempt: Attempt, batch: list[QueuedEvent], deaths: DeathCounts) -> None:
        """Make an attempt; if the process dies in it, the next one knows which events it tried."""
        spooled = [each.event_id for each in batch if each.segment is not None]
        if spooled:
            deaths.trying(spooled)
        self._make(attempt, batch)
        if not spooled:
            return
        if attempt.retryable:
            deaths.returned()
        elif batch[0].deaths:
            deaths.forget(spooled[0])

    # ── events that fail ──

    def _dead_letter(self, reason: str, events: list[QueuedEvent]) -> None:
        gone = set(map(id, events))
        self.pending = [each for each in self.pending if id(each) not in gone]
        self._outcomes.dead_letter(events, reason)

    def _is_expired(self, queued: QueuedEvent) -> bool:
        limit, since = self._options.max_elapsed_time, queued.failing_since
        return limit is not None and since is not None and monotonic() - since >= limit

    def _is_poison(self, queued: QueuedEvent) -> bool:
        """Return whether an event fails with unclassified errors while other events succeed."""
        delivered = self._outcomes.delivered
        if queued.attempts == 1:
            queued.delivered_at_first_failure = delivered
        return queued.is_poison(others_succeed=delivered > queued.delivered_at_first_failure)

    def _back_off(self, attempt: Attempt) -> None:
        first = attempt.retryable[0]
        text = ": attempt %d failed, trying again: %s"
        report_backend(
            WARNING, self._path, "retry", text, first.attempts, first.error,
            attempts=first.attempts,
        )  # fmt: skip
        until = monotonic() + self.backoff.failed(attempt.retry_after)
        while not self._control.flush_requested():
            if self._control.stopped_at is not None:
                until = min(until, monotonic() + STOPPING_INTERVAL)
            left = until - monotonic()
            left = min(left, self._control.seconds_left(otherwise=left))
            if left <= 0:
                break
            if self._options.mode == "spool":
                self._write_back()
                left = min(left, WRITES_BACK_WITHIN)
            self._control.own_bell.wait(left)
        # The batch grows by waiting events: an event that is to blame shows when others succeed.
        room = self._options.max_batch_size - len(self.pending)
        if room > 0:
            self.take(room)
