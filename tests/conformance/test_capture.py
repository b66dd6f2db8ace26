"""Tests of applications see what was emitted."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import capture


@pytest.fixture
def default_tracker():
    """A default tracker of the test's own."""
    before, tracker = et.get_tracker(), et.Tracker()
    et.register_tracker(tracker)
    yield tracker
    et.register_tracker(before)


def names(events):
    return [event["name"] for event in events]


def test_what_is_emitted_inside_the_block_is_captured():
    tracker = et.Tracker()
    tracker.emit("before")

    with capture(tracker) as events:
        tracker.emit("inside", {"a": 1})
        assert names(events) == ["inside"]
    tracker.emit("after")

    (event,) = events
    assert (event["name"], event["data"]) == ("inside", {"a": 1})


def test_the_default_tracker_is_listened_to_unless_another_is_given(default_tracker):
    with capture() as events:
        et.emit("on the default tracker")
        et.Tracker().emit("on another one")

    assert names(events) == ["on the default tracker"]


def test_contexts_and_processors_have_done_their_work(default_tracker):
    default_tracker.root.register_processor(lambda event: {**event, "name": "renamed"})

    with et.context(user_id=1), capture() as events:
        et.emit("named")

    (event,) = events
    assert (event["name"], event["context"]) == ("renamed", {"user_id": 1})


def test_other_backends_get_their_events_as_ever():
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory})

    with capture(tracker) as events:
        tracker.emit("inside")

    assert memory.events == events


def test_what_the_application_changes_afterwards_is_not_seen():
    tracker, data = et.Tracker(), {"answers": [1]}

    with capture(tracker) as events:
        tracker.emit("inside", data)
        data["answers"].append(2)

    assert events[0]["data"] == {"answers": [1]}


def test_blocks_can_be_nested_and_used_again():
    tracker = et.Tracker()

    with capture(tracker) as outer:
        tracker.emit("first")
        with capture(tracker) as inner:
            tracker.emit("second")
        tracker.emit("third")
    with capture(tracker) as again:
        tracker.emit("fourth")

    assert [*map(names, (outer, inner, again))] == [
        ["first", "second", "third"],
        ["second"],
        ["fourth"],
    ]


def test_the_tracker_is_as_it_was_afterwards():
    tracker = et.Tracker()

    with capture(tracker):
        assert len(tracker.backends) == 1

    assert tracker.backends == {}


def test_an_exception_ends_the_block():
    tracker = et.Tracker()

    with pytest.raises(ValueError, match="mine"), capture(tracker) as events:
        raise ValueError("mine")
    tracker.emit("after")

    assert events == []
