"""Exporters whose failures come back: an event is delivered once an exporter has taken it."""

from __future__ import annotations

from time import monotonic

import pytest
from opentelemetry.sdk._logs import export
from waiting import DEADLINE

import eventtracking_core as et
from eventtracking_otel import ConfirmedExporter, OtelBackend
from eventtracking_otel.backend import UnconfirmedError

# The SDK has renamed it.
Result = getattr(export, "LogRecordExportResult", None) or export.LogExportResult

QUICK = {"mode": "queue", "schedule_delay": 0.01, "initial_interval": 0.001, "max_interval": 0.01}


class Exporter:
    """Exports into a list, unless `fails` returns True for a batch."""

    def __init__(self):
        self.fails = lambda batch: False
        self.names = []
        self.is_shut_down = False

    def export(self, batch):
        if self.fails(batch):
            return Result.FAILURE
        self.names += [record.log_record.event_name for record in batch]
        return Result.SUCCESS

    def shutdown(self):
        self.is_shut_down = True


@pytest.fixture
def exporter(pipeline):
    """The exporter of the SDK, in a `ConfirmedExporter`."""
    made = Exporter()
    pipeline.export = ConfirmedExporter(made).export
    return made


def has(name):
    return lambda batch: any(record.log_record.event_name == name for record in batch)


@pytest.fixture
def tracker(exporter, tmp_path):
    made = et.Tracker()
    delivery = QUICK | {"directory": str(tmp_path)}
    made.configure({"backends": {"otel": {"type": "otel", "delivery": delivery}}})
    yield made
    made.shutdown(5)


def test_events_wait_while_the_exporter_fails_and_arrive_once(exporter, tracker):
    exporter.fails = lambda batch: True
    for n in range(50):
        tracker.emit(f"e{n}")
    assert not tracker.flush(0.5)
    [leaf] = tracker.stats()["tree"]["backends"]
    assert (leaf["delivered"], leaf["pending"], leaf["dead_lettered"]) == (0, 50, 0)
    exporter.fails = lambda batch: False
    assert tracker.flush(60)
    assert sorted(exporter.names) == sorted(f"e{n}" for n in range(50))


def test_one_event_that_the_exporter_fails_on_is_a_dead_letter(exporter, tracker):
    exporter.fails = has("poison")
    tracker.emit("poison")

    def leaf():
        tracker.emit("fine")  # what fails alone is to blame once others get through
        tracker.flush(0.01)
        return tracker.stats()["tree"]["backends"][0]

    deadline = monotonic() + DEADLINE
    while leaf()["dead_lettered"] == 0:
        assert monotonic() < deadline
    assert tracker.flush(60)
    assert set(exporter.names) == {"fine"}
    assert len(exporter.names) == tracker.stats()["emitted"] - 1


def test_an_exporter_that_raises_has_failed(exporter, an_event):
    def fail(_batch):
        raise ConnectionError

    exporter.fails = fail
    with pytest.raises(UnconfirmedError):
        OtelBackend().send_batch([an_event()], timeout=60)
    exporter.fails = lambda batch: False
    OtelBackend().send_batch([an_event()], timeout=60)


def test_those_of_a_batch_that_fail_are_retried(exporter, an_event):
    """The SDK of the tests exports each record by itself."""
    exporter.fails = has("bad")
    events = [an_event(name) for name in ("good", "bad", "good", "bad")]
    with pytest.raises(et.BatchError) as caught:
        OtelBackend().send_batch(events, timeout=60)
    failures = caught.value.failures
    assert {index: type(error) for index, error in failures.items()} == {
        1: et.RetryableError,
        3: et.RetryableError,
    }
    exporter.fails = lambda batch: False
    OtelBackend().send_batch([events[1], events[3]], timeout=60)
    assert exporter.names == ["good", "good", "bad", "bad"]


def test_an_inline_event_that_fails_is_told(exporter, an_event):
    exporter.fails = lambda batch: True
    with pytest.raises(UnconfirmedError):
        OtelBackend().send(an_event())


def test_it_passes_on_what_the_sdk_asks():
    exporter = Exporter()
    confirmed = ConfirmedExporter(exporter)
    assert confirmed.force_flush()
    exporter.force_flush = lambda timeout: False
    assert not confirmed.force_flush()
    confirmed.shutdown()
    assert exporter.is_shut_down


def test_requests_over_otlp_that_are_refused_are_sent_again(program):
    found, _ = program("confirmed")
    assert sorted(found["received"]) == sorted(found["emitted"])
    assert found["leaf"]["delivered"] == 1_000
