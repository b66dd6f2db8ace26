"""In which trace an event was emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Trace"]


class Trace:
    """Puts `trace_id`, `span_id` and `trace_flags` of the current OpenTelemetry span into events.

    Ids are lower-case hexadecimal text, as in W3C trace context; outside a span there are none.
    """

    def __call__(self) -> Context:
        """Return the current span's identity."""
        span = get_current_span().get_span_context()
        if not span.is_valid:
            return {}
        return {
            "trace_id": format_trace_id(span.trace_id),
            "span_id": format_span_id(span.span_id),
            "trace_flags": int(span.trace_flags),
        }
