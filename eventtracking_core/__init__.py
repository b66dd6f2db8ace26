"""Track what happens in an application: events, their contexts, and where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.contexts import (
    ContextLocator,
    ContextProvider,
    ContextVarLocator,
    DefaultContextLocator,
    ThreadLocalContextLocator,
    carry,
)
from eventtracking_core.errors import (
    BatchError,
    ClosedError,
    ConfigurationError,
    EventEmissionExit,
    EventTrackingError,
    InvalidEventError,
    NoBackendEnabled,
    NoTransformerImplemented,
    Problem,
    RejectedError,
    RetryableError,
    refuse_options,
)
from eventtracking_core.events import Event
from eventtracking_core.lazy import lazy
from eventtracking_core.lifecycle.signals import drain_on_sigterm
from eventtracking_core.routing import RoutingBackend
from eventtracking_core.tracker.prepared import PreparedEvent
from eventtracking_core.tracker.tracker import Tracker
from eventtracking_core.tracker.trackers import (
    configure,
    context,
    emit,
    enter_context,
    exit_context,
    extract,
    get_tracker,
    inject,
    register,
    register_tracker,
    resolve_context,
)

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.hookspecs import hookimpl
    from eventtracking_core.plugins import register_plugin
    from eventtracking_core.registry import PII, Doc, EventType, FieldDoc, event
    from eventtracking_core.units import ByteSize, Seconds

__all__ = [  # noqa: RUF022  an acronym is no constant
    "Backend",
    "BatchBackend",
    "BatchError",
    "ByteSize",
    "ClosedError",
    "ConfigurationError",
    "ContextLocator",
    "ContextProvider",
    "ContextVarLocator",
    "DefaultContextLocator",
    "Doc",
    "Event",
    "EventEmissionExit",
    "EventTrackingError",
    "EventType",
    "FieldDoc",
    "InvalidEventError",
    "NoBackendEnabled",
    "NoTransformerImplemented",
    "PII",
    "PreparedEvent",
    "Problem",
    "Processor",
    "RejectedError",
    "RetryableError",
    "RoutingBackend",
    "Seconds",
    "ThreadLocalContextLocator",
    "Tracker",
    "carry",
    "configure",
    "context",
    "drain_on_sigterm",
    "emit",
    "enter_context",
    "event",
    "exit_context",
    "extract",
    "get_tracker",
    "hookimpl",
    "inject",
    "refuse_options",
    "register",
    "register_plugin",
    "register_tracker",
    "resolve_context",
]

# What only plugins and those who configure need is imported when it is first asked for.
__getattr__, __dir__ = lazy(__name__, "units", "registry", "hookspecs", "components", "plugins")
