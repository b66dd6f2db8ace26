"""Spans of the delivery of batches."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from eventtracking_core import RejectedError

pytestmark = pytest.mark.native


class Refusing:
    """Refuses what it is told to refuse, and notes the span it is called in."""

    def __init__(self):
        self.spans = []

    def send_batch(self, events, *, timeout):
        self.spans.append(trace.get_current_span().get_span_context())
        if any(event["name"] == "refused" for event in events):
            raise RejectedError


@pytest.fixture
def queued(tracker, sink, delivery):
    """Configures spans, and a queue before a backend; returns the backend's name."""

    def configure(backend, telemetry):
        tracker.configure(
            {
                "context": ["trace"],
                "telemetry": telemetry,
                "backends": {sink: {"delivery": delivery, "backends": {"to": backend}}},
            }
        )
        return f"{sink}.to"

    return configure


@pytest.fixture
def in_a_span(tracker):
    """Emits in a span of its own, and returns the span."""

    def emit(*names):
        with trace.get_tracer("app").start_as_current_span("request") as span:
            for name in names:
                tracker.emit(name)
        return span.get_span_context()

    return emit


def test_a_batch_is_delivered_in_a_span_linked_to_those_that_emitted(
    finished_spans, tracker, queued, in_a_span
):
    backend = Refusing()
    name = queued(backend, {"spans": True})
    emitting = [in_a_span("a", "b"), in_a_span("c")]
    tracker.emit("in no span")
    assert tracker.flush(60)
    (span,) = [span for span in finished_spans() if span.name == f"deliver {name}"]
    assert [link.context.span_id for link in span.links] == [each.span_id for each in emitting]
    assert span.parent is None
    assert span.kind is SpanKind.PRODUCER
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == {
        "eventtracking.backend.name": name,
        "eventtracking.backend.type": "Refusing",
        "messaging.batch.message_count": 4,
    }
    assert backend.spans == [span.context]


def test_what_a_backend_refuses_is_an_error_of_the_span(finished_spans, tracker, queued, in_a_span):
    name = queued(Refusing(), {"spans": True})
    in_a_span("refused")
    assert tracker.flush(60)
    (span,) = [span for span in finished_spans() if span.name == f"deliver {name}"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "rejected"


def test_a_span_has_no_more_links_than_the_sdk_keeps(finished_spans, tracker, queued, in_a_span):
    name = queued(Refusing(), {"spans": True})
    for _ in range(150):
        in_a_span("a")
    assert tracker.flush(60)
    (span,) = [span for span in finished_spans() if span.name == f"deliver {name}"]
    assert (len(span.links), span.dropped_links) == (128, 0)


@pytest.mark.parametrize("telemetry", [True, False, {"metrics": True}])
def test_there_are_no_spans_unless_they_are_asked_for(
    finished_spans, tracker, queued, in_a_span, telemetry
):
    name = queued(Refusing(), telemetry)
    in_a_span("a")
    assert tracker.flush(60)
    assert f"deliver {name}" not in {span.name for span in finished_spans()}
