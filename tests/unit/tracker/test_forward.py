"""Events that happened elsewhere and are emitted here, under their own id, time and context."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend

ID = "01997c9e-0000-7000-8000-000000000001"
MOMENT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def forwarded(tracker, memory, name="quiz.started", data=None):
    with tracker.context("request", {"user_id": 1}):
        context = {"page": "/a"} | tracker.event_context()
        tracker.forward(ID, name, MOMENT, context, {"quiz": "q"} if data is None else data)
    return memory.events


@pytest.fixture
def memory():
    return MemoryBackend()


def test_a_forwarded_event_keeps_its_id_its_time_and_its_context(memory):
    [event] = forwarded(et.Tracker({"memory": memory}), memory)
    assert event == {
        "id": ID,
        "name": "quiz.started",
        "timestamp": MOMENT,
        "context": {"page": "/a", "user_id": 1},
        "data": {"quiz": "q"},
    }


def test_a_forwarded_event_is_checked_by_its_type(memory):
    tracker = et.Tracker()
    tracker.configure({"telemetry": False, "invalid": "dead_letter", "backends": {"m": memory}})
    schema = {"properties": {"quiz": {"type": "string"}}, "required": ["quiz"]}
    record = tracker.register("quiz.started", "A quiz was started.", schema=schema)
    assert forwarded(tracker, memory)[0]["name_id"] == record.id
    assert len(forwarded(tracker, memory, data={"quiz": 1})) == 1
    assert tracker.stats()["tree"]["backends"][0]["dropped"] == {"invalid": 1}


def test_a_strict_tracker_raises_what_would_be_a_warning(memory):
    tracker = et.Tracker({"memory": memory}, strict=True)
    with pytest.raises(et.InvalidEventError):
        forwarded(tracker, memory, name="")


def test_a_failing_backend_does_not_reach_the_caller():
    class Broken:
        def send(self, event):
            raise OSError("away")

    tracker = et.Tracker({"broken": Broken()})
    tracker.forward(ID, "quiz.started", MOMENT, {}, {})
    assert tracker.stats()["tree"]["backends"][0]["dropped"] == {"error": 1}
