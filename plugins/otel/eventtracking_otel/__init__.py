"""Events as OpenTelemetry log records, with baggage and the resource in their context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from eventtracking_core import hookimpl
from eventtracking_otel.backend import OtelBackend
from eventtracking_otel.baggage import Baggage
from eventtracking_otel.confirming import ConfirmedExporter
from eventtracking_otel.resource import Resource

if TYPE_CHECKING:
    from eventtracking_core import ContextProvider

__all__ = ["Baggage", "ConfirmedExporter", "OtelBackend", "Resource"]


@hookimpl
def eventtracking_backends() -> Mapping[str, type[OtelBackend]]:
    """Return the type `otel`."""
    return {"otel": OtelBackend}


@hookimpl
def eventtracking_context_providers() -> Mapping[str, Callable[..., ContextProvider]]:
    """Return the types `otel.baggage` and `otel.resource`."""
    return {"otel.baggage": Baggage, "otel.resource": Resource}
