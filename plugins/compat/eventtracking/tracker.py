"""The tracker: what an application emits through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import eventtracking_core
from eventtracking._ids import routing
from eventtracking.backends.routing import Processor, RoutingBackend
from eventtracking.locator import DefaultContextLocator
from eventtracking_core import Event
from eventtracking_core.events import new_id

if TYPE_CHECKING:
    from eventtracking_core.registry import EventType, FieldDoc

    Descriptions = Mapping[str, str | FieldDoc]

__all__ = [
    "DEFAULT_TRACKER_NAME",
    "TRACKERS",
    "UNKNOWN_EVENT_TYPE",
    "Tracker",
    "context",
    "emit",
    "enter_context",
    "exit_context",
    "get_tracker",
    "register",
    "register_tracker",
    "resolve_context",
]

UNKNOWN_EVENT_TYPE: Final = "unknown"
DEFAULT_TRACKER_NAME: Final = "default"

TRACKERS: dict[str, Tracker] = {}
"""The registered trackers, by name."""

Context = Mapping[str, Any]


class Locator(Protocol):
    """Finds the active contexts."""

    def get(self) -> MutableMapping[str, Any]:
        """Return the contexts by name, in the order in which they were entered."""


class Tracker(eventtracking_core.Tracker):
    """Sends events, with the contexts that are active, to backends.

    Args:
        backends: by name; they are called in the order of their names.
        context_locator: finds the active contexts; by default, all threads share them.
        processors: run on every event, before the backends.

    Raises:
        ValueError: a backend has no callable `send`, or a processor is not callable.
    """

    def __init__(
        self,
        backends: Mapping[str, Any] | None = None,
        context_locator: Locator | None = None,
        processors: Iterable[Processor] | None = None,
    ) -> None:
        self.routing_backend = RoutingBackend(backends, processors)
        self.context_locator: Locator = context_locator or DefaultContextLocator()
        super().__init__({"routing": _Root(self.routing_backend)})

    @property
    def located_context(self) -> MutableMapping[str, Any]:
        """The active contexts, by name."""
        return self.context_locator.get()

    @property
    def backends(self) -> dict[str, Any]:
        """The backends, by name."""
        return self.routing_backend.backends

    @property
    def processors(self) -> list[Processor]:
        """The processors, in their order."""
        return self.routing_backend.processors

    def emit(
        self, name: object = None, data: object = None, *, timestamp: datetime | None = None
    ) -> str:
        """Say what happened; returns the event's id.

        Args:
            name: what happened.
            data: its fields.
            timestamp: when it happened; by default, now.
        """
        event_id = new_id()
        event = {
            "id": event_id,
            "name": name or UNKNOWN_EVENT_TYPE,
            "timestamp": timestamp or datetime.now(UTC),
            "data": data or {},
            "context": self.resolve_context(),
        }
        self.send(cast("Event", event))
        return event_id

    def enter_context(
        self,
        name: str,
        ctx: Context,
        description: str | None = None,
        field_descriptions: Descriptions | None = None,
    ) -> None:
        """Enter a named context; a context of that name is replaced at its place.

        Args:
            name: of the context.
            ctx: its values by field name.
            description: when it is active.
            field_descriptions: descriptions of its fields, by name.
        """
        if description is not None or field_descriptions is not None:
            self.event_types.describe_context(name, description or "", field_descriptions)
        self.located_context[name] = ctx

    def exit_context(self, name: str) -> None:
        """Leave the context of that name.

        Raises:
            KeyError: it is not active.
        """
        del self.located_context[name]

    @contextmanager
    def context(  # type: ignore[override]  # it has a name here
        self, name: str, ctx: Context, *descriptions: Any
    ) -> Iterator[None]:
        """Return a context manager: events emitted inside its block carry the context.

        Args:
            name: of the context.
            ctx: its values by field name.
            descriptions: as for `enter_context`.
        """
        self.enter_context(name, ctx, *descriptions)
        try:
            yield
        finally:
            self.exit_context(name)

    def resolve_context(self) -> dict[str, Any]:
        """Return the union of the active contexts as a new dict; the last one wins."""
        merged: dict[str, Any] = {}
        for context_ in list(self.located_context.values()):
            merged.update(context_)
        return merged


class _Root:
    """The backend of the core that routes a tracker's events."""

    def __init__(self, router: RoutingBackend) -> None:
        self._router = router
        self.flush = router.flush
        self.shutdown = router.shutdown

    def send(self, event: Event) -> None:
        known: dict[str, Any] = dict(event)
        with routing(known.pop("id", None) or new_id()):
            self._router.send(known)


def register_tracker(tracker: Tracker, name: str = DEFAULT_TRACKER_NAME) -> None:
    """Make a tracker available under a name, to every part of the process."""
    TRACKERS[name] = tracker


def get_tracker(name: str = DEFAULT_TRACKER_NAME) -> Tracker:
    """Return a tracker by name.

    Raises:
        KeyError: no tracker is registered by that name.
    """
    return TRACKERS[name]


def emit(name: object = None, data: object = None) -> str:
    """Say what happened, on the default tracker; see `Tracker.emit`."""
    return get_tracker().emit(name, data)


def context(name: str, ctx: Context, *descriptions: Any) -> Any:
    """Return a context manager of the default tracker; see `Tracker.context`."""
    return get_tracker().context(name, ctx, *descriptions)


def enter_context(
    name: str,
    ctx: Context,
    description: str | None = None,
    field_descriptions: Descriptions | None = None,
) -> None:
    """Enter a named context of the default tracker; see `Tracker.enter_context`."""
    get_tracker().enter_context(name, ctx, description, field_descriptions)


def exit_context(name: str) -> None:
    """Leave a context of the default tracker; see `Tracker.exit_context`."""
    get_tracker().exit_context(name)


def resolve_context() -> dict[str, Any]:
    """Return the contexts of the default tracker as one dict."""
    return get_tracker().resolve_context()


def register(
    name: str,
    description: str = "",
    field_descriptions: Descriptions | None = None,
    context_field_descriptions: Descriptions | None = None,
) -> EventType:
    """Say what an event name means, on the default tracker."""
    return get_tracker().register(name, description, field_descriptions, context_field_descriptions)


register_tracker(Tracker())
