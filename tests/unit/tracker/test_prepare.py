"""Events that are made now and sent later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import frozen
from eventtracking_core.testing.hostile import NAMES, VALUES


@et.event("quiz.finished")
@dataclass
class Finished:
    """A quiz was finished."""

    quiz: str
    score: float = 1.0


def a_tracker(policies, *, registered):
    memory = MemoryBackend(1_000)
    tracker = et.Tracker()
    tracker.configure({"telemetry": False, "backends": {"memory": memory}} | policies)
    if registered:
        tracker.register("quiz.started", "A quiz was started.", {"quiz": "its name"})
    return tracker, memory


def sent_by(act, policies, *, registered):
    tracker, memory = a_tracker(policies, registered=registered)
    with frozen(), tracker.context("request", {"user_id": 1}):
        event_id = act(tracker)
    stats = tracker.stats()
    return event_id, memory.events, stats


def prepare_and_send(tracker, *args, **kwargs):
    prepared = tracker.prepare(*args, **kwargs)
    prepared.send()
    return prepared.id


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([None, "quiz.started", "quiz.other", 7, Finished("a"), Finished(3)]),
    data=st.sampled_from([None, {}, {"quiz": "a"}, {"quiz": 1, "more": {2}}, ["a"], "text"]),
    timestamp=st.sampled_from([None, datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), 3]),  # noqa: DTZ001
    policies=st.sampled_from(
        [{}, {"unregistered": "reject"}, {"invalid": "dead_letter"}, {"max_event_size": 1}]
    ),
    registered=st.booleans(),
)
def test_a_prepared_event_is_the_one_that_emit_would_have_sent(
    name, data, timestamp, policies, registered
):
    args, kwargs = (name, data), {"timestamp": timestamp}
    emitted = sent_by(
        lambda tracker: tracker.emit(*args, **kwargs), policies, registered=registered
    )
    prepared = sent_by(
        lambda tracker: prepare_and_send(tracker, *args, **kwargs), policies, registered=registered
    )

    if isinstance(timestamp, int):  # replaced by the present time
        for event in (*emitted[1], *prepared[1]):
            event.pop("timestamp")
    assert prepared == emitted


def test_an_event_has_the_contexts_time_and_data_of_the_moment_it_was_prepared(tracker, memory):
    data = {"answers": ["a"]}
    with tracker.context("request", {"user_id": 1}):
        prepared = tracker.prepare("quiz.started", data)
    before = datetime.now(UTC)
    data["answers"].append("b")
    with tracker.context("request", {"user_id": 2}):
        prepared.send()

    (event,) = memory.events
    assert event["id"] == prepared.id
    assert event["context"] == {"user_id": 1}
    assert event["data"] == {"answers": ["a"]}
    assert event["timestamp"] <= before


def test_an_event_that_is_not_sent_was_not_emitted(tracker, memory):
    tracker.prepare("quiz.started")

    assert memory.events == []
    assert tracker.stats()["emitted"] == 0


def test_an_event_is_sent_once(tracker, memory):
    prepared = tracker.prepare("quiz.started")
    prepared.send()
    prepared.send()

    assert [event["id"] for event in memory.events] == [prepared.id]
    assert tracker.stats()["emitted"] == 1


def test_an_event_goes_to_the_backends_of_the_moment_it_is_sent(memory):
    tracker = et.Tracker()
    prepared = tracker.prepare("quiz.started", {"quiz": "a"})
    tracker.configure({"telemetry": False, "backends": {"memory": memory}})
    prepared.send()

    assert [event["id"] for event in memory.events] == [prepared.id]


def test_a_strict_tracker_raises_when_the_event_is_prepared():
    with pytest.raises(et.InvalidEventError):
        et.Tracker(strict=True).prepare("quiz.started", {"quiz": object()})


@pytest.mark.parametrize("case", [*VALUES, *NAMES])
def test_preparing_never_raises(case, tracker, memory):
    hostile = (VALUES.get(case) or NAMES[case])()
    for args in ((hostile,), ("name", hostile), ("name", {"field": hostile})):
        tracker.prepare(*args).send()

    assert len(memory.events) == 3
