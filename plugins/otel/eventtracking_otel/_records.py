"""Convert an event into a log record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, set_span_in_context

from eventtracking_core import Event
from eventtracking_core.encoding import id_text, normalize_event
from eventtracking_core.providers.trace import span_context
from eventtracking_otel._values import flat, nested

__all__ = ["UID", "Records"]

UID: Final = "log.record.uid"
"""The attribute with the event's id."""

# Attributes of the semantic conventions, each with the context fields it is taken from.
_CONVENTIONS: Final = {
    "user.id": ("user_id",),
    "session.id": ("session_id", "session"),
    "client.address": ("ip",),
    "user_agent.original": ("user_agent", "agent"),
    "url.full": ("url", "page"),
}
_TRACE: Final = ("trace_id", "span_id", "trace_flags")
_OWN_PLACE: Final = frozenset({"id", "name", "timestamp", "context", "data"})

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TIMES: Final = range(2**63)
"""Nanoseconds since 1970 that every receiver can represent."""

_NO_SPAN: Final = set_span_in_context(INVALID_SPAN, Context())


class Records:
    """Converts events into log records.

    Args:
        flatten: use one attribute per field, named by its path.
    """

    def __init__(self, *, flatten: bool) -> None:
        self._flatten = flatten

    def of(self, event: Event, base: Context | None = None) -> LogRecord:
        """Return an event's record.

        Args:
            event: the event.
            base: the OpenTelemetry context to use if the event does not name its span; without it,
                the record has no span.
        """
        fields: dict[str, Any] = {**normalize_event(event)}
        context = dict(fields["context"])
        span = span_context(context)
        known = _known(context)
        for name in _TRACE if span else ():
            context.pop(name, None)
        others = {key: nested(item) for key, item in fields.items() if key not in _OWN_PLACE}
        time = (fields["timestamp"] - _EPOCH) // _MICROSECOND * 1000
        if time not in _TIMES:
            others["timestamp"] = nested(fields["timestamp"])
            time = min(max(time, 0), _TIMES[-1])
        # Above its limit, the SDK drops the first attributes, so the most important come last.
        attributes = {
            **self._part("data", fields["data"]),
            **self._part("context", context),
            **others,
            **known,
            UID: fields["id"],
        }
        return LogRecord(
            timestamp=time,
            context=set_span_in_context(NonRecordingSpan(span), base) if span else base or _NO_SPAN,
            severity_text="INFO",
            severity_number=SeverityNumber.INFO,
            attributes=attributes,
            event_name=fields["name"],
        )

    def _part(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        if self._flatten:
            return flat(name, fields)
        return {name: nested(fields)} if fields else {}


def _known(context: dict[str, Any]) -> dict[str, str]:
    """Remove the fields that the semantic conventions name from a context; return them."""
    known = {}
    for convention, names in _CONVENTIONS.items():
        name = next((name for name in names if id_text(context.get(name)) is not None), None)
        if name is not None:
            known[convention] = str(id_text(context.pop(name)))
    return known
