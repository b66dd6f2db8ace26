"""The metrics of the framework, as OpenTelemetry's SDK reads them."""

from __future__ import annotations

import gc
import threading

import pytest
from waiting import DEADLINE

from eventtracking_core import EventEmissionExit, RejectedError, RetryableError, Tracker
from eventtracking_core.backends.memory import MemoryBackend

pytestmark = pytest.mark.native

EMITTED = "eventtracking.event.emitted"
PROCESSED = "eventtracking.processor.processed"
EXPORTED = "eventtracking.backend.exported"
DURATION = "eventtracking.backend.operation.duration"
SIZE = "eventtracking.queue.size"
CAPACITY = "eventtracking.queue.capacity"
WARNINGS = "eventtracking.validation.warnings"


class Failing:
    """Fails on events by their names."""

    def send(self, event):
        if event["name"] == "rejected":
            raise RejectedError
        if event["name"] == "retryable":
            raise RetryableError


def test_what_is_emitted_is_counted_for_all_trackers_together(metrics, tracker):
    other = Tracker()
    for each in (tracker, other):
        each.configure({"backends": {"memory": "memory"}})
    before = metrics()[EMITTED][""]
    for each in (tracker, other):
        each.emit("edx.problem.check")
    assert metrics()[EMITTED] == {"": before + 2}


def test_what_backends_delivered_and_what_they_did_not_is_counted_by_reason(metrics, tracker, sink):
    tracker.configure({"backends": {sink: Failing()}})
    for name in ("fine", "fine", "rejected", "retryable"):
        tracker.emit(name)
    assert metrics(eventtracking_backend_name=sink)[EXPORTED] == {
        "Failing": 2,
        "Failing rejected": 1,
        "Failing error": 1,
    }


def test_dead_letters_are_counted_as_not_delivered(metrics, tracker, sink, delivery):
    tracker.configure({"backends": {sink: {"delivery": delivery, "backends": {"a": Failing()}}}})
    for name in ("fine", "rejected"):
        tracker.emit(name)
    assert tracker.flush(60)
    told = metrics(eventtracking_backend_name=f"{sink}.a")
    assert told[EXPORTED] == {"Failing": 1, "Failing dead_lettered": 1}
    assert told[DURATION] == {"Failing rejected": 1}


def test_what_processors_let_through_drop_and_fail_on_is_counted(metrics, tracker, sink):
    def fail(event):
        if event["name"] == "b":
            raise ValueError

    tracker.configure(
        {
            "backends": {
                sink: {
                    "processors": [{"type": "name_allowlist", "names": ["a", "b"]}, fail],
                    "backends": {"memory": "memory"},
                }
            }
        }
    )
    for name in ("a", "b", "c"):
        tracker.emit(name)
    assert metrics(eventtracking_router_name=sink)[PROCESSED] == {
        "name_allowlist passed": 2,
        "name_allowlist dropped": 1,
        "fail passed": 1,
        "fail failed error": 1,
        "fail dropped": 0,
    }


def test_a_processor_that_fails_closed_keeps_events_from_the_next(metrics, tracker, sink):
    def fail(event):
        raise ValueError

    fail.on_error = "drop"
    tracker.configure(
        {
            "backends": {
                sink: {
                    "processors": [fail, {"type": "sample", "rate": 1.0}],
                    "backends": {"memory": "memory"},
                }
            }
        }
    )
    tracker.emit("a")
    processed = metrics(eventtracking_router_name=sink)[PROCESSED]
    assert processed["fail failed error"] == 1
    assert processed["sample passed"] == 0


def test_warnings_are_counted_by_kind(metrics, tracker):
    tracker.configure({"backends": {"memory": "memory"}})
    before = metrics().get(WARNINGS, {}).get("data", 0)
    tracker.emit("a", 1)
    assert metrics()[WARNINGS]["data"] == before + 1


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_what_waits_and_what_there_is_room_for_is_told(metrics, tracker, sink, delivery, mode):
    options = delivery | {"mode": mode, "max_queue_size": 50}
    tracker.configure({"backends": {sink: {"type": "null", "delivery": options}}})
    for _ in range(3):
        tracker.emit("a")
    told = metrics(eventtracking_backend_name=sink)
    assert told[SIZE]["null memory" if mode == "queue" else "null spool"] == 3
    assert told[CAPACITY] == {"null memory": 50}
    assert tracker.flush(60)
    assert set(metrics(eventtracking_backend_name=sink)[SIZE].values()) == {0}


def test_the_duration_is_recorded_once_a_batch(metrics, tracker, sink, delivery):
    tracker.configure({"backends": {sink: {"type": "null", "delivery": delivery}}})
    for batch in (1, 2):
        for _ in range(10):
            tracker.emit("a")
        assert tracker.flush(60)
        assert metrics(eventtracking_backend_name=sink)[DURATION] == {"null": batch}


def test_counts_stay_when_a_tracker_is_configured_anew(metrics, tracker, sink):
    for times in (1, 2, 3):
        tracker.configure({"backends": {sink: "memory"}})
        tracker.emit("a")
        assert metrics(eventtracking_backend_name=sink)[EXPORTED] == {"memory": times}


def test_counts_stay_when_a_tracker_is_gone(metrics, sink):
    tracker = Tracker()
    tracker.configure({"backends": {sink: "memory"}})
    tracker.emit("a")
    del tracker
    gc.collect()
    other = Tracker()
    other.configure({"backends": {sink: "memory"}})
    other.emit("a")
    assert metrics(eventtracking_backend_name=sink)[EXPORTED] == {"memory": 2}


@pytest.mark.slow
def test_a_configuration_that_is_gone_keeps_no_backend_alive(metrics, tracker, sink):
    class Large(MemoryBackend):
        alive = 0

        def __init__(self):
            super().__init__()
            Large.alive += 1

        def __del__(self):
            Large.alive -= 1

    for _ in range(3):
        tracker.configure({"backends": {sink: Large()}})
        gc.collect()
        assert Large.alive == 1


@pytest.fixture
def held():
    """A filter that has an event in its hands until it is told to drop it."""
    holds, drops = threading.Event(), threading.Event()

    def hold(event):
        holds.set()
        assert drops.wait(DEADLINE)
        raise EventEmissionExit

    hold.holds, hold.drops = holds, drops
    return hold


def test_a_counter_does_not_fall_when_an_event_is_dropped_after_all(metrics, tracker, sink, held):
    """Until then it looks like one that has passed; a counter that falls looks like a restart."""
    tracker.configure(
        {"backends": {sink: {"processors": [held], "backends": {"memory": "memory"}}}}
    )
    emitting = threading.Thread(target=tracker.emit, args=("a",))
    emitting.start()
    assert held.holds.wait(DEADLINE)
    before = metrics(eventtracking_router_name=sink)[PROCESSED]
    held.drops.set()
    emitting.join()
    after = metrics(eventtracking_router_name=sink)[PROCESSED]
    assert after["hold dropped"] == 1
    assert all(after[key] >= number for key, number in before.items())


@pytest.mark.slow
def test_counters_never_fall_while_events_are_on_their_way(metrics, tracker, sink):
    tracker.configure(
        {
            "backends": {
                sink: {
                    "processors": [{"type": "name_allowlist", "names": ["a"]}],
                    "backends": {"memory": "null"},
                }
            }
        }
    )
    done = threading.Event()

    def emit():
        while not done.is_set():
            tracker.emit("a")
            tracker.emit("b")

    threads = [threading.Thread(target=emit) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        last = {}
        for _ in range(30):
            read = metrics(eventtracking_router_name=sink)[PROCESSED]
            assert all(number >= last.get(key, 0) for key, number in read.items())
            last = read
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    "telemetry", [False, {"metrics": False}, {"metrics": False, "spans": True}]
)
def test_metrics_can_be_switched_off(metrics, tracker, sink, telemetry):
    tracker.configure({"telemetry": telemetry, "backends": {sink: "memory"}})
    tracker.emit("a")
    assert metrics(eventtracking_backend_name=sink) == {}


def test_no_value_of_an_event_is_a_label(metrics, tracker, sink):
    tracker.configure({"backends": {sink: "memory"}})
    with tracker.context(user_id="secret-user"):
        tracker.emit("secret.name", "secret-data")
    assert "secret" not in str(metrics())


def test_an_event_that_moves_to_a_new_tree_is_emitted_once(metrics, tracker):
    def provider():
        if not moved:
            moved.append(True)
            tracker.configure({"backends": {"memory": "memory"}})
        return {}

    moved = []
    tracker.configure({"context": [provider], "backends": {"memory": "memory"}})
    before = metrics()[EMITTED][""]
    tracker.emit("meanwhile")
    assert metrics()[EMITTED] == {"": before + 1}
