"""What becomes of events that are not registered, or not as registered, where a policy says so."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.delivery import DeadLetters

NAME = "edx.problem.check"


@pytest.fixture
def configured(memory):
    """Makes trackers with a registered type."""

    def configured(**config):
        tracker = et.Tracker()
        tracker.configure({"backends": {"memory": memory}} | config)
        tracker.register(NAME, "", {"problem_id": et.FieldDoc("problem_id", type="string")})
        return tracker

    return configured


def test_by_default_no_event_is_lost(configured, memory):
    tracker = configured()
    tracker.emit("edx.other")
    tracker.emit(NAME, {"wrong": 1})

    assert len(memory.events) == 2


def test_what_is_allowed_is_not_warned_of(configured, memory):
    tracker = configured(unregistered="allow", invalid="allow")
    tracker.emit("edx.other")
    tracker.emit(NAME, {"wrong": 1})

    assert len(memory.events) == 2
    assert tracker.stats()["warnings"] == {}


@pytest.mark.parametrize("processors", [[], ["sample"]])
def test_unregistered_events_are_rejected_and_counted(configured, memory, processors):
    steps = [{"type": name, "rate": 1.0} for name in processors]
    tracker = configured(unregistered="reject", processors=steps)
    tracker.emit("edx.other")
    tracker.emit(NAME, {"problem_id": "p1"})

    root = tracker.stats()["tree"]
    assert [event["name"] for event in memory.events] == [NAME]
    assert (root["accepted"], root["dropped"]) == (2, {"unregistered": 1})
    assert tracker.stats()["warnings"] == {"unregistered": 1}


def test_invalid_events_become_dead_letters_behind_the_processors(configured, memory, tmp_path):
    queue = {"type": "memory", "delivery": {"mode": "queue", "directory": str(tmp_path)}}
    tracker = configured(
        invalid="dead_letter",
        processors=[{"type": "redact", "fields": ["data.secret"]}],
        backends={"plain": memory, "queued": queue},
    )
    tracker.emit(NAME, {"problem_id": "p1"})
    tracker.emit(NAME, {"problem_id": 3, "secret": "hunter2"})
    assert tracker.flush(60)

    plain, queued = tracker.stats()["tree"]["backends"]
    assert (plain["delivered"], plain["dropped"], plain["pending"]) == (1, {"invalid": 1}, 0)
    assert (queued["delivered"], queued["dead_lettered"], queued["pending"]) == (1, 1, 0)
    (letter,) = DeadLetters(tmp_path / "queued" / "dead", 1 << 20).letters()
    assert (letter.reason, letter.error) == ("invalid", "type_mismatch: problem_id")
    assert letter.event["name_id"] == tracker.event_types.get(NAME).id
    assert set(letter.event) == {"id", "name", "timestamp", "name_id", "context", "data"}
    assert "hunter2" not in str(letter.event)
    tracker.shutdown()


def test_the_size_that_is_warned_of_is_configured(configured, memory, monkeypatch):
    tracker = configured(max_event_size="1 KiB")
    tracker.emit(NAME, {"problem_id": "p" * 2000})
    monkeypatch.setenv("EVENTTRACKING_MAX_EVENT_SIZE", "100 KiB")
    other = configured()
    other.emit(NAME, {"problem_id": "p" * 70_000})

    assert tracker.stats()["warnings"] == {"too_large": 1}
    assert other.stats()["warnings"] == {}
    assert len(memory.events) == 2


def test_a_size_may_be_configured_where_nothing_is_registered(memory):
    tracker = et.Tracker()
    tracker.configure({"backends": {"memory": memory}, "max_event_size": 1000})
    tracker.emit(NAME, {"problem_id": "p" * 2000})

    assert tracker.stats()["warnings"] == {"too_large": 1}


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("unregistered", "drop", "unregistered: expected one of: allow, warn, reject"),
        ("invalid", "reject", "invalid: expected one of: allow, warn, dead_letter"),
        ("max_event_size", 0, "max_event_size must be at least 1 byte"),
        ("max_event_size", "1 XB", "max_event_size: unknown unit of size"),
    ],
)
def test_a_wrong_policy_is_a_problem_of_the_configuration(refused, key, value, problem):
    assert problem in refused({key: value})
