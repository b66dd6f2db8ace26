"""How events are handed to the SDK, and what happens when it does not take them."""

from __future__ import annotations

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span

from eventtracking_core import BatchError, RejectedError, RetryableError, Tracker
from eventtracking_core.encoding import normalize_event
from eventtracking_core.testing import BackendConformance
from eventtracking_otel import OtelBackend

SPAN = NonRecordingSpan(SpanContext(0x4BF92F, 0x00F067, is_remote=False))


def test_it_delivers_from_a_queue_unless_it_is_told_otherwise(pipeline):
    tracker = Tracker()
    tracker.configure({"backends": {"otel": "otel"}})
    event_id = tracker.emit("edx.problem.check", {"problem_id": "p1"})
    assert tracker.flush(60)
    assert [each["log.record.uid"] for each in pipeline.attributes] == [event_id]
    assert tracker.stats()["tree"]["backends"][0]["delivery"] == "queue"
    assert tracker.shutdown(60)


def test_the_sdk_is_flushed_after_each_batch(pipeline, an_event):
    OtelBackend().send_batch([an_event() for _ in range(10)], timeout=60)
    assert pipeline.flushes == [10]


def test_the_sdk_is_flushed_before_a_message_grows_too_large_for_receivers(pipeline, an_event):
    large = {"text": "x" * 200_000}
    OtelBackend().send_batch([an_event(data=large) for _ in range(15)], timeout=60)
    assert pipeline.flushes == [11, 15]


def test_events_are_tried_again_that_the_sdk_does_not_export(pipeline, an_event):
    backend = OtelBackend()
    pipeline.answer = False
    with pytest.raises(RetryableError, match="did not export"):
        backend.send_batch([an_event()], timeout=60)
    assert backend.flush(1) is False
    pipeline.answer = True
    backend.send_batch([an_event()], timeout=60)
    assert backend.flush(1) is True


def test_what_was_exported_before_is_not_tried_again(pipeline, an_event):
    def fail_later(_record):
        pipeline.answer = len(pipeline.flushes) == 0
        return False

    pipeline.refuses = fail_later
    events = [an_event(data={"text": "x" * 200_000}) for _ in range(15)]
    with pytest.raises(BatchError) as caught:
        OtelBackend().send_batch(events, timeout=60)
    assert list(caught.value.failures) == [11, 12, 13, 14]
    assert {type(error) for error in caught.value.failures.values()} == {RetryableError}


def test_an_event_that_a_processor_fails_on_is_rejected_where_others_get_through(
    pipeline, an_event
):
    pipeline.refuses = lambda record: record.event_name == "poison"
    events = [an_event(name) for name in ("fine", "poison", "fine")]
    with pytest.raises(BatchError) as caught:
        OtelBackend().send_batch(events, timeout=60)
    (error,) = caught.value.failures.values()
    assert (list(caught.value.failures), type(error)) == ([1], RejectedError)
    assert "ValueError" in str(error)
    assert "secret" not in str(error)
    assert len(pipeline.exported) == 2


def test_where_a_processor_fails_on_all_events_none_is_to_blame(pipeline, an_event):
    pipeline.refuses = lambda record: True
    with pytest.raises(BatchError) as caught:
        OtelBackend().send_batch([an_event(), an_event()], timeout=60)
    assert {type(error) for error in caught.value.failures.values()} == {ValueError}


def test_instrumentation_is_suppressed_while_events_are_handed_over(pipeline, an_event):
    backend = OtelBackend()
    backend.send(an_event())
    backend.send_batch([an_event()], timeout=60)
    assert pipeline.suppressed == [True, True]


def test_delivered_inline_an_event_belongs_to_the_present_span(pipeline, an_event):
    with use_span(SPAN):
        OtelBackend().send(an_event())
    assert int.from_bytes(pipeline.exported[0].span_id, "big") == SPAN.get_span_context().span_id


def test_delivered_by_a_worker_it_does_not_belong_to_the_workers_span(pipeline, an_event):
    with use_span(SPAN):
        OtelBackend().send_batch([an_event()], timeout=60)
    assert not pipeline.exported[0].span_id


def test_events_wait_for_the_sdk(program):
    """Nothing is lost before an application has set it up."""
    waited, complaints = program("waiting")
    assert waited == {"pending before": 1, "delivered after": 1}
    assert "set_logger_provider" in complaints


class TestConformance(BackendConformance):
    """The suite of every backend, with a real SDK, and the wire form of every record."""

    @pytest.fixture(autouse=True)
    def _pipeline(self, pipeline):
        self.pipeline = pipeline

    def make_backend(self):
        return OtelBackend()

    def stored(self, backend):
        for attributes in self.pipeline.attributes:
            yield normalize_event({"id": attributes["log.record.uid"]})
