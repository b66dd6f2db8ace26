"""Tests of applications see what was emitted."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import capture

pytestmark = pytest.mark.native


@pytest.fixture
def default_tracker():
    """A default tracker of the test's own."""
    before, tracker = et.get_tracker(), et.Tracker()
    et.register_tracker(tracker)
    yield tracker
    et.register_tracker(before)


HERE = []


class Here:
    """Takes every event."""

    def send(self, event):
        HERE.append(event)


SAVED = []


class Store:
    """Saves the records of event types."""

    save_event_type = SAVED.append

    def load_event_types(self):
        return SAVED


class Away:
    """Takes none."""

    def send(self, event):
        raise et.RetryableError("away")


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


def test_backends_get_no_event_unless_that_is_asked_for():
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory})

    with capture(tracker):
        tracker.emit("kept back")
    with capture(tracker, pass_through=True) as events:
        tracker.emit("passed")
    tracker.emit("after")

    assert names(events) == ["passed"]
    assert names(memory.events) == ["passed", "after"]


def test_a_tracker_that_is_configured_inside_the_block_is_captured(default_tracker):
    with capture() as events:
        et.configure(
            {
                "processors": [{"type": "name_allowlist", "names": ["inside"]}],
                "backends": {"here": {"type": f"{__name__}:Here"}},
            }
        )
        et.emit("inside")
        et.emit("filtered")
        et.configure({"backends": {}})
        et.emit("again")

    assert names(events) == ["inside", "again"]
    assert HERE == []


def test_a_default_tracker_that_is_registered_inside_the_block_is_captured(default_tracker):
    with capture() as events:
        et.emit("first")
        et.register_tracker(et.Tracker())
        et.emit("second")
        default_tracker.emit("no longer on the default one")

    assert names(events) == ["first", "second"]


def test_a_block_that_keeps_events_back_wins_over_one_that_passes_them():
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory})

    with capture(tracker) as outer, capture(tracker, pass_through=True) as inner:
        tracker.emit("inside")

    assert names(outer) == names(inner) == ["inside"]
    assert memory.events == []


def test_what_waits_in_a_spool_is_not_delivered_to_a_test(tmp_path):
    def configuration(backend):
        delivery = {"mode": "spool", "directory": str(tmp_path), "schedule_delay": 0.01}
        return {"backends": {"b": {"type": f"{__name__}:{backend}", "delivery": delivery}}}

    earlier = et.Tracker()
    earlier.configure(configuration("Away"))
    earlier.emit("left behind")
    earlier.shutdown(1)
    tracker = et.Tracker()
    with capture(tracker):
        tracker.configure(configuration("Here"))
        tracker.flush(1)
        assert HERE == []
    tracker.configure(configuration("Here"))
    tracker.shutdown(5)

    assert names(HERE) == ["left behind"]
    HERE.clear()


def test_no_record_of_an_event_type_leaves_a_test():
    tracker = et.Tracker()
    with capture(tracker):
        tracker.configure({"metadata": {"type": f"{__name__}:Store"}})
        tracker.register("quiz.opened", "A quiz was opened.")
        tracker.shutdown(5)

    assert SAVED == []


def test_invalid_events_make_no_dead_letters_in_a_test(tmp_path):
    delivery = {"mode": "queue", "directory": str(tmp_path)}
    tracker = et.Tracker()
    with capture(tracker) as events:
        backend = {"type": "memory", "delivery": delivery}
        tracker.configure({"invalid": "dead_letter", "backends": {"m": backend}})
        tracker.register("quiz.opened", "A quiz was opened.", {"quiz_id": "which one"})
        tracker.emit("quiz.opened", {})
        tracker.shutdown(5)

    assert events == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


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
        assert tracker.backends == {}
    tracker.emit("after")

    assert tracker.stats()["emitted"] == 0


def test_an_exception_ends_the_block():
    tracker = et.Tracker()

    with pytest.raises(ValueError, match="mine"), capture(tracker) as events:
        raise ValueError("mine")
    tracker.emit("after")

    assert events == []
