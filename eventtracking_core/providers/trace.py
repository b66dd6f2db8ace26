"""In which trace an event was emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

from opentelemetry.context import get_current
from opentelemetry.trace import (
    SpanContext,
    TraceFlags,
    format_span_id,
    format_trace_id,
    get_current_span,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context as OpenTelemetryContext

    from eventtracking_core.contexts import Context

__all__ = ["Trace", "span_context"]


class Trace:
    """Puts `trace_id`, `span_id` and `trace_flags` of the current OpenTelemetry span into events.

    Ids are lower-case hexadecimal text, as in W3C trace context; outside a span there are none.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self) -> None:
        # Events come in runs of the same OpenTelemetry context, which never changes and is not kept
        # alive here; the pair is replaced in one assignment.
        self._last: tuple[Callable[[], OpenTelemetryContext | None], Context] = (lambda: None), {}

    def __call__(self) -> Context:
        """Return the current span's identity."""
        current = get_current()
        last, values = self._last
        if last() is current:
            return values
        span = get_current_span(current).get_span_context()
        values = _identity(span) if span.is_valid else {}
        self._last = ref(current), values
        return values


def _identity(span: SpanContext) -> Context:
    return {
        "trace_id": format_trace_id(span.trace_id),
        "span_id": format_span_id(span.span_id),
        "trace_flags": int(span.trace_flags),
    }


def span_context(context: Mapping[str, Any]) -> SpanContext | None:
    """Return the span that an event's context names, as the provider put it there."""
    flags = context.get("trace_flags")
    try:
        span = SpanContext(
            int(context["trace_id"], 16),
            int(context["span_id"], 16),
            is_remote=True,
            trace_flags=TraceFlags(flags & 0xFF if type(flags) is int else 0),
        )
    except (KeyError, TypeError, ValueError):  # an application may use these names as it likes
        return None
    return span if span.is_valid else None
