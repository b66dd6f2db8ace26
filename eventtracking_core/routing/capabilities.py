"""The optional methods of a backend, looked up once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType

__all__ = ["BackendCapabilities", "capabilities_of"]


class BackendCapabilities(NamedTuple):
    """The methods that a backend has; None stands for those that it lacks.

    They are described by the protocols in `eventtracking_core.components`, and `save_event_type` by
    `eventtracking_core.registry.MetadataStore`.
    """

    send: Callable[[Event], object] | None
    send_batch: Callable[..., object] | None
    flush: Callable[[float], object] | None
    shutdown: Callable[[float], object] | None
    warm_up: Callable[[], object] | None
    read_wire: Callable[[bytes], Event] | None
    save_event_type: Callable[[EventType], object] | None


def capabilities_of(backend: object) -> BackendCapabilities:
    """Return the methods that a backend has."""
    found: list[Any] = [getattr(backend, name, None) for name in BackendCapabilities._fields]
    return BackendCapabilities(*[method if callable(method) else None for method in found])
