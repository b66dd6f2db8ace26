"""Attempts to deliver a batch, measured: their durations, and a span of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_tracer,
    use_span,
)

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.providers.trace import span_context
from eventtracking_core.telemetry._metrics import BACKEND_NAME, BACKEND_TYPE, SCOPE

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram

    from eventtracking_core.delivery.attempt import Attempt
    from eventtracking_core.delivery.queued import QueuedEvent

__all__ = ["MeasuredAttempts"]

P = ParamSpec("P")
R = TypeVar("R")

_NO_SPAN: Final[AbstractContextManager[None]] = nullcontext()

MAX_LINKS: Final = 128
"""The SDK's default limit of links in a span."""


class MeasuredAttempts:
    """Makes the attempts of one leaf, with their durations and spans published.

    Args:
        path: the leaf's path in the tree.
        type_name: the type of its backend.
        duration: the histogram of durations; None to publish none.
        with_spans: make a span of each attempt.
    """

    def __init__(
        self,
        path: str,
        type_name: str,
        duration: Histogram | None,
        *,
        with_spans: bool,
    ) -> None:
        self._attributes = {BACKEND_NAME: path, BACKEND_TYPE: type_name}
        self._duration = duration
        self._tracer = get_tracer(SCOPE) if with_spans else None

    def run(self, attempt: Attempt, items: list[QueuedEvent]) -> None:
        span = None if self._tracer is None else _safely(self._start, self._tracer, items)
        started = perf_counter()
        with (
            _NO_SPAN
            if span is None
            else use_span(span, record_exception=False, set_status_on_exception=False)
        ):
            attempt.run(items)
        _safely(self._end, attempt, span, perf_counter() - started)

    def _start(self, tracer: Tracer, items: list[QueuedEvent]) -> Span:
        return tracer.start_span(
            f"deliver {self._attributes[BACKEND_NAME]}",
            context=Context(),  # a trace of its own: the batch belongs to none of those
            kind=SpanKind.PRODUCER,
            attributes=self._attributes | {"messaging.batch.message_count": len(items)},
            links=[Link(each) for each in _emitting(items)],
        )

    def _end(self, attempt: Attempt, span: Span | None, seconds: float) -> None:
        failure = {}
        if attempt.retryable or attempt.rejected:
            failure = {"error.type": "retryable" if attempt.retryable else "rejected"}
        if span is not None:
            if failure:
                span.set_attributes(failure)
                span.set_status(Status(StatusCode.ERROR))
            span.end()
        if self._duration is not None:
            self._duration.record(seconds, self._attributes | failure)


def _safely(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  a processor or exporter of the user's may fail
        report(ERROR, ("telemetry", type(error)), "recording telemetry failed: %s", error)
        return None


def _emitting(items: list[QueuedEvent]) -> Iterable[SpanContext]:
    """Return the spans in which the events were emitted, each once."""
    contexts: dict[tuple[int, int], SpanContext] = {}
    for item in items:
        span = span_context(item.decoded()["context"])
        if span is not None:
            contexts.setdefault((span.trace_id, span.span_id), span)
            if len(contexts) == MAX_LINKS:
                break
    return contexts.values()
