"""Records of event types, kept by a sink before the first event that refers to them."""

from __future__ import annotations

import logging
from threading import RLock
from typing import TYPE_CHECKING, Any

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.errors import NoBackendEnabled
from eventtracking_core.interrupts import pass_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from eventtracking_core.events import Event

__all__ = ["Saver", "saver"]


class Saver:
    """Hands each record to one backend, once in this process.

    `saved` are the ids that need no look any more; it may be read without the lock.

    Args:
        name: of the backend, for the log.
        save: its `save_event_type`.
    """

    def __init__(self, name: str, save: Callable[[Any], object]) -> None:
        self._name = name
        self._save = save
        self.restart()

    def restart(self) -> None:
        """Begin anew in a forked child, where another thread may have held the lock."""
        self.saved: set[str | None] = {None}
        self._lock = RLock()

    def before(self, send: Callable[[Event], object]) -> Callable[[Event], object]:
        """Return a function that saves the records that an event refers to, then sends it."""

        def save_and_send(event: Event) -> object:
            name_id, context_type_id = event.get("name_id"), event.get("context_type_id")
            saved = self.saved
            if name_id not in saved or context_type_id not in saved:
                self._save_all((name_id, context_type_id))
            return send(event)

        return save_and_send

    def save_for_all(self, events: Iterable[Event]) -> None:
        """Save the records that events refer to, where the process knows them."""
        ids = {event.get("name_id") for event in events}
        ids.update(event.get("context_type_id") for event in events)
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
        report(
            logging.WARNING,
            (self._name, "save_event_type", type(error)),
            "backend %s did not save an event type, the next event asks again: %s",
            self._name,
            describe(error),
            extra={"backend": self._name, "error": type(error).__name__},
        )


def saver(name: str, backend: object) -> Saver | None:
    """Return what saves records for a backend; None for one that keeps none."""
    save = getattr(backend, "save_event_type", None)
    return Saver(name, save) if callable(save) else None
