"""Write event type records to a metadata store, in a thread of its own."""

from __future__ import annotations

from collections import deque
from threading import Condition, RLock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.diagnostics import WARNING, report, report_backend
from eventtracking_core.errors import NoBackendEnabled
from eventtracking_core.lifecycle.claims import Claim, ClaimLock
from eventtracking_core.lifecycle.holders import hold, join_holder, let_go
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.lifecycle.postponing import uninterrupted
from eventtracking_core.lifecycle.threads import start_daemon
from eventtracking_core.settings import SHUTDOWN_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from eventtracking_core.events import Event
    from eventtracking_core.registry.record import EventType, MetadataStore

__all__ = ["EventTypeWriter", "MetadataWriter"]

FIRST_INTERVAL: Final = 1.0
MAX_INTERVAL: Final = 30.0
"""Seconds between two attempts at a store that fails."""


class MetadataWriter:
    """Saves each record once; tries again what a store refuses.

    There is no thread while there is nothing to save. What a closed writer could not save is lost
    for this process: the next one saves it, since ids are the same.

    Args:
        store: keeps the records.
    """

    shutdown_timeout = SHUTDOWN_TIMEOUT
    stage = 2  # a leaf may register an event type in its end

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self.forked()
        join_holder(self)

    def close(self) -> None:
        """Go on saving records until `shutdown`: they are of events that are accepted."""

    def forked(self) -> None:
        """Reset in a forked child: pending records are the parent's."""
        # A record waits until it is saved; all of this is changed under the condition's lock.
        self._lock = RLock()  # a condition of its own would keep it after an interrupt in `with`
        self._changed = Condition(self._lock)
        self._starting = ClaimLock()
        self._waiting: deque[EventType] = deque()
        self._seen: set[str] = set()
        self._is_running = False
        self._is_closed = False

    def add(self, record: EventType) -> None:
        """Save a record soon, unless it was added before."""
        with self._lock:
            if record.id in self._seen or self._is_closed:
                return
            self._seen.add(record.id)
            self._waiting.append(record)
        self._save_soon()

    @uninterrupted
    def _save_soon(self) -> None:
        """Let a thread save the pending records; if none can be started, try once in this one."""
        with self._lock:
            if self._is_running or not self._waiting:
                return
            self._is_running = True
        is_started = False
        claim = Claim()
        try:
            self._starting.take(claim)
            hold(self)
            is_started = start_daemon(self._run, "eventtracking-metadata")
            while not is_started and (record := self._next()) is not None:
                if not self._is_saved(record):
                    break
        finally:  # an interrupt may come when the thread runs already: then there may be two
            claim.is_over = True
            if not is_started:
                with self._lock:
                    self._is_running = False
                    self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until every record is saved, at most `timeout` seconds; return whether it is."""
        self._save_soon()
        if self._starting.is_interrupted:  # the thread that would save them
            timeout = 0.0
        with self._lock:
            self._changed.wait_for(lambda: not (self._waiting and self._is_running), timeout)
            return not self._waiting

    def shutdown(self, timeout: float) -> bool:
        """Take no more records, wait for those that are there, and close the store.

        Returns:
            Whether all records are saved, and what the store holds is released.
        """
        deadline = monotonic() + timeout
        saved = self.flush(timeout)
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        let_go(self)
        return self._release(seconds_until(deadline)) and saved

    def _release(self, timeout: float) -> bool:
        shutdown = getattr(self._store, "shutdown", None)
        if not callable(shutdown):
            return True
        try:
            return shutdown(timeout) is not False
        except Exception as error:  # noqa: BLE001  a store may raise anything
            pass_on(error)
            self._failed(error)
            return False

    def _run(self) -> None:
        interval = FIRST_INTERVAL
        while (record := self._next()) is not None:
            if self._is_saved(record):
                interval = FIRST_INTERVAL
            else:
                self._pause(interval)
                interval = min(2 * interval, MAX_INTERVAL)

    def _is_saved(self, record: EventType) -> bool:
        """Try to save a record; return whether that worked."""
        try:
            self._store.save_event_type(record)
        except Exception as error:  # noqa: BLE001  a store may raise anything
            self._failed(error)
            return False
        with self._lock:
            if self._waiting and self._waiting[0] is record:
                self._waiting.popleft()
            self._changed.notify_all()
        return True

    def _next(self) -> EventType | None:
        with self._lock:
            self._is_running = bool(self._waiting)
            if not self._waiting:
                let_go(self)
            return self._waiting[0] if self._waiting else None

    def _pause(self, interval: float) -> None:
        until = monotonic() + interval
        with self._lock:
            self._changed.wait_for(lambda: self._is_closed, until - monotonic())

    def _failed(self, error: Exception) -> None:
        kind = type(self._store)
        message = "the metadata store %s did not save an event type, trying again: %s"
        report(WARNING, ("metadata", kind, type(error)), message, kind.__name__, error)


class EventTypeWriter:
    """Hands each record to one backend, once in this process.

    `saved` are the ids that need no look any more; it may be read without the lock.

    Args:
        name: of the backend, for the log.
        save: its `save_event_type`.
    """

    # Not in a `__dict__`, where eventlet would replace the lock: workers are native threads.
    __slots__ = ("_lock", "_name", "_save", "saved")

    def __init__(self, name: str, save: Callable[[Any], object]) -> None:
        self._name = name
        self._save = save
        self.reset()

    def reset(self) -> None:
        """Reset in a forked child, where another thread may have held the lock."""
        self.saved: set[str | None] = {None}
        self._lock = RLock()

    def save_for(self, event: Event) -> None:
        """Save the records that an event refers to, where the process knows them."""
        name_id, context_type_id = event.get("name_id"), event.get("context_type_id")
        if name_id not in self.saved or context_type_id not in self.saved:
            self._save_all((name_id, context_type_id))

    def save_for_all(self, events: Iterable[Event]) -> None:
        """Save the records that events refer to, where the process knows them."""
        ids = {event.get("name_id") for event in events}
        self.save_all(ids | {event.get("context_type_id") for event in events})

    def save_all(self, record_ids: Iterable[str | None]) -> None:
        """Save the records with these ids, where the process knows them."""
        ids = set(record_ids)
        if not ids <= self.saved:
            self._save_all(ids)

    def _save_all(self, ids: Iterable[str | None]) -> None:
        from eventtracking_core.registry import find_record  # noqa: PLC0415  costs imports

        with self._lock:
            for record_id in ids:
                if record_id in self.saved or record_id is None:
                    continue
                record = find_record(record_id)
                if record is None:  # of another process, which has saved it
                    continue
                self._save_all(record.members)
                if any(
                    member not in self.saved and find_record(member) for member in record.members
                ):
                    continue
                try:
                    self._save(record)
                except NoBackendEnabled:
                    continue
                except Exception as error:  # noqa: BLE001  the event matters more; the next one asks again
                    pass_on(error)
                    self._failed(error)
                else:
                    self.saved.add(record_id)

    def _failed(self, error: Exception) -> None:
        text, problem = " did not save an event type, the next event asks again: %s", type(error)
        report_backend(WARNING, self._name, ("save_event_type", problem), text, error)
