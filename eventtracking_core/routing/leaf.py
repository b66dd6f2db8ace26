"""A backend at its place in the tree: guarded, counted, closed once."""

from __future__ import annotations

from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from eventtracking_core.deadlines import seconds_until, wait_until
from eventtracking_core.diagnostics import ERROR, our_logger, report_backend
from eventtracking_core.errors import ClosedError
from eventtracking_core.events import FIELDS
from eventtracking_core.lifecycle.claims import Claim, ClaimLock
from eventtracking_core.lifecycle.forks import expect_forks
from eventtracking_core.lifecycle.holders import (
    calls_below,
    hold,
    join_holder,
    let_go,
    living,
)
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.routing.capabilities import (
    BackendCapabilities,
    call_optional,
    event_sender,
    inline_error,
    refuse_awaitable,
    speaks_asyncio,
)
from eventtracking_core.routing.ledger import AtomicCounter, Ledger, failure_level, failure_reason
from eventtracking_core.routing.nesting import nested
from eventtracking_core.settings import SHUTDOWN_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.events import Event
    from eventtracking_core.registry.store import EventTypeWriter

__all__ = ["InlineLeaf", "Leaf"]


class Leaf:
    """A backend at its place in the tree. A subclass joins the holders when it is constructed.

    Args:
        name: the backend's name in its router, for the log.
        backend: where events go; with `send`, or with `send_batch` alone.
        type_name: the backend's type in the configuration; its class by default.
        registered: the backend that the application knows, if `backend` adapts it.

    Raises:
        ValueError: the backend has neither method, or one that is an asynchronous generator.
    """

    mode = "inline"
    stage = 0
    """The order of shutdown at exit: lower stages first."""

    shutdown_timeout = SHUTDOWN_TIMEOUT
    """Timeout, in seconds, of the shutdown at the end of the process."""

    is_retired = False
    """Whether the leaf left its tree."""

    releases = True
    """Whether shutdown releases the backend; False if another leaf goes on using it."""

    def __init__(
        self,
        name: str,
        backend: Backend | BatchBackend,
        *,
        type_name: str | None = None,
        registered: Backend | BatchBackend | None = None,
    ) -> None:
        _import_for_emergencies()
        self.name = name
        self.backend = backend
        self.registered = backend if registered is None else registered
        self.type_name = type_name or type(self.registered).__name__
        self.ledger = Ledger()
        self.capabilities = BackendCapabilities(backend)
        self._send = event_sender(name, self.capabilities)
        save = self.capabilities.save_event_type
        self.event_type_writer: EventTypeWriter | None = None
        if save is not None:
            from eventtracking_core.registry.store import EventTypeWriter  # noqa: PLC0415  costs imports

            self.event_type_writer = EventTypeWriter(name, save)
        self._is_shut_down = self._has_exited = False
        self._releasing = ClaimLock()
        # No cached property: in an object with a `__dict__`, the interpreter finds nothing as fast.
        self.deliver = self._delivery()
        """Deliver, or store, an event."""

    @property
    def is_read_only(self) -> bool:
        """Whether the backend's class says, for itself alone, that it only reads events."""
        return bool(vars(type(self.backend)).get("is_read_only"))

    def _delivery(self) -> Callable[[Event], object]:
        """Return a function that calls the backend in the emitting thread; a failure ends there."""
        ledger = self.ledger
        accepted, delivered = ledger.accepted.tick, ledger.delivered.tick
        writer = self.event_type_writer

        def deliver(event: Event) -> None:
            try:
                next(accepted)
                if ledger.is_busy:
                    result = nested(self.save_and_send, event)
                else:
                    ledger.is_busy = True
                    try:
                        send = self._send
                        if writer is not None and len(event) > FIELDS:
                            saved, name_id = writer.saved, event.get("name_id")
                            if name_id not in saved or event.get("context_type_id") not in saved:
                                send = self.save_and_send
                        result = send(event)
                    finally:
                        ledger.is_busy = False
                if result is not None:
                    refuse_awaitable(result)
            except BaseException as error:  # noqa: BLE001  an interrupt is raised again
                outcome = ledger.interrupted
                try:  # another may come at any call: the last one counts the event
                    outcome = self._failed(error)
                finally:
                    next(outcome.tick)
            else:
                next(delivered)

        return deliver

    def save_and_send(self, event: Event) -> object:
        """Save the records that an event refers to, then call the backend."""
        send = self._send
        if self.event_type_writer is not None and send is not _raise_closed:
            self.event_type_writer.save_for(event)
        return send(event)

    def _failed(self, error: BaseException) -> AtomicCounter:
        """Log a failure and return its counter; raise an interrupt again instead."""
        pass_on(error)
        reason = failure_reason(error)
        text, problem = " did not deliver an event: %s", (reason, type(error))
        report_backend(failure_level(reason), self.name, problem, text, error, reason=reason)
        return self.ledger.counter(reason)

    def reject_invalid(self, error: str, _event: Event) -> None:
        """Drop an invalid event: an inline leaf has no dead letters."""
        self.ledger.accepted.add()
        self.ledger.drop("invalid")
        text = " has no dead letters, an event is dropped: %s"
        report_backend(ERROR, self.name, "invalid", text, error)

    def close(self) -> None:
        """Accept no more events; they are dropped, and counted under `shutdown`."""
        self._send = _raise_closed

    def abandon(self) -> None:
        """Let the backend end with the process: no tracker refers to this leaf any more."""
        self.outlive()

    def outlive(self) -> None:
        """Keep the leaf alive until its backend, which may hold events, was shut down."""
        ends = self.capabilities.flush or self.capabilities.shutdown
        if ends and not self._is_shut_down and self.ledger.accepted.value:
            hold(self)

    def retire(self) -> None:
        """Deliver what is pending, after the leaf left its tree.

        Its backend may be in use elsewhere, so it is released at the end of the process.
        """
        self.is_retired = True
        self.abandon()

    def flush(self, timeout: float) -> bool:
        """Wait until the backend has delivered what it accepted; return whether it did in time."""
        return call_optional(self.capabilities.flush, "flush", timeout)

    def shutdown(self, timeout: float) -> bool:
        """Close, and release the backend's resources; return whether that ended in time.

        If another thread does so already, wait for it.
        """
        deadline = monotonic() + timeout
        self.close()
        interrupted = calls_below(self.deliver)
        # Another thread may be inside the backend.
        is_idle = wait_until(lambda: self.ledger.pending() <= interrupted, deadline, 0.001)
        return self.release_once(deadline) and is_idle

    def release_once(self, deadline: float) -> bool:
        """Release the backend's resources once; again if that was interrupted."""
        if self._is_shut_down or not self.releases or self._moved():
            return True
        claim = Claim()
        try:
            if not self._releasing.wait(claim, deadline):
                return False
            if self._was_shut_down():
                return True
            released = self.release(seconds_until(deadline))
            self._is_shut_down = True
        except SystemExit:
            # It may be a signal handler's that interrupted the backend: that is asked once more.
            self._is_shut_down, self._has_exited = self._has_exited, True
            raise
        finally:
            claim.is_over = True
        let_go(self)
        return released

    def _moved(self) -> bool:
        """Return whether the backend of a retired leaf has another leaf, which releases it."""
        return self.is_retired and any(
            isinstance(other, Leaf) and other.backend is self.backend and not other.is_retired
            for other in living()
        )

    def _was_shut_down(self) -> bool:
        return self._is_shut_down

    def release(self, timeout: float) -> bool:
        """Release the backend's resources; return whether that ended in time."""
        return call_optional(self.capabilities.shutdown, "shutdown", timeout)

    def start(self) -> None:
        """Start what must not wait for the first event."""

    def forked(self) -> None:
        """Reset in a forked child."""
        self._releasing = ClaimLock()
        self.ledger.reset()
        if self.event_type_writer is not None:
            self.event_type_writer.reset()

    def stats(self) -> dict[str, Any]:
        """Return the ledger, and how many events are pending."""
        return {
            "name": self.name,
            "type": self.type_name,
            "delivery": self.mode,
            "accepted": self.ledger.accepted.value,
            "delivered": self.ledger.delivered.value,
            "dropped": self.ledger.dropped_by_reason(),
            "pending": self.ledger.pending(),
        }


class InlineLeaf(Leaf):
    """A leaf whose backend is called by the emitting thread."""

    def __init__(
        self, name: str, backend: Backend | BatchBackend, *, type_name: str | None = None
    ) -> None:
        if speaks_asyncio(backend):
            raise inline_error(name)
        super().__init__(name, backend, type_name=type_name)
        join_holder(self)


@cache
def _import_for_emergencies() -> None:
    """Import, once, what nothing should have to import once something goes wrong."""
    our_logger()
    try:
        expect_forks()
    except (ImportError, OSError, TypeError) as error:  # a system without
        pass_on(error)


def _raise_closed(_event: Event) -> None:
    raise ClosedError
