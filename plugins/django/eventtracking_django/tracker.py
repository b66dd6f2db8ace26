"""Emitting in a Django project: when a transaction commits, and on further trackers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from eventtracking_core import Tracker, get_tracker, register_tracker
from eventtracking_core.providers.request import FALLBACK
from eventtracking_django.transactions import run_on_commit

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextLocator

__all__ = ["DjangoTracker", "emit"]


def emit(
    name: object = None,
    data: object = None,
    *,
    timestamp: datetime | None = None,
    on_commit: bool = False,
    using: str | None = None,
) -> str:
    """Say what happened on the default tracker, now or when the current transaction commits.

    Args:
        name: as in `Tracker.emit`.
        data: as in `Tracker.emit`.
        timestamp: as in `Tracker.emit`.
        on_commit: make the event now, and send it when the transaction commits; discard it if the
            transaction, or the savepoint it is emitted in, rolls back. Outside of a transaction it
            is sent at once.
        using: the alias of the transaction's database; the default one if not given.

    Returns:
        the event's id.
    """
    if on_commit:
        return _emit_on_commit(get_tracker(), name, data, timestamp, using)
    return get_tracker().emit(name, data, timestamp=timestamp)


class DjangoTracker(Tracker):
    """A tracker that is configured from the settings.

    The default tracker is configured by the application `eventtracking_django` already: make one
    for a second tracker with the same settings, or to name a locator.

    Args:
        name: registers the tracker under this name, for `get_tracker(name)`.
        context_locator: finds the active contexts; by default each task and thread has its own.
        strict: raise what would be a warning. For tests.

    Raises:
        ConfigurationError: with every problem of the settings.
    """

    def __init__(
        self,
        name: str | None = None,
        context_locator: ContextLocator | None = None,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__(context_locator=context_locator, strict=strict)
        if name is not None:
            register_tracker(self, name)
        self.add_context_provider(FALLBACK)
        self.configure()

    def emit(
        self,
        name: object = None,
        data: object = None,
        *,
        timestamp: datetime | None = None,
        on_commit: bool = False,
        using: str | None = None,
    ) -> str:
        """Say what happened, now or when the current transaction commits; see `emit`."""
        if on_commit:
            return _emit_on_commit(self, name, data, timestamp, using)
        return super().emit(name, data, timestamp=timestamp)

    def configure(self, config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
        """Configure from the settings, or from what is given; see `Tracker.configure`."""
        from eventtracking_django.project import configuration  # noqa: PLC0415  reads settings

        super().configure((configuration() or {}) if config is None else config)


def _emit_on_commit(
    tracker: Tracker, name: object, data: object, timestamp: datetime | None, using: str | None
) -> str:
    prepared = tracker.prepare(name, data, timestamp=timestamp)
    run_on_commit(prepared.send, using)
    return prepared.id
