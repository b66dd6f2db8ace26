"""A backend is taken out of the tree while the application runs."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


def test_a_backend_that_is_taken_out_gets_no_more_events_and_is_returned(tracker, memory):
    tracker.emit("first")
    taken = tracker.root.unregister_backend("memory")
    tracker.emit("second")

    assert taken is memory
    assert [event["name"] for event in memory.events] == ["first"]


def test_it_is_neither_flushed_nor_shut_down():
    class Open(MemoryBackend):
        ended = False

        def flush(self, timeout):
            self.ended = True
            return True

        shutdown = flush

    backend = Open()
    tracker = et.Tracker({"open": backend})
    tracker.root.unregister_backend("open")
    tracker.shutdown()

    assert not backend.ended


def test_a_router_is_taken_out_with_all_below_it(memory):
    branch = et.RoutingBackend({"memory": memory})
    tracker = et.Tracker({"branch": branch})

    assert tracker.root.unregister_backend("branch") is branch
    tracker.emit("name")
    branch.register_backend("other", MemoryBackend())
    tracker.emit("name")

    assert memory.events == []


def test_a_name_that_is_not_there_is_a_key_error(tracker):
    with pytest.raises(KeyError, match="nobody"):
        tracker.root.unregister_backend("nobody")
