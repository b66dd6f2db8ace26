"""Emit events through structlog's loggers, and log events with structlog."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventtracking_core import Backend, ContextProvider, hookimpl
from eventtracking_structlog.backend import StructlogBackend
from eventtracking_structlog.merging import merge_tracker_context
from eventtracking_structlog.processor import TrackProcessor
from eventtracking_structlog.provider import StructlogContext
from eventtracking_structlog.typing import TrackingLogger
from eventtracking_structlog.wrapper import tracking_wrapper

__all__ = [
    "StructlogBackend",
    "StructlogContext",
    "TrackProcessor",
    "TrackingLogger",
    "merge_tracker_context",
    "tracking_wrapper",
]


@hookimpl
def eventtracking_context_providers() -> Mapping[str, Callable[..., ContextProvider]]:
    """Return the provider's factory by its type name."""
    return {"structlog": StructlogContext}


@hookimpl
def eventtracking_backends() -> Mapping[str, Callable[..., Backend]]:
    """Return the backend's factory by its type name."""
    return {"structlog": StructlogBackend}
