"""Helpers for tests of applications, and the conformance suites for tests of components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.lazy import lazy

if TYPE_CHECKING:
    from eventtracking_core.testing._backends import BackendConformance
    from eventtracking_core.testing._capture import capture
    from eventtracking_core.testing._captured import CapturedEvents
    from eventtracking_core.testing._event_stores import EventStoreConformance
    from eventtracking_core.testing._frozen import FrozenClock, frozen
    from eventtracking_core.testing._processors import ProcessorConformance
    from eventtracking_core.testing._providers import ContextProviderConformance
    from eventtracking_core.testing._readers import EventReaderConformance
    from eventtracking_core.testing._stores import MetadataStoreConformance

__all__ = [
    "BackendConformance",
    "CapturedEvents",
    "ContextProviderConformance",
    "EventReaderConformance",
    "EventStoreConformance",
    "FrozenClock",
    "MetadataStoreConformance",
    "ProcessorConformance",
    "capture",
    "frozen",
]

# pytest imports this package wherever it is installed, so its modules are imported on first use.
__getattr__, __dir__ = lazy(
    __name__,
    "_frozen",
    "_captured",
    "_capture",
    "_backends",
    "_event_stores",
    "_processors",
    "_providers",
    "_readers",
    "_stores",
)
