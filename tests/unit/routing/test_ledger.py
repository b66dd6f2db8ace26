"""Every event is accounted for, at every node, exactly."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.routing import AtomicCounter

PER_THREAD = 100


@pytest.fixture(autouse=True)
def tiny_switch_interval():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work, number=8):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def nodes(node):
    yield node
    for child in node.get("backends", ()):
        yield from nodes(child)


class Moody:
    """Does one thing after the other, from a list."""

    def __init__(self, moods):
        self.moods = moods

    def act(self, event):
        mood = self.moods[event["data"]["n"] % len(self.moods)]
        if mood is not None:
            raise mood

    send = __call__ = act


MOODS = st.lists(
    st.sampled_from(
        [
            None,
            OSError(),
            et.RejectedError(),
            et.RetryableError(),
            et.NoBackendEnabled(),
            et.EventEmissionExit(),
        ]
    ),
    min_size=1,
    max_size=7,
)


@pytest.mark.native
@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(at_root=MOODS, at_branch=MOODS, at_leaf=MOODS)
def test_the_counts_of_every_node_add_up(at_root, at_branch, at_leaf):
    branch = et.RoutingBackend({"c": Moody(at_leaf), "d": MemoryBackend()}, [Moody(at_branch)])
    plain = et.RoutingBackend({"e": Moody(at_leaf)})
    tracker = et.Tracker(
        {"a": MemoryBackend(), "b": branch, "plain": plain}, processors=[Moody(at_root)]
    )

    def emit_many():
        for number in range(PER_THREAD):
            tracker.emit("name", {"n": number})

    in_threads(emit_many)

    stats = tracker.stats()
    root = stats["tree"]
    assert stats["emitted"] == root["accepted"] == 8 * PER_THREAD
    for node in nodes(root):
        handed_on = node["accepted"] - sum(node["dropped"].values())
        if "backends" in node:
            assert [child["accepted"] for child in node["backends"]] == (
                [handed_on] * len(node["backends"])
            )
        else:
            assert handed_on == node["delivered"] + node["pending"]
            assert node["pending"] == 0
    expected = sum(isinstance(at_root[n % len(at_root)], et.EventEmissionExit)
                   for n in range(PER_THREAD))  # fmt: skip
    assert root["dropped"].get("filtered", 0) == 8 * expected


def test_a_node_says_what_it_is(tracker):
    tracker.configure(
        {
            "processors": [{"type": "sample", "rate": 1.0}],
            "backends": {"a": "null", "b": {"backends": {"c": MemoryBackend()}}},
        }
    )
    root = tracker.stats()["tree"]

    assert [(node["name"], node["type"]) for node in nodes(root)] == [
        ("", "router"),
        ("a", "null"),
        ("b", "router"),
        ("c", "MemoryBackend"),
    ]
    assert root["processors"] == [{"name": "sample", "dropped": 0, "added": 0, "errors": {}}]


def test_an_event_that_is_still_inside_a_backend_is_pending():
    seen = []

    class Asking:
        def send(self, event):
            seen.append(tracker.stats()["tree"]["backends"][0]["pending"])

    tracker = et.Tracker({"a": Asking()})
    tracker.emit("name")

    assert seen == [1]
    assert tracker.stats()["tree"]["backends"][0]["pending"] == 0


@pytest.mark.native
def test_a_count_is_exact_under_threads():
    counter = AtomicCounter()
    in_threads(lambda: [counter.add() for _ in range(5_000)])
    counter.add_many(7)

    assert counter.value == 8 * 5_000 + 7
    counter.reset()
    assert counter.value == 0


@pytest.mark.native
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_counts_from_zero(memory):
    tracker = et.Tracker({"router": et.RoutingBackend({"memory": memory}, [lambda _: None])})
    tracker.emit("name")
    child = os.fork()
    if not child:
        tracker.emit("name")
        stats = tracker.stats()
        counts = [stats["emitted"], *(node["accepted"] for node in nodes(stats["tree"]))]
        os._exit(0 if counts == [1, 1, 1, 1] else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert tracker.stats()["emitted"] == 1


@pytest.mark.native
def test_events_emitted_in_a_signal_handler_are_counted_too(memory):
    tracker = et.Tracker({"router": et.RoutingBackend({"memory": memory}, [lambda _: None])})
    in_handler, emitted = [], []
    before = signal.signal(signal.SIGVTALRM, lambda *_: in_handler.append(tracker.emit("b", [1])))
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0005, 0.0005)
    try:
        while len(in_handler) < 30:
            emitted += [tracker.emit("a", {"a": [1]}) for _ in range(500)]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

    assert sorted(event["id"] for event in memory.events) == sorted([*emitted, *in_handler])
    stats = tracker.stats()
    assert {stats["emitted"], *(node["accepted"] for node in nodes(stats["tree"]))} == {
        len(emitted) + len(in_handler)
    }
