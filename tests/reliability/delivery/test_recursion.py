"""P32: backends and processors that emit end, at a bounded depth, and every drop is counted."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


class Emits:
    def __init__(self):
        self.tracker = None
        self.sent = 0

    def send(self, event):
        self.sent += 1
        self.tracker.emit("again")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_backends_that_emit_end_and_what_is_dropped_is_counted(number, caplog):
    backends = {f"emits-{n}": Emits() for n in range(number)}
    tracker = et.Tracker(backends)
    for backend in backends.values():
        backend.tracker = tracker
    tracker.emit("first")

    leaves = tracker.stats()["tree"]["backends"]
    assert sum(backend.sent for backend in backends.values()) < 300
    assert all(leaf["dropped"]["recursion"] > 0 for leaf in leaves)
    assert all(
        leaf["accepted"] == leaf["delivered"] + leaf["dropped"]["recursion"] for leaf in leaves
    )
    assert len([each for each in caplog.records if "TooDeepError" in each.message]) <= number

    sent = sum(backend.sent for backend in backends.values())
    tracker.emit("next")  # nothing of the first one is left over
    assert sum(backend.sent for backend in backends.values()) == 2 * sent


def test_a_backend_may_emit_what_another_one_is_told():
    class Audits(Emits):
        def send(self, event):
            self.sent += 1
            if event["name"] != "audit":
                self.tracker.emit("audit")

    memory, audits = MemoryBackend(), Audits()
    tracker = audits.tracker = et.Tracker({"a": audits, "b": memory})
    for _ in range(20):
        tracker.emit("first")
    assert [event["name"] for event in memory.events] == ["audit", "first"] * 20


def test_processors_that_emit_end():
    calls = []

    def emits(event):
        calls.append(1)
        tracker.emit("again")

    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, processors=[emits, emits])
    tracker.emit("first")
    tree = tracker.stats()["tree"]
    assert len(calls) < 50
    assert tree["dropped"]["recursion"] > 0
    assert tree["accepted"] == tree["dropped"]["recursion"] + len(memory.events)


def test_a_backend_that_says_it_is_closed_does_not_stop_its_siblings():
    class Closed:
        def send(self, event):
            raise et.ClosedError

    memory = MemoryBackend()
    tracker = et.Tracker({"a": Closed(), "b": memory})
    tracker.emit("name")
    assert len(memory.events) == 1
    assert tracker.stats()["tree"]["backends"][0]["dropped"] == {"shutdown": 1}


def test_near_the_recursion_limit_the_siblings_are_tried_too(tracker_to, sink):
    memory = MemoryBackend()
    queued = sink()
    tracker = tracker_to({"a": queued})
    tracker.root.register_backend("z", memory)

    def deeper(n):
        tracker.emit("deep", {"n": n})
        deeper(n + 1)

    with pytest.raises(RecursionError):
        deeper(0)
    assert tracker.flush(60)
    leaf = tracker.leaf("a")
    assert leaf["accepted"] == leaf["delivered"] + sum(leaf["dropped"].values())
    assert tracker.stats()["emitted"] - len(memory.events) <= 40
    assert leaf["delivered"] == len(queued.delivered)
